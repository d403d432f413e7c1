"""Subscriptions, what was announced by them and who has read it; what was announced only grows."""

import django.db.models.deletion
import uuid
from django.apps import apps as installed
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from approvals.records.guards import append_only

GUARDS = """
-- Nobody is told of what is not applied, and a mail goes to a login of the human for whom it is.
CREATE FUNCTION announcement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM approvals_changerequest
         WHERE id = NEW.change_request_id AND status IN ('applied', 'verified', 'reverted') AND NOT system
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'announcement_of_applied_request',
            MESSAGE = 'Only what people or the clock applied is announced.';
    END IF;
    IF NEW.human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.reader_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'announcement_names_human',
            MESSAGE = 'The announcement names another human than its login has.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER announcement_guard BEFORE INSERT ON approvals_announcement
    FOR EACH ROW EXECUTE FUNCTION announcement_guard();

-- Nobody says for somebody else that they have read something, whatever login they use.
CREATE FUNCTION acknowledgment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM approvals_announcement announcement JOIN foundation_user login USING (human_id)
         WHERE announcement.id = NEW.announcement_id AND login.id = NEW.acknowledged_by_id
           AND announcement.created_at <= NEW.acknowledged_at
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'acknowledgment_by_reader',
            MESSAGE = 'An announcement is acknowledged by the human for whom it is, once it was made.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER acknowledgment_guard BEFORE INSERT ON approvals_acknowledgment
    FOR EACH ROW EXECUTE FUNCTION acknowledgment_guard();
"""
NO_GUARDS = """
DROP TRIGGER acknowledgment_guard ON approvals_acknowledgment;
DROP TRIGGER announcement_guard ON approvals_announcement;
DROP FUNCTION acknowledgment_guard(), announcement_guard();
"""
# What was applied before there were announcements is old news. Last: rows would keep their table from being altered.
MARK_APPLIED = """
INSERT INTO approvals_announcedchange (id, change_request_id, announced_at)
SELECT gen_random_uuid(), id, now() FROM approvals_changerequest
 WHERE status IN ('applied', 'verified', 'reverted') AND NOT system;
"""


def let_administrators(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("approvals"), verbosity=0, using=using, apps=apps)
    group = apps.get_model("auth", "Group").objects.using(using).get(name="administrator")
    permission = apps.get_model("auth", "Permission").objects.using(using)
    group.permissions.add(
        permission.get(content_type__app_label="approvals", codename="configure_subscription")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0023_checkpoint_copies'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('reasons', models.JSONField()),
                ('acknowledge_by', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='announcements', to='approvals.changerequest')),
                ('reader', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Acknowledgment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('acknowledged_at', models.DateTimeField()),
                ('acknowledged_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('announcement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='acknowledgment', to='approvals.announcement')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnnouncementStep',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('step', models.CharField(max_length=30)),
                ('mail_id', models.UUIDField()),
                ('created_at', models.DateTimeField()),
                ('announcement', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='approvals.announcement')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(blank=True, default='', max_length=100)),
                ('name', models.CharField(max_length=100)),
                ('conditions', models.JSONField(default=list)),
                ('acknowledge_hours', models.PositiveIntegerField(null=True)),
                ('default_key', models.CharField(max_length=100, null=True)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('configure_subscription', 'Can set up what roles are told of')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Following',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('follows', models.BooleanField()),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subscription', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='followings', to='approvals.subscription')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnnouncedChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('announced_at', models.DateTimeField()),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.changerequest')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('change_request',), name='change_announced_once')],
            },
        ),
        migrations.AddIndex(
            model_name='announcement',
            index=models.Index(fields=['human_id', '-created_at', 'id'], name='announcement_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.UniqueConstraint(fields=('change_request', 'human_id'), name='announcement_once'),
        ),
        migrations.AddIndex(
            model_name='announcementstep',
            index=models.Index(fields=['human_id', '-created_at'], name='announcement_step_latest'),
        ),
        migrations.AddConstraint(
            model_name='announcementstep',
            constraint=models.UniqueConstraint(fields=('announcement', 'step'), name='announcement_step_once'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('owner__isnull', True), models.Q(('role', ''), _negated=True)), models.Q(('owner__isnull', False), ('role', '')), _connector='OR'), name='subscription_of_role_or_person'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('acknowledge_hours__isnull', True), models.Q(models.Q(('role', ''), _negated=True), ('acknowledge_hours__range', (1, 720))), _connector='OR'), name='subscription_acknowledged_by_role'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('owner', 'name'), name='subscription_name_once_of_person'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), models.Q(('role', ''), _negated=True)), fields=('role', 'name'), name='subscription_name_once_of_role'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(fields=('default_key',), name='subscription_default_once'),
        ),
        migrations.AddConstraint(
            model_name='following',
            constraint=models.UniqueConstraint(fields=('subscription', 'person'), name='following_once'),
        ),
        *append_only(
            [
                "approvals_announcedchange",
                "approvals_announcement",
                "approvals_acknowledgment",
                "approvals_announcementstep",
            ]
        ),
        migrations.RunSQL(sql=GUARDS, reverse_sql=NO_GUARDS),
        migrations.RunPython(let_administrators, migrations.RunPython.noop),
        migrations.RunSQL(sql=MARK_APPLIED, reverse_sql=migrations.RunSQL.noop),
    ]
