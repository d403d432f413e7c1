"""The digest: it covers everything that is decided on, and what was altered behind it is not applied."""

import copy
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection

from approvals.facts import RiskLevel
from approvals.governed import Draft
from approvals.policies.risk import Reason, Risk
from approvals.requests import revisions, services
from approvals.requests.deciding import size_of
from approvals.requests.errors import DigestMismatch
from approvals.requests.models import ItemScope, Revision
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from foundation.canonical import canonical_bytes, digest
from tests import given
from tests.approvals import world as building
from tests.approvals.world import World, fresh, revision_of


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of every value that holds no other, and of every empty list and object."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    paths = [found for key, member in members for found in leaves(member, (*path, key))]
    yield from paths or [path]


def altered(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The document with another value at one place."""
    other = copy.deepcopy(document)
    holder: Any = other
    for key in path[:-1]:
        holder = holder[key]
    value = holder[path[-1]]
    holder[path[-1]] = not value if isinstance(value, bool) else "altered" if value != "altered" else "again"
    return other


class TestDigest:
    def test_is_that_of_the_stored_bytes_which_are_the_document(self, world: World) -> None:
        revision = revision_of(world.propose())

        assert digest(bytes(revision.content)) == revision.digest
        assert canonical_bytes(revision.document) == bytes(revision.content)

    def test_covers_every_value_of_the_document(self, world: World) -> None:
        revision = revision_of(world.propose())
        paths = list(leaves(revision.document))

        same = [path for path in paths if digest(canonical_bytes(altered(revision.document, path))) == revision.digest]

        assert len(paths) > 100
        assert same == []

    def test_covers_all_that_the_design_names(self, world: World) -> None:
        document = revision_of(world.propose()).document

        named = {"items", "rationale", "schedule", "waiver", "plan", "risk", "policy", "demands", "standard"}
        assert set(document) == named | {"format", "change_request", "revision", "title"}
        assert set(document["rationale"]) == {"justification", "impact", "acceptance_criteria", "rollback"}
        assert set(document["plan"]) == {
            "document",
            "material",
            "new_gaps",
            "failures",
            "facts",
            "item_facts",
            "size",
        }
        assert set(document["items"][0]) >= {
            "kind",
            "table",
            "record_id",
            "operation",
            "base_version",
            "before",
            "after",
        }

    def test_covers_every_column_of_an_item_that_application_reads(self, world: World) -> None:
        document = revision_of(world.propose()).document
        names = {"table_name" if name == "table" else name for name in document["items"][0]}
        columns = {field.name for field in revisions.Item._meta.concrete_fields}

        assert columns - names == {"id", "revision", "position"}


@contextmanager
def tampering(owner: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """What only the owner of the tables can do: switch the guards off for a moment."""
    owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


TAMPERINGS = {
    "the bytes": ("approvals_revision", r"UPDATE approvals_revision SET content = content || '\x20'"),
    "bytes and digest": (
        "approvals_revision",
        r"UPDATE approvals_revision SET content = content || '\x20', "
        r"digest = encode(sha256(content || '\x20'), 'hex')",
    ),
    "the digest": ("approvals_revision", "UPDATE approvals_revision SET digest = repeat('0', 64)"),
    "the document": (
        "approvals_revision",
        "UPDATE approvals_revision SET document = jsonb_set(document, '{rationale,impact}', '\"None.\"')",
    ),
    "an item's values": ("approvals_item", "UPDATE approvals_item SET after = jsonb_set(after, '{seats}', '99')"),
    "an item's base": ("approvals_item", "UPDATE approvals_item SET operation = 'update', base_version = 1"),
    "an item's effects": ("approvals_item", "UPDATE approvals_item SET effects = '{}'"),
    "an item's kind": ("approvals_item", "UPDATE approvals_item SET kind = 'entitlement.amend'"),
    "an item's scope": ("approvals_itemscope", "DELETE FROM approvals_itemscope"),
    "another item": (
        "approvals_item",
        "INSERT INTO approvals_item SELECT (jsonb_populate_record(item, jsonb_build_object('id', gen_random_uuid(), "
        "'record_id', gen_random_uuid(), 'position', 7))).* FROM approvals_item item",
    ),
    "a stage's quorum": ("approvals_stage", "UPDATE approvals_stage SET quorum = 1"),
    "a stage's people": ("approvals_stage", "UPDATE approvals_stage SET people = '[\"somebody\"]'"),
    "a stage's backup": ("approvals_stage", "UPDATE approvals_stage SET backup_role = 'finance'"),
    "a stage's limit": ("approvals_stage", "UPDATE approvals_stage SET within_limit = true"),
    "a stage's role": ("approvals_stage", "UPDATE approvals_stage SET role = 'requester'"),
}


@pytest.mark.django_db(transaction=True)
class TestTampering:
    @pytest.mark.parametrize("what", TAMPERINGS)
    def test_is_noticed_at_application(self, what: str, owner_connection: psycopg.Connection[Any]) -> None:
        table, statement = TAMPERINGS[what]
        world = building.make()
        request = world.approved(world.grant(reference="PROD"))
        column = "id" if table == "approvals_revision" else "revision_id"
        where = (
            f" WHERE {column} = '{request.current_revision_id}'"
            if table != "approvals_itemscope"
            else (
                f" WHERE item_id IN (SELECT id FROM approvals_item WHERE revision_id = '{request.current_revision_id}')"
            )
        )

        with tampering(owner_connection, table):
            changed = owner_connection.execute(statement + where)

        assert changed.rowcount > 0
        with pytest.raises(DigestMismatch):
            world.apply(request)
        assert fresh(request).status == Status.APPROVED
        assert not Entitlement.objects.filter(reference="PROD").exists()

    def test_differs_where_only_the_title_was_edited(self, world: World) -> None:
        request = world.submit()
        reviewed = revision_of(request).digest

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, title="Something else")

        assert revision_of(request).digest != reviewed

    def test_differs_between_two_requests_for_the_same(self, world: World) -> None:
        draft = Draft("product.create", {"code": "p", "name": "P"}, uuid.uuid4())

        assert revision_of(world.propose(draft)).digest != revision_of(world.propose(draft)).digest


class TestStore:
    def test_keeps_items_and_scopes_as_the_document_says(self, world: World) -> None:
        revision = revision_of(world.propose())

        assert (
            revisions.document_of(
                revisions.Planned(
                    items=revisions.items_of(revision),
                    plan=revisions.Plan(**(revision.document["plan"] | {"size": size_of(revision)})),
                    stages=revisions.stages_of(revision),
                    risk=Risk(
                        RiskLevel(revision.document["risk"]["computed"]),
                        tuple(Reason(row["level"], row["why"]) for row in revision.document["risk"]["reasons"]),
                    ),
                    rationale=revisions.Rationale(**revision.document["rationale"]),
                ),
                change_request=revision.change_request,
                number=revision.number,
            )
            == revision.document
        )
        assert ItemScope.objects.filter(item__revision=revision).count() == 2

    def test_stores_many_items_in_few_queries(self, world: World, django_assert_max_num_queries: Any) -> None:
        request = world.propose()
        planned = revisions.plan(
            drafts=[world.grant() for _ in range(40)],
            author=world.author,
            now=revision_of(request).created_at,
            rationale=revisions.Rationale(),
            waiver=None,
        )

        with django_assert_max_num_queries(8):
            revisions.store(change_request=request, planned=planned, author=None, now=revision_of(request).created_at)

        assert Revision.objects.get(change_request=request, number=2).items.count() == 40
        assert connection.in_atomic_block
