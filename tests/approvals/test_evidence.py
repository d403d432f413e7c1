"""INV-4: the ledger, the history and what was decided on only grow, whoever tries."""

from typing import Any

import psycopg
import pytest

from approvals.attachments.services import Upload, attach
from approvals.discussion.services import comment
from approvals.governed import Draft, governed_models
from tests import given
from tests.approvals import world as building
from tests.approvals.files import PDF
from tests.approvals.world import World

APPEND_ONLY = [
    "approvals_revision",
    "approvals_item",
    "approvals_itemscope",
    "approvals_decision",
    "approvals_authorization",
    "approvals_comment",
    "audit_checkpoint",
    "audit_checkpointcopy",
    "audit_leaf",
    "audit_treenode",
    "approvals_attachment",
    "approvals_blob",
    "approvals_opened",
    "approvals_criteriontick",
    "approvals_verificationreminder",
    "approvals_permitreview",
    "approvals_reminder",
    "approvals_announcedchange",
    "approvals_announcement",
    "approvals_acknowledgment",
    "approvals_announcementstep",
    "audit_reviewdecision",
    "audit_reviewreminder",
    "audit_event",
    *sorted(model.history.model._meta.db_table for model in governed_models()),
]


@pytest.mark.django_db(transaction=True)
class TestEvidence:
    """INV-4: the ledger, the history and what was decided on only grow."""

    @pytest.fixture
    def written(self, transactional_db: None) -> World:
        world = building.make()
        request = world.approved(world.grant(), Draft("entitlement.amend", {"seats": 9}, world.trial.id))
        comment(change_request_id=request.id, author=world.first, text="A word on this.", now=given.NOW)
        attach(change_request_id=request.id, author=world.first, file=Upload("order.pdf", PDF), now=given.NOW)
        world.apply(request)
        return world

    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_is_not_altered_by_the_role_that_serves(
        self, written: World, app_connection: psycopg.Connection[Any], statement: str
    ) -> None:
        for table in APPEND_ONLY:
            altered = statement.format(table).replace("id = id", _key(table))
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"permission denied for table {table}"):
                app_connection.execute(altered)

    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_is_not_altered_by_the_owner(
        self, written: World, owner_connection: psycopg.Connection[Any], statement: str
    ) -> None:
        for table in APPEND_ONLY:
            empty = not owner_connection.execute(f"SELECT EXISTS (SELECT FROM {table})").fetchone()[0]  # type: ignore[index]
            if empty and not statement.startswith("TRUNCATE"):
                continue
            with pytest.raises(psycopg.Error, match=r"^INV-[14]: "):
                owner_connection.execute(statement.format(table).replace("id = id", _key(table)))

    def test_of_requests_and_stages_is_not_removed_by_the_role_that_serves(
        self, written: World, app_connection: psycopg.Connection[Any]
    ) -> None:
        for table in ("approvals_changerequest", "approvals_stage"):
            with pytest.raises(psycopg.Error, match="INV-4"):
                app_connection.execute(f"DELETE FROM {table}")

    def test_stands_after_the_attempts(self, written: World, app_connection: psycopg.Connection[Any]) -> None:
        count = app_connection.execute("SELECT count(*) FROM audit_event").fetchone()

        with pytest.raises(psycopg.Error):
            app_connection.execute("DELETE FROM audit_event")

        assert app_connection.execute("SELECT count(*) FROM audit_event").fetchone() == count


def _key(table: str) -> str:
    others = {
        "approvals_blob": "digest",
        "audit_checkpoint": "size",
        "audit_leaf": "index",
        "audit_treenode": "index",
    }
    if table in others:
        return f"{others[table]} = {others[table]}"
    return "history_id = history_id" if "_historical" in table else "id = id"
