"""Holds on people, and what an erasure leaves empty for good; who erases and who holds."""

import django.db.models.deletion
import uuid
from django.apps import apps as installed
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GUARDS = """
-- A hold is lifted once, and stays. Its reasons may lose a name, when it is erased.
CREATE FUNCTION person_hold_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.human_id, NEW.placed_by_id, NEW.placed_at)
       IS DISTINCT FROM (OLD.id, OLD.human_id, OLD.placed_by_id, OLD.placed_at)
       OR (OLD.lifted_at IS NOT NULL
           AND (NEW.lifted_at, NEW.lifted_by_id) IS DISTINCT FROM (OLD.lifted_at, OLD.lifted_by_id)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'person_hold_lifted_once',
            MESSAGE = 'INV-4: a hold is lifted once and does not change otherwise.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_hold_guard BEFORE UPDATE ON entitlements_personhold
    FOR EACH ROW EXECUTE FUNCTION person_hold_guard();
CREATE TRIGGER person_hold_kept BEFORE DELETE ON entitlements_personhold
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER person_hold_truncate BEFORE TRUNCATE ON entitlements_personhold
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- Who is held is not erased, and who was erased stays so, whoever writes.
CREATE FUNCTION erasure_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    human uuid;
BEGIN
    IF OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'erasure_is_for_good',
            MESSAGE = 'INV-4: an erasure is not undone.';
    END IF;
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL THEN
        IF TG_TABLE_NAME = 'foundation_user' THEN
            human := (to_jsonb(NEW) ->> 'human_id')::uuid;
        ELSE
            SELECT human_id INTO human FROM entitlements_person
             WHERE id = (to_jsonb(NEW) ->> 'person_id')::uuid;
        END IF;
        IF EXISTS (SELECT 1 FROM entitlements_personhold WHERE human_id = human AND lifted_at IS NULL) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'erasure_not_while_held',
                MESSAGE = 'INV-4: a hold stands on this person.';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_guard BEFORE UPDATE OF erased_at ON entitlements_personaldetails
    FOR EACH ROW EXECUTE FUNCTION erasure_guard();
CREATE TRIGGER erasure_guard BEFORE UPDATE OF erased_at ON foundation_user
    FOR EACH ROW EXECUTE FUNCTION erasure_guard();
"""
NO_GUARDS = """
DROP TRIGGER erasure_guard ON foundation_user;
DROP TRIGGER erasure_guard ON entitlements_personaldetails;
DROP FUNCTION erasure_guard();
DROP TRIGGER person_hold_truncate ON entitlements_personhold;
DROP TRIGGER person_hold_kept ON entitlements_personhold;
DROP TRIGGER person_hold_guard ON entitlements_personhold;
DROP FUNCTION person_hold_guard();
"""
GRANTED = {"administrator": "erase_person", "legal": "hold_person"}


def grant(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("entitlements"), verbosity=0, using=using, apps=apps)
    for role, codename in GRANTED.items():
        permission = apps.get_model("auth", "Permission").objects.using(using).get(
            content_type__app_label="entitlements", codename=codename
        )
        apps.get_model("auth", "Group").objects.using(using).get(name=role).permissions.add(permission)


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0009_events_concern'),
        ('approvals', '0004_roles'),
        ('foundation', '0002_erasure'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PersonHold',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('human_id', models.UUIDField()),
                ('reason', models.CharField(max_length=500)),
                ('placed_at', models.DateTimeField()),
                ('lift_reason', models.CharField(blank=True, default='', max_length=500)),
                ('lifted_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'hold on a person',
                'verbose_name_plural': 'holds on people',
                'permissions': [('erase_person', 'Can erase what is known of people by name'), ('hold_person', 'Can hold people against erasure, and lift holds')],
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='personaldetails',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('external_ids', {}), ('mail', ''), ('name', '')), _connector='OR'), name='personal_details_erased_are_empty'),
        ),
        migrations.AddField(
            model_name='personhold',
            name='lifted_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='personhold',
            name='placed_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='personhold',
            index=models.Index(condition=models.Q(('lifted_at__isnull', True)), fields=['human_id'], name='person_hold_standing'),
        ),
        migrations.AddConstraint(
            model_name='personhold',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='person_hold_says_why'),
        ),
        migrations.AddConstraint(
            model_name='personhold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lift_reason__regex', '\\S'), ('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='person_hold_lifted_by_somebody'),
        ),
        migrations.RunSQL(sql=GUARDS, reverse_sql=NO_GUARDS),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
