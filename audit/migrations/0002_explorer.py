"""What an event concerns, and its words, so that it is found; the bytes that are hashed stay as they are."""

import audit.ledger.models
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.expressions
from django.db import migrations, models

WORDS = """
-- The values of an event's data as words, those of a changed record as it is now among them; ids are found as such.
CREATE FUNCTION audit_event_words(type text, label text, data jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    to_tsvector('simple'::regconfig, translate(type, '._', '  ') || ' ' || label)
    || jsonb_to_tsvector('simple'::regconfig, jsonb_path_query_array(data, $path$
        $.* ? (@.type() == "number" || (@.type() == "string" && !(@ like_regex "^[0-9a-f]{8}-[0-9a-f]{4}-")))
    $path$), '["string", "numeric"]')
    || jsonb_to_tsvector('simple'::regconfig, jsonb_path_query_array(data, $path$
        $.after.* ? (@.type() == "string" && !(@ like_regex "^[0-9a-f]{8}-[0-9a-f]{4}-"))
    $path$), '["string"]');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(sql=WORDS, reverse_sql="DROP FUNCTION audit_event_words(text, text, jsonb)"),
        migrations.AddField(
            model_name='event',
            name='scope',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), editable=False, null=True, size=None),
        ),
        migrations.AddField(
            model_name='event',
            name='records',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=django.db.models.expressions.RawSQL("'{}'::uuid[]", ()), editable=False, size=None),
        ),
        migrations.AddField(
            model_name='event',
            name='words',
            field=audit.ledger.models.Words(db_persist=True, expression=models.Func(models.F('type'), models.F('subject_label'), models.F('data'), function='audit_event_words'), output_field=django.contrib.postgres.search.SearchVectorField()),
        ),
        migrations.RemoveIndex(model_name='event', name='event_newest_first'),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['-recorded_at', '-position'], name='event_newest_first'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['actor_human_id', '-recorded_at', '-position'], name='event_of_actor'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['type', '-recorded_at', '-position'], name='event_of_type'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=django.contrib.postgres.indexes.GinIndex(fields=['scope'], name='event_scope'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=django.contrib.postgres.indexes.GinIndex(fields=['records'], name='event_records'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=django.contrib.postgres.indexes.GinIndex(fields=['words'], name='event_words'),
        ),
    ]
