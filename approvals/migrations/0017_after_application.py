"""What becomes of a change once it is applied: its criteria are ticked with evidence, or its inverse is applied."""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import uuid
from django.conf import settings
from django.db import migrations, models

from approvals.records.guards import append_only

# The guard as it stands, whatever else was added to it: three places of its text change, or the migration stops.
PATCH = """
DO $patch$
DECLARE
    body text := pg_get_functiondef('change_request_guard()'::regprocedure);
BEGIN
@changes
    EXECUTE body;
END $patch$;
"""
CHANGE = """
    IF position($text$@since$text$ IN body) = 0 THEN
        RAISE EXCEPTION 'change_request_guard() is not as this migration knows it.';
    END IF;
    body := replace(body, $text$@since$text$, $text$@until$text$);
"""
PLACES = (
    ("'applying>applied'", "'applying>applied', 'applied>verified', 'applied>reverted'"),
    # A system request has no criteria that somebody could verify: it is closed once it is applied.
    (
        "IF OLD.status IN ('applied', 'rejected'",
        "IF (OLD.status = 'applied' AND OLD.system) OR OLD.status IN ('verified', 'reverted', 'rejected'",
    ),
    (
        "OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id",
        "OR NEW.reverts_id IS DISTINCT FROM OLD.reverts_id OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id",
    ),
)

AFTER_APPLICATION = """
-- What is applied stays as it is: it is verified once the latest tick of every criterion says so, or acted back by the
-- application of its inverse.
CREATE FUNCTION change_request_after_application() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    criteria integer;
    met integer;
BEGIN
    IF to_jsonb(NEW) - 'status' - 'closed_at' IS DISTINCT FROM to_jsonb(OLD) - 'status' - 'closed_at'
       OR NEW.status = OLD.status THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_applied_stays',
            MESSAGE = 'An applied change request is verified or acted back; otherwise it does not change.';
    END IF;
    IF NEW.status = 'verified' THEN
        SELECT greatest(jsonb_array_length(document #> '{rationale,acceptance_criteria}'), 1) INTO criteria
          FROM approvals_revision WHERE id = NEW.current_revision_id;
        SELECT count(*) FILTER (WHERE latest.met) INTO met FROM (
            SELECT DISTINCT ON (criterion) tick.met FROM approvals_criteriontick tick
             WHERE tick.change_request_id = NEW.id AND tick.revision_id = NEW.current_revision_id
             ORDER BY criterion, number DESC) latest;
        IF met < criteria THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_verified_by_its_criteria',
                MESSAGE = format('Of %s acceptance criteria, %s are met.', criteria, met);
        END IF;
    END IF;
    IF NEW.status = 'reverted' AND NOT EXISTS (
        SELECT 1 FROM approvals_changerequest inverse
         WHERE inverse.reverts_id = NEW.id AND inverse.status IN ('applied', 'verified', 'reverted')
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_reverted_by_its_inverse',
            MESSAGE = 'A change request is acted back by the application of its inverse, and not otherwise.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_request_after_application BEFORE UPDATE ON approvals_changerequest
    FOR EACH ROW WHEN (OLD.status = 'applied' AND NOT OLD.system) EXECUTE FUNCTION change_request_after_application();

-- INV-3: nobody verifies what they wrote or applied, under any login.
CREATE FUNCTION criterion_tick_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
    revision approvals_revision;
BEGIN
    SELECT * INTO request FROM approvals_changerequest WHERE id = NEW.change_request_id;
    SELECT * INTO revision FROM approvals_revision WHERE id = NEW.revision_id;
    IF request.status <> 'applied' OR request.system OR request.current_revision_id IS DISTINCT FROM NEW.revision_id
       OR NEW.checked_at < request.applied_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'tick_of_applied_request',
            MESSAGE = 'Criteria are ticked of a change that is applied and not closed, once it is.';
    END IF;
    IF NEW.criterion > greatest(jsonb_array_length(revision.document #> '{rationale,acceptance_criteria}'), 1) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'tick_of_criterion_of_revision',
            MESSAGE = 'The applied revision has no such criterion.';
    END IF;
    IF NEW.checked_by_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.checked_by_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'tick_names_human',
            MESSAGE = 'INV-3: the tick names another human than the login has.';
    END IF;
    IF EXISTS (
        SELECT 1 FROM approvals_revision
         WHERE change_request_id = request.id AND author_human_id = NEW.checked_by_human_id
    ) OR NEW.checked_by_human_id = (SELECT human_id FROM foundation_user WHERE id = request.applied_by_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'tick_by_third_person',
            MESSAGE = 'INV-3: nobody verifies what they wrote or applied, under any login.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER criterion_tick_guard BEFORE INSERT ON approvals_criteriontick
    FOR EACH ROW EXECUTE FUNCTION criterion_tick_guard();
"""

# What was applied before there was verification awaits it like the rest; its criteria are in its revision.
REOPEN_APPLIED = """
ALTER TABLE approvals_changerequest DISABLE TRIGGER USER;
UPDATE approvals_changerequest SET closed_at = NULL WHERE status = 'applied' AND NOT system;
ALTER TABLE approvals_changerequest ENABLE TRIGGER USER;
"""
CLOSE_APPLIED = """
ALTER TABLE approvals_changerequest DISABLE TRIGGER USER;
UPDATE approvals_changerequest SET closed_at = coalesce(closed_at, applied_at), status = 'applied'
 WHERE status IN ('applied', 'verified', 'reverted');
ALTER TABLE approvals_changerequest ENABLE TRIGGER USER;
"""


def patched(places: tuple[tuple[str, str], ...]) -> str:
    """The statement that replaces each place."""
    changes = "".join(CHANGE.replace("@since", since).replace("@until", until) for since, until in places)
    return PATCH.replace("@changes", changes)



class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0016_authority'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(sql=REOPEN_APPLIED, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name='CriterionTick',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('criterion', models.PositiveIntegerField()),
                ('met', models.BooleanField()),
                ('result', models.TextField(blank=True, default='')),
                ('link', models.TextField(blank=True, default='')),
                ('checked_by_human_id', models.UUIDField()),
                ('checked_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='VerificationReminder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('step', models.PositiveIntegerField()),
                ('sent_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RemoveConstraint(
            model_name='changerequest',
            name='request_applied_has_instant',
        ),
        migrations.AddField(
            model_name='changerequest',
            name='reverts',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inverses', to='approvals.changerequest'),
        ),
        migrations.AlterField(
            model_name='changerequest',
            name='status',
            field=models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('changes_requested', 'Changes requested'), ('approved', 'Approved'), ('scheduled', 'Scheduled'), ('missed', 'Missed'), ('failed', 'Failed'), ('applying', 'Applying'), ('applied', 'Applied'), ('verified', 'Verified'), ('reverted', 'Acted back'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='draft', max_length=20),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['applied', 'verified', 'reverted']), _negated=True), ('applied_at__isnull', False), _connector='OR'), name='request_applied_has_instant'),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['applied', 'verified', 'reverted']), _negated=True), models.Q(('status', 'applied'), ('system', False), ('closed_at__isnull', True)), models.Q(models.Q(('status', 'applied'), ('system', False), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='request_closed_once_verified'),
        ),
        migrations.AddField(
            model_name='criteriontick',
            name='change_request',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='ticks', to='approvals.changerequest'),
        ),
        migrations.AddField(
            model_name='criteriontick',
            name='checked_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='criteriontick',
            name='revision',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.revision'),
        ),
        migrations.AddField(
            model_name='verificationreminder',
            name='change_request',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verification_reminders', to='approvals.changerequest'),
        ),
        migrations.AddConstraint(
            model_name='criteriontick',
            constraint=models.UniqueConstraint(fields=('change_request', 'number'), name='tick_number_once'),
        ),
        migrations.AddConstraint(
            model_name='criteriontick',
            constraint=models.CheckConstraint(condition=models.Q(('criterion__gte', 1)), name='tick_criterion_from_one'),
        ),
        migrations.AddConstraint(
            model_name='criteriontick',
            constraint=models.CheckConstraint(condition=models.Q(('result__regex', '\\S'), models.Q(('met', True), models.Q(('link', ''), _negated=True)), _connector='OR'), name='tick_has_evidence'),
        ),
        migrations.AddConstraint(
            model_name='criteriontick',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('result'), 10000), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('link'), 2000), models.Q(('link', ''), ('link__regex', '^https?://[^\\s]+$'), _connector='OR')), name='tick_evidence_fits'),
        ),
        migrations.AddConstraint(
            model_name='verificationreminder',
            constraint=models.UniqueConstraint(fields=('change_request', 'step'), name='verification_reminder_step_once'),
        ),
        migrations.AddConstraint(
            model_name='verificationreminder',
            constraint=models.CheckConstraint(condition=models.Q(('step__gte', 1)), name='verification_reminder_step_from_one'),
        ),
        *append_only(["approvals_criteriontick", "approvals_verificationreminder"]),
        migrations.RunSQL(
            sql=patched(PLACES),
            reverse_sql=CLOSE_APPLIED + patched(tuple((until, since) for since, until in PLACES)),
        ),
        migrations.RunSQL(
            sql=AFTER_APPLICATION,
            reverse_sql="""
            DROP TRIGGER change_request_after_application ON approvals_changerequest;
            DROP TRIGGER criterion_tick_guard ON approvals_criteriontick;
            DROP FUNCTION change_request_after_application(), criterion_tick_guard();
            """,
        ),
    ]
