"""`manage.py grants`: what the role that serves may do, and that too much of it is told."""

from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from approvals.records import grants, guards
from tests.approvals.test_evidence import APPEND_ONLY


@pytest.mark.django_db(transaction=True)
class TestGrants:
    def test_are_printed_and_fit(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("grants")

        told = capsys.readouterr().out
        assert "tenure_app owns nothing" in told
        lines = {line.split()[0]: line for line in told.splitlines()}
        assert lines["audit_event"].split(None, 2)[1:] == ["record", "SELECT, INSERT"]
        assert lines["entitlements_entitlement"].split()[1] == "governed"
        assert set(APPEND_ONLY) <= guards.APPEND_ONLY

    @pytest.mark.parametrize(
        ("done", "undone", "told"),
        [
            ("GRANT UPDATE ON audit_event TO tenure_app", "REVOKE UPDATE ON audit_event FROM tenure_app", "may UPDATE"),
            (
                "GRANT UPDATE (data) ON audit_event TO tenure_app",
                "REVOKE UPDATE (data) ON audit_event FROM tenure_app",
                "audit_event: the role may UPDATE",
            ),
            (
                "GRANT TRUNCATE ON approvals_stage TO tenure_app",
                "REVOKE TRUNCATE ON approvals_stage FROM tenure_app",
                "approvals_stage: the role may TRUNCATE",
            ),
            (
                "ALTER TABLE audit_leaf DISABLE TRIGGER append_only",
                "ALTER TABLE audit_leaf ENABLE TRIGGER append_only",
                "audit_leaf: the trigger append_only is gone",
            ),
            (
                "ALTER TABLE entitlements_product DISABLE TRIGGER governed_write",
                "ALTER TABLE entitlements_product ENABLE TRIGGER governed_write",
                "governed_write is gone",
            ),
            ("GRANT tenure_owner TO tenure_app", "REVOKE tenure_owner FROM tenure_app", "may become the owner"),
        ],
    )
    def test_that_are_too_many_are_told(
        self, owner_connection: psycopg.Connection[Any], superuser: Any, done: str, undone: str, told: str
    ) -> None:
        by = superuser if "tenure_owner TO" in done else owner_connection
        by.execute(done)
        try:
            with pytest.raises(CommandError, match="may do what it should not") as refused:
                call_command("grants")
            assert told in str(refused.value)
        finally:
            by.execute(undone)
        assert grants.read().problems == []


@pytest.fixture
def superuser(instance: Any) -> Any:
    """Have a superuser's connection."""
    with instance.connect_superuser() as connection:
        yield connection
