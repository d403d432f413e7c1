"""Whom a stage names, when it is overdue, and who may decide then; when it was opened and escalated."""

from django.db import migrations, models

STAGE_GUARD = """
-- A stage is opened, escalated and completed once each, in that order, and otherwise stays what the digest covers.
CREATE OR REPLACE FUNCTION stage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.opened_at IS NOT NULL OR NEW.escalated_at IS NOT NULL OR NEW.completed_at IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_starts_unasked',
                MESSAGE = 'INV-3: a stage is filed before anybody is asked.';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.completed_at IS NOT NULL
       OR (OLD.opened_at IS NOT NULL AND NEW.opened_at IS DISTINCT FROM OLD.opened_at)
       OR (OLD.escalated_at IS NOT NULL AND NEW.escalated_at IS DISTINCT FROM OLD.escalated_at)
       OR (NEW.id, NEW.revision_id, NEW.position, NEW.role, NEW.quorum, NEW.reasons, NEW.people, NEW.backup_role,
           NEW.due_hours)
          IS DISTINCT FROM
          (OLD.id, OLD.revision_id, OLD.position, OLD.role, OLD.quorum, OLD.reasons, OLD.people, OLD.backup_role,
           OLD.due_hours) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_completed_once',
            MESSAGE = 'INV-3: a stage is opened, escalated and completed once and does not change otherwise.';
    END IF;
    -- Escalation widens who may decide, so it waits for the time that the policy gives.
    IF NEW.escalated_at IS DISTINCT FROM OLD.escalated_at
       AND coalesce(NEW.escalated_at < NEW.opened_at + NEW.due_hours * interval '1 hour', true) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_escalated_when_overdue',
            MESSAGE = 'INV-3: a stage is escalated once it is overdue, not before.';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER stage_guard ON approvals_stage;
CREATE TRIGGER stage_guard BEFORE INSERT OR UPDATE ON approvals_stage
    FOR EACH ROW EXECUTE FUNCTION stage_guard();
"""

FORMER_STAGE_GUARD = """
-- A stage is completed once, and otherwise stays what the digest covers.
CREATE OR REPLACE FUNCTION stage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.completed_at IS NOT NULL OR NEW.completed_at IS NULL
       OR (NEW.id, NEW.revision_id, NEW.position, NEW.role, NEW.quorum, NEW.reasons)
          IS DISTINCT FROM (OLD.id, OLD.revision_id, OLD.position, OLD.role, OLD.quorum, OLD.reasons) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_completed_once',
            MESSAGE = 'INV-3: a stage is completed once and does not change otherwise.';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER stage_guard ON approvals_stage;
CREATE TRIGGER stage_guard BEFORE UPDATE ON approvals_stage FOR EACH ROW EXECUTE FUNCTION stage_guard();
"""

# What is in review already: its open stage was asked when the one before it was passed, or with the review.
OPENED = """
UPDATE approvals_stage stage
   SET opened_at = coalesce(
           (SELECT max(earlier.completed_at) FROM approvals_stage earlier
             WHERE earlier.revision_id = stage.revision_id AND earlier.position < stage.position),
           request.submitted_at)
  FROM approvals_changerequest request
 WHERE request.current_revision_id = stage.revision_id AND request.status = 'in_review' AND stage.completed_at IS NULL
   AND NOT EXISTS (
       SELECT 1 FROM approvals_stage earlier
        WHERE earlier.revision_id = stage.revision_id AND earlier.position < stage.position
          AND earlier.completed_at IS NULL);
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0008_attachments")]

    operations = [
        migrations.AddField(
            model_name='stage',
            name='backup_role',
            field=models.CharField(blank=True, default='', max_length=100),
        ),
        migrations.AddField(
            model_name='stage',
            name='due_hours',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='stage',
            name='escalated_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='stage',
            name='opened_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='stage',
            name='people',
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name='stage',
            name='role',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddConstraint(
            model_name='stage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', ''), _negated=True), models.Q(('people', []), _negated=True), _connector='OR'), name='stage_asks_somebody'),
        ),
        migrations.AddConstraint(
            model_name='stage',
            constraint=models.CheckConstraint(condition=models.Q(('due_hours__isnull', True), ('due_hours__gte', 1), _connector='OR'), name='stage_due_after_an_hour'),
        ),
        migrations.RunSQL(sql=STAGE_GUARD, reverse_sql=FORMER_STAGE_GUARD),
        migrations.RunSQL(sql=OPENED, reverse_sql=migrations.RunSQL.noop),
    ]
