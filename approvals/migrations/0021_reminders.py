"""Reminders sent, what people put off, how they are reminded; what was sent only grows."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0020_permits'),
        ('foundation', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReminderPreference',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reminder_preference', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('frequency', models.CharField(choices=[('daily', 'One mail a day, at 08:00'), ('immediate', 'At once, all that is new in one mail')], default='daily', max_length=10)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Attention',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('occasion', models.CharField(max_length=150)),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.changerequest')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('human_id', 'occasion'), name='attention_once'), models.CheckConstraint(condition=models.Q(('snoozed_until__isnull', False), ('acknowledged_at__isnull', False), _connector='OR'), name='attention_says_something')],
            },
        ),
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('occasion', models.CharField(max_length=150)),
                ('step', models.CharField(max_length=30)),
                ('mail_id', models.UUIDField()),
                ('created_at', models.DateTimeField()),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.changerequest')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['human_id', '-created_at'], name='reminder_latest')],
                'constraints': [models.UniqueConstraint(fields=('human_id', 'occasion', 'step'), name='reminder_step_once')],
            },
        ),
        *append_only(["approvals_reminder"]),
    ]
