"""Who may decide for whom and up to what; decisions in somebody's place; stages that demand a limit."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only, govern

DELEGATION_GUARD = """
-- A delegation is given by the logins that it names, revoked once, and otherwise stays as it was given.
CREATE FUNCTION delegation_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.delegator_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.delegator_id)
           OR NEW.delegate_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.delegate_id)
        THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'delegation_names_humans',
                MESSAGE = 'INV-3: the delegation names other humans than the logins have.';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL
       OR (NEW.id, NEW.delegator_id, NEW.delegator_human_id, NEW.delegate_id, NEW.delegate_human_id, NEW.role,
           NEW.starts_at, NEW.ends_at, NEW.reason, NEW.created_at)
          IS DISTINCT FROM
          (OLD.id, OLD.delegator_id, OLD.delegator_human_id, OLD.delegate_id, OLD.delegate_human_id, OLD.role,
           OLD.starts_at, OLD.ends_at, OLD.reason, OLD.created_at) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'delegation_revoked_once',
            MESSAGE = 'INV-3: a delegation is revoked once and does not change otherwise.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delegation_guard BEFORE INSERT OR UPDATE ON approvals_delegation
    FOR EACH ROW EXECUTE FUNCTION delegation_guard();
CREATE TRIGGER delegation_kept BEFORE DELETE ON approvals_delegation FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delegation_truncate BEFORE TRUNCATE ON approvals_delegation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""

DECISION_AUTHORITY = """
-- INV-3: a decision in somebody's place names a delegation to the decider that is in force; who is decided for wrote no
-- revision either; a stage that names people is decided by or for one of them, until its backup may.
CREATE FUNCTION decision_authority() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    delegation approvals_delegation;
    stage approvals_stage;
BEGIN
    IF NEW.on_behalf_of_id IS NOT NULL THEN
        -- Whoever revokes it is waited for, and waits.
        SELECT * INTO delegation FROM approvals_delegation WHERE id = NEW.on_behalf_of_id FOR SHARE;
        IF delegation.delegate_human_id IS DISTINCT FROM NEW.decider_human_id
           OR NEW.delegator_human_id IS DISTINCT FROM
              (SELECT human_id FROM foundation_user WHERE id = delegation.delegator_id) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_by_its_delegate',
                MESSAGE = 'INV-3: the delegation is not to who decides, or not from who is decided for.';
        END IF;
        IF delegation.revoked_at IS NOT NULL OR NEW.decided_at < delegation.starts_at
           OR NEW.decided_at >= delegation.ends_at THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_by_delegation_in_force',
                MESSAGE = 'INV-3: the delegation is not in force.';
        END IF;
        IF EXISTS (
            SELECT 1 FROM approvals_revision written
              JOIN approvals_revision decided ON decided.change_request_id = written.change_request_id
             WHERE decided.id = NEW.revision_id AND written.author_human_id = NEW.delegator_human_id
        ) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_not_for_author',
                MESSAGE = 'INV-3: nobody decides for somebody on what they wrote.';
        END IF;
    END IF;
    SELECT * INTO stage FROM approvals_stage WHERE id = NEW.stage_id;
    IF stage.people <> '[]'::jsonb AND stage.escalated_at IS NULL
       AND NOT stage.people ? coalesce(NEW.delegator_human_id, NEW.decider_human_id)::text THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_by_named_people',
            MESSAGE = 'INV-3: the stage names other people.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_guard_authority BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION decision_authority();

-- The digest covers whether a stage demands a limit, as it does whom the stage asks: stage_guard holds the rest.
CREATE FUNCTION stage_keeps_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.within_limit <> OLD.within_limit THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_keeps_limit',
            MESSAGE = 'INV-3: whether a stage demands an authority limit does not change.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stage_guard_limit BEFORE UPDATE ON approvals_stage
    FOR EACH ROW EXECUTE FUNCTION stage_keeps_limit();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0015_support_role'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalAuthorityLimit',
            fields=[
                ('change_request_number', models.BigIntegerField(db_default=django.db.models.expressions.RawSQL("nullif(current_setting('tenure.change_request_number', true), '')::bigint", ()), editable=False, null=True)),
                ('id', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('human', models.UUIDField(db_index=True)),
                ('role', models.CharField(max_length=100)),
                ('seats', models.PositiveBigIntegerField(blank=True, null=True)),
                ('money', models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical authority limit',
                'verbose_name_plural': 'historical authority limits',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name='decision',
            name='delegator_human_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='stage',
            name='within_limit',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='AuthorityLimit',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('human', models.UUIDField(db_index=True)),
                ('role', models.CharField(max_length=100)),
                ('seats', models.PositiveBigIntegerField(blank=True, null=True)),
                ('money', models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'authority limit',
                'verbose_name_plural': 'authority limits',
                'constraints': [models.CheckConstraint(condition=models.Q(('seats__isnull', False), ('money__isnull', False), _connector='OR'), name='authority_limit_says_what'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('money__isnull', True)), models.Q(('money__gte', 0), ('money__isnull', False), ('currency__regex', '^[A-Z]{3}$')), _connector='OR'), name='authority_limit_money_has_currency'), models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='authority_limit_ends_after_start')],
            },
        ),
        migrations.CreateModel(
            name='Delegation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('delegator_human_id', models.UUIDField()),
                ('delegate_human_id', models.UUIDField()),
                ('role', models.CharField(blank=True, default='', max_length=100)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('delegate', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('delegator', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('revoked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='decision',
            name='on_behalf_of',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='approvals.delegation'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.UniqueConstraint(models.F('revision'), django.db.models.functions.comparison.Coalesce('delegator_human_id', 'decider_human_id'), name='decision_authority_once'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delegator_human_id__isnull', True), ('on_behalf_of__isnull', True)), models.Q(('delegator_human_id__isnull', False), ('on_behalf_of__isnull', False)), _connector='OR'), name='decision_names_delegator'),
        ),
        migrations.AddField(
            model_name='historicalauthoritylimit',
            name='history_user',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(fields=['delegate_human_id', 'ends_at'], name='delegation_by_delegate'),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(fields=['delegator_human_id', 'ends_at'], name='delegation_by_delegator'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at')), ('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('starts_at'), '+', models.Value(datetime.timedelta(days=92))))), name='delegation_is_bounded'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at__gte', models.F('created_at'))), name='delegation_not_backdated'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('delegator_human_id', models.F('delegate_human_id')), _negated=True), name='delegation_is_to_another'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='delegation_says_why'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('revoked_by__isnull', True)), models.Q(('revoked_at__isnull', False), ('revoked_by__isnull', False)), _connector='OR'), name='delegation_revoked_by_somebody'),
        ),
        migrations.RunSQL(
            sql=DELEGATION_GUARD,
            reverse_sql="""
            DROP TRIGGER delegation_guard ON approvals_delegation;
            DROP TRIGGER delegation_kept ON approvals_delegation;
            DROP TRIGGER delegation_truncate ON approvals_delegation;
            DROP FUNCTION delegation_guard();
            """,
        ),
        migrations.RunSQL(
            sql=DECISION_AUTHORITY,
            reverse_sql="""
            DROP TRIGGER decision_guard_authority ON approvals_decision;
            DROP TRIGGER stage_guard_limit ON approvals_stage;
            DROP FUNCTION decision_authority(), stage_keeps_limit();
            """,
        ),
        *append_only(["approvals_historicalauthoritylimit"]),
        *govern(["approvals_authoritylimit"]),
    ]
