"""Who places legal holds: the permission is audit's, the roles are this app's."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = ["legal", "administrator"]


def let_them(apps, schema_editor):
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("audit"), verbosity=0, using=using, apps=apps)
    permission = apps.get_model("auth", "Permission").objects.using(using)
    held = permission.get(content_type__app_label="audit", codename="manage_legalhold")
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=ROLES):
        group.permissions.add(held)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0025_evidence_files"), ("audit", "0005_packs")]

    operations = [migrations.RunPython(let_them, migrations.RunPython.noop)]
