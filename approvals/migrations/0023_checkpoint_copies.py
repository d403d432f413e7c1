"""What left the house stays recorded: the guards are this app's, the table audit's."""

from django.db import migrations

from approvals.records.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0022_sealed_ledger'),
        ('audit', '0004_copies'),
    ]

    operations = append_only(["audit_checkpointcopy"])
