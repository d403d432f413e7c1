"""INV-2: what was decided on stays what it is, below the services too."""

from django.db import migrations

SEAL = """
-- Items, scopes and stages are written before their revision becomes current, never after: a revision that somebody may
-- have read gets no further item, though the tables take insertions.
CREATE FUNCTION revision_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sealed uuid;
BEGIN
    IF TG_TABLE_NAME = 'approvals_itemscope' THEN
        SELECT revision_id INTO sealed FROM approvals_item WHERE id = NEW.item_id;
    ELSE
        sealed := NEW.revision_id;
    END IF;
    IF EXISTS (
        SELECT 1 FROM approvals_revision revision
          JOIN approvals_changerequest request ON request.id = revision.change_request_id
          JOIN approvals_revision latest ON latest.id = request.current_revision_id
         WHERE revision.id = sealed AND revision.number <= latest.number
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'revision_is_sealed',
            MESSAGE = 'INV-2: a revision that was filed gets no further items, scopes or stages.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revision_seal BEFORE INSERT ON approvals_item FOR EACH ROW EXECUTE FUNCTION revision_seal();
CREATE TRIGGER revision_seal BEFORE INSERT ON approvals_itemscope FOR EACH ROW EXECUTE FUNCTION revision_seal();
CREATE TRIGGER revision_seal BEFORE INSERT ON approvals_stage FOR EACH ROW EXECUTE FUNCTION revision_seal();

-- A request goes on to later revisions of its own and never back to one whose decisions are stale.
CREATE FUNCTION request_revision_rises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.current_revision_id IS NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.current_revision_id IS NOT DISTINCT FROM OLD.current_revision_id THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' OR NOT EXISTS (
        SELECT 1 FROM approvals_revision later
         WHERE later.id = NEW.current_revision_id AND later.change_request_id = NEW.id
           AND later.number > coalesce((SELECT number FROM approvals_revision WHERE id = OLD.current_revision_id), 0)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'request_revision_only_rises',
            MESSAGE = 'INV-2: a change request goes on to a later revision of its own, never back.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_request_revision_rises BEFORE INSERT OR UPDATE ON approvals_changerequest
    FOR EACH ROW EXECUTE FUNCTION request_revision_rises();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0004_roles")]

    operations = [
        migrations.RunSQL(
            sql=SEAL,
            reverse_sql="""
            DROP TRIGGER revision_seal ON approvals_item;
            DROP TRIGGER revision_seal ON approvals_itemscope;
            DROP TRIGGER revision_seal ON approvals_stage;
            DROP TRIGGER change_request_revision_rises ON approvals_changerequest;
            DROP FUNCTION revision_seal(), request_revision_rises();
            """,
        )
    ]
