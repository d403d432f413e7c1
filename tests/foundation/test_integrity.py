"""Refusals of the database as domain errors."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from foundation import integrity
from foundation.api.models import IdempotencyRecord
from foundation.errors import Conflict, ConstraintViolated, InvalidInput
from foundation.integrity import refine_integrity_error, refine_known, register_constraint

pytestmark = pytest.mark.django_db
UNIQUE = "idempotency_record_key_once"


class AlreadyThere(Conflict):
    code = "test_already_there"
    title = "It is already there"


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    before = dict(integrity._known)
    yield
    integrity._known.clear()
    integrity._known.update(before)


def insert(now: datetime, **values: object) -> None:
    with transaction.atomic():
        IdempotencyRecord.objects.create(
            **(
                {
                    "principal_id": UUID(int=1),
                    "key": "k",
                    "fingerprint": "f",
                    "status_code": 200,
                    "created_at": now,
                    "expires_at": now,
                }
                | values
            )
        )


def raise_in_database(sqlstate: str, *, constraint: str = "", message: str = "Refused.") -> None:
    using = f", CONSTRAINT = '{constraint}'" if constraint else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{message}'{using}; END $$"
        )


class TestRefineIntegrityError:
    def test_turns_a_named_violation_into_its_error(self, now: datetime) -> None:
        insert(now)

        with (
            pytest.raises(AlreadyThere, match="Use another") as refusal,
            refine_integrity_error(idempotency_record_key_once=(AlreadyThere, "It exists. Use another.")),
        ):
            insert(now)

        assert refusal.value.context == {"constraint": UNIQUE}
        assert isinstance(refusal.value.__cause__, IntegrityError)

    def test_says_the_registered_sentence_without_one_of_its_own(self, now: datetime) -> None:
        register_constraint(UNIQUE, Conflict, "A key is used once.")
        insert(now)

        with pytest.raises(AlreadyThere, match="A key is used once"), refine_integrity_error(**{UNIQUE: AlreadyThere}):
            insert(now)

    def test_leaves_other_violations_alone(self, now: datetime) -> None:
        insert(now)

        with pytest.raises(IntegrityError), refine_integrity_error(another=AlreadyThere):
            insert(now)

    def test_knows_a_triggers_refusal_by_its_constraint(self) -> None:
        with pytest.raises(AlreadyThere), refine_integrity_error(ledger_append_only=AlreadyThere):
            raise_in_database("23514", constraint="ledger_append_only")

    def test_leaves_errors_that_are_not_the_databases_alone(self) -> None:
        with pytest.raises(ZeroDivisionError), refine_integrity_error(another=AlreadyThere):
            raise ZeroDivisionError


class TestRefineKnown:
    def test_says_the_registered_sentence_and_invariant(self, now: datetime) -> None:
        register_constraint(UNIQUE, AlreadyThere, "A key is used once.", "INV-4")
        insert(now)

        with pytest.raises(AlreadyThere, match="A key is used once") as refusal, refine_known():
            insert(now)

        assert refusal.value.context == {"constraint": UNIQUE, "invariant": "INV-4"}

    def test_names_a_constraint_that_nobody_registered(self, now: datetime) -> None:
        insert(now)

        with pytest.raises(ConstraintViolated, match=UNIQUE) as refusal, refine_known():
            insert(now)

        assert refusal.value.context["constraint"] == UNIQUE

    def test_names_the_column_of_a_missing_value(self, now: datetime) -> None:
        with pytest.raises(ConstraintViolated) as refusal, refine_known():
            insert(now, fingerprint=None)

        assert refusal.value.context["constraint"] == "foundation_idempotencyrecord.fingerprint"

    def test_tells_of_the_governed_trigger_in_its_own_words(self) -> None:
        with pytest.raises(ConstraintViolated, match="Propose a change") as refusal, refine_known():
            raise_in_database("TN001", message="Propose a change.")

        assert refusal.value.context["invariant"] == "INV-1"

    def test_tells_of_the_governed_trigger_as_it_was_registered(self) -> None:
        register_constraint("test_governed_write", AlreadyThere, "Propose it.", "INV-1")

        with pytest.raises(AlreadyThere, match="Propose it"), refine_known():
            raise_in_database("TN001", constraint="test_governed_write")

    def test_tells_of_values_that_cannot_be_stored_as_input(self, now: datetime) -> None:
        for values in ({"key": "a\x00b"}, {"status_code": 10**9}):
            with pytest.raises(InvalidInput), refine_known():
                insert(now, **values)

    @pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "42501"])
    def test_leaves_what_refuses_nothing_alone(self, sqlstate: str) -> None:
        with pytest.raises(DatabaseError) as failure, refine_known():
            raise_in_database(sqlstate)

        assert isinstance(failure.value.__cause__, psycopg.Error)

    @pytest.mark.parametrize(
        ("sqlstate", "told"), [("40001", True), ("40P01", True), ("55P03", True), ("42501", False)]
    )
    def test_lets_the_outermost_layer_ask_to_try_again(self, sqlstate: str, told: bool) -> None:
        with pytest.raises(DatabaseError) as failure:
            raise_in_database(sqlstate)

        assert (integrity.contended(failure.value) is not None) is told


class TestRegisterConstraint:
    def test_refuses_a_second_sentence(self) -> None:
        register_constraint("name", AlreadyThere, "One.")
        register_constraint("name", AlreadyThere, "One.")

        with pytest.raises(ValueError, match="twice"):
            register_constraint("name", AlreadyThere, "Another.")


class TestRefusedByDatabase:
    def test_knows_nothing_of_an_error_without_a_cause(self) -> None:
        assert integrity.refused_by_database(DataError("made by hand")) is None
