"""Filters that readers keep, and what they opened; the latter only grows."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0013_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Opened',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('opened_at', models.DateTimeField()),
                ('reader', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.revision')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('reader', 'revision'), name='opened_once')],
            },
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('slug', models.CharField(max_length=120)),
                ('query', models.CharField(max_length=2000)),
                ('role', models.CharField(blank=True, default='', max_length=100)),
                ('created_at', models.DateTimeField()),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('slug',), name='saved_filter_slug_once'), models.UniqueConstraint(fields=('owner', 'name'), name='saved_filter_name_once')],
            },
        ),
        *append_only(["approvals_opened"]),
    ]
