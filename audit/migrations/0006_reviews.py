"""Campaigns in which people look at who holds which rights."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0005_packs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('scope', models.JSONField(default=dict)),
                ('due_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField()),
                ('escalated_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('view_access', 'Can read who holds which rights'), ('open_accessreview', 'Can open access reviews, give entries to others and close them')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewEntry',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('source', models.CharField(max_length=40)),
                ('key', models.CharField(max_length=300)),
                ('humans', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ('role', models.CharField(blank=True, default='', max_length=150)),
                ('words', models.CharField(max_length=400)),
                ('target_id', models.UUIDField(null=True)),
                ('target_words', models.CharField(blank=True, default='', max_length=400)),
                ('ends_at', models.DateTimeField(null=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('reviewer_human_id', models.UUIDField()),
                ('holder', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('review', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='audit.accessreview')),
                ('reviewer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewDecision',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('verdict', models.CharField(choices=[('keep', 'Keep'), ('revoke', 'Revoke')], max_length=10)),
                ('reason', models.CharField(max_length=1000)),
                ('was_there', models.BooleanField(null=True)),
                ('decided_human_id', models.UUIDField()),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='decision', to='audit.reviewentry')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewReminder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('step', models.CharField(max_length=30)),
                ('created_at', models.DateTimeField()),
                ('review', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.accessreview')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='accessreview',
            index=models.Index(fields=['-opened_at', 'id'], name='access_review_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='accessreview',
            constraint=models.CheckConstraint(condition=models.Q(('due_at__gt', models.F('opened_at'))), name='access_review_due_after_it_opens'),
        ),
        migrations.AddConstraint(
            model_name='accessreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by__isnull', True)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False)), _connector='OR'), name='access_review_closed_by_somebody'),
        ),
        migrations.AddIndex(
            model_name='reviewentry',
            index=models.Index(fields=['reviewer_human_id', 'review'], name='review_entry_of_reviewer'),
        ),
        migrations.AddIndex(
            model_name='reviewentry',
            index=models.Index(fields=['source', 'key'], name='review_entry_of_right'),
        ),
        migrations.AddConstraint(
            model_name='reviewentry',
            constraint=models.UniqueConstraint(fields=('review', 'source', 'key'), name='review_entry_right_once'),
        ),
        migrations.AddConstraint(
            model_name='reviewentry',
            constraint=models.UniqueConstraint(fields=('review', 'position'), name='review_entry_position_once'),
        ),
        migrations.AddConstraint(
            model_name='reviewentry',
            constraint=models.CheckConstraint(condition=models.Q(('humans__contains', [models.F('reviewer_human_id')]), _negated=True), name='review_entry_not_of_own'),
        ),
        migrations.AddConstraint(
            model_name='reviewdecision',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['keep', 'revoke'])), name='review_decision_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='reviewdecision',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='review_decision_says_why'),
        ),
        migrations.AddConstraint(
            model_name='reviewdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'keep'), ('was_there__isnull', True)), models.Q(('verdict', 'revoke'), ('was_there__isnull', False)), _connector='OR'), name='review_decision_says_what_was_done'),
        ),
        migrations.AddConstraint(
            model_name='reviewreminder',
            constraint=models.UniqueConstraint(fields=('review', 'human_id', 'step'), name='review_reminder_step_once'),
        ),
    ]
