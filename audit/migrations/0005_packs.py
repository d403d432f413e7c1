"""Evidence packs, their bytes, and legal holds; what may become of them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

GUARDS = """
-- A pack goes on from state to state and never back; what was sealed or given out stays what it was.
CREATE FUNCTION evidence_pack_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'INV-4: evidence packs are never removed, only their bytes'
            USING ERRCODE = '23514', CONSTRAINT = 'evidence_pack_kept';
    END IF;
    IF (OLD.status, NEW.status) NOT IN (
        ('requested', 'built'), ('requested', 'failed'), ('built', 'ready'), ('built', 'failed'), ('ready', 'expired')
    ) AND OLD.status <> NEW.status THEN
        RAISE EXCEPTION 'INV-4: an evidence pack does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = '23514', CONSTRAINT = 'evidence_pack_goes_on';
    END IF;
    IF (OLD.kind, OLD.subject_id, OLD.label, OLD.since, OLD.until, OLD.purpose, OLD.older, OLD.asked_by_id, OLD.asked_at)
        IS DISTINCT FROM
       (NEW.kind, NEW.subject_id, NEW.label, NEW.since, NEW.until, NEW.purpose, NEW.older, NEW.asked_by_id, NEW.asked_at)
       OR (OLD.status <> 'requested' AND (OLD.manifest, OLD.seal_id, OLD.scope, OLD.everything)
           IS DISTINCT FROM (NEW.manifest, NEW.seal_id, NEW.scope, NEW.everything))
       OR (OLD.status IN ('ready', 'expired')
           AND (OLD.sha256, OLD.size, OLD.keep_until) IS DISTINCT FROM (NEW.sha256, NEW.size, NEW.keep_until)) THEN
        RAISE EXCEPTION 'INV-4: what was asked for, sealed or given out stays what it was'
            USING ERRCODE = '23514', CONSTRAINT = 'evidence_pack_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evidence_pack_guard BEFORE UPDATE OR DELETE ON audit_evidencepack
    FOR EACH ROW EXECUTE FUNCTION evidence_pack_guard();

-- The bytes of a pack that is ready are not touched: they go once it has expired.
CREATE FUNCTION evidence_pack_part_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_evidencepack WHERE id = coalesce(NEW.pack_id, OLD.pack_id) AND status = 'ready') THEN
        RAISE EXCEPTION 'INV-4: the bytes of a pack that is ready are not changed'
            USING ERRCODE = '23514', CONSTRAINT = 'evidence_pack_part_fixed';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER evidence_pack_part_guard BEFORE INSERT OR UPDATE OR DELETE ON audit_evidencepackpart
    FOR EACH ROW EXECUTE FUNCTION evidence_pack_part_guard();

-- A hold is placed, and released once.
CREATE FUNCTION legal_hold_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.released_at IS NOT NULL OR NEW.released_at IS NULL
       OR (OLD.kind, OLD.subject_id, OLD.everything, OLD.label, OLD.reason, OLD.placed_by_id, OLD.placed_at)
          IS DISTINCT FROM
          (NEW.kind, NEW.subject_id, NEW.everything, NEW.label, NEW.reason, NEW.placed_by_id, NEW.placed_at) THEN
        RAISE EXCEPTION 'INV-4: a legal hold is released once, and never changed or removed otherwise'
            USING ERRCODE = '23514', CONSTRAINT = 'legal_hold_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER legal_hold_guard BEFORE UPDATE OR DELETE ON audit_legalhold
    FOR EACH ROW EXECUTE FUNCTION legal_hold_guard();
ALTER TABLE audit_evidencepackpart ALTER COLUMN content SET STORAGE EXTERNAL;
"""
UNGUARD = """
DROP TRIGGER evidence_pack_guard ON audit_evidencepack;
DROP TRIGGER evidence_pack_part_guard ON audit_evidencepackpart;
DROP TRIGGER legal_hold_guard ON audit_legalhold;
DROP FUNCTION evidence_pack_guard;
DROP FUNCTION evidence_pack_part_guard;
DROP FUNCTION legal_hold_guard;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_copies'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EvidencePack',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=100)),
                ('subject_id', models.UUIDField(null=True)),
                ('label', models.CharField(max_length=300)),
                ('since', models.DateTimeField(null=True)),
                ('until', models.DateTimeField(null=True)),
                ('purpose', models.TextField(blank=True, default='')),
                ('older', models.TextField(blank=True, default='')),
                ('scope', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('everything', models.BooleanField(default=False)),
                ('held_by', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('status', models.CharField(choices=[('requested', 'Being made'), ('built', 'Being sealed'), ('ready', 'Ready'), ('failed', 'Failed'), ('expired', 'Expired')], default='requested', max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('keep_days', models.PositiveIntegerField()),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField()),
                ('lease', models.UUIDField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('built_at', models.DateTimeField(null=True)),
                ('manifest', models.CharField(blank=True, default='', max_length=64)),
                ('seal_id', models.UUIDField(null=True)),
                ('ready_at', models.DateTimeField(null=True)),
                ('size', models.BigIntegerField(null=True)),
                ('sha256', models.CharField(blank=True, default='', max_length=64)),
                ('event_count', models.PositiveIntegerField(null=True)),
                ('keep_until', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True, default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('manage_legalhold', 'Can place and release legal holds')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='EvidencePackPart',
            fields=[
                ('pk', models.CompositePrimaryKey('pack_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('pack', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='audit.evidencepack')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(blank=True, default='', max_length=100)),
                ('subject_id', models.UUIDField(null=True)),
                ('everything', models.BooleanField(default=False)),
                ('label', models.CharField(max_length=300)),
                ('reason', models.TextField()),
                ('placed_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('release_reason', models.TextField(blank=True, default='')),
                ('placed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('released_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='evidencepack',
            index=models.Index(fields=['-asked_at', 'id'], name='evidence_pack_newest_first'),
        ),
        migrations.AddIndex(
            model_name='evidencepack',
            index=models.Index(condition=models.Q(('status__in', ['built', 'requested'])), fields=['next_attempt_at', 'id'], name='evidence_pack_due'),
        ),
        migrations.AddIndex(
            model_name='evidencepack',
            index=models.Index(condition=models.Q(('status', 'ready')), fields=['keep_until', 'id'], name='evidence_pack_kept'),
        ),
        migrations.AddConstraint(
            model_name='evidencepack',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['requested', 'built', 'ready', 'failed', 'expired'])), name='evidence_pack_status_known'),
        ),
        migrations.AddConstraint(
            model_name='evidencepack',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('since__isnull', True), ('until__isnull', True)), ('until__gt', models.F('since')), _connector='OR'), name='evidence_pack_period_has_length'),
        ),
        migrations.AddConstraint(
            model_name='evidencepack',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['built', 'ready', 'expired']), _negated=True), models.Q(('built_at__isnull', False), ('manifest__regex', '^[0-9a-f]{64}$'), ('seal_id__isnull', False)), _connector='OR'), name='evidence_pack_built_is_sealed'),
        ),
        migrations.AddConstraint(
            model_name='evidencepack',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['ready', 'expired']), _negated=True), models.Q(('keep_until__isnull', False), ('ready_at__isnull', False), ('sha256__regex', '^[0-9a-f]{64}$'), ('size__isnull', False)), _connector='OR'), name='evidence_pack_ready_has_digest'),
        ),
        migrations.AddConstraint(
            model_name='evidencepack',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['failed', 'expired']), _negated=True), ('ended_at__isnull', False), _connector='OR'), name='evidence_pack_ended_has_instant'),
        ),
        migrations.AddConstraint(
            model_name='evidencepackpart',
            constraint=models.CheckConstraint(condition=models.Q(('content__length__lte', 1048576)), name='evidence_pack_part_is_small'),
        ),
        migrations.AddIndex(
            model_name='legalhold',
            index=models.Index(fields=['subject_id'], name='legal_hold_of_subject'),
        ),
        migrations.AddConstraint(
            model_name='legalhold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('everything', True), ('subject_id__isnull', True)), models.Q(('everything', False), ('subject_id__isnull', False)), _connector='OR'), name='legal_hold_names_what_it_holds'),
        ),
        migrations.AddConstraint(
            model_name='legalhold',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='legal_hold_says_why'),
        ),
        migrations.AddConstraint(
            model_name='legalhold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('release_reason', ''), ('released_at__isnull', True), ('released_by__isnull', True)), models.Q(('release_reason__regex', '\\S'), ('released_at__isnull', False), ('released_by__isnull', False)), _connector='OR'), name='legal_hold_release_says_why'),
        ),
        migrations.AddConstraint(
            model_name='legalhold',
            constraint=models.UniqueConstraint(condition=models.Q(('released_at__isnull', True)), fields=('kind', 'subject_id'), name='legal_hold_in_force_once', nulls_distinct=False),
        ),
        migrations.RunSQL(sql=GUARDS, reverse_sql=UNGUARD),
    ]
