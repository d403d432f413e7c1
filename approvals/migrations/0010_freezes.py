"""Times in which changes are not applied; a governed table with its history."""


import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only, govern


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0009_stage_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Freeze',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('zone', models.CharField(default='UTC', max_length=100)),
                ('holidays_of', models.JSONField(blank=True, default=list)),
                ('everything', models.BooleanField(default=False)),
                ('account_ids', models.JSONField(blank=True, default=list)),
                ('product_ids', models.JSONField(blank=True, default=list)),
                ('countries', models.JSONField(blank=True, default=list)),
                ('stops_review', models.BooleanField(default=False)),
                ('allows_emergency', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'freeze',
                'constraints': [models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('name',), name='freeze_name_once'), models.CheckConstraint(condition=models.Q(models.Q(('ends_at__gt', models.F('starts_at')), ('ends_at__isnull', False), ('holidays_of', []), ('starts_at__isnull', False)), models.Q(models.Q(('holidays_of', []), _negated=True), ('ends_at__isnull', True), ('starts_at__isnull', True)), _connector='OR'), name='freeze_lasts_once_or_on_holidays', violation_error_message='A freeze says when it starts and, later, ends, or whose holidays it is for.'), models.CheckConstraint(condition=models.Q(models.Q(('account_ids', []), ('countries', []), ('everything', True), ('product_ids', [])), models.Q(('everything', False), models.Q(('account_ids', []), ('countries', []), ('product_ids', []), _negated=True)), _connector='OR'), name='freeze_concerns_something', violation_error_message='A freeze is for everything, or it names accounts, products or countries.')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalFreeze',
            fields=[
                ('change_request_number', models.BigIntegerField(db_default=django.db.models.expressions.RawSQL("nullif(current_setting('tenure.change_request_number', true), '')::bigint", ()), editable=False, null=True)),
                ('id', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('zone', models.CharField(default='UTC', max_length=100)),
                ('holidays_of', models.JSONField(blank=True, default=list)),
                ('everything', models.BooleanField(default=False)),
                ('account_ids', models.JSONField(blank=True, default=list)),
                ('product_ids', models.JSONField(blank=True, default=list)),
                ('countries', models.JSONField(blank=True, default=list)),
                ('stops_review', models.BooleanField(default=False)),
                ('allows_emergency', models.BooleanField(default=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical freeze',
                'verbose_name_plural': 'historical freezes',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        *govern(["approvals_freeze"]),
        *append_only(["approvals_historicalfreeze"]),
    ]
