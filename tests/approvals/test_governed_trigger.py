"""INV-1 on every governed table, as the role that serves: no write without an applied change request for it."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F

from approvals import governed
from approvals.governed import Draft, governed_models
from approvals.requests.models import ChangeRequest
from entitlements.grants.changes import Amend
from entitlements.grants.models import Entitlement
from foundation.integrity import GOVERNED_SQLSTATE
from tests import given
from tests.approvals import world as building
from tests.approvals.world import World, fresh
from tests.registry import rows

MODELS = sorted(governed_models(), key=lambda model: model._meta.label)
UPDATE = "UPDATE {table} SET version = version + 1 WHERE id = %(id)s"

pytestmark = pytest.mark.django_db


def run(statement: str, row: models.Model, **values: Any) -> None:
    """A statement on the row's table, as the role that serves."""
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=row._meta.db_table), {"id": row.pk, "new": uuid.uuid4()} | values)


def sql(statement: str) -> Callable[[Any], None]:
    return lambda row: run(statement, row)


def save(row: Any) -> None:
    row.version += 1
    row.save()


def create(row: Any) -> None:
    row.pk, row.version = uuid.uuid4(), 1
    row.save(force_insert=True)


ATTACKS: dict[str, Callable[[Any], Any]] = {
    "an UPDATE": sql(UPDATE),
    "an UPDATE that changes nothing": sql("UPDATE {table} SET version = version WHERE id = %(id)s"),
    "a DELETE": sql("DELETE FROM {table} WHERE id = %(id)s"),
    "an INSERT": sql(
        "INSERT INTO {table} SELECT (jsonb_populate_record(whole, "
        "jsonb_build_object('id', %(new)s::uuid, 'version', 1))).* "
        "FROM {table} whole WHERE id = %(id)s"
    ),
    "an INSERT that updates on conflict": sql(
        "INSERT INTO {table} SELECT * FROM {table} WHERE id = %(id)s ON CONFLICT (id) DO UPDATE SET version = 9"
    ),
    "QuerySet.update": lambda row: type(row).objects.filter(pk=row.pk).update(version=F("version") + 1),
    "bulk_update": lambda row: type(row).objects.bulk_update([row], ["version"]),
    # What delete() comes to, once Django has looked for what protects the row.
    "QuerySet.delete": lambda row: type(row).objects.filter(pk=row.pk)._raw_delete("default"),
    "save()": save,
    "a copy saved": create,
}


@pytest.fixture(params=MODELS, ids=lambda model: model._meta.model_name)
def row(request: pytest.FixtureRequest, db: None) -> Any:
    """Have a stored record of each governed model in turn."""
    return rows.make(request.param)


def assert_refused(attack: Callable[[Any], Any], row: Any) -> str:
    """The attack is refused under INV-1, and the row stands as it was; answers the database's sentence."""
    before = type(row).objects.filter(pk=row.pk).values().get()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        attack(row)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert (cause.sqlstate, cause.diag.constraint_name) == (GOVERNED_SQLSTATE, "governed_write")
    assert (cause.diag.message_primary or "").startswith("INV-1: ")
    assert type(row).objects.filter(pk=before["id"]).values().get() == before
    return cause.diag.message_primary or ""


class TestGovernedTable:
    def test_has_a_maker_in_these_tests(self) -> None:
        assert set(rows.MAKERS) == set(MODELS)

    def test_refuses_every_write_without_a_change_request(self, row: Any) -> None:
        told = {name: assert_refused(attack, type(row).objects.get(pk=row.pk)) for name, attack in ATTACKS.items()}

        assert {sentence.rpartition(": ")[2] for sentence in told.values()} == {"no change request is being applied."}

    def test_refuses_forged_settings(self, row: Any) -> None:
        applied = ChangeRequest.objects.filter(revisions__items__record_id=row.pk).get()
        forged = [
            str(uuid.uuid4()),
            "garbage",
            "'; DROP TABLE x; --",
            "",
            "applying",
            str(applied.id),
            str(applied.id).upper(),
        ]

        for setting in forged:
            set_local(setting)
            assert_refused(sql(UPDATE), row)
            assert_refused(ATTACKS["a DELETE"], row)

    def test_refuses_the_id_of_an_approved_request_that_has_an_item_for_it(self, row: Any) -> None:
        request = building.make().approved(amendment(row))
        set_local(str(request.id))

        told = assert_refused(sql(UPDATE), row)

        assert "is not being applied" in told

    def test_is_emptied_by_nobody(self, row: Any) -> None:
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            run("TRUNCATE {table} CASCADE", row)


def amendment(row: Any) -> Draft:
    """A draft that changes the row."""
    named = {name.partition(".")[2]: name for name, kind in governed.kinds().items() if kind.model is type(row)}
    if type(row) in rows.AMENDMENTS:
        return Draft(named["amend"], rows.AMENDMENTS[type(row)], row.pk)
    return Draft(named["retire"], {}, row.pk)


def set_local(setting: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tenure.change_request', %s, true)", [setting])


@pytest.mark.django_db(transaction=True)
class TestOnConnectionsOfTheirOwn:
    """What a person with psql does: committed rows, other sessions, the owner too."""

    def test_changes_no_seats_as_the_role_that_serves(self, app_connection: psycopg.Connection[Any]) -> None:
        entitlement = given.entitlement()

        with pytest.raises(psycopg.Error, match=r"^INV-1: entitlements_entitlement update of .* is refused"):
            app_connection.execute("UPDATE entitlements_entitlement SET seats = 99, version = 2")

        assert Entitlement.objects.get(id=entitlement.id).seats == 10

    def test_changes_no_seats_as_the_owner(self, owner_connection: psycopg.Connection[Any]) -> None:
        given.entitlement()

        with pytest.raises(psycopg.Error, match=r"^INV-1"):
            owner_connection.execute("UPDATE entitlements_entitlement SET seats = 99, version = 2")

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
    def test_is_not_emptied_by_the_owner(self, model: Any, owner_connection: psycopg.Connection[Any]) -> None:
        with pytest.raises(psycopg.Error, match=r"^INV-1: .* is not emptied"):
            owner_connection.execute(f"TRUNCATE {model._meta.db_table} CASCADE")

    def test_lets_nobody_borrow_a_request_while_it_is_applied(
        self, app_connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = building.make()
        request = world.approved(Draft("entitlement.amend", {"grace_seconds": 60}, world.trial.id))
        seen: list[str] = []

        def meanwhile() -> None:
            with app_connection.transaction(force_rollback=True):
                app_connection.execute("SET LOCAL lock_timeout = '2s'")
                app_connection.execute("SELECT set_config('tenure.change_request', %s, true)", [str(request.id)])
                with pytest.raises(psycopg.Error) as caught:
                    app_connection.execute(
                        "INSERT INTO entitlements_product SELECT (jsonb_populate_record(product, "
                        "jsonb_build_object('id', gen_random_uuid(), 'version', 1))).* "
                        "FROM entitlements_product product"
                    )
                seen.append(str(caught.value))

        with while_written(monkeypatch, meanwhile):
            world.apply(request)

        assert len(seen) == 1
        assert seen[0].startswith("INV-1: ")
        assert fresh(request).status == "applied"


class while_written:
    """Call a function inside the application, once rows may be written."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, function: Callable[[], None], kind: type[Any] | None = None
    ) -> None:
        self.monkeypatch, self.function, self.kind = monkeypatch, function, kind or Amend

    def __enter__(self) -> None:
        write, function = self.kind.write, self.function

        def wrapped(kind: Any, **options: Any) -> None:
            function()
            write(kind, **options)

        self.monkeypatch.setattr(self.kind, "write", wrapped)

    def __exit__(self, *_error: object) -> None:
        self.monkeypatch.undo()


@pytest.fixture
def applying(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Have a function that runs another one while an approved amendment of the trial to 9 seats is applied."""
    request = world.approved(Draft("entitlement.amend", {"seats": 9}, world.trial.id))

    def run_inside(function: Callable[[], None]) -> None:
        with while_written(monkeypatch, function):
            world.apply(request)

    return run_inside


class TestWhileARequestIsApplied:
    """The trigger still holds every statement to the items: right table, row, operation, base, version and values."""

    def test_refuses_another_table(self, world: World, applying: Any) -> None:
        inside(applying, lambda: assert_refused(sql(UPDATE), world.account), "has no item for this record")

    def test_refuses_another_row(self, world: World, applying: Any) -> None:
        other = given.entitlement(world.trial_line, phase="bridge")

        inside(applying, lambda: assert_refused(sql(UPDATE), other), "has no item for this record")

    def test_refuses_another_operation(self, world: World, applying: Any) -> None:
        inside(applying, lambda: assert_refused(ATTACKS["a DELETE"], world.trial), "has no item for this record")

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE {table} SET version = version + 1, seats = 10 WHERE id = %(id)s",
            "UPDATE {table} SET version = version + 1 WHERE id = %(id)s",
            "UPDATE {table} SET version = version + 1, seats = 9, ends_at = NULL WHERE id = %(id)s",
            "UPDATE {table} SET version = version + 1, seats = 9, notes = 'and more' WHERE id = %(id)s",
        ],
    )
    def test_refuses_other_values_than_those_approved(self, world: World, applying: Any, statement: str) -> None:
        inside(applying, lambda: assert_refused(sql(statement), world.trial), "not those that were approved")

    @pytest.mark.parametrize("change", ["version", "version + 2", "1"])
    def test_refuses_a_version_that_is_not_raised_by_one(self, world: World, applying: Any, change: str) -> None:
        statement = f"UPDATE {{table}} SET version = {change}, seats = 9 WHERE id = %(id)s"

        inside(applying, lambda: assert_refused(sql(statement), world.trial), "raises the version by one")

    def test_refuses_another_key(self, world: World, applying: Any) -> None:
        statement = "UPDATE {table} SET version = version + 1, seats = 9, id = %(new)s WHERE id = %(id)s"

        inside(applying, lambda: assert_refused(sql(statement), world.trial), "keeps the key")

    def test_refuses_an_item_used_twice(self, world: World, applying: Any) -> None:
        statement = "UPDATE {table} SET version = version + 1, seats = 9 WHERE id = %(id)s"

        def twice() -> str:
            with transaction.atomic():
                run(statement, world.trial)
                told = assert_refused(sql(statement), world.trial)
                transaction.set_rollback(True)
            return told

        inside(applying, twice, "has no item for this record")

    def test_accepts_exactly_what_was_approved(self, world: World, applying: Any) -> None:
        applying(lambda: None)

        assert Entitlement.objects.get(id=world.trial.id).seats == 9


def inside(applying: Any, attack: Callable[[], str], expected: str) -> None:
    """The attack is refused with the sentence while a request is applied, which goes on unharmed."""
    told: list[str] = []
    applying(lambda: told.append(attack()))
    assert len(told) == 1
    assert expected in told[0]
