"""How risky a change is: computed from facts, raised by hand, never lowered; and policies compare it."""

from typing import Any

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from approvals import governed
from approvals.facts import FactType, FactUnit, RiskLevel, RiskRule
from approvals.governed import Draft
from approvals.policies.conditions import check
from approvals.policies.risk import Raised, Risk, assess
from approvals.requests import services
from entitlements.grants.models import Entitlement
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.test_accumulated import roles
from tests.approvals.world import World, approve, revision_of

KIND = "entitlement.amend"
DECLARED = {
    KIND: {
        "kind": FactType("kind", FactUnit.TEXT, "", "Kind."),
        "seats": FactType("seats", FactUnit.INTEGER, "seats", "Seats.", says="there are {value} seats"),
        "gap": FactType("gap", FactUnit.BOOLEAN, "", "Gap.", says="it opens a gap|it opens none"),
        "risk": FactType("risk", FactUnit.TEXT, "", "Risk."),
    },
    "account.create": {"kind": FactType("kind", FactUnit.TEXT, "", "Kind.")},
}
LEVELS = st.sampled_from(list(RiskLevel))


def rule(level: RiskLevel, field: str, operator: str, value: Any) -> RiskRule:
    return RiskRule(level, f"{field} {operator} {value}", ({"field": field, "operator": operator, "value": value},))


def weigh(*rules: RiskRule, facts: Any = ({"kind": KIND, "seats": 50, "gap": False},), raised: Any = None) -> Risk:
    return assess(rules=rules, facts=facts, declared=DECLARED, raised=raised)


def document_of(request: Any) -> Any:
    return revision_of(request).document["risk"]


class TestAssess:
    def test_is_low_where_no_rule_holds(self) -> None:
        assert weigh() == Risk(RiskLevel.LOW)
        assert weigh(rule(RiskLevel.HIGH, "seats", "more_than", 50)).level is RiskLevel.LOW

    def test_takes_the_highest_level_and_tells_every_reason(self) -> None:
        found = weigh(rule(RiskLevel.MEDIUM, "seats", "at_least", 50), rule(RiskLevel.HIGH, "gap", "is", False))

        assert found.level is RiskLevel.HIGH
        assert [(reason.level, reason.why) for reason in found.reasons] == [
            ("high", "gap is False (it opens none)"),
            ("medium", "seats at_least 50 (there are 50 seats, at least 50 seats)"),
        ]

    def test_is_high_where_something_cannot_be_weighed(self) -> None:
        assert weigh(rule(RiskLevel.LOW, "seats", "resembles", 5)).level is RiskLevel.HIGH
        assert weigh(rule(RiskLevel.LOW, "seets", "is", 5)).level is RiskLevel.HIGH
        assert weigh(facts=[{"kind": "of.old"}]).level is RiskLevel.HIGH

    def test_holds_of_what_is_not_known(self) -> None:
        assert weigh(rule(RiskLevel.MEDIUM, "seats", "more_than", 99), facts=[{"kind": KIND}]).level is RiskLevel.MEDIUM

    def test_does_not_weigh_itself(self) -> None:
        assert weigh(rule(RiskLevel.LOW, "risk", "is", "low")).level is RiskLevel.HIGH

    @example(
        st.lists(st.tuples(LEVELS, st.integers(0, 9)), max_size=6),
        st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=4),
        st.one_of(st.none(), LEVELS),
    )
    def test_agrees_with_an_oracle(self, rows: Any, seats: list[int | None], said: RiskLevel | None) -> None:
        rules = [rule(level, "seats", "at_least", bound) for level, bound in rows]
        facts = [{"kind": KIND} | ({} if count is None else {"seats": count}) for count in seats]
        order = ["low", "medium", "high"]

        found = weigh(*rules, facts=facts, raised=said and Raised(said, "Because."))

        holding = [
            order.index(level.value) for level, bound in rows if any(count is None or count >= bound for count in seats)
        ]
        assert order.index(found.computed.value) == max(holding, default=0)
        assert order.index(found.level.value) == max([*holding, order.index(said.value) if said else 0], default=0)
        told = {(level, bound) for level, bound in rows if any(count is None or count >= bound for count in seats)}
        assert len({(reason.level, reason.why.split(" (")[0]) for reason in found.reasons}) == len(told)


class TestRules:
    def test_can_be_weighed(self) -> None:
        for one in governed.risks():
            assert not check(conditions=one.conditions, declared=governed.declared_facts()), one.why


@pytest.mark.django_db
class TestRevision:
    def test_holds_the_risk_with_its_reasons(self, world: World) -> None:
        assert document_of(world.propose(world.grant(days=25))) | {"reasons": []} == {
            "level": "high",
            "computed": "high",
            "reasons": [],
            "raised": None,
        }
        low = document_of(world.propose(Draft("entitlement.amend", {"notes": "Asked."}, world.trial.id)))
        assert low == {"level": "low", "computed": "low", "reasons": [], "raised": None}

    def test_of_a_policy_is_no_small_thing(self, world: World) -> None:
        draft = Draft("policy.create", {"name": "P", "stages": [{"position": 1, "role": "licensing", "quorum": 1}]})

        assert document_of(world.propose(draft))["level"] == "medium"

    def test_is_compared_by_policies(self, world: World) -> None:
        given.user("security")
        given.record(
            "policy.create",
            name="Risky",
            conditions=[{"field": "risk", "operator": "any_of", "value": ["medium", "high"]}],
            stages=[{"position": 2, "role": "security", "quorum": 1}],
        )
        harmless = Draft("entitlement.amend", {"notes": "Asked."}, world.trial.id)

        assert roles(world.propose(harmless)) == ["licensing"]
        assert roles(world.propose(harmless, raised=Raised(RiskLevel.HIGH, "A merger is near."))) == [
            "licensing",
            "security",
        ]

    def test_is_kept_raised_by_an_edit_until_it_is_said_anew(self, world: World) -> None:
        request = world.propose(
            Draft("entitlement.amend", {"notes": "Asked."}, world.trial.id), raised=Raised(RiskLevel.HIGH, "A merger.")
        )
        options = {"change_request_id": request.id, "author": world.author, "now": given.NOW}

        services.amend(title="Other", **options)
        assert document_of(request)["level"] == "high"
        services.amend(raised=None, **options)
        assert document_of(request)["level"] == "low"

    def test_is_part_of_what_is_decided_on(self, world: World) -> None:
        request = world.submit(Draft("entitlement.amend", {"notes": "Asked."}, world.trial.id))
        digest = revision_of(request).digest

        services.amend(
            change_request_id=request.id, author=world.author, now=given.NOW, raised=Raised(RiskLevel.MEDIUM, "Why.")
        )

        assert revision_of(request).digest != digest

    @pytest.mark.parametrize("raised", [Raised(RiskLevel.LOW, "It is fine."), Raised(RiskLevel.HIGH, " ")])
    def test_is_not_lowered_nor_raised_without_a_reason(self, world: World, raised: Raised) -> None:
        with pytest.raises(InvalidInput, match=r"it can be raised, not lowered|Say why"):
            world.propose(world.grant(days=25), raised=raised)

    def test_is_applied_as_it_was_decided_on(self, world: World) -> None:
        request = world.submit(
            Draft("entitlement.amend", {"notes": "Asked."}, world.trial.id), raised=Raised(RiskLevel.HIGH, "A merger.")
        )
        approve(request, world.first, world.second)

        world.apply(request)

        assert Entitlement.objects.get(id=world.trial.id).notes == "Asked."
