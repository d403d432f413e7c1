"""Requests that nobody goes on with expire: a closed state, and when the author was told."""

from django.db import migrations, models

TRANSITIONS = ", ".join(
    f"'{status}>expired'" for status in ("draft", "in_review", "changes_requested", "approved", "missed", "failed")
)
# The guard as it stands, whatever else was added to it: two places of its text change, or the migration stops.
PATCH = """
DO $patch$
DECLARE
    body text := pg_get_functiondef('change_request_guard()'::regprocedure);
BEGIN
    IF position($text$@first$text$ IN body) = 0 OR position($text$@second$text$ IN body) = 0 THEN
        RAISE EXCEPTION 'change_request_guard() is not as this migration knows it.';
    END IF;
    body := replace(body, $text$@first$text$, $text$@then_first$text$);
    body := replace(body, $text$@second$text$, $text$@then_second$text$);
    EXECUTE body;
END $patch$;
"""
BEFORE = ("'draft>withdrawn',", "'rejected', 'withdrawn'")
AFTER = (f"'draft>withdrawn', {TRANSITIONS},", "'rejected', 'withdrawn', 'expired'")


def patched(*, since: tuple[str, str], until: tuple[str, str]) -> str:
    """The statement that replaces both places."""
    sql = PATCH.replace("@first", since[0]).replace("@second", since[1])
    return sql.replace("@then_first", until[0]).replace("@then_second", until[1])


class Migration(migrations.Migration):
    dependencies = [("approvals", "0010_freezes")]

    operations = [
        migrations.AddField(
            model_name="changerequest",
            name="expiry_announced_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="changerequest",
            name="status",
            field=models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('changes_requested', 'Changes requested'), ('approved', 'Approved'), ('scheduled', 'Scheduled'), ('missed', 'Missed'), ('failed', 'Failed'), ('applying', 'Applying'), ('applied', 'Applied'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default="draft", max_length=20),
        ),
        migrations.RunSQL(
            sql=patched(since=BEFORE, until=AFTER),
            reverse_sql=patched(since=AFTER, until=BEFORE),
        ),
    ]
