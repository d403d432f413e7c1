"""The tables of docs/facts.md: every fact that policies can compare; a test compares them with the page."""

from collections.abc import Iterable

from approvals import governed
from approvals.governed import FactType

HEADING = "| fact | type | unit | what it says |\n|---|---|---|---|"


def tables() -> str:
    """The facts of every change, then those that only some records have, in Markdown."""
    declared = governed.declared_facts()
    everywhere = set.intersection(*(set(facts) for facts in declared.values()))
    first = next(iter(declared.values()))
    sections = [_section("Every change", [fact for name, fact in first.items() if name in everywhere])]
    by_record: dict[str, dict[str, FactType]] = {}
    for name, kind in governed.kinds().items():
        own = {key: fact for key, fact in declared[name].items() if key not in everywhere}
        by_record.setdefault(str(kind.model._meta.verbose_name_plural), {}).update(own)
    sections += [_section(title, facts.values()) for title, facts in sorted(by_record.items()) if facts]
    return "\n\n".join(sections)


def _section(title: str, facts: Iterable[FactType]) -> str:
    rows = [f"| `{fact.name}` | {fact.type} | {fact.unit} | {fact.description} |" for fact in facts]
    return "\n".join([f"### {title[:1].upper()}{title[1:]}", "", HEADING, *rows])
