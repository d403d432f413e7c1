"""What plans say of an entitlement's row and what the database does with it are the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import example as also
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st

from entitlements.grants.models import Entitlement
from entitlements.planning.planner import RegistryPlanner
from foundation.errors import DomainError
from tests import given
from tests.registry.forcing import force, insertion


def at(days: float) -> datetime:
    return given.NOW + timedelta(days=days)


@dataclass(frozen=True)
class Ground:
    """An order line with ramps and a hole, under an agreement that covers descendants, with one entitlement."""

    first: Entitlement
    accounts: dict[str, Any]
    revisions: dict[str, Any]


def ground(*, covers_descendants: bool) -> Ground:
    top = given.account()
    accounts = {"top": top.id, "below": given.account(parent_id=top.id).id, "elsewhere": given.account().id}
    sku = given.sku(given.product())
    wide = given.sku_revision(sku, seats_minimum=0, seats_maximum=50)
    narrow = given.sku_revision(sku, seats_minimum=5, countries=["DE"], environments=["production"])
    agreement = given.agreement(top, covers_descendants=covers_descendants)
    periods = [
        {"starts_at": at(0), "ends_at": at(30), "quantity": 10, "unit_price": "1"},
        {"starts_at": at(30), "ends_at": at(60), "quantity": 20, "unit_price": "1"},
        {"starts_at": at(70), "ends_at": None, "quantity": None, "unit_price": "1"},
    ]
    line = given.order_line(agreement, wide, starts_at=at(0), ends_at=at(100), periods=periods)
    first = given.entitlement(line, seats=6, starts_at=at(0), ends_at=at(40), environments=["production"])
    return Ground(first, accounts, {"wide": wide.id, "narrow": narrow.id})


ROWS = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["top", "top", "below", "elsewhere"]),
        "revision": st.sampled_from(["wide", "wide", "narrow"]),
        "seats": st.sampled_from([None, 0, 1, 4, 5, 6, 10, 14, 15, 20, 21, 50, 51]),
        "countries": st.sets(st.sampled_from(["DE", "DE", "US", "FR"]), min_size=1).map(sorted),
        "environments": st.sampled_from([["production"], ["production"], ["staging"], ["trial", "production"]]),
        "phase": st.sampled_from(["production", "bridge"]),
        "starts": st.sampled_from([-1, 0, 10, 29, 30, 40, 59, 60, 65, 70, 99]),
        "days": st.sampled_from([1, 5, 10, 20, 30, 50, None]),
        "replaces": st.booleans(),
    }
)
FITTING = {
    "account": "top",
    "revision": "wide",
    "seats": 4,
    "countries": ["DE"],
    "environments": ["production"],
    "phase": "bridge",
    "starts": 10,
    "days": 20,
    "replaces": False,
}


def told(ground: Ground, row: dict[str, Any]) -> tuple[list[str], str | None]:
    """The rules that the plan finds broken, and the constraint under which the database refuses, if it does."""
    starts_at = at(row["starts"])
    item = insertion(
        ground.first,
        reference="candidate",
        account_id=ground.accounts[row["account"]],
        sku_revision_id=ground.revisions[row["revision"]],
        seats=row["seats"],
        countries=row["countries"],
        environments=row["environments"],
        phase=row["phase"],
        starts_at=starts_at,
        ends_at=None if row["days"] is None else starts_at + timedelta(days=row["days"]),
        replaces_id=ground.first.id if row["replaces"] else None,
    )
    plan = RegistryPlanner().plan(items=[item], now=given.NOW)
    broken = [outcome["rule"] for outcome in plan.document["rules"] if not outcome["passed"]]
    with transaction.atomic():
        try:
            with transaction.atomic():
                force(item)
        except DomainError as refusal:
            return broken, str(refusal.context["constraint"])
        transaction.set_rollback(True)
    return broken, None


@pytest.mark.django_db
class TestRules:
    @pytest.mark.parametrize("covers_descendants", [True, False])
    def test_break_exactly_when_the_database_refuses(self, covers_descendants: bool) -> None:
        stage = ground(covers_descendants=covers_descendants)

        @settings(max_examples=60)
        @example(row=ROWS)
        @also(row=FITTING)
        @also(row=FITTING | {"starts": 55, "days": 10})
        @also(row=FITTING | {"seats": 0, "starts": 55, "days": 10})
        @also(row=FITTING | {"seats": 10, "replaces": True})
        @also(row=FITTING | {"seats": None, "starts": 70, "days": 20})
        def agree(row: dict[str, Any]) -> None:
            broken, refused = told(stage, row)
            assert bool(broken) == bool(refused), f"the plan: {broken}; the database: {refused}"

        agree()

    @pytest.mark.parametrize(
        ("change", "rule", "constraint"),
        [
            ({"seats": 51, "starts": 70}, "SeatsWithinSKURevision", "entitlement_seats_within_sku"),
            ({"countries": ["DE", "FR"]}, "CountriesWithinSKURevision", "entitlement_countries_within_sku"),
            (
                {"environments": ["staging"], "revision": "narrow", "seats": 5, "starts": 30},
                "EnvironmentsWithinSKURevision",
                "entitlement_environments_within_sku",
            ),
            ({"starts": 99, "days": 5}, "WithinOrderLine", "entitlement_within_order_line"),
            ({"seats": 5}, "QuantityOrdered", "entitlement_within_quantity"),
            ({"phase": "production", "seats": 4}, "NoOverlap", "entitlement_no_overlap"),
            ({"account": "elsewhere"}, "AccountCovered", "entitlement_account_covered"),
        ],
    )
    def test_and_constraints_are_about_the_same(self, change: dict[str, Any], rule: str, constraint: str) -> None:
        broken, refused = told(ground(covers_descendants=True), FITTING | change)

        assert (broken, refused) == ([rule], constraint)
