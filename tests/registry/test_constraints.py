"""Each constraint of the registry, refused by the database itself when its very violation is written."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from entitlements.agreements.models import Agreement
from entitlements.grants import errors
from entitlements.grants.models import Entitlement, Seat
from foundation.errors import DomainError
from tests import given
from tests.registry import rows
from tests.registry.forcing import force, insertion, update

pytestmark = pytest.mark.django_db

EARLY, LATE = given.NOW - timedelta(days=800), given.NOW + timedelta(days=800)


def copy_of(maker: Callable[[], Any], **changes: Any) -> Callable[[], Any]:
    """A violation: a copy of a record, with these values."""
    return lambda: force(insertion(maker(), **changes))


def changed(maker: Callable[[], Any], **changes: Any) -> Callable[[], Any]:
    """A violation: a record changed to these values."""
    return lambda: force(update(maker(), **changes))


def self_referring(maker: Callable[[], Any], column: str) -> Callable[[], Any]:
    def violate() -> None:
        row = maker()
        force(update(row, **{column: row.id}))

    return violate


def entitlement_beyond(**changes: Any) -> Callable[[], Any]:
    """A violation: an entitlement changed beyond an order line with an end."""

    def violate() -> None:
        agreement = given.agreement(given.account())
        revision = given.sku_revision(
            given.sku(given.product()), seats_minimum=2, seats_maximum=50, environments=["staging", "production"]
        )
        line = given.order_line(agreement, revision, 100, ends_at=(given.NOW + timedelta(days=335)).isoformat())
        force(update(given.entitlement(line), **changes))

    return violate


def of_another_sku() -> None:
    granted = given.entitlement()
    other = given.sku_revision(given.sku(given.product()))
    force(update(granted, sku_id=other.sku_id, sku_revision_id=other.id))


def outlived(**changes: Any) -> Callable[[], Any]:
    """A violation: an agreement that ends before what was ordered under it does."""

    def violate() -> None:
        line = given.ordered()
        force(update(line.agreement, **changes))

    return violate


def seat(**values: Any) -> Callable[[], Any]:
    """A violation: a seat with these values."""

    def violate() -> None:
        granted = given.entitlement(seats=1)
        person = given.people(1, of=granted.account)[0]
        base = {"entitlement": granted, "person": person, "taken_at": given.NOW}
        Seat.objects.create(**(base | values))

    return violate


def seats_of_one(kind: str) -> Callable[[], Any]:
    def violate() -> None:
        granted = given.entitlement(seats=5)
        holder = {"person": given.people(1, of=granted.account)[0]} if kind == "person" else {"device": "laptop"}
        for _ in range(2):
            Seat.objects.create(entitlement=granted, taken_at=given.NOW, **holder)

    return violate


def full_pool() -> None:
    granted = given.entitlement(seats=2)
    for device in ("a", "b", "c"):
        Seat.objects.create(entitlement=granted, device=device, taken_at=given.NOW)


def no_pool() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entitlements_seat (id, entitlement_id, device, taken_at, over_granted) "
            "VALUES (%s, %s, 'x', now(), false)",
            [uuid.uuid4(), uuid.uuid4()],
        )


def seat_changed(**changes: Any) -> Callable[[], Any]:
    def violate() -> None:
        granted = given.entitlement(seats=2)
        row = Seat.objects.create(entitlement=granted, device="a", taken_at=given.NOW)
        Seat.objects.filter(id=row.id).update(released_at=given.NOW)
        Seat.objects.filter(id=row.id).update(**changes)

    return violate


def pool_written(column: str, value: Any) -> Callable[[], Any]:
    def violate() -> None:
        granted = given.entitlement()
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE entitlements_seatpool SET {column} = %s WHERE entitlement_id = %s", [value, granted.id]
            )

    return violate


def below_itself() -> None:
    top = given.account()
    middle = given.account(parent_id=top.id)
    bottom = given.account(parent_id=middle.id)
    force(update(top, parent_id=bottom.id))


VIOLATIONS: list[tuple[str, Callable[[], Any]]] = [
    ("product_code_once", copy_of(given.product)),
    ("feature_code_once_per_product", copy_of(rows.MAKERS[rows.Feature])),
    ("release_once_per_product", copy_of(rows.MAKERS[rows.Release])),
    (
        "release_ends_after_it_starts",
        changed(rows.MAKERS[rows.Release], released_on="2026-02-01", end_of_life_on="2026-02-01"),
    ),
    ("sku_code_once", copy_of(rows.MAKERS[rows.SKU])),
    ("sku_is_not_its_own_counterpart", self_referring(rows.MAKERS[rows.SKU], "counterpart_id")),
    ("sku_revision_number_once", copy_of(rows.MAKERS[rows.SKURevision])),
    (
        "sku_revision_seat_bounds_in_order",
        copy_of(rows.MAKERS[rows.SKURevision], number=2, seats_minimum=5, seats_maximum=4),
    ),
    ("sku_revision_has_countries", copy_of(rows.MAKERS[rows.SKURevision], number=2, countries=[])),
    ("sku_revision_price_has_currency", copy_of(rows.MAKERS[rows.SKURevision], number=2, list_price="1", currency="")),
    ("sku_revision_immutable", changed(rows.MAKERS[rows.SKURevision], countries=["DE"])),
    ("sku_revision_immutable", changed(rows.MAKERS[rows.SKURevision], seats_minimum=3)),
    ("region_group_code_once", copy_of(rows.MAKERS[rows.RegionGroup])),
    ("region_group_has_countries", changed(rows.MAKERS[rows.RegionGroup], countries=[])),
    ("account_code_once", copy_of(given.account)),
    ("account_not_below_itself", below_itself),
    ("account_not_below_itself", self_referring(given.account, "parent_id")),
    ("deployment_name_once", copy_of(rows.MAKERS[rows.Deployment])),
    ("agreement_reference_once", copy_of(rows.MAKERS[Agreement])),
    ("agreement_ends_after_it_starts", changed(rows.MAKERS[Agreement], ends_at=EARLY)),
    ("agreement_auto_renewal_has_period", changed(rows.MAKERS[Agreement], renewal="auto")),
    ("agreement_money_has_currency", changed(rows.MAKERS[Agreement], budget="5", currency="")),
    ("order_line_reference_once", copy_of(given.ordered)),
    ("order_line_ends_after_it_starts", changed(given.ordered, ends_at=EARLY)),
    ("order_line_within_agreement", changed(given.ordered, starts_at=EARLY)),
    ("order_line_within_agreement", outlived(renewal="ends", ends_at=given.NOW)),
    ("policy_name_once", copy_of(rows.MAKERS[rows.Policy])),
    ("standard_template_name_once", copy_of(rows.MAKERS[rows.StandardTemplate])),
    ("standard_template_has_bounds", changed(rows.MAKERS[rows.StandardTemplate], conditions=[])),
    ("standard_template_has_bounds", changed(rows.MAKERS[rows.StandardTemplate], kinds=[])),
    ("entitlement_reference_once", copy_of(given.entitlement, starts_at=given.NOW + timedelta(days=335), ends_at=None)),
    ("entitlement_no_overlap", copy_of(given.entitlement, reference="copy")),
    ("entitlement_ends_after_it_starts", changed(given.entitlement, ends_at=given.NOW - timedelta(days=30))),
    ("entitlement_updates_end_after_start", changed(given.entitlement, updates_until=EARLY)),
    ("entitlement_support_ends_after_start", changed(given.entitlement, support_until=EARLY)),
    ("entitlement_has_countries", changed(given.entitlement, countries=[])),
    ("entitlement_does_not_replace_itself", self_referring(given.entitlement, "replaces_id")),
    ("entitlement_sku_of_revision", lambda: changed(given.entitlement, sku_id=given.sku(given.product()).id)()),
    ("entitlement_sku_of_order_line", of_another_sku),
    ("entitlement_seats_within_sku", entitlement_beyond(seats=1)),
    ("entitlement_seats_within_sku", entitlement_beyond(seats=51)),
    ("entitlement_seats_within_sku", entitlement_beyond(seats=None)),
    ("entitlement_countries_within_sku", entitlement_beyond(countries=["DE", "FR"])),
    ("entitlement_environments_within_sku", entitlement_beyond(environments=["trial"])),
    ("entitlement_within_order_line", entitlement_beyond(starts_at=EARLY)),
    ("entitlement_within_order_line", entitlement_beyond(ends_at=LATE)),
    ("entitlement_within_order_line", entitlement_beyond(ends_at=None)),
    ("entitlement_within_quantity", changed(given.entitlement, seats=1001)),
    ("entitlement_within_quantity", changed(given.entitlement, seats=None)),
    ("entitlement_succession_no_circle", lambda: _replacing_each_other()),
    ("entitlement_account_covered", lambda: changed(given.entitlement, account_id=given.account().id)()),
    ("seat_once_per_person", seats_of_one("person")),
    ("seat_once_per_device", seats_of_one("device")),
    ("seat_of_person_or_device", seat(device="and a device")),
    ("seat_of_person_or_device", seat(person=None)),
    ("seat_released_after_taken", seat(released_at=given.NOW - timedelta(days=1))),
    ("seat_pool_within_grant", full_pool),
    ("seat_pool_within_grant", lambda: _reduced()),
    ("seat_has_pool", no_pool),
    ("seat_released_once", seat_changed(released_at=None)),
    ("seat_released_once", seat_changed(device="b")),
    ("seat_released_once", seat_changed(over_granted=True)),
    ("seat_pool_counts_seats", pool_written("used", 3)),
    ("governed_write", pool_written("granted", 99)),
    ("governed_write", pool_written("hard", False)),
    (
        "governed_write",
        lambda: connection.cursor().execute(
            "DELETE FROM entitlements_seatpool WHERE entitlement_id = %s", [given.entitlement().id]
        ),
    ),
]


def _reduced() -> None:
    granted = given.entitlement(seats=2)
    for device in ("a", "b"):
        Seat.objects.create(entitlement=granted, device=device, taken_at=given.NOW)
    force(update(granted, seats=1))


def _replacing_each_other() -> None:
    line = given.ordered()
    first = given.entitlement(line, seats=600)
    second = given.entitlement(line, seats=600, phase="bridge", replaces_id=first.id)
    force(update(first, replaces_id=second.id))


def constraint_in(error: BaseException) -> str:
    """The constraint that an error names, whether it was told as a refusal or comes from the database as it is."""
    if isinstance(error, DomainError):
        return str(error.context.get("constraint"))
    cause = error.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or ""


class TestConstraint:
    @pytest.mark.parametrize(
        ("name", "violate"), VIOLATIONS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(VIOLATIONS)]
    )
    def test_refuses_its_violation(self, name: str, violate: Callable[[], Any]) -> None:
        with pytest.raises((DomainError, DatabaseError)) as caught, transaction.atomic():
            violate()

        assert constraint_in(caught.value) == name

    @pytest.mark.parametrize(
        "name", ["entitlement_no_overlap", "seat_pool_within_grant", "entitlement_within_quantity"]
    )
    def test_is_told_in_words_with_its_invariant(self, name: str) -> None:
        violate = dict(reversed(VIOLATIONS))[name]

        with pytest.raises(DomainError) as caught, transaction.atomic():
            violate() if name != "seat_pool_within_grant" else _reduced()

        assert caught.value.context["invariant"].startswith("INV-")
        assert isinstance(caught.value, errors.Overlap | errors.NoSeatFree | errors.BeyondTerms)


class TestOverlap:
    def test_accepts_touching_instants(self) -> None:
        first = given.entitlement()

        force(insertion(first, reference="next", starts_at=first.ends_at, ends_at=None))

        assert Entitlement.objects.filter(order_line=first.order_line).count() == 2

    @pytest.mark.parametrize("differs", ["phase", "order_line", "account"])
    def test_is_of_one_account_phase_and_order_line(self, differs: str) -> None:
        account = given.account()
        line = given.order_line(
            given.agreement(account, covers_descendants=True), given.sku_revision(given.sku(given.product()))
        )
        first = given.entitlement(line)
        value = {
            "phase": lambda: {"phase": "bridge"},
            "order_line": lambda: {"order_line_id": given.order_line(line.agreement, line.sku_revision).id},
            "account": lambda: {"account_id": given.account(parent_id=account.id).id},
        }[differs]()

        force(insertion(first, reference="other", **value))

        assert Entitlement.objects.filter(reference="other").exists()

    def test_does_not_count_what_was_taken_back(self) -> None:
        first = given.entitlement(starts_at=(given.NOW + timedelta(days=5)).isoformat())
        given.record("entitlement.retire", target_id=first.id, ends_at=(given.NOW + timedelta(days=5)).isoformat())

        force(insertion(first, reference="again"))

        assert Entitlement.objects.filter(reference="again").exists()

    def test_may_pass_within_a_request_that_ends_without_one(self) -> None:
        first = given.entitlement()
        meeting = given.NOW + timedelta(days=100)

        force(insertion(first, reference="next", starts_at=meeting), update(first, ends_at=meeting))

        assert Entitlement.objects.get(reference="next").starts_at == meeting

    def test_lasts_a_microsecond_and_is_refused(self) -> None:
        first = given.entitlement()

        with pytest.raises(errors.Overlap), transaction.atomic():
            force(insertion(first, reference="next", starts_at=first.ends_at - timedelta(microseconds=1), ends_at=None))
