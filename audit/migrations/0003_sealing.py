"""The sealed log: leaves, the hashes of its tree, signed heads; the order in which events are sealed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_explorer'),
    ]

    operations = [
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField()),
                ('frontier', models.BinaryField()),
                ('note', models.TextField()),
                ('signed_at', models.DateTimeField()),
                ('transaction_id', models.BigIntegerField()),
                ('position', models.BigIntegerField()),
                ('cluster', models.BigIntegerField()),
                ('contested_below', models.BigIntegerField()),
            ],
            options={
                'ordering': ['size'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Leaf',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.UUIDField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='TreeNode',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RemoveIndex(
            model_name='event',
            name='event_transaction',
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['transaction_id', 'position'], name='event_in_sealing_order'),
        ),
        migrations.AddIndex(
            model_name='checkpoint',
            index=models.Index(models.OrderBy(models.F('signed_at'), descending=True), name='checkpoint_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='checkpoint',
            constraint=models.CheckConstraint(condition=models.Q(('size__gt', 0)), name='checkpoint_of_some_events'),
        ),
        migrations.AddConstraint(
            model_name='checkpoint',
            constraint=models.CheckConstraint(condition=models.Q(('root__length', 32)), name='checkpoint_root_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='leaf',
            constraint=models.UniqueConstraint(fields=('event_id',), name='leaf_event_once'),
        ),
        migrations.AddConstraint(
            model_name='leaf',
            constraint=models.CheckConstraint(condition=models.Q(('index__gte', 0)), name='leaf_index_from_zero'),
        ),
        migrations.AddConstraint(
            model_name='leaf',
            constraint=models.CheckConstraint(condition=models.Q(('hash__length', 32)), name='leaf_hash_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='treenode',
            constraint=models.CheckConstraint(condition=models.Q(('level__gte', 1), ('index__gte', 0)), name='tree_node_above_leaves'),
        ),
        migrations.AddConstraint(
            model_name='treenode',
            constraint=models.CheckConstraint(condition=models.Q(('hash__length', 32)), name='tree_node_hash_is_sha256'),
        ),
    ]
