"""Which stages a change needs: pure, and never fewer for want of understanding."""

from typing import Any

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from approvals.policies.rules import DEFAULT_CHAIN, OPERATORS, PolicyRow, StageRequirement, beyond, stages_for

FACTS = {"phase": "trial", "seats_after": 50, "countries_added": ["DE", "US"], "unit_price": "12.50"}


def policy(
    name: str = "P", *, conditions: Any = (), stages: Any = (("finance", 1),), waiver_role: str = ""
) -> PolicyRow:
    return PolicyRow(
        name,
        conditions,
        [{"position": n, "role": role, "quorum": quorum} for n, (role, quorum) in enumerate(stages, 1)],
        waiver_role,
    )


def when(field: str, operator: str, value: Any) -> list[dict[str, Any]]:
    return [{"field": field, "operator": operator, "value": value}]


def asked(*policies: PolicyRow, facts: Any = (FACTS,), needs_waiver: bool = False) -> list[tuple[str, int]]:
    found = stages_for(policies=policies, facts=facts, needs_waiver=needs_waiver)
    assert [stage.position for stage in found] == list(range(1, len(found) + 1))
    assert all(stage.reasons for stage in found)
    return [(stage.role, stage.quorum) for stage in found]


class TestStagesFor:
    def test_ask_for_the_default_chain_where_no_policy_matches(self) -> None:
        assert asked() == [(DEFAULT_CHAIN.role, DEFAULT_CHAIN.quorum)]
        assert asked(policy(conditions=when("phase", "is", "production"))) == [("licensing", 2)]

    @pytest.mark.parametrize(
        "conditions",
        [
            when("phase", "resembles", "trial"),
            when("phase", "at_least", 5),
            when("seats_after", "at_least", "many"),
            [{"field": "phase"}],
            [{"operator": "is", "value": "trial"}],
        ],
    )
    def test_ask_for_the_default_chain_where_a_policy_cannot_be_evaluated(self, conditions: Any) -> None:
        assert asked(policy(conditions=conditions)) == [("licensing", 2)]

    @pytest.mark.parametrize(
        "stage", [{}, {"position": 1, "role": "x", "quorum": 0}, {"position": "a", "role": "x", "quorum": 1}]
    )
    def test_ask_for_the_default_chain_where_a_stage_makes_no_sense(self, stage: Any) -> None:
        assert asked(PolicyRow("P", (), [stage], "")) == [("licensing", 2)]

    def test_add_up_and_take_the_strictest(self) -> None:
        assert asked(policy("A", stages=[("finance", 1)]), policy("B", stages=[("finance", 3), ("legal", 1)])) == [
            ("finance", 3),
            ("legal", 1),
        ]

    def test_match_if_one_item_does(self) -> None:
        rule = policy(conditions=when("phase", "is", "trial"))

        assert asked(rule, facts=[{"phase": "production"}, FACTS]) == [("finance", 1)]

    def test_hold_of_no_fact_that_is_absent(self) -> None:
        assert asked(policy(conditions=when("seats_change", "at_most", 5))) == [("licensing", 2)]

    def test_add_a_last_stage_for_a_waiver(self) -> None:
        assert asked(needs_waiver=True) == [("licensing", 2), ("legal", 1)]
        assert asked(policy(waiver_role="security"), needs_waiver=True) == [("finance", 1), ("security", 1)]

    @pytest.mark.parametrize(
        ("field", "operator", "value", "holds"),
        [
            ("phase", "is", "trial", True),
            ("phase", "is_not", "trial", False),
            ("phase", "in", ["trial", "bridge"], True),
            ("countries_added", "any_of", ["US", "FR"], True),
            ("countries_added", "none_of", ["US"], False),
            ("seats_after", "at_least", 50, True),
            ("seats_after", "more_than", 50, False),
            ("unit_price", "at_most", "12.5", True),
            ("unit_price", "less_than", "12.50", False),
        ],
    )
    def test_know_their_operators(self, field: str, operator: str, value: Any, holds: bool) -> None:
        assert operator in OPERATORS
        assert asked(policy(conditions=when(field, operator, value))) == [("finance", 1) if holds else ("licensing", 2)]


CHAINS = st.lists(
    st.builds(StageRequirement, st.integers(1, 3), st.sampled_from(["a", "b"]), st.integers(1, 3), st.just(("why",))),
    max_size=3,
).map(tuple)


class TestBeyond:
    @example(chain=CHAINS)
    def test_finds_nothing_in_the_same_chain(self, chain: Any) -> None:
        assert beyond(reviewed=chain, fresh=chain) == ()

    @example(reviewed=CHAINS, fresh=CHAINS)
    def test_finds_what_asks_for_more_people_of_a_role(self, reviewed: Any, fresh: Any) -> None:
        most = {role: max((s.quorum for s in reviewed if s.role == role), default=0) for role in ("a", "b")}

        assert bool(beyond(reviewed=reviewed, fresh=fresh)) == any(stage.quorum > most[stage.role] for stage in fresh)
