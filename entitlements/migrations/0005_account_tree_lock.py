"""
An account added below one that moves at the same moment would be noted under the ancestors of before: they take turns.

Two moves that would close a circle together block each other already, and one of them is undone.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0004_ask_hypothetically")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION account_tree_lock() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.parent_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN
                    PERFORM pg_advisory_xact_lock(hashtext('entitlements_account.parent_id'));
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER account_tree_lock BEFORE INSERT OR UPDATE ON entitlements_account
                FOR EACH ROW EXECUTE FUNCTION account_tree_lock();
            """,
            reverse_sql="DROP TRIGGER account_tree_lock ON entitlements_account; DROP FUNCTION account_tree_lock();",
        )
    ]
