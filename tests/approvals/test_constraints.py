"""The shape of change control's rows, refused by the database when it is violated."""

import uuid
from typing import Any

import pytest

from approvals.requests import application
from approvals.requests.models import Revision
from tests.approvals.test_guards import execute, refused
from tests.approvals.world import World, revision_of

COPY = (
    "INSERT INTO {table} SELECT (jsonb_populate_record(whole, "
    "jsonb_build_object('id', gen_random_uuid()) || %s::jsonb)).* "
    "FROM {table} whole WHERE {column} = %s"
)


@pytest.fixture
def filed(world: World) -> Revision:
    """Have a filed revision of a request that is to be approved."""
    return revision_of(world.propose())


@pytest.fixture
def unfiled(filed: Revision) -> uuid.UUID:
    """Have the id of the next revision, with an item, a scope and a stage, before it is made current."""
    key = uuid.uuid4()
    execute(COPY.format(table="approvals_revision", column="id"), f'{{"id": "{key}", "number": 2}}', filed.id)
    for table in ("approvals_item", "approvals_stage"):
        execute(COPY.format(table=table, column="revision_id"), f'{{"revision_id": "{key}"}}', filed.id)
    return key


class TestRequestConstraint:
    def test_refuses_an_application_without_an_instant(self, db: None) -> None:
        columns = "(id, title, status, source, system, created_at)"
        refused(
            "request_starts_as_draft",
            f"INSERT INTO approvals_changerequest {columns} "
            "VALUES (gen_random_uuid(), 'x', 'applied', 'x', true, now())",
        )

    def test_refuses_a_request_that_nobody_wrote(self, db: None) -> None:
        refused(
            "request_has_author_or_is_system",
            "INSERT INTO approvals_changerequest (id, title, status, source, system, created_at) "
            "VALUES (gen_random_uuid(), 'x', 'draft', 'x', false, now())",
        )

    def test_refuses_to_finish_without_an_instant(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        request = world.approved()
        told: list[str] = []

        def finish_early() -> None:
            told.append(
                refused(
                    "request_applied_has_instant",
                    "UPDATE approvals_changerequest SET status = 'applied' WHERE id = %s",
                    request.id,
                )
            )

        defer = application._set_local
        monkeypatch.setattr(
            application, "_set_local", lambda **values: (defer(**values), finish_early() if values["number"] else None)
        )
        world.apply(request)

        assert len(told) == 1


class TestRevisionConstraint:
    def test_refuses_a_number_used_twice(self, filed: Revision) -> None:
        refused("revision_number_once", COPY.format(table="approvals_revision", column="id"), "{}", filed.id)

    @pytest.mark.parametrize("digest", ["", "0" * 63, "G" * 64, "0" * 32])
    def test_refuses_what_is_no_digest(self, filed: Revision, digest: str) -> None:
        refused(
            "revision_digest_is_sha256",
            COPY.format(table="approvals_revision", column="id"),
            f'{{"number": 2, "digest": "{digest}"}}',
            filed.id,
        )


class TestItemConstraint:
    @pytest.mark.parametrize(
        ("constraint", "change"),
        [
            ("item_record_once", '{"position": 9}'),
            ("item_position_once", '{"record_id": "00000000-0000-0000-0000-000000000001"}'),
            ("item_base_fits_operation", '{"position": 9, "base_version": 1}'),
            ("item_base_fits_operation", '{"position": 9, "operation": "update", "base_version": null}'),
        ],
    )
    def test_refuses_its_violation(self, unfiled: uuid.UUID, constraint: str, change: str) -> None:
        refused(constraint, COPY.format(table="approvals_item", column="revision_id"), change, unfiled)

    @pytest.mark.parametrize("columns", [("NULL", "NULL"), ("gen_random_uuid()", "gen_random_uuid()")])
    def test_is_of_an_account_or_of_a_product(self, unfiled: uuid.UUID, columns: Any) -> None:
        refused(
            "item_scope_is_account_or_product",
            "INSERT INTO approvals_itemscope (item_id, account_id, product_id) "
            f"SELECT id, {columns[0]}, {columns[1]} FROM approvals_item WHERE revision_id = %s",
            unfiled,
        )


class TestStageConstraint:
    def test_refuses_a_position_used_twice(self, unfiled: uuid.UUID) -> None:
        refused("stage_position_once", COPY.format(table="approvals_stage", column="revision_id"), "{}", unfiled)

    def test_refuses_a_quorum_of_nobody(self, unfiled: uuid.UUID) -> None:
        refused(
            "stage_quorum_at_least_one",
            COPY.format(table="approvals_stage", column="revision_id"),
            '{"position": 9, "quorum": 0}',
            unfiled,
        )
