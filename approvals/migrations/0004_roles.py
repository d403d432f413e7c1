"""The roles' groups, with their permissions; docs/roles.md says what each is for."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = {
    "requester": ["approvals.view_changerequest", "approvals.propose_changerequest"],
    "licensing": [
        "approvals.view_changerequest",
        "approvals.decide_changerequest",
        "approvals.propose_changerequest",
        "approvals.apply_changerequest",
    ],
    "product": ["approvals.view_changerequest", "approvals.decide_changerequest", "approvals.propose_changerequest"],
    "legal": ["approvals.view_changerequest", "approvals.decide_changerequest", "approvals.propose_changerequest"],
    "finance": ["approvals.view_changerequest", "approvals.decide_changerequest", "approvals.propose_changerequest"],
    "procurement": ["approvals.view_changerequest", "approvals.decide_changerequest", "approvals.propose_changerequest"],
    "it_operations": [
        "approvals.view_changerequest",
        "approvals.decide_changerequest",
        "approvals.propose_changerequest",
        "approvals.apply_changerequest",
    ],
    "security": ["approvals.view_changerequest", "approvals.decide_changerequest", "approvals.propose_changerequest"],
    "auditor": ["approvals.view_changerequest", "audit.view_event"],
    "administrator": [
        "approvals.view_changerequest",
        "approvals.propose_changerequest",
        "approvals.apply_changerequest",
        "audit.view_event",
    ],
    "emergency": ["approvals.view_changerequest", "approvals.propose_changerequest"],
}


def create_groups(apps, schema_editor):
    using = schema_editor.connection.alias
    for label in ("approvals", "audit"):
        create_permissions(installed.get_app_config(label), verbosity=0, using=using, apps=apps)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, permissions in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        for permission in permissions:
            label, codename = permission.split(".")
            group.permissions.add(
                Permission.objects.using(using).get(content_type__app_label=label, codename=codename)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0003_guards"),
        ("audit", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
