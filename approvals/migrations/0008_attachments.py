"""Files attached to change requests; both tables only grow."""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only

FILES = """
-- What is compressed already is stored as it is.
ALTER TABLE approvals_blob ALTER COLUMN content SET STORAGE EXTERNAL;
-- A file of a comment is a file of the request that the comment is about.
ALTER TABLE approvals_comment ADD CONSTRAINT comment_of_its_request UNIQUE (id, change_request_id);
ALTER TABLE approvals_attachment ADD CONSTRAINT attachment_comment_of_its_request
    FOREIGN KEY (comment_id, change_request_id) REFERENCES approvals_comment (id, change_request_id);
"""
NO_FILES = """
ALTER TABLE approvals_attachment DROP CONSTRAINT attachment_comment_of_its_request;
ALTER TABLE approvals_comment DROP CONSTRAINT comment_of_its_request;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0007_discussion'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Blob',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('size', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('digest', models.Func(models.Func(models.F('content'), function='sha256', output_field=models.BinaryField()), models.Value('hex'), function='encode', output_field=models.TextField()))), name='blob_digest_is_of_content'), models.CheckConstraint(condition=models.Q(('size', models.Func(models.F('content'), function='octet_length', output_field=models.IntegerField())), ('size__range', (1, 104857600))), name='blob_size_is_of_content')],
            },
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('name', models.CharField(max_length=150)),
                ('media_type', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField()),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('change_request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='approvals.changerequest')),
                ('comment', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='approvals.comment')),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.revision')),
                ('blob', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='approvals.blob')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('change_request', 'number'), name='attachment_number_once'), models.UniqueConstraint(fields=('change_request', 'blob', 'name'), name='attachment_file_once'), models.CheckConstraint(condition=models.Q(('name__regex', '^[^/\\\\[:cntrl:]]+$'), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('name'), 150)), name='attachment_has_clean_name')],
            },
        ),
        migrations.RunSQL(sql=FILES, reverse_sql=NO_FILES),
        *append_only(["approvals_blob", "approvals_attachment"]),
    ]
