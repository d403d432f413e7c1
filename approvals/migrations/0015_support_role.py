"""The owner of what support is promised: a role of its own; docs/roles.md says what it is for."""

from django.db import migrations

PERMISSIONS = ["view_changerequest", "decide_changerequest", "propose_changerequest"]


def create_group(apps, schema_editor):
    using = schema_editor.connection.alias
    group, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name="support")
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for codename in PERMISSIONS:
        group.permissions.add(permissions.get(content_type__app_label="approvals", codename=codename))


class Migration(migrations.Migration):
    dependencies = [("approvals", "0014_worklists")]

    operations = [migrations.RunPython(create_group, migrations.RunPython.noop)]
