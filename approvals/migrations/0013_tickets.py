"""Ticket systems, tickets and what is told to them; policies may demand a ticket; administrators set systems up."""

import django.db.models.deletion
import foundation.secrets.fields
import uuid
from django.apps import apps as installed
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def let_administrators(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("approvals"), verbosity=0, using=using, apps=apps)
    group = apps.get_model("auth", "Group").objects.using(using).get(name="administrator")
    permission = apps.get_model("auth", "Permission").objects.using(using)
    group.permissions.add(
        permission.get(content_type__app_label="approvals", codename="configure_ticketsystem")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0012_accounting_periods'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='historicalpolicy',
            name='ticket',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='policy',
            name='ticket',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.CreateModel(
            name='TicketSystem',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=100)),
                ('product', models.CharField(max_length=20)),
                ('base_url', models.CharField(max_length=500)),
                ('account', models.CharField(blank=True, default='', max_length=200)),
                ('secret', foundation.secrets.fields.EncryptedText(editable=False)),
                ('settings', models.JSONField(blank=True, default=dict)),
                ('enabled', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'permissions': [('configure_ticketsystem', 'Can set up ticket systems')],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('code',), name='ticket_system_code_once'), models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z][a-z0-9-]{1,39}$'), models.Q(('code', 'any'), _negated=True)), name='ticket_system_code_is_word')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('origin', models.CharField(choices=[('opened', 'Opened from here'), ('tied', 'Tied by its key')], max_length=10)),
                ('external_id', models.CharField(blank=True, default='', max_length=64)),
                ('key', models.CharField(blank=True, default='', max_length=64)),
                ('url', models.CharField(blank=True, default='', max_length=1000)),
                ('status', models.CharField(blank=True, default='', max_length=100)),
                ('approval', models.CharField(choices=[('unknown', 'unknown'), ('not_requested', 'not_requested'), ('requested', 'requested'), ('approved', 'approved'), ('rejected', 'rejected')], max_length=20)),
                ('read_at', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True, default='')),
                ('failures', models.PositiveIntegerField(default=0)),
                ('next_read_at', models.DateTimeField(null=True)),
                ('told_revision', models.PositiveIntegerField(null=True)),
                ('created_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('change_request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='approvals.changerequest')),
                ('tied_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('system', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='approvals.ticketsystem')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='TicketUpdate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('status', models.CharField(max_length=20)),
                ('revision', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('tried_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='updates', to='approvals.ticket')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('next_read_at__isnull', False)), fields=['next_read_at', 'id'], name='ticket_due'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(condition=models.Q(('released_at__isnull', True), models.Q(('external_id', ''), _negated=True)), fields=('system', 'external_id'), name='ticket_stands_for_one_change'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('approval', 'unknown'), ('read_at__isnull', False), _connector='OR'), name='ticket_approval_was_read'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('approval__in', ['unknown', 'not_requested', 'requested', 'approved', 'rejected'])), name='ticket_approval_known'),
        ),
        migrations.AddConstraint(
            model_name='ticketupdate',
            constraint=models.UniqueConstraint(fields=('ticket', 'number'), name='ticket_update_number_once'),
        ),
        migrations.RunPython(let_administrators, migrations.RunPython.noop),
    ]
