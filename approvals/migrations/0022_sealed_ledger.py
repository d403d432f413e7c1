"""The sealed log only grows, as the events do: the guards are this app's, the tables audit's."""

from django.db import migrations

from approvals.records.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0021_reminders'),
        ('audit', '0003_sealing'),
    ]

    operations = append_only(["audit_leaf", "audit_treenode", "audit_checkpoint"])
