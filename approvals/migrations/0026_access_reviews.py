"""What access reviews keep, and who opens them: the guards are this app's, the tables audit's."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from approvals.records.guards import append_only

GUARDS = """
-- A campaign is opened, escalated and closed once each; nothing else of it changes.
CREATE FUNCTION access_review_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL
       OR (NEW.id, NEW.name, NEW.scope, NEW.due_at, NEW.opened_by_id, NEW.opened_at)
          IS DISTINCT FROM (OLD.id, OLD.name, OLD.scope, OLD.due_at, OLD.opened_by_id, OLD.opened_at)
       OR (OLD.escalated_at IS NOT NULL AND NEW.escalated_at IS DISTINCT FROM OLD.escalated_at)
       OR (NEW.closed_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM audit_reviewentry entry
              LEFT JOIN audit_reviewdecision decision ON decision.entry_id = entry.id
             WHERE entry.review_id = NEW.id AND decision.id IS NULL)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'access_review_fixed',
            MESSAGE = 'INV-4: an access review is closed once, when all is decided, and does not change otherwise.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER access_review_guard BEFORE UPDATE ON audit_accessreview
    FOR EACH ROW EXECUTE FUNCTION access_review_guard();

-- An entry is what stood when the campaign was opened; until it is decided somebody else may be asked to look at it.
CREATE FUNCTION review_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'reviewer_id' - 'reviewer_human_id' <> to_jsonb(OLD) - 'reviewer_id' - 'reviewer_human_id'
       OR EXISTS (SELECT 1 FROM audit_reviewdecision WHERE entry_id = OLD.id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'review_entry_fixed',
            MESSAGE = 'INV-4: what was granted when the access review was opened does not change.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER review_entry_guard BEFORE UPDATE ON audit_reviewentry
    FOR EACH ROW EXECUTE FUNCTION review_entry_guard();

CREATE FUNCTION review_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry audit_reviewentry;
BEGIN
    SELECT * INTO entry FROM audit_reviewentry WHERE id = NEW.entry_id FOR SHARE;
    IF NEW.decided_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.decided_by_id)
       OR NEW.decided_human_id IS DISTINCT FROM entry.reviewer_human_id
       OR NEW.decided_human_id = ANY(entry.humans) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'review_decision_by_its_reviewer',
            MESSAGE = 'INV-4: a right is reviewed by its reviewer, and by nobody whom it serves.';
    END IF;
    IF EXISTS (SELECT 1 FROM audit_accessreview WHERE id = entry.review_id AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'review_decision_in_open_review',
            MESSAGE = 'INV-4: the access review is closed.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER review_decision_guard BEFORE INSERT ON audit_reviewdecision
    FOR EACH ROW EXECUTE FUNCTION review_decision_guard();

CREATE TRIGGER access_review_kept BEFORE DELETE ON audit_accessreview FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER review_entry_kept BEFORE DELETE ON audit_reviewentry FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER access_review_truncate BEFORE TRUNCATE ON audit_accessreview
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE TRIGGER review_entry_truncate BEFORE TRUNCATE ON audit_reviewentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""
NO_GUARDS = """
DROP TRIGGER review_entry_truncate ON audit_reviewentry;
DROP TRIGGER access_review_truncate ON audit_accessreview;
DROP TRIGGER review_entry_kept ON audit_reviewentry;
DROP TRIGGER access_review_kept ON audit_accessreview;
DROP TRIGGER review_decision_guard ON audit_reviewdecision;
DROP FUNCTION review_decision_guard();
DROP TRIGGER review_entry_guard ON audit_reviewentry;
DROP FUNCTION review_entry_guard();
DROP TRIGGER access_review_guard ON audit_accessreview;
DROP FUNCTION access_review_guard();
"""


def grant(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("audit"), verbosity=0, using=using, apps=apps)
    found = apps.get_model("auth", "Permission").objects.using(using).filter(
        content_type__app_label="audit", codename__in=["view_access", "open_accessreview"]
    )
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=["auditor", "administrator"]):
        group.permissions.add(*found)


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0025_legal_holds'),
        ('audit', '0006_reviews'),
    ]

    operations = [
        *append_only(["audit_reviewdecision", "audit_reviewreminder"]),
        migrations.RunSQL(sql=GUARDS, reverse_sql=NO_GUARDS),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
