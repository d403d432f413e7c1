"""INV-13: a successor counts in its predecessor's place, so two that replace each other would count for nothing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0005_account_tree_lock")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION entitlement_succession() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (
                    WITH RECURSIVE replaced AS (
                        SELECT replaces_id AS id FROM entitlements_entitlement WHERE id = NEW.id
                        UNION
                        SELECT earlier.replaces_id FROM replaced
                          JOIN entitlements_entitlement earlier ON earlier.id = replaced.id
                    )
                    SELECT 1 FROM replaced WHERE replaced.id = NEW.id
                ) THEN
                    PERFORM refuse_terms('entitlement_succession_no_circle',
                        format('%s would replace, by way of others, itself.', NEW.reference));
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER entitlement_succession AFTER INSERT OR UPDATE ON entitlements_entitlement
                DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN (NEW.replaces_id IS NOT NULL)
                EXECUTE FUNCTION entitlement_succession();
            """,
            reverse_sql="""
            DROP TRIGGER entitlement_succession ON entitlements_entitlement;
            DROP FUNCTION entitlement_succession();
            """,
        )
    ]
