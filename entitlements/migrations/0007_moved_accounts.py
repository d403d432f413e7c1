"""INV-13: an account does not move out from under the agreement that covers its entitlements, ended ones aside."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0006_succession")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION account_terms() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM check_entitlement_terms(entitlement.id)
                   FROM entitlements_entitlement entitlement
                   JOIN entitlements_accountclosure below ON below.descendant_id = entitlement.account_id
                  WHERE below.ancestor_id = NEW.id
                    AND coalesce(entitlement.ends_at, 'infinity') > now();
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER account_terms AFTER UPDATE ON entitlements_account
                DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW
                WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id) EXECUTE FUNCTION account_terms();
            """,
            reverse_sql="DROP TRIGGER account_terms ON entitlements_account; DROP FUNCTION account_terms();",
        )
    ]
