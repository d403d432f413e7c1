"""The page of facts says what kinds declare."""

from pathlib import Path

from approvals import governed
from approvals.facts import FactUnit
from entitlements.governed.documentation import tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "facts.md"


class TestFactsPage:
    def test_holds_every_fact_as_declared(self) -> None:
        page = PAGE.read_text()
        told = page[page.index("### Every change") :].strip()

        assert told == tables(), f"Write this into docs/facts.md, below “The facts”:\n{tables()}"


class TestFactTypes:
    def test_have_a_meaning_and_a_pattern_that_takes_the_value(self) -> None:
        for facts in governed.declared_facts().values():
            for fact in facts.values():
                assert fact.description.endswith(".")
                assert not fact.says or (
                    "|" in fact.says if fact.type is FactUnit.BOOLEAN else fact.says.format(value=1) != fact.says
                )

    def test_mean_the_same_wherever_they_are_declared(self) -> None:
        types: dict[str, object] = {}
        for facts in governed.declared_facts().values():
            for name, fact in facts.items():
                assert types.setdefault(name, (fact.type, fact.unit)) == (fact.type, fact.unit), name
