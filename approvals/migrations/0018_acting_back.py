"""By what authority a change is acted back: that of the change, with which its inverse was approved."""

import django.db.models.deletion
from django.db import migrations, models


ROLLBACK_GUARD = """
-- INV-2: one click applies the inverse of a change that awaits verification, by the authority of that change: filed in the
-- one revision that was computed, on records of the change and no other, by kinds that restore.
CREATE FUNCTION authorization_rollback_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
    original approvals_changerequest;
    cited approvals_authorization;
BEGIN
    SELECT * INTO request FROM approvals_changerequest WHERE id = NEW.change_request_id;
    SELECT * INTO original FROM approvals_changerequest WHERE id = request.reverts_id;
    SELECT * INTO cited FROM approvals_authorization WHERE id = NEW.cites_id;
    IF original.id IS NULL OR original.status <> 'applied' OR original.system THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_rollback_of_applied',
            MESSAGE = 'INV-2: only a change that is applied and not closed is acted back.';
    END IF;
    IF cited.change_request_id IS DISTINCT FROM original.id OR cited.basis = 'rollback' THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_rollback_cites_original',
            MESSAGE = 'INV-2: a rollback rests on the approval of the change that it acts back on.';
    END IF;
    IF (SELECT number FROM approvals_revision WHERE id = NEW.revision_id) <> 1
       OR EXISTS (
           SELECT 1 FROM approvals_item item
            WHERE item.revision_id = NEW.revision_id
              AND (item.kind NOT LIKE '%.restore' OR NOT EXISTS (
                  SELECT 1 FROM approvals_item undone
                   WHERE undone.revision_id = original.current_revision_id
                     AND undone.table_name = item.table_name AND undone.record_id = item.record_id
                     AND item.payload ->> 'undoes' = undone.id::text)))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_rollback_restores',
            MESSAGE = 'INV-2: a rollback restores what the change did, and does nothing else.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorization_rollback_guard BEFORE INSERT ON approvals_authorization
    FOR EACH ROW WHEN (NEW.basis = 'rollback') EXECUTE FUNCTION authorization_rollback_guard();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0017_after_application'),
    ]

    operations = [
        migrations.AddField(
            model_name='authorization',
            name='cites',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.authorization'),
        ),
        migrations.AlterField(
            model_name='authorization',
            name='basis',
            field=models.CharField(choices=[('quorum', 'the quorum of its stages'), ('bootstrap', 'a system bootstrap'), ('rollback', 'the inverse approved with the change that it acts back on')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'rollback'), ('cites__isnull', False)), models.Q(models.Q(('basis', 'rollback'), _negated=True), ('cites__isnull', True)), _connector='OR'), name='authorization_rollback_cites'),
        ),
        migrations.RunSQL(
            sql=ROLLBACK_GUARD,
            reverse_sql="""
            DROP TRIGGER authorization_rollback_guard ON approvals_authorization;
            DROP FUNCTION authorization_rollback_guard();
            """,
        ),
    ]
