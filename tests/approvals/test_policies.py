"""Which stages a change needs: pure, and never fewer for want of understanding."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example as with_example
from hypothesis import given as example
from hypothesis import strategies as st

from approvals.facts import FactType, FactUnit
from approvals.policies.conditions import COMPARISONS, check
from approvals.policies.rules import DEFAULT_CHAIN, PolicyRow, StageRequirement, beyond, stages_for

DOCS = Path(__file__).resolve().parents[2] / "docs"
TYPES = {
    "kind": FactUnit.TEXT,
    "phase": FactUnit.TEXT,
    "seats_after": FactUnit.INTEGER,
    "seats_change": FactUnit.INTEGER,
    "countries_added": FactUnit.TEXTS,
    "unit_price": FactUnit.DECIMAL,
    "clauses_touched": FactUnit.BOOLEAN,
    "ends_at": FactUnit.INSTANT,
}
UNITS = {"seats_after": "seats", "seats_change": "seats", "unit_price": "currency", "ends_at": "UTC"}
DECLARED = {
    "entitlement.amend": {name: FactType(name, unit, UNITS.get(name, ""), name) for name, unit in TYPES.items()},
    "account.create": {"kind": FactType("kind", FactUnit.TEXT, "", "kind")},
}
FACTS = {
    "kind": "entitlement.amend",
    "phase": "trial",
    "seats_after": 50,
    "countries_added": ["DE", "US"],
    "unit_price": "12.50",
    "clauses_touched": True,
    "ends_at": "2027-01-01T00:00:00Z",
}


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


def chain(*policies: PolicyRow, facts: Any = (FACTS,), needs_waiver: bool = False) -> tuple[StageRequirement, ...]:
    return stages_for(policies=policies, facts=facts, needs_waiver=needs_waiver, declared=DECLARED)


def asked(*policies: PolicyRow, facts: Any = (FACTS,), needs_waiver: bool = False) -> list[tuple[str, int]]:
    found = chain(*policies, facts=facts, needs_waiver=needs_waiver)
    assert [stage.position for stage in found] == list(range(1, len(found) + 1))
    assert all(stage.reasons for stage in found)
    return [(stage.role, stage.quorum) for stage in found]


DEFAULT = [(DEFAULT_CHAIN.role, DEFAULT_CHAIN.quorum)]
SENSELESS = [
    when("phase", "resembles", "trial"),
    when("phase", "at_least", 5),
    when("phase", "is", 5),
    when("phase", "is", ["trial", "bridge"]),
    when("phase", "in", []),
    when("seats_after", "at_least", "many"),
    when("seats_after", "at_least", True),
    when("seats_after", "any_of", [50]),
    when("unit_price", "at_least", "NaN"),
    when("countries_added", "is", "DE"),
    when("countries_added", "any_of", [1]),
    when("clauses_touched", "is", "yes"),
    when("ends_at", "at_least", "2027-01-01"),
    when("seats_afer", "at_least", 5),
    [{"field": "phase"}],
    [{"operator": "is", "value": "trial"}],
]


class TestExplanation:
    def test_tells_of_several_texts_those_that_were_asked_for(self) -> None:
        [stage] = chain(policy(conditions=when("countries_added", "any_of", ["US", "FR"])))

        assert "countries added is US, any of US, FR" in stage.reasons[0]


class TestChoices:
    def test_refuse_a_value_that_the_fact_never_has(self) -> None:
        declared = {
            kind: {"phase": FactType("phase", FactUnit.TEXT, "", "Phase.", choices=choices)}
            for kind, choices in (("a", ("trial",)), ("b", ("production",)))
        }

        assert not check(conditions=when("phase", "any_of", ["trial", "production"]), declared=declared)
        [wrong] = check(conditions=when("phase", "any_of", ["trail"]), declared=declared)
        assert "“phase” is never trail: use one of production, trial" in wrong


class TestStagesFor:
    def test_ask_for_the_default_chain_where_no_policy_matches(self) -> None:
        assert asked() == DEFAULT
        assert asked(policy(conditions=when("phase", "is", "production"))) == DEFAULT

    @pytest.mark.parametrize("conditions", SENSELESS)
    def test_ask_for_the_default_chain_where_a_policy_cannot_be_evaluated(self, conditions: Any) -> None:
        assert asked(policy(conditions=conditions)) == DEFAULT
        assert asked(policy(conditions=conditions), policy(stages=[("legal", 1)])) == [
            *sorted([("legal", 1), *DEFAULT])
        ]
        assert "cannot be evaluated" in chain(policy(conditions=conditions))[0].reasons[0]

    def test_ask_for_the_default_chain_of_a_kind_that_nobody_declares(self) -> None:
        assert asked(policy(), facts=[{"kind": "of.old"}]) == DEFAULT

    @pytest.mark.parametrize(
        "stage", [{}, {"position": 1, "role": "x", "quorum": 0}, {"position": "a", "role": "x", "quorum": 1}]
    )
    def test_ask_for_the_default_chain_where_a_stage_makes_no_sense(self, stage: Any) -> None:
        assert asked(PolicyRow("P", (), [stage], "")) == DEFAULT

    def test_add_up_and_take_the_strictest(self) -> None:
        assert asked(policy("A", stages=[("finance", 1)]), policy("B", stages=[("finance", 3), ("legal", 1)])) == [
            ("finance", 3),
            ("legal", 1),
        ]

    def test_match_if_one_item_does(self) -> None:
        rule = policy(conditions=when("phase", "is", "trial"))

        assert asked(rule, facts=[FACTS | {"phase": "production"}, FACTS]) == [("finance", 1)]

    def test_are_not_about_kinds_without_the_fact(self) -> None:
        assert asked(policy(conditions=when("phase", "is", "trial")), facts=[{"kind": "account.create"}]) == DEFAULT

    @pytest.mark.parametrize("operator", COMPARISONS[FactUnit.INTEGER])
    def test_hold_of_a_fact_that_is_not_known(self, operator: str) -> None:
        unlimited = {name: value for name, value in FACTS.items() if name != "seats_after"}

        assert asked(policy(conditions=when("seats_after", operator, 100)), facts=[unlimited]) == [("finance", 1)]

    def test_add_a_last_stage_for_a_waiver(self) -> None:
        assert asked(needs_waiver=True) == [*DEFAULT, ("legal", 1)]
        assert asked(policy(waiver_role="security"), needs_waiver=True) == [("finance", 1), ("security", 1)]

    @pytest.mark.parametrize(
        ("field", "operator", "value", "holds"),
        [
            ("phase", "is", "trial", True),
            ("phase", "is_not", "trial", False),
            ("phase", "in", ["trial", "bridge"], True),
            ("phase", "none_of", ["trial", "bridge"], False),
            ("countries_added", "any_of", ["US", "FR"], True),
            ("countries_added", "any_of", "US", True),
            ("countries_added", "none_of", ["US"], False),
            ("seats_after", "is", 50, True),
            ("seats_after", "at_least", 50, True),
            ("seats_after", "more_than", 50, False),
            ("unit_price", "at_most", "12.5", True),
            ("unit_price", "less_than", "12.50", False),
            ("unit_price", "is", "12.500", True),
            ("clauses_touched", "is", True, True),
            ("clauses_touched", "is_not", True, False),
            ("ends_at", "at_least", "2027-01-01T01:00:00+01:00", True),
            ("ends_at", "less_than", "2027-01-01T01:00:00+01:00", False),
        ],
    )
    def test_know_their_comparisons(self, field: str, operator: str, value: Any, holds: bool) -> None:
        assert operator in COMPARISONS[TYPES[field]]
        assert check(conditions=when(field, operator, value), declared=DECLARED) == ()
        assert asked(policy(conditions=when(field, operator, value))) == ([("finance", 1)] if holds else DEFAULT)

    @pytest.mark.parametrize("conditions", SENSELESS)
    def test_say_what_is_wrong_before_a_policy_is_filed(self, conditions: Any) -> None:
        [sentence] = check(conditions=conditions, declared=DECLARED)

        assert sentence.startswith("Condition 1: ")

    def test_explain_what_was_compared(self) -> None:
        conditions = [
            *when("kind", "is", "entitlement.amend"),
            *when("seats_after", "more_than", 20),
            *when("countries_added", "any_of", ["US"]),
        ]

        [stage] = chain(policy("Size", conditions=conditions))

        assert stage.reasons == (
            "the policy “Size” asks for it (seats after is 50 seats, more than 20; countries added is US, any of US)",
        )

    def test_explain_what_is_not_known(self) -> None:
        unlimited = {name: value for name, value in FACTS.items() if name != "seats_after"}

        [stage] = chain(policy(conditions=when("seats_after", "more_than", 20)), facts=[unlimited])

        assert "(seats after has no limit or is not known, more than 20)" in stage.reasons[0]


TEXT, NUMBER = st.sampled_from(["trial", "bridge", "DE"]), st.integers(-2, 2)
VALUES = {
    FactUnit.TEXT: TEXT,
    FactUnit.TEXTS: st.lists(TEXT, max_size=2),
    FactUnit.INTEGER: NUMBER,
    FactUnit.DECIMAL: NUMBER.map(lambda number: f"{number}.0"),
    FactUnit.BOOLEAN: st.booleans(),
    FactUnit.INSTANT: st.sampled_from(["2027-01-01T00:00:00Z", "2027-01-01T01:00:00+01:00", "2027-01-02T00:00:00Z"]),
}
ITEMS = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(DECLARED))},
    optional={name: VALUES[unit] for name, unit in TYPES.items() if name != "kind"},
)
CONDITIONS = st.one_of(
    [
        st.fixed_dictionaries(
            {
                "field": st.just(name),
                "operator": st.sampled_from([*COMPARISONS[unit], "resembles"]),
                "value": st.one_of(VALUES[unit], st.lists(TEXT, max_size=2)),
            }
        )
        for name, unit in TYPES.items()
    ]
)
STAGES = st.lists(st.tuples(st.sampled_from(["finance", "legal"]), st.integers(1, 3)), min_size=1, max_size=2)
POLICIES = st.lists(st.tuples(st.lists(CONDITIONS, max_size=2), STAGES), max_size=3)


def judged(condition: dict[str, Any], item: dict[str, Any]) -> bool | None:
    """What a condition says of an item, written without the engine; None if it makes no sense."""
    unit, wanted, operator = TYPES[condition["field"]], condition["value"], condition["operator"]
    several = isinstance(wanted, list)
    if operator == "resembles" or (several and operator not in {"in", "any_of", "none_of"}) or wanted == []:
        return None
    if item["kind"] == "account.create" and condition["field"] != "kind":
        return False
    if condition["field"] not in item:
        return True
    has = item[condition["field"]]
    if unit in (FactUnit.TEXT, FactUnit.TEXTS) and operator in {"in", "any_of", "none_of"}:
        found = [one for one in (has if isinstance(has, list) else [has]) if one in (wanted if several else [wanted])]
        return not found if operator == "none_of" else bool(found)
    if unit is FactUnit.DECIMAL:
        has, wanted = Decimal(has), Decimal(wanted)
    if unit is FactUnit.INSTANT:
        has, wanted = (datetime.fromisoformat(one).astimezone(UTC) for one in (has, wanted))
    return bool(
        {
            "is": lambda: has == wanted,
            "is_not": lambda: has != wanted,
            "at_least": lambda: has > wanted or has == wanted,
            "more_than": lambda: has > wanted,
            "at_most": lambda: has < wanted or has == wanted,
            "less_than": lambda: has < wanted,
        }[operator]()
    )


class TestComparisons:
    def test_are_those_of_the_documentation(self) -> None:
        rows = re.findall(
            r"^\| ([a-z, ]+) \| (`is`.*|`a.*) \|$", (DOCS / "change-requests.md").read_text(), re.MULTILINE
        )
        documented = {
            FactUnit(name): set(re.findall(r"`(\w+)`", comparisons))
            for names, comparisons in rows
            for name in names.split(", ")
        }

        assert documented == {unit: set(comparisons) for unit, comparisons in COMPARISONS.items()}


class TestOracle:
    @example(rows=POLICIES, items=st.lists(ITEMS, min_size=1, max_size=3))
    @with_example(
        rows=[([{"field": "seats_after", "operator": "at_least", "value": 1}], [("legal", 1)])],
        items=[{"kind": "entitlement.amend", "seats_after": 1}],
    )
    def test_agrees_on_what_is_asked_for(self, rows: Any, items: Any) -> None:
        wanted: dict[tuple[int, str], int] = {}
        for conditions, stages in rows:
            verdicts = [[judged(condition, item) for condition in conditions] for item in items]
            if any(verdict is None for row in verdicts for verdict in row):
                demands = [(1, "licensing", 2)]
            elif any(all(row) for row in verdicts):
                demands = [(position, role, quorum) for position, (role, quorum) in enumerate(stages, 1)]
            else:
                demands = []
            for position, role, quorum in demands:
                wanted[position, role] = max(quorum, wanted.get((position, role), 0))
        expected = [(role, quorum) for (_position, role), quorum in sorted(wanted.items())] or DEFAULT
        policies = [policy(str(n), conditions=conditions, stages=stages) for n, (conditions, stages) in enumerate(rows)]

        assert asked(*policies, facts=items) == expected


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

    def test_asks_named_people_of_their_own(self) -> None:
        anybody = StageRequirement(1, "a", 1, ("why",))
        named = replace(anybody, people=("p",))
        either = replace(anybody, people=("p", "q"))
        whoever = replace(named, role="")

        assert beyond(reviewed=(anybody,), fresh=(named,)) == ("1 named person of a must approve with 1, not 0",)
        assert beyond(reviewed=(either,), fresh=(named,))
        assert beyond(reviewed=(whoever,), fresh=(named,))
        for enough in ((named, anybody), (named, either), (named, whoever)):
            assert beyond(reviewed=(enough[0],), fresh=(enough[1],)) == ()

    def test_asks_for_more_where_a_backup_is_not_allowed_any_more(self) -> None:
        backed = StageRequirement(1, "a", 1, ("why",), backup_role="b", due_hours=4)
        alone = replace(backed, backup_role="", due_hours=None)

        assert beyond(reviewed=(alone,), fresh=(backed,)) == ()
        assert beyond(reviewed=(backed,), fresh=(replace(backed, due_hours=1),)) == ()
        assert beyond(reviewed=(backed,), fresh=(alone,))


class TestStrictest:
    def test_asks_for_more_people_sooner_and_a_backup_only_if_all_allow_it(self) -> None:
        def with_stage(name: str, **more: Any) -> PolicyRow:
            return PolicyRow(name, (), [{"position": 1, "role": "legal", "quorum": 1} | more], "")

        one = with_stage("one", due_hours=48, backup_role="finance")
        same = with_stage("same", quorum=2, backup_role="finance")
        other = with_stage("other", due_hours=24)

        [both] = chain(one, same)
        [all_three] = chain(one, same, other)

        assert (both.quorum, both.due_hours, both.backup_role) == (2, 48, "finance")
        assert (all_three.quorum, all_three.due_hours, all_three.backup_role) == (2, 24, "")

    def test_keeps_named_people_as_a_stage_of_their_own(self) -> None:
        anybody = {"position": 1, "role": "legal", "quorum": 1}

        found = chain(PolicyRow("both", (), [anybody, anybody | {"people": ["p"]}], ""))

        assert [(stage.position, stage.people) for stage in found] == [(1, ()), (2, ("p",))]

    def test_asks_for_the_default_chain_if_a_stage_asks_nobody(self) -> None:
        [default] = chain(PolicyRow("nobody", (), [{"position": 1, "role": "", "quorum": 1}], ""))

        assert (default.role, default.quorum) == ("licensing", 2)
