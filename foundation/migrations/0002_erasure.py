"""Logins that were erased: nothing of them comes back, and nobody signs in as them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('foundation', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('email', ''), ('first_name', 'a person whose details were erased'), ('is_active', False), ('last_name', ''), ('username__startswith', 'erased-')), _connector='OR'), name='user_erased_is_empty'),
        ),
    ]
