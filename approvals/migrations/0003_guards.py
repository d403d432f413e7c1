"""What must never be false of change requests, and the triggers that governed and append-only tables share."""

from django.db import migrations

from approvals.records.guards import append_only, govern

GOVERNED_WRITE = """
-- INV-1. A setting alone proves nothing (anybody can set it): the request that it names must be `applying`, which is set
-- and left inside one transaction and so is seen by no other, and its current revision must have an item for exactly this
-- table, key, operation and base version whose values are these.
CREATE FUNCTION governed_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    setting text := current_setting('tenure.change_request', true);
    request_id uuid;
    key_value uuid;
    base integer;
    approved jsonb;
    found_item boolean := false;
    reason text;
BEGIN
    key_value := CASE WHEN TG_OP = 'INSERT' THEN NEW.id ELSE OLD.id END;
    base := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.version END;
    IF setting ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
        request_id := setting::uuid;
    END IF;
    IF request_id IS NULL THEN
        reason := 'no change request is being applied';
    ELSE
        SELECT item.after, true INTO approved, found_item
          FROM approvals_changerequest request
          JOIN approvals_item item ON item.revision_id = request.current_revision_id
         WHERE request.id = request_id
           AND request.status = 'applying'
           AND item.table_name = TG_TABLE_NAME
           AND item.record_id = key_value
           AND item.operation = lower(TG_OP)
           AND item.base_version IS NOT DISTINCT FROM base;
        IF NOT coalesce(found_item, false) THEN
            reason := format('change request %s is not being applied, or has no item for this record', request_id);
        ELSIF TG_OP = 'INSERT' AND NEW.version <> 1 THEN
            reason := 'a new record has version 1';
        ELSIF TG_OP = 'UPDATE' AND (NEW.id <> OLD.id OR NEW.version <> OLD.version + 1) THEN
            reason := 'a change keeps the key and raises the version by one';
        ELSIF TG_OP <> 'DELETE' AND jsonb_populate_record(NEW, approved) IS DISTINCT FROM NEW THEN
            reason := 'the values are not those that were approved';
        END IF;
    END IF;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TN001',
            CONSTRAINT = 'governed_write',
            TABLE = TG_TABLE_NAME,
            MESSAGE = format('INV-1: %s %s of %s is refused: %s.', TG_TABLE_NAME, lower(TG_OP), key_value, reason),
            HINT = 'Governed records change only by an applied change request. Propose the change.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TN001',
        CONSTRAINT = 'refuse_truncate',
        MESSAGE = format('INV-1: %s is not emptied: its rows are evidence or governed.', TG_TABLE_NAME);
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TN001',
        CONSTRAINT = 'append_only',
        MESSAGE = format('INV-4: rows of %s are never changed or removed.', TG_TABLE_NAME);
END $$;
"""

REQUEST_GUARD = """
-- The table of approvals/requests/states.py, once more where nothing passes it by.
CREATE FUNCTION change_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed constant text[] := ARRAY[
        'draft>in_review', 'draft>withdrawn',
        'in_review>draft', 'in_review>approved', 'in_review>changes_requested', 'in_review>rejected',
        'in_review>withdrawn',
        'changes_requested>draft', 'changes_requested>withdrawn',
        'approved>draft', 'approved>withdrawn', 'approved>in_review', 'approved>applying',
        'applying>applied'
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
    RETURN NEW;
END $$;

CREATE TRIGGER change_request_guard BEFORE INSERT OR UPDATE ON approvals_changerequest
    FOR EACH ROW EXECUTE FUNCTION change_request_guard();
CREATE TRIGGER change_request_kept BEFORE DELETE ON approvals_changerequest
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_request_truncate BEFORE TRUNCATE ON approvals_changerequest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- No transaction ends with a request in `applying`: so no other session ever sees one.
CREATE FUNCTION change_request_not_left_applying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM approvals_changerequest WHERE id = NEW.id AND status = 'applying') THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_not_left_applying',
            MESSAGE = 'INV-1: a change request is applied within one transaction, or not at all.';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER change_request_not_left_applying AFTER INSERT OR UPDATE ON approvals_changerequest
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_request_not_left_applying();
"""

DECISION_GUARD = """
-- INV-3, INV-2: a decision names the digest of the current revision of a request in review, under the human of the
-- login that decides, who wrote no revision of it.
CREATE FUNCTION decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
    revision approvals_revision;
BEGIN
    SELECT * INTO revision FROM approvals_revision WHERE id = NEW.revision_id;
    SELECT * INTO request FROM approvals_changerequest WHERE id = revision.change_request_id;
    IF request.status <> 'in_review' OR request.current_revision_id <> NEW.revision_id THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_on_current_revision_in_review',
            MESSAGE = 'INV-2: decisions are made on the current revision, while it is in review.';
    END IF;
    IF NEW.digest <> revision.digest THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_names_digest',
            MESSAGE = 'INV-2: the decision names another digest than the revision has.';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM approvals_stage WHERE id = NEW.stage_id AND revision_id = NEW.revision_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_of_stage_of_revision',
            MESSAGE = 'The stage belongs to another revision.';
    END IF;
    IF NEW.decider_human_id IS DISTINCT FROM (SELECT human_id FROM foundation_user WHERE id = NEW.decider_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_names_human',
            MESSAGE = 'INV-3: the decision names another human than the login has.';
    END IF;
    IF EXISTS (
        SELECT 1 FROM approvals_revision
         WHERE change_request_id = request.id AND author_human_id = NEW.decider_human_id
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_not_by_author',
            MESSAGE = 'INV-3: nobody decides on what they wrote, under any login.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_guard BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION decision_guard();

-- INV-2: an authorization is bound to the digest of the current revision; a quorum is one.
CREATE FUNCTION authorization_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request approvals_changerequest;
BEGIN
    SELECT * INTO request FROM approvals_changerequest WHERE id = NEW.change_request_id;
    IF request.status <> 'approved' OR request.current_revision_id IS DISTINCT FROM NEW.revision_id
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
CREATE TRIGGER authorization_guard BEFORE INSERT ON approvals_authorization
    FOR EACH ROW EXECUTE FUNCTION authorization_guard();

-- A stage is completed once, and otherwise stays what the digest covers.
CREATE FUNCTION stage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.completed_at IS NOT NULL OR NEW.completed_at IS NULL
       OR (NEW.id, NEW.revision_id, NEW.position, NEW.role, NEW.quorum, NEW.reasons)
          IS DISTINCT FROM (OLD.id, OLD.revision_id, OLD.position, OLD.role, OLD.quorum, OLD.reasons) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_completed_once',
            MESSAGE = 'INV-3: a stage is completed once and does not change otherwise.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stage_guard BEFORE UPDATE ON approvals_stage FOR EACH ROW EXECUTE FUNCTION stage_guard();
CREATE TRIGGER stage_kept BEFORE DELETE ON approvals_stage FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stage_truncate BEFORE TRUNCATE ON approvals_stage
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_initial"), ("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql=GOVERNED_WRITE,
            reverse_sql="DROP FUNCTION governed_write(); DROP FUNCTION refuse_truncate(); DROP FUNCTION refuse_change();",
        ),
        migrations.RunSQL(
            sql=REQUEST_GUARD,
            reverse_sql="""
            DROP TRIGGER change_request_guard ON approvals_changerequest;
            DROP TRIGGER change_request_kept ON approvals_changerequest;
            DROP TRIGGER change_request_truncate ON approvals_changerequest;
            DROP TRIGGER change_request_not_left_applying ON approvals_changerequest;
            DROP FUNCTION change_request_guard();
            DROP FUNCTION change_request_not_left_applying();
            """,
        ),
        migrations.RunSQL(
            sql=DECISION_GUARD,
            reverse_sql="""
            DROP TRIGGER decision_guard ON approvals_decision;
            DROP TRIGGER authorization_guard ON approvals_authorization;
            DROP TRIGGER stage_guard ON approvals_stage;
            DROP TRIGGER stage_kept ON approvals_stage;
            DROP TRIGGER stage_truncate ON approvals_stage;
            DROP FUNCTION decision_guard();
            DROP FUNCTION authorization_guard();
            DROP FUNCTION stage_guard();
            """,
        ),
        *append_only(
            [
                "approvals_revision",
                "approvals_item",
                "approvals_itemscope",
                "approvals_decision",
                "approvals_authorization",
                "approvals_historicalpolicy",
                "audit_event",
            ]
        ),
        *govern(["approvals_policy"]),
    ]
