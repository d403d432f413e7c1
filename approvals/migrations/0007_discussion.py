"""What people say about change requests; the table only grows."""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0006_schedules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('mentions', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='approvals.changerequest')),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.revision')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('change_request', 'number'), name='comment_number_once'), models.CheckConstraint(condition=models.Q(('text__regex', '\\S'), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('text'), 10000)), name='comment_says_something')],
            },
        ),
        *append_only(["approvals_comment"]),
    ]
