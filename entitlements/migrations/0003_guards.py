"""What must never be false of the registry: governed tables, terms across tables, seat counters, the account tree."""

from django.db import migrations

from approvals.records.guards import append_only, govern
from foundation.database.roles import only_read

GOVERNED = [
    "account", "agreement", "deployment", "entitlement", "feature", "orderline", "product", "regiongroup", "release",
    "sku", "skurevision",
]

TERMS = """
-- The SKU of an entitlement is that of its revision.
ALTER TABLE entitlements_entitlement ADD CONSTRAINT entitlement_sku_of_revision
    FOREIGN KEY (sku_revision_id, sku_id) REFERENCES entitlements_skurevision (id, sku_id)
    DEFERRABLE INITIALLY IMMEDIATE;

-- Granted terms are immutable: a SKU revision may be retired, nothing else.
CREATE FUNCTION sku_revision_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'version' - 'retired_at' IS DISTINCT FROM to_jsonb(OLD) - 'version' - 'retired_at' THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'sku_revision_immutable',
            MESSAGE = 'Granted terms are immutable. Add a revision of the SKU instead.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sku_revision_immutable BEFORE UPDATE ON entitlements_skurevision
    FOR EACH ROW EXECUTE FUNCTION sku_revision_immutable();

CREATE FUNCTION refuse_terms(constraint_name text, sentence text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = constraint_name, MESSAGE = 'INV-13: ' || sentence;
END $$;

-- INV-13: an entitlement gives no more than its SKU revision, order line and agreement.
CREATE FUNCTION check_entitlement_terms(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    granted entitlements_entitlement;
    revision entitlements_skurevision;
    line entitlements_orderline;
    agreement entitlements_agreement;
    covered uuid[];
BEGIN
    SELECT * INTO granted FROM entitlements_entitlement WHERE id = checked;
    IF NOT FOUND OR granted.withdrawn_at IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO revision FROM entitlements_skurevision WHERE id = granted.sku_revision_id;
    SELECT * INTO line FROM entitlements_orderline WHERE id = granted.order_line_id;
    SELECT * INTO agreement FROM entitlements_agreement WHERE id = line.agreement_id;
    IF granted.seats < revision.seats_minimum
       OR (revision.seats_maximum IS NOT NULL AND (granted.seats IS NULL OR granted.seats > revision.seats_maximum)) THEN
        PERFORM refuse_terms('entitlement_seats_within_sku',
            format('%s has seats outside those of its SKU revision.', granted.reference));
    END IF;
    IF NOT granted.countries <@ revision.countries THEN
        PERFORM refuse_terms('entitlement_countries_within_sku',
            format('%s has countries that its SKU revision has not.', granted.reference));
    END IF;
    IF NOT granted.environments <@ revision.environments THEN
        PERFORM refuse_terms('entitlement_environments_within_sku',
            format('%s allows environments that its SKU revision does not.', granted.reference));
    END IF;
    IF granted.starts_at < line.starts_at
       OR coalesce(granted.ends_at, 'infinity') > coalesce(line.ends_at, 'infinity') THEN
        PERFORM refuse_terms('entitlement_within_order_line',
            format('%s lies outside the term of order line %s.', granted.reference, line.reference));
    END IF;
    IF granted.sku_id <> (SELECT sku_id FROM entitlements_skurevision WHERE id = line.sku_revision_id) THEN
        PERFORM refuse_terms('entitlement_sku_of_order_line',
            format('%s is of another SKU than order line %s.', granted.reference, line.reference));
    END IF;
    covered := agreement.covered_accounts || agreement.licensee_id;
    IF NOT granted.account_id = ANY (covered) AND NOT (
        agreement.covers_descendants AND EXISTS (
            SELECT 1 FROM entitlements_accountclosure
             WHERE descendant_id = granted.account_id AND ancestor_id = ANY (covered))
    ) THEN
        PERFORM refuse_terms('entitlement_account_covered',
            format('agreement %s does not cover the account of %s.', agreement.reference, granted.reference));
    END IF;
END $$;

-- INV-13: at no instant do the entitlements of an order line give more seats than were ordered. A predecessor whose
-- successor is in force does not count: the successor replaces it. The line is locked, so that two grants see each other;
-- with the weaker lock, because both hold a key share of the line already (the foreign key's) and would wait for each other.
CREATE FUNCTION check_order_line_quantity(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    line entitlements_orderline;
    breach timestamptz;
BEGIN
    SELECT * INTO line FROM entitlements_orderline WHERE id = checked FOR NO KEY UPDATE;
    WITH given AS (
        SELECT id, replaces_id, seats, starts_at, coalesce(ends_at, 'infinity') AS ends_at
          FROM entitlements_entitlement WHERE order_line_id = checked AND withdrawn_at IS NULL
    ), periods AS (
        SELECT (period->>'starts_at')::timestamptz AS starts_at,
               coalesce((period->>'ends_at')::timestamptz, line.ends_at, 'infinity') AS ends_at,
               (period->>'quantity')::bigint AS quantity
          FROM jsonb_array_elements(line.periods) AS period
    ), instants AS (
        SELECT starts_at AS at FROM given
        UNION SELECT starts_at FROM periods
        UNION SELECT ends_at FROM periods WHERE ends_at <> 'infinity'
        UNION SELECT ends_at FROM given WHERE ends_at <> 'infinity'
    ), totals AS (
        SELECT instants.at,
               count(*) FILTER (WHERE given.seats IS NULL) AS unlimited,
               coalesce(sum(given.seats), 0) AS seats
          FROM instants JOIN given ON given.starts_at <= instants.at AND instants.at < given.ends_at
         WHERE NOT EXISTS (
             SELECT 1 FROM given successor
              WHERE successor.replaces_id = given.id
                AND successor.starts_at <= instants.at AND instants.at < successor.ends_at)
         GROUP BY instants.at
    )
    SELECT min(totals.at) INTO breach
      FROM totals LEFT JOIN periods ON periods.starts_at <= totals.at AND totals.at < periods.ends_at
     WHERE periods.starts_at IS NULL
        OR (periods.quantity IS NOT NULL AND (totals.unlimited > 0 OR totals.seats > periods.quantity));
    IF breach IS NOT NULL THEN
        PERFORM refuse_terms('entitlement_within_quantity',
            format('order line %s has fewer seats than its entitlements give from %s.', line.reference, breach));
    END IF;
END $$;

CREATE FUNCTION check_order_line_terms(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    line entitlements_orderline;
    agreement entitlements_agreement;
BEGIN
    SELECT * INTO line FROM entitlements_orderline WHERE id = checked;
    SELECT * INTO agreement FROM entitlements_agreement WHERE id = line.agreement_id;
    IF line.starts_at < agreement.starts_at
       OR (agreement.renewal = 'ends' AND coalesce(line.ends_at, 'infinity') > coalesce(agreement.ends_at, 'infinity')) THEN
        PERFORM refuse_terms('order_line_within_agreement',
            format('order line %s lies outside the term of agreement %s.', line.reference, agreement.reference));
    END IF;
END $$;

CREATE FUNCTION entitlement_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_entitlement_terms(NEW.id);
    PERFORM check_order_line_quantity(NEW.order_line_id);
    RETURN NULL;
END $$;
CREATE FUNCTION order_line_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_order_line_terms(NEW.id);
    IF TG_OP = 'UPDATE' THEN
        PERFORM check_entitlement_terms(id) FROM entitlements_entitlement WHERE order_line_id = NEW.id;
        PERFORM check_order_line_quantity(NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION agreement_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_order_line_terms(id) FROM entitlements_orderline WHERE agreement_id = NEW.id;
    PERFORM check_entitlement_terms(entitlement.id)
       FROM entitlements_entitlement entitlement
       JOIN entitlements_orderline line ON line.id = entitlement.order_line_id
      WHERE line.agreement_id = NEW.id;
    RETURN NULL;
END $$;
-- Deferrable: a request may write its records in any order; application sets them immediate before it records.
CREATE CONSTRAINT TRIGGER entitlement_terms AFTER INSERT OR UPDATE ON entitlements_entitlement
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION entitlement_terms();
CREATE CONSTRAINT TRIGGER order_line_terms AFTER INSERT OR UPDATE ON entitlements_orderline
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION order_line_terms();
CREATE CONSTRAINT TRIGGER agreement_terms AFTER UPDATE ON entitlements_agreement
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION agreement_terms();
"""

SEATS = """
-- INV-1 for the operational counter: what it grants is written only with its entitlement's item; what is used only by
-- the trigger on seats.
CREATE FUNCTION seat_pool_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    setting text := current_setting('tenure.change_request', true);
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION USING ERRCODE = 'TN001', CONSTRAINT = 'governed_write',
            MESSAGE = 'INV-1: a seat pool stays as long as its entitlement.';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.entitlement_id <> OLD.entitlement_id THEN
        RAISE EXCEPTION USING ERRCODE = 'TN001', CONSTRAINT = 'governed_write',
            MESSAGE = 'INV-1: a seat pool belongs to one entitlement.';
    END IF;
    IF (TG_OP = 'INSERT' AND NEW.used <> 0)
       OR (TG_OP = 'UPDATE' AND NEW.used <> OLD.used AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION USING ERRCODE = 'TN001', CONSTRAINT = 'seat_pool_counts_seats',
            MESSAGE = 'INV-6: the seats used are counted from the seats held, never written.';
    END IF;
    IF TG_OP = 'INSERT' OR (NEW.granted, NEW.hard) IS DISTINCT FROM (OLD.granted, OLD.hard) THEN
        IF setting !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' OR setting IS NULL OR NOT EXISTS (
            SELECT 1 FROM approvals_changerequest request
              JOIN approvals_item item ON item.revision_id = request.current_revision_id
             WHERE request.id = setting::uuid AND request.status = 'applying'
               AND item.table_name = 'entitlements_entitlement' AND item.record_id = NEW.entitlement_id)
           OR NOT EXISTS (
            SELECT 1 FROM entitlements_entitlement
             WHERE id = NEW.entitlement_id AND seats IS NOT DISTINCT FROM NEW.granted
               AND (enforcement = 'hard') = NEW.hard) THEN
            RAISE EXCEPTION USING ERRCODE = 'TN001', CONSTRAINT = 'governed_write',
                MESSAGE = format('INV-1: the seats granted by entitlement %s change only by an applied change request.',
                                 NEW.entitlement_id);
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER seat_pool_guard BEFORE INSERT OR UPDATE OR DELETE ON entitlements_seatpool
    FOR EACH ROW EXECUTE FUNCTION seat_pool_guard();
CREATE TRIGGER seat_pool_truncate BEFORE TRUNCATE ON entitlements_seatpool
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- INV-6: the counter follows the seats, whoever writes them; its CHECK refuses the seat too many, one row locked for a
-- moment. Seats are released, never changed otherwise and never removed.
CREATE FUNCTION seat_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    over boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.over_granted := false;
        IF NEW.released_at IS NULL THEN
            UPDATE entitlements_seatpool SET used = used + 1 WHERE entitlement_id = NEW.entitlement_id
                RETURNING granted IS NOT NULL AND used > granted INTO over;
            IF NOT FOUND THEN
                RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'seat_has_pool',
                    MESSAGE = 'INV-6: the entitlement has no seat pool.';
            END IF;
            NEW.over_granted := over;
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.entitlement_id, NEW.person_id, NEW.device, NEW.taken_at, NEW.over_granted)
       IS DISTINCT FROM (OLD.id, OLD.entitlement_id, OLD.person_id, OLD.device, OLD.taken_at, OLD.over_granted)
       OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'seat_released_once',
            MESSAGE = 'A seat is released once, and does not change otherwise.';
    END IF;
    IF OLD.released_at IS NULL AND NEW.released_at IS NOT NULL THEN
        UPDATE entitlements_seatpool SET used = used - 1 WHERE entitlement_id = NEW.entitlement_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER seat_counted BEFORE INSERT OR UPDATE ON entitlements_seat
    FOR EACH ROW EXECUTE FUNCTION seat_counted();
CREATE TRIGGER seat_kept BEFORE DELETE ON entitlements_seat FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seat_truncate BEFORE TRUNCATE ON entitlements_seat
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""

TREE = """
-- The closure of the account tree; the app reads it and never writes it.
CREATE FUNCTION account_closure() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
            RETURN NULL;
        END IF;
        IF NEW.parent_id IS NOT NULL AND EXISTS (
            SELECT 1 FROM entitlements_accountclosure WHERE ancestor_id = NEW.id AND descendant_id = NEW.parent_id
        ) THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'account_not_below_itself',
                MESSAGE = 'An account can''t stand below itself. Choose another parent.';
        END IF;
        DELETE FROM entitlements_accountclosure
         WHERE descendant_id IN (SELECT descendant_id FROM entitlements_accountclosure WHERE ancestor_id = NEW.id)
           AND ancestor_id IN (
               SELECT ancestor_id FROM entitlements_accountclosure WHERE descendant_id = NEW.id AND ancestor_id <> NEW.id);
    ELSE
        INSERT INTO entitlements_accountclosure (ancestor_id, descendant_id, depth) VALUES (NEW.id, NEW.id, 0);
    END IF;
    IF NEW.parent_id IS NOT NULL THEN
        INSERT INTO entitlements_accountclosure (ancestor_id, descendant_id, depth)
        SELECT above.ancestor_id, below.descendant_id, above.depth + below.depth + 1
          FROM entitlements_accountclosure above, entitlements_accountclosure below
         WHERE above.descendant_id = NEW.parent_id AND below.ancestor_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_closure AFTER INSERT OR UPDATE ON entitlements_account
    FOR EACH ROW EXECUTE FUNCTION account_closure();
"""


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0002_initial"), ("approvals", "0003_guards")]

    operations = [
        *govern([f"entitlements_{name}" for name in GOVERNED]),
        *append_only([f"entitlements_historical{name}" for name in GOVERNED]),
        migrations.RunSQL(
            sql=TERMS,
            reverse_sql="""
            DROP TRIGGER entitlement_terms ON entitlements_entitlement;
            DROP TRIGGER order_line_terms ON entitlements_orderline;
            DROP TRIGGER agreement_terms ON entitlements_agreement;
            DROP TRIGGER sku_revision_immutable ON entitlements_skurevision;
            DROP FUNCTION entitlement_terms(), order_line_terms(), agreement_terms(), sku_revision_immutable(),
                check_order_line_terms(uuid), check_order_line_quantity(uuid), check_entitlement_terms(uuid),
                refuse_terms(text, text);
            ALTER TABLE entitlements_entitlement DROP CONSTRAINT entitlement_sku_of_revision;
            """,
        ),
        migrations.RunSQL(
            sql=SEATS,
            reverse_sql="""
            DROP TRIGGER seat_pool_guard ON entitlements_seatpool;
            DROP TRIGGER seat_pool_truncate ON entitlements_seatpool;
            DROP TRIGGER seat_counted ON entitlements_seat;
            DROP TRIGGER seat_kept ON entitlements_seat;
            DROP TRIGGER seat_truncate ON entitlements_seat;
            DROP FUNCTION seat_pool_guard(), seat_counted();
            """,
        ),
        migrations.RunSQL(
            sql=TREE,
            reverse_sql="DROP TRIGGER account_closure ON entitlements_account; DROP FUNCTION account_closure();",
        ),
        only_read(["entitlements_accountclosure"]),
    ]
