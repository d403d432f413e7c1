"""Emergency permits: short, used once, reviewed afterwards; and the role that takes them."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.apps import apps as installed
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from approvals.records.guards import append_only

GUARDS = """
-- Whether the overdue review of an earlier permit keeps a human from another one: their own at once, anybody's once it took
-- twice the time that it had.
CREATE FUNCTION emergency_is_blocked(human uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM approvals_permit permit
         WHERE permit.used_at IS NOT NULL AND permit.reviewed_at IS NULL
           AND (permit.human_id = human AND permit.review_due_at <= at
                OR permit.used_at + 2 * (permit.review_due_at - permit.used_at) <= at))
$$;

-- A permit is of the current revision of a request that is open, for the human of the login that takes it; afterwards it is
-- used once, by an application that cites it, and reviewed once, by everybody whom its stages ask.
CREATE FUNCTION permit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT * INTO request FROM approvals_changerequest WHERE id = NEW.change_request_id;
        IF request.status NOT IN ('draft', 'in_review', 'approved')
           OR request.current_revision_id IS DISTINCT FROM NEW.revision_id
           OR NEW.digest IS DISTINCT FROM (SELECT digest FROM approvals_revision WHERE id = NEW.revision_id) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_of_current_revision',
                MESSAGE = 'INV-2: a permit names the digest of the current revision of an open request.';
        END IF;
        IF NEW.human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.user_id) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_names_human',
                MESSAGE = 'INV-3: the permit names another human than the login has.';
        END IF;
        IF NEW.used_at IS NOT NULL OR NEW.reviewed_at IS NOT NULL OR NEW.escalation <> 0 THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_starts_unused',
                MESSAGE = 'A permit starts unused.';
        END IF;
        IF emergency_is_blocked(NEW.human_id, NEW.issued_at) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_not_blocked',
                MESSAGE = 'INV-3: the review of an earlier permit is overdue.';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.change_request_id, NEW.revision_id, NEW.digest, NEW.user_id, NEW.human_id, NEW.reason, NEW.issued_at,
        NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.change_request_id, OLD.revision_id, OLD.digest, OLD.user_id, OLD.human_id, OLD.reason, OLD.issued_at,
        OLD.expires_at)
       OR NEW.escalation < OLD.escalation THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_fixed',
            MESSAGE = 'Whose permit it is, for what, why and until when does not change.';
    END IF;
    IF (NEW.used_at, NEW.review_due_at) IS DISTINCT FROM (OLD.used_at, OLD.review_due_at) AND (
        OLD.used_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM approvals_authorization WHERE permit_id = NEW.id)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_used_once',
            MESSAGE = 'INV-2: a permit is used once, by an application that cites it.';
    END IF;
    IF (NEW.reviewed_at, NEW.outcome) IS DISTINCT FROM (OLD.reviewed_at, OLD.outcome) AND (
        OLD.reviewed_at IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM approvals_stage WHERE revision_id = NEW.revision_id)
        OR EXISTS (
            SELECT 1 FROM approvals_stage stage
             WHERE stage.revision_id = NEW.revision_id
               AND stage.quorum > (
                   SELECT count(*) FROM approvals_permitreview said
                    WHERE said.permit_id = NEW.id AND said.stage_id = stage.id AND said.digest = NEW.digest))
        OR (NEW.outcome = 'justified' AND EXISTS (
            SELECT 1 FROM approvals_permitreview WHERE permit_id = NEW.id AND verdict = 'not_justified'))
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_reviewed_by_quorum',
            MESSAGE = 'INV-3: a permit is reviewed once every stage of its revision has its quorum, as they said.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_guard BEFORE INSERT OR UPDATE ON approvals_permit FOR EACH ROW EXECUTE FUNCTION permit_guard();
CREATE TRIGGER permit_kept BEFORE DELETE ON approvals_permit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER permit_truncate BEFORE TRUNCATE ON approvals_permit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- INV-3: a used permit is reviewed by others than those who wrote the change or used it.
CREATE FUNCTION permit_review_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    permit approvals_permit;
BEGIN
    SELECT * INTO permit FROM approvals_permit WHERE id = NEW.permit_id;
    IF permit.used_at IS NULL OR permit.reviewed_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_review_of_used_permit',
            MESSAGE = 'A permit is reviewed after it was used, until its review is complete.';
    END IF;
    IF NEW.digest <> permit.digest THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_review_names_digest',
            MESSAGE = 'INV-2: the review names another digest than was applied.';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM approvals_stage WHERE id = NEW.stage_id AND revision_id = permit.revision_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_review_of_stage_of_revision',
            MESSAGE = 'The stage belongs to another revision.';
    END IF;
    IF NEW.reviewer_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.reviewer_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_review_names_human',
            MESSAGE = 'INV-3: the review names another human than the login has.';
    END IF;
    IF NEW.reviewer_human_id = permit.human_id
       OR EXISTS (
           SELECT 1 FROM approvals_revision
            WHERE change_request_id = permit.change_request_id AND author_human_id = NEW.reviewer_human_id)
       OR EXISTS (
           SELECT 1 FROM approvals_changerequest request
             JOIN foundation_user applier ON applier.id = request.applied_by_id
            WHERE request.id = permit.change_request_id AND applier.human_id = NEW.reviewer_human_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'permit_review_by_others',
            MESSAGE = 'INV-3: nobody reviews an emergency that they wrote or caused, under any login.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_review_guard BEFORE INSERT ON approvals_permitreview
    FOR EACH ROW EXECUTE FUNCTION permit_review_guard();

-- INV-2: an emergency cites a permit for this request and digest that is valid at that instant, by somebody whom no overdue
-- review blocks.
CREATE FUNCTION authorization_emergency_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    permit approvals_permit;
BEGIN
    IF NEW.basis <> 'emergency' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO permit FROM approvals_permit WHERE id = NEW.permit_id;
    IF permit.id IS NULL OR permit.used_at IS NOT NULL OR permit.change_request_id <> NEW.change_request_id
       OR permit.revision_id <> NEW.revision_id OR permit.digest <> NEW.digest
       OR NEW.created_at < permit.issued_at OR NEW.created_at >= permit.expires_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_permit_is_valid',
            MESSAGE = 'INV-2: the permit is of another revision, was used, or has expired.';
    END IF;
    IF emergency_is_blocked(permit.human_id, NEW.created_at) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_permit_not_blocked',
            MESSAGE = 'INV-3: the review of an earlier permit is overdue.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorization_emergency_guard BEFORE INSERT ON approvals_authorization
    FOR EACH ROW EXECUTE FUNCTION authorization_emergency_guard();

-- No application by a permit leaves it unused: its review would never be due.
CREATE FUNCTION authorization_uses_permit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.permit_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM approvals_permit WHERE id = NEW.permit_id AND used_at = NEW.created_at
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_uses_permit',
            MESSAGE = 'INV-3: an application by an emergency permit uses it, so that its review is due.';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER authorization_uses_permit AFTER INSERT ON approvals_authorization
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION authorization_uses_permit();
"""


def grant_to_emergency(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("approvals"), verbosity=0, using=using, apps=apps)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    group, _ = Group.objects.using(using).get_or_create(name="emergency")
    group.permissions.add(
        Permission.objects.using(using).get(content_type__app_label="approvals", codename="use_emergency_permit")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0019_standards'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PermitReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64)),
                ('reviewer_human_id', models.UUIDField()),
                ('verdict', models.CharField(choices=[('justified', 'Justified'), ('not_justified', 'Not justified')], max_length=20)),
                ('comment', models.TextField(blank=True, default='')),
                ('decided_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='historicalpolicy',
            name='emergency_review_hours',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='policy',
            name='emergency_review_hours',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='authorization',
            name='basis',
            field=models.CharField(choices=[('quorum', 'the quorum of its stages'), ('standard', 'a standard template'), ('emergency', 'an emergency permit'), ('bootstrap', 'a system bootstrap'), ('rollback', 'the inverse approved with the change that it acts back on')], max_length=20),
        ),
        migrations.CreateModel(
            name='Permit',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64)),
                ('human_id', models.UUIDField()),
                ('reason', models.TextField()),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('review_due_at', models.DateTimeField(null=True)),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, choices=[('justified', 'Justified'), ('not_justified', 'Not justified')], default='', max_length=20)),
                ('escalation', models.PositiveIntegerField(default=0)),
                ('change_request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='permits', to='approvals.changerequest')),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.revision')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('use_emergency_permit', 'Can take and use an emergency permit')],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='authorization',
            name='permit',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.permit'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'emergency'), ('permit__isnull', False)), models.Q(models.Q(('basis', 'emergency'), _negated=True), ('permit__isnull', True)), _connector='OR'), name='authorization_cites_its_permit'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.UniqueConstraint(fields=('permit',), name='authorization_permit_once'),
        ),
        migrations.AddField(
            model_name='permitreview',
            name='permit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='approvals.permit'),
        ),
        migrations.AddField(
            model_name='permitreview',
            name='reviewer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='permitreview',
            name='stage',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.stage'),
        ),
        migrations.AddIndex(
            model_name='permit',
            index=models.Index(condition=models.Q(('reviewed_at__isnull', True), ('used_at__isnull', False)), fields=['review_due_at', 'id'], name='permit_to_review'),
        ),
        migrations.AddIndex(
            model_name='permit',
            index=models.Index(fields=['-issued_at', 'id'], name='permit_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='permit',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='permit_says_why'),
        ),
        migrations.AddConstraint(
            model_name='permit',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('issued_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('issued_at'), '+', models.Value(datetime.timedelta(seconds=14400))))), name='permit_is_short'),
        ),
        migrations.AddConstraint(
            model_name='permit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('review_due_at__isnull', True), ('used_at__isnull', True)), models.Q(('review_due_at__gt', models.F('used_at')), ('used_at__gte', models.F('issued_at')), ('used_at__lt', models.F('expires_at'))), _connector='OR'), name='permit_used_in_time'),
        ),
        migrations.AddConstraint(
            model_name='permit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', ''), ('reviewed_at__isnull', True)), models.Q(('outcome__in', ['justified', 'not_justified']), ('reviewed_at__isnull', False), ('used_at__isnull', False)), _connector='OR'), name='permit_reviewed_has_outcome'),
        ),
        migrations.AddConstraint(
            model_name='permitreview',
            constraint=models.UniqueConstraint(fields=('permit', 'reviewer_human_id'), name='permit_review_once_per_human'),
        ),
        migrations.AddConstraint(
            model_name='permitreview',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'justified'), models.Q(('comment__regex', '\\S'), ('verdict', 'not_justified')), _connector='OR'), name='permit_review_against_says_why'),
        ),
        *append_only(["approvals_permitreview"]),
        migrations.RunSQL(
            sql=GUARDS,
            reverse_sql="""
            DROP TRIGGER permit_guard ON approvals_permit;
            DROP TRIGGER permit_kept ON approvals_permit;
            DROP TRIGGER permit_truncate ON approvals_permit;
            DROP TRIGGER permit_review_guard ON approvals_permitreview;
            DROP TRIGGER authorization_emergency_guard ON approvals_authorization;
            DROP TRIGGER authorization_uses_permit ON approvals_authorization;
            DROP FUNCTION permit_guard(), permit_review_guard(), authorization_emergency_guard(),
                authorization_uses_permit(), emergency_is_blocked(uuid, timestamptz);
            """,
        ),
        migrations.RunPython(grant_to_emergency, migrations.RunPython.noop),
    ]
