"""A file of a change may be the evidence of one of its criteria."""


import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FILES = """
-- The evidence of a criterion is a file of the same change.
ALTER TABLE approvals_attachment ADD CONSTRAINT attachment_of_its_request UNIQUE (id, change_request_id);
ALTER TABLE approvals_criteriontick ADD CONSTRAINT tick_file_of_its_request
    FOREIGN KEY (file_id, change_request_id) REFERENCES approvals_attachment (id, change_request_id);
"""
NO_FILES = """
ALTER TABLE approvals_criteriontick DROP CONSTRAINT tick_file_of_its_request;
ALTER TABLE approvals_attachment DROP CONSTRAINT attachment_of_its_request;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0024_announcements'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='criteriontick',
            name='tick_has_evidence',
        ),
        migrations.AddField(
            model_name='criteriontick',
            name='file',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.attachment'),
        ),
        migrations.AddConstraint(
            model_name='criteriontick',
            constraint=models.CheckConstraint(condition=models.Q(('result__regex', '\\S'), models.Q(('met', True), models.Q(models.Q(('link', ''), _negated=True), ('file__isnull', False), _connector='OR')), _connector='OR'), name='tick_has_evidence'),
        ),
        migrations.RunSQL(sql=FILES, reverse_sql=NO_FILES),
    ]
