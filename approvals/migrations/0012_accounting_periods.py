"""Times whose books are closed; a governed table with its history."""


import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only, govern


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0011_expiry'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountingPeriod',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('label', models.CharField(max_length=100)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('zone', models.CharField(default='UTC', max_length=100)),
            ],
            options={
                'verbose_name': 'accounting period',
                'constraints': [models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('label',), name='accounting_period_label_once'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='accounting_period_ends_after_it_starts', violation_error_message='An accounting period ends after it starts.')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalAccountingPeriod',
            fields=[
                ('change_request_number', models.BigIntegerField(db_default=django.db.models.expressions.RawSQL("nullif(current_setting('tenure.change_request_number', true), '')::bigint", ()), editable=False, null=True)),
                ('id', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('label', models.CharField(max_length=100)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('zone', models.CharField(default='UTC', max_length=100)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical accounting period',
                'verbose_name_plural': 'historical accounting periods',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        *govern(["approvals_accountingperiod"]),
        *append_only(["approvals_historicalaccountingperiod"]),
    ]
