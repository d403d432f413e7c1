"""Pre-approved templates of standard changes, and what an application by one may cite."""

import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only, govern

GUARD = """
-- INV-2: a standard change cites the version of a template that is in force, that its revision names under the digest, and
-- that pre-approves every kind of its items; a gap or a waiver is never standard.
CREATE FUNCTION authorization_standard_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    template approvals_standardtemplate;
    document jsonb;
BEGIN
    IF NEW.basis <> 'standard' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO template FROM approvals_standardtemplate WHERE id = NEW.template_id;
    SELECT revision.document INTO document FROM approvals_revision revision WHERE revision.id = NEW.revision_id;
    IF template.id IS NULL OR template.version IS DISTINCT FROM NEW.template_version OR template.retired_at IS NOT NULL
       OR template.expires_at <= NEW.created_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_template_in_force',
            MESSAGE = 'INV-2: this version of the standard template is not in force.';
    END IF;
    IF document #>> '{standard,template_id}' IS DISTINCT FROM template.id::text
       OR document #>> '{standard,version}' IS DISTINCT FROM template.version::text THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_template_is_cited',
            MESSAGE = 'INV-2: the revision does not cite this version of the standard template.';
    END IF;
    IF document #>> '{plan,new_gaps}' IS DISTINCT FROM 'false' OR jsonb_typeof(document -> 'waiver') IS DISTINCT FROM 'null'
       OR EXISTS (
           SELECT 1 FROM approvals_item item
            WHERE item.revision_id = NEW.revision_id AND NOT template.kinds ? item.kind) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_standard_is_covered',
            MESSAGE = 'INV-2: the standard template does not pre-approve a kind of this change, or it opens a gap.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorization_standard_guard BEFORE INSERT ON approvals_authorization
    FOR EACH ROW EXECUTE FUNCTION authorization_standard_guard();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0018_acting_back'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='authorization',
            name='template_version',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='authorization',
            name='basis',
            field=models.CharField(choices=[('quorum', 'the quorum of its stages'), ('standard', 'a standard template'), ('bootstrap', 'a system bootstrap'), ('rollback', 'the inverse approved with the change that it acts back on')], max_length=20),
        ),
        migrations.CreateModel(
            name='HistoricalStandardTemplate',
            fields=[
                ('change_request_number', models.BigIntegerField(db_default=django.db.models.expressions.RawSQL("nullif(current_setting('tenure.change_request_number', true), '')::bigint", ()), editable=False, null=True)),
                ('id', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True, default='')),
                ('kinds', models.JSONField(default=list)),
                ('conditions', models.JSONField(default=list)),
                ('proposer_roles', models.JSONField(default=list)),
                ('daily_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('monthly_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('accumulations', models.JSONField(blank=True, default=list)),
                ('expires_at', models.DateTimeField()),
                ('justification', models.TextField(blank=True, default='')),
                ('impact', models.TextField(blank=True, default='')),
                ('acceptance_criteria', models.JSONField(blank=True, default=list)),
                ('rollback', models.TextField(blank=True, default='')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical standard template',
                'verbose_name_plural': 'historical standard templates',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='StandardTemplate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True, default='')),
                ('kinds', models.JSONField(default=list)),
                ('conditions', models.JSONField(default=list)),
                ('proposer_roles', models.JSONField(default=list)),
                ('daily_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('monthly_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('accumulations', models.JSONField(blank=True, default=list)),
                ('expires_at', models.DateTimeField()),
                ('justification', models.TextField(blank=True, default='')),
                ('impact', models.TextField(blank=True, default='')),
                ('acceptance_criteria', models.JSONField(blank=True, default=list)),
                ('rollback', models.TextField(blank=True, default='')),
            ],
            options={
                'verbose_name': 'standard template',
                'verbose_name_plural': 'standard templates',
                'constraints': [models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('name',), name='standard_template_name_once'), models.CheckConstraint(condition=models.Q(models.Q(('conditions', []), _negated=True), models.Q(('kinds', []), _negated=True), models.Q(('proposer_roles', []), _negated=True)), name='standard_template_has_bounds')],
            },
        ),
        migrations.AddField(
            model_name='authorization',
            name='template',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.standardtemplate'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'standard'), ('template__isnull', False), ('template_version__isnull', False)), models.Q(models.Q(('basis', 'standard'), _negated=True), ('template__isnull', True), ('template_version__isnull', True)), _connector='OR'), name='authorization_cites_its_template'),
        ),
        *append_only(["approvals_historicalstandardtemplate"]),
        *govern(["approvals_standardtemplate"]),
        migrations.RunSQL(
            sql=GUARD,
            reverse_sql="""
            DROP TRIGGER authorization_standard_guard ON approvals_authorization;
            DROP FUNCTION authorization_standard_guard();
            """,
        ),
    ]
