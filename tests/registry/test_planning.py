"""The plan of a change: its first sentence, who loses what, who gets which seat, what it costs."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.governed import Draft, Plan
from approvals.requests import services
from entitlements.grants.services import take_seat
from tests import given
from tests.approvals.world import World


def at(days: float) -> str:
    return (given.NOW + timedelta(days=days)).isoformat()


def day(days: float) -> str:
    return at(days).replace("+00:00", "Z")


def plan(world: World, *drafts: Draft) -> Plan:
    return services.preview(drafts=list(drafts), user=world.author, now=given.NOW).plan


class TestSummary:
    def test_says_that_nobody_loses_access(self, world: World) -> None:
        document = plan(world, world.grant()).document

        assert document["summary"] == "1 granted, 0 amended, 0 retired; nobody loses access."
        assert document["interruption"] is None

    def test_counts_what_is_granted_amended_retired_and_other(self, world: World) -> None:
        document = plan(
            world,
            world.grant(),
            Draft("entitlement.extend", {"ends_at": at(60)}, world.trial.id),
            Draft("account.amend", {"name": "New"}, world.account.id),
        ).document

        assert document["summary"].startswith("1 granted, 1 amended, 0 retired, 1 other record changed;")

    def test_says_how_many_people_lose_access_and_when(self, world: World) -> None:
        document = plan(world, Draft("entitlement.retire", {"ends_at": at(3)}, world.trial.id)).document

        assert document["summary"] == (
            "0 granted, 0 amended, 1 retired; 3 people lose access from 2026-03-05 10:00 UTC to 2026-03-23 10:00 UTC."
        )

    def test_speaks_of_one_person_as_one(self, world: World) -> None:
        other = given.entitlement(given.ordered(licensee=world.account))
        take_seat(entitlement_id=other.id, actor=None, now=given.NOW, person_id=world.people[0].id)

        document = plan(world, Draft("entitlement.retire", {"ends_at": at(3)}, other.id)).document

        assert document["interruption"].startswith("1 person loses access from 2026-03-05 10:00 UTC")


class TestPlan:
    def test_opens_no_gap_where_the_successor_starts_as_the_trial_ends(self, world: World) -> None:
        found = plan(world, world.grant(days=21))

        assert (found.new_gaps, found.failures) == (False, ())

    @pytest.mark.parametrize("days", [21.000001, 22, 25])
    def test_opens_a_gap_where_the_successor_starts_later(self, world: World, days: float) -> None:
        found = plan(world, world.grant(days=days))

        assert found.new_gaps
        assert {row["person"] for row in found.document["people"]["lose"]} == {str(p.id) for p in world.people}
        assert {row["kind"] for row in found.document["people"]["lose"]} == {"dark"}
        assert {(row["at"], row["until"]) for row in found.document["people"]["lose"]} == {
            (day(21), at(days).replace("+00:00", "Z"))
        }

    def test_opens_no_gap_for_a_trial_that_ends_as_it_always_would(self, world: World) -> None:
        found = plan(world, Draft("entitlement.amend", {"grace_seconds": 60}, world.trial.id))

        assert not found.new_gaps
        assert found.document["people"]["lose"] == []

    def test_counts_no_grace_as_covered(self, world: World) -> None:
        drafts = [Draft("entitlement.amend", {"ends_at": at(10), "grace_seconds": 86_400 * 30}, world.trial.id)]

        found = plan(world, *drafts)

        assert found.new_gaps
        assert {row["kind"] for row in found.document["coverage"]["new_gaps"]} == {"grace"}

    def test_opens_a_gap_where_the_successor_has_too_few_seats(self, world: World) -> None:
        found = plan(world, world.grant(seats=2, carry_over=False, holders=[str(p.id) for p in world.people[:2]]))

        assert found.new_gaps
        assert [row["person"] for row in found.document["people"]["lose"]] == [str(world.people[2].id)]

    def test_opens_a_gap_where_a_country_is_taken_away(self, world: World) -> None:
        person = given.people(1, of=world.account)[0]
        type(person).objects.filter(id=person.id).update(country="US")
        take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW, person_id=person.id)

        found = plan(world, Draft("entitlement.amend", {"regions": ["DE"]}, world.trial.id))

        assert found.new_gaps
        losing = {(row["person"], row["kind"]) for row in found.document["people"]["lose"]}
        assert (str(person.id), "lost") in losing

    @pytest.mark.parametrize("served", [None, "2026-02-01"])
    def test_makes_no_gap_of_an_end_that_renews_by_itself_unless_notice_was_served(
        self, db: None, served: str | None
    ) -> None:
        account = given.account()
        terms: dict[str, Any] = {"renewal": "auto", "renewal_months": 12, "ends_at": at(60)}
        revision = given.sku_revision(given.sku(given.product()))
        line = given.order_line(given.agreement(account, notice_served_on=served, **terms), revision)
        granted = given.entitlement(line, ends_at=at(60))
        take_seat(entitlement_id=granted.id, actor=None, now=given.NOW, person_id=given.people(1, of=account)[0].id)

        planned = services.preview(
            drafts=[Draft("entitlement.amend", {"notes": "x"}, granted.id)], user=given.user("requester"), now=given.NOW
        ).plan

        starts = {gap["starts_at"] for gap in planned.document["coverage"]["gaps_after"]}
        assert starts == ({day(60)} if served else set())

    def test_lists_the_rules_with_their_sentences(self, world: World) -> None:
        found = plan(world, world.grant(seats=101, regions=["DE", "FR"]))

        broken = {row["rule"] for row in found.document["rules"] if not row["passed"]}
        assert broken == {"CountriesWithinSKURevision", "QuantityOrdered"}
        assert all(
            row["sentence"].endswith(".") and row["invariant"].startswith("INV-") for row in found.document["rules"]
        )
        assert len(found.failures) == 2

    def test_names_no_person(self, world: World) -> None:
        found = plan(world, world.grant(days=25))

        assert "Person 1" not in str(found.document)
        assert "person1@example.com" not in str(found.document)

    def test_is_the_same_when_made_again(self, world: World) -> None:
        draft = world.grant(days=25)

        assert plan(world, draft).material == plan(world, draft).material


class TestSeatMap:
    def test_names_each_holders_successor_seat(self, world: World) -> None:
        document = plan(world, world.grant()).document

        target = document["changes"][0]["record_id"]
        assert {(row["person"], row["from"], row["to"]) for row in document["seats"]["rows"]} == {
            (str(person.id), str(world.trial.id), target) for person in world.people
        }
        assert (document["seats"]["moved"], document["seats"]["without"]) == (3, 0)

    def test_says_who_gets_none_without_carry_over(self, world: World) -> None:
        found = plan(world, world.grant(carry_over=False))

        assert found.document["seats"]["without"] == 3
        assert {row["to"] for row in found.document["seats"]["rows"]} == {None}
        assert found.new_gaps
        assert {row["person"] for row in found.document["people"]["lose"]} == {
            str(person.id) for person in world.people
        }

    def test_says_who_gains_a_seat(self, world: World) -> None:
        newcomer = given.people(1, of=world.account)[0]

        document = plan(world, world.grant(holders=[str(newcomer.id)])).document

        assert str(newcomer.id) in {row["person"] for row in document["people"]["gain"]}


class TestCost:
    def test_compares_the_lines_touched_by_year(self, world: World) -> None:
        periods = [{"starts_at": at(-365), "quantity": 100, "unit_price": "110"}]

        cost = plan(world, Draft("orderline.amend", {"periods": periods}, world.line.id)).document["cost"]

        assert cost["until"] == "2030-01-01T00:00:00Z"
        assert [(row["year"], row["before"], row["after"], row["change"]) for row in cost["years"]] == [
            (year, "10000.00", "11000.00", "1000.00") for year in range(2025, 2030)
        ]

    def test_says_nothing_where_no_line_is_touched(self, world: World) -> None:
        assert plan(world, world.grant()).document["cost"]["years"] == []
