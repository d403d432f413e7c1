"""The right to ask the access check about other instants than now, for those who plan and those who audit."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = ("licensing", "auditor")


def grant(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("entitlements"), verbosity=0, using=using, apps=apps)
    permission = apps.get_model("auth", "Permission").objects.using(using).get(
        content_type__app_label="entitlements", codename="ask_hypothetically"
    )
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=GROUPS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("entitlements", "0003_guards"),
        ("approvals", "0004_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="entitlement",
            options={
                "permissions": [("ask_hypothetically", "Can ask the access check about other instants than now")]
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
