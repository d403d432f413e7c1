"""Which heads of the log were copied where."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_sealing'),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckpointCopy',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('target', models.CharField(max_length=300)),
                ('size', models.BigIntegerField()),
                ('copied_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['target', '-copied_at'], name='checkpoint_copy_latest')],
            },
        ),
    ]
