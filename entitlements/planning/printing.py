"""The parts of a plan that the page draws or folds, as blocks: what a printed document shows of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from entitlements.catalog.regions import country_name
from entitlements.directory.services import names_of
from entitlements.planning.shown import (
    GAINS,
    LOSES,
    People,
    people_named,
    rules_passed,
    shown_change,
    shown_people,
)
from entitlements.planning.told import Labels, instant
from foundation.web.blocks import Block, Fact, Facts, Point, Points, Row, Section, Table

JSON = Any
CHANGES_PRINTED = 200
PEOPLE_PRINTED = 500
GAPS_PRINTED = 100


def sections(document: Mapping[str, JSON], *, named: bool = True) -> list[Section]:
    """What the page draws or folds, whole as far as it is of a bearable length; without names people are ids."""
    labels = document.get("labels", {})
    people = document.get("people", {})
    lose, gain = people.get("lose", ()), people.get("gain", ())
    concerned = people_named(lose, gain)
    names = names_of(concerned) if named else {person_id: str(person_id) for person_id in concerned}
    found = [
        _broken(document.get("rules", ())),
        _changes(document.get("changes", ())),
        _people("losing", "Who loses access", shown_people(lose, names, labels, LOSES)),
        _people("gaining", "Who gains", shown_people(gain, names, labels, GAINS)),
        _seats(document.get("seats", {})),
        _coverage(document.get("coverage") or {}, labels),
        _rules(document.get("rules", ())),
        _delivery(document.get("delivery", {})),
    ]
    return [section for section in found if section is not None]


def _broken(rules: Sequence[Mapping[str, JSON]]) -> Section | None:
    rows = [
        Point(f"{row['item']}: {row['broken']}.", "danger", f"{row['sentence']} {row['invariant']}")
        for row in rules
        if not row["passed"]
    ]
    return Section("broken", "Rules that this breaks", "", [Points(rows)]) if rows else None


def _changes(changes: Sequence[Mapping[str, JSON]]) -> Section:
    blocks: list[Block] = []
    for change in changes[:CHANGES_PRINTED]:
        shown = shown_change(change)
        rows = [Row([line.label, line.before, line.after]) for line in shown.lines]
        blocks.append(Table(f"{shown.title}: {shown.label}", ("Field", "Before", "After"), rows))
    note = ""
    if len(changes) > CHANGES_PRINTED:
        note = (
            f"The first {CHANGES_PRINTED} of {len(changes):,} changes; the digest covers all of them; the page and the "
            "API show them."
        )
    return Section("changes", "What changes", note, blocks or [Points([Point("This was written without a plan.")])])


def _people(name: str, title: str, people: People) -> Section | None:
    blocks: list[Block] = []
    left = PEOPLE_PRINTED
    for group in people.groups:
        told = [*group.names, *group.folded][:left]
        left -= len(told)
        rest = group.count - len(told)
        until = f" to {instant(group.until.isoformat())}" if group.until else ""
        since = f"from {instant(group.at.isoformat())}" if group.at else "with this change"
        whom = f"{group.product} for {group.account}" if group.account else group.product
        facts = [Fact("What", f"{whom}, {since}{until}"), Fact("People", ", ".join(told) or "–")]
        if rest:
            facts.append(Fact("Besides", f"{rest:,} more, whom the API lists"))
        blocks.append(Facts(facts, title=f"{group.count:,}: {group.kind}"))
    return Section(name, title, f"{people.count:,} in all", blocks) if blocks else None


def _seats(seats: Mapping[str, JSON]) -> Section | None:
    told = (
        ("moved", "Move to a successor"),
        ("without", "Without a successor"),
        ("held", "Given"),
        ("released", "Taken back"),
    )
    rows = [Fact(label, f"{seats.get(name) or 0:,}") for name, label in told]
    return Section("seats", "Seats", "", [Facts(rows)]) if any(seats.get(name) for name, _ in told) else None


def _coverage(coverage: Mapping[str, JSON], labels: Labels) -> Section | None:
    if not coverage:
        return None
    gaps = coverage["gaps_after"]
    note = f"{instant(coverage['starts_at'])} to {instant(coverage['ends_at'])}"
    if not gaps:
        points = [Point("Every need that is known is covered after this change.", "success")]
        return Section("coverage", "Coverage after the change", note, [Points(points)])
    rows = [
        Row(
            [
                f"{labels.get(gap['product'], 'a product')} for {labels.get(gap['account'], 'an account')}",
                country_name(gap["country"]) if gap["country"] else "everywhere",
                f"{gap['count']:,}, {LOSES.get(gap['kind'], gap['kind'])}",
                f"{instant(gap['starts_at'])} to {instant(gap['ends_at'], 'the end of what is planned')}",
            ],
            "danger",
        )
        for gap in gaps[:GAPS_PRINTED]
    ]
    left = f"And {len(gaps) - GAPS_PRINTED} more." if len(gaps) > GAPS_PRINTED else ""
    table = Table("Gaps that remain", ("What", "Where", "How many", "When"), rows, note=left)
    return Section("coverage", "Coverage after the change", note, [table])


def _rules(rules: Sequence[Mapping[str, JSON]]) -> Section | None:
    rows = [
        Point(sentence if count == 1 else f"{sentence} ({count:,} items)", "success")
        for sentence, count in rules_passed(rules)
    ]
    return Section("rules", "Rules that hold", "", [Points(rows)]) if rows else None


def _delivery(delivery: Mapping[str, JSON]) -> Section | None:
    rows = [Point(str(point)) for point in delivery.get("enforcement_points", ())]
    return Section("delivery", "Systems that will be told", "", [Points(rows)]) if rows else None
