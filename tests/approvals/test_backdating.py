"""Backdated changes need finance and legal, whatever the policies say, and name the closed periods that they touch."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.freezes.models import AccountingPeriod
from approvals.governed import Draft
from approvals.policies.rules import StageRequirement
from approvals.requests import services, standing
from approvals.requests.errors import PolicyStricter
from approvals.requests.standing import Demand, with_demands
from approvals.requests.states import Status
from entitlements.agreements import backdating
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.world import World, approve, fresh, revision_of

DAY = timedelta(days=1)


def closed(label: str = "2026-02", *, since: float = -29, until: float = -1, **payload: Any) -> AccountingPeriod:
    """A closed period from and to so many days from NOW."""
    values = {
        "label": label,
        "starts_at": (given.NOW + since * DAY).isoformat(),
        "ends_at": (given.NOW + until * DAY).isoformat(),
    }
    return given.record("accounting_period.close", **(values | payload))


def asked(world: World, *drafts: Draft) -> dict[str, tuple[str, ...]]:
    """The roles that a change needs, with the reasons."""
    planned = services.preview(drafts=drafts, user=world.author, now=given.NOW)
    return {stage.role: stage.reasons for stage in planned.stages}


def grant(world: World, *, days: float, **payload: Any) -> Draft:
    return world.grant(days=days, replaces_id=None, reference="BACK", **payload)


class TestFacts:
    def row(self, starts: float, ends: float | None, **more: Any) -> dict[str, Any]:
        return {
            "starts_at": (given.NOW + starts * DAY).isoformat(),
            "ends_at": None if ends is None else (given.NOW + ends * DAY).isoformat(),
        } | more

    def facts(self, before: Any, after: Any) -> tuple[int, float, float | None]:
        told = backdating.facts(before=before, after=after, now=given.NOW)
        until = told.get("effective_until")
        return (
            told["backdated_days"],
            (told["effective_from"] - given.NOW) / DAY,
            None if until is None else (until - given.NOW) / DAY,
        )

    def test_of_a_new_record_are_its_term(self) -> None:
        assert self.facts(None, self.row(-3, 9)) == (3, -3, 9)
        assert self.facts(None, self.row(2, None)) == (0, 2, None)

    def test_count_whole_days(self) -> None:
        assert self.facts(None, self.row(-0.99, 9))[0] == 0
        assert self.facts(None, self.row(-1, 9))[0] == 1

    def test_of_an_amended_one_are_what_lies_between(self) -> None:
        assert self.facts(self.row(-9, -5), self.row(-9, -2)) == (5, -5, -2)
        assert self.facts(self.row(-9, None), self.row(-7, None)) == (9, -9, -7)
        assert self.facts(self.row(-9, 5), self.row(-9, None)) == (0, 5, None)

    def test_of_other_fields_are_none(self) -> None:
        assert self.facts(self.row(-9, 5, seats=1), self.row(-9, 5, seats=2)) == (0, 0, None)

    def test_of_an_order_line_are_the_periods_that_change(self) -> None:
        one, two, dearer = self.row(-9, -4, price=1), self.row(-4, 5, price=1), self.row(-4, 5, price=2)

        assert self.facts(self.row(-9, 5, periods=[one, two]), self.row(-9, 5, periods=[one, dearer])) == (4, -4, 5)


class TestBackdatedChanges:
    def test_need_finance_and_legal_and_say_why(self, world: World) -> None:
        closed()
        closed("2026-01", since=-60, until=-29)
        closed("2027", since=300, until=600)

        stages = asked(world, grant(world, days=-3, ends_at=(given.NOW + 9 * DAY).isoformat()))

        assert set(stages) == {"licensing", "finance", "legal"}
        why = "BACK takes effect 3 days before it was planned, into closed books: 2026-02"
        assert stages["finance"] == stages["legal"] == (why,)

    def test_say_that_no_closed_period_is_touched(self, world: World) -> None:
        assert asked(world, grant(world, days=-3))["finance"] == (
            "BACK takes effect 3 days before it was planned, into no closed period",
        )

    @pytest.mark.parametrize("days", [-0.9, 0, 5])
    def test_are_none_that_take_effect_today_or_later(self, world: World, days: float) -> None:
        closed()

        assert set(asked(world, grant(world, days=days))) == {"licensing"}

    def test_are_none_that_change_no_time(self, world: World) -> None:
        closed()

        assert set(asked(world, Draft("entitlement.amend", {"seats": 9}, world.trial.id))) == {"licensing"}

    def test_are_those_that_change_a_price_of_the_past(self, world: World) -> None:
        starts_at = world.line.starts_at.isoformat()
        periods = [{"starts_at": starts_at, "ends_at": None, "quantity": 100, "unit_price": "90"}]

        assert "finance" in asked(world, Draft("orderline.amend", {"periods": periods}, world.line.id))

    def test_touch_no_period_that_was_opened_again(self, world: World) -> None:
        given.record("accounting_period.reopen", target_id=closed().id)

        assert "into no closed period" in asked(world, grant(world, days=-3))["legal"][0]

    def test_are_applied_with_all_approvals_only(self, world: World) -> None:
        finance, legal = given.user("finance"), given.user("legal")
        request = world.submit(grant(world, days=-3))
        approve(request, world.first, world.second)
        assert fresh(request).status == Status.IN_REVIEW
        approve(request, finance, legal)

        assert world.apply(request).status == Status.APPLIED

    def test_are_those_whose_start_lies_in_closed_books_once_they_are_applied(self, world: World) -> None:
        request = world.approved(grant(world, days=1))
        closed("2026-03", since=0, until=5)

        with pytest.raises(PolicyStricter, match="finance must approve"):
            world.apply(request, days=6)

        assert fresh(request).status == Status.IN_REVIEW
        assert {stage.role for stage in revision_of(request).stages.all()} == {"licensing", "finance", "legal"}


class TestStandingRules:
    @pytest.fixture(autouse=True)
    def one_rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Rule:
            def demands(self, items: Any) -> list[Demand]:
                return [Demand("finance", "Because.")]

        monkeypatch.setattr(standing, "_RULES", [])
        rule = Rule()
        for _ in range(2):
            standing.register_rule(rule)

    def test_add_a_stage_at_the_end(self) -> None:
        chain = (StageRequirement(1, "licensing", 2, ("Always.",)),)

        assert with_demands(chain, items=()) == (*chain, StageRequirement(2, "finance", 1, ("Because.",)))

    def test_add_a_reason_where_the_role_is_asked_already(self) -> None:
        chain = (StageRequirement(1, "finance", 2, ("Always.",)), StageRequirement(2, "legal", 1, ("Often.",)))

        once = with_demands(chain, items=())

        assert once == (StageRequirement(1, "finance", 2, ("Always.", "Because.")), chain[1])
        assert with_demands(once, items=()) == once


class TestAccountingPeriods:
    @pytest.mark.parametrize(
        "payload",
        [{"until": -30}, {"until": -29}, {"label": " "}, {"zone": "Europe/Atlantis"}, {"starts_at": "2026-02-01"}],
    )
    def test_are_refused(self, db: None, payload: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            closed(**payload)

    def test_have_a_label_of_their_own(self, db: None) -> None:
        first = closed()
        with pytest.raises(InvalidInput):
            closed()
        given.record("accounting_period.amend", target_id=first.id, label="February")
        assert AccountingPeriod.objects.closed().get().label == "February"
        assert closed().label == "2026-02"
