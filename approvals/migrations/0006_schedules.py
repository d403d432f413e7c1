"""Scheduled requests: their states, the instant by which the clock finds them, and that none is applied late."""

from django.db import migrations, models

REQUEST_GUARD = """
-- The table of approvals/requests/states.py, once more where nothing passes it by.
CREATE OR REPLACE FUNCTION change_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed constant text[] := ARRAY[
@allowed
    ];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'draft' THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_starts_as_draft',
                MESSAGE = 'A change request starts as a draft.';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.id <> OLD.id OR NEW.number <> OLD.number OR NEW.system <> OLD.system
       OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_identity_fixed',
            MESSAGE = 'Who asked, and under which number, does not change.';
    END IF;
    IF NEW.status <> OLD.status AND NOT (OLD.status || '>' || NEW.status) = ANY (allowed) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_transition',
            MESSAGE = format('A change request does not go from %s to %s.', OLD.status, NEW.status);
    END IF;
    IF OLD.status IN ('applied', 'rejected', 'withdrawn') THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_closed',
            MESSAGE = 'A closed change request does not change.';
    END IF;
    IF NEW.current_revision_id IS DISTINCT FROM OLD.current_revision_id AND OLD.status = 'applying' THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_applies_what_it_cites',
            MESSAGE = 'The revision does not change while it is applied.';
    END IF;
    -- INV-2: nothing is applied without an authorization bound to the digest of what is applied.
    IF NEW.status = 'applying' AND OLD.status <> 'applying' AND NOT EXISTS (
        SELECT 1 FROM approvals_authorization authority
          JOIN approvals_revision revision ON revision.id = NEW.current_revision_id
         WHERE authority.change_request_id = NEW.id
           AND authority.revision_id = NEW.current_revision_id
           AND authority.digest = revision.digest
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_needs_authorization',
            MESSAGE = 'INV-2: this change request has no authorization for its current revision.';
    END IF;
@window    RETURN NEW;
END $$;
"""

AUTHORIZATION_GUARD = """
-- INV-2: an authorization is bound to the digest of the current revision; a quorum is one.
CREATE OR REPLACE FUNCTION authorization_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
BEGIN
    SELECT * INTO request FROM approvals_changerequest WHERE id = NEW.change_request_id;
    IF request.status NOT IN (@authorizable) OR request.current_revision_id IS DISTINCT FROM NEW.revision_id
       OR NEW.digest IS DISTINCT FROM (SELECT digest FROM approvals_revision WHERE id = NEW.revision_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_of_current_revision',
            MESSAGE = 'INV-2: an authorization names the digest of the current revision of an approved request.';
    END IF;
    IF NEW.basis = 'bootstrap' AND NOT request.system THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_bootstrap_is_system',
            MESSAGE = 'INV-2: only a system request is applied as a bootstrap.';
    END IF;
    IF NEW.basis = 'quorum' AND (
        NOT EXISTS (SELECT 1 FROM approvals_stage WHERE revision_id = NEW.revision_id)
        OR EXISTS (
            SELECT 1 FROM approvals_stage stage
             WHERE stage.revision_id = NEW.revision_id
               AND stage.quorum > (
                   SELECT count(*) FROM approvals_decision decision
                    WHERE decision.stage_id = stage.id AND decision.verdict = 'approve'
                      AND decision.digest = NEW.digest))
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'authorization_has_quorum',
            MESSAGE = 'INV-3: a stage of this revision lacks its quorum.';
    END IF;
    RETURN NEW;
END $$;
"""

FORMER_TRANSITIONS = """        'draft>in_review', 'draft>withdrawn',
        'in_review>draft', 'in_review>approved', 'in_review>changes_requested', 'in_review>rejected',
        'in_review>withdrawn',
        'changes_requested>draft', 'changes_requested>withdrawn',
        'approved>draft', 'approved>withdrawn', 'approved>in_review', 'approved>applying',
        'applying>applied'"""

TRANSITIONS = """        'draft>in_review', 'draft>withdrawn',
        'in_review>draft', 'in_review>approved', 'in_review>changes_requested', 'in_review>rejected',
        'in_review>withdrawn',
        'changes_requested>draft', 'changes_requested>withdrawn',
        'approved>draft', 'approved>withdrawn', 'approved>in_review', 'approved>applying',
        'approved>scheduled',
        'scheduled>draft', 'scheduled>withdrawn', 'scheduled>in_review', 'scheduled>applying', 'scheduled>missed',
        'scheduled>failed',
        'missed>draft', 'missed>withdrawn',
        'failed>draft', 'failed>withdrawn',
        'applying>applied'"""

WINDOW = """    -- INV-2: people approved a window too; nothing is applied outside it, whatever clock a program reads.
    IF NEW.status = 'applied' AND OLD.status <> 'applied' AND EXISTS (
        SELECT 1 FROM approvals_revision revision
         WHERE revision.id = NEW.current_revision_id
           AND jsonb_typeof(revision.document -> 'schedule') = 'object'
           AND (NEW.applied_at < (revision.document #>> '{schedule,opens_at}')::timestamptz
                OR NEW.applied_at >= (revision.document #>> '{schedule,closes_at}')::timestamptz)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_applied_in_its_window',
            MESSAGE = 'INV-2: a scheduled change request is applied inside the window that was approved.';
    END IF;
"""


def guards(*, allowed: str, window: str, authorizable: str) -> str:
    """Both functions, for a set of states."""
    request = REQUEST_GUARD.replace("@allowed", allowed).replace("@window", window)
    return request + AUTHORIZATION_GUARD.replace("@authorizable", authorizable)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0005_sealed_revisions")]

    operations = [
        migrations.AddField(
            model_name='changerequest',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='changerequest',
            name='status',
            field=models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('changes_requested', 'Changes requested'), ('approved', 'Approved'), ('scheduled', 'Scheduled'), ('missed', 'Missed'), ('failed', 'Failed'), ('applying', 'Applying'), ('applied', 'Applied'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='draft', max_length=20),
        ),
        migrations.AddIndex(
            model_name='changerequest',
            index=models.Index(condition=models.Q(('status', 'scheduled')), fields=['due_at', 'number'], name='request_due'),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'scheduled'), _negated=True), ('due_at__isnull', False), _connector='OR'), name='request_scheduled_has_instant'),
        ),
        migrations.RunSQL(
            sql=guards(allowed=TRANSITIONS, window=WINDOW, authorizable="'approved', 'scheduled'"),
            reverse_sql=guards(allowed=FORMER_TRANSITIONS, window="", authorizable="'approved'"),
        ),
    ]
