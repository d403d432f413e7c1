"""
What is material in a plan, and what became worse between two of them: pure, over JSON values.

A gap is material by place and person and instant, not by key: one that shrank or has partly passed is no new gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from entitlements.coverage.results import Gap
from entitlements.planning.costs import Years

JSON = Any
FAR = datetime.max.replace(tzinfo=UTC)
Interval = tuple[datetime, datetime]


def material_of(
    *, gaps: Sequence[Gap], losers: Iterable[tuple[str, str, str]], costs: Years, failed: Sequence[str]
) -> dict[str, JSON]:
    """
    The values that application compares: gaps that need a waiver, people losing access, cost by term, broken rules.
    """
    return {
        "gaps": [
            {
                "place": "/".join(map(str, gap.place)),
                "kind": gap.kind,
                "starts_at": gap.starts_at,
                "ends_at": gap.ends_at,
                "people": list(gap.people),
                "anonymous": gap.anonymous,
            }
            for gap in gaps
        ],
        "losers": sorted("/".join(loser) for loser in set(losers)),
        "costs": {f"{year} {currency}": str(amount) for (year, currency), amount in sorted(costs.items())},
        "failed": sorted(failed),
    }


def moved(*, reviewed: Mapping[str, JSON], fresh: Mapping[str, JSON]) -> tuple[str, ...]:
    """Sentences for what is worse in the fresh plan: a new gap, an added loser, a higher cost, a broken rule."""
    sentences = [*_new_gaps(reviewed.get("gaps", ()), fresh["gaps"])]
    added = sorted(set(fresh["losers"]) - set(reviewed.get("losers", ())))
    if added:
        sentences.append(f"{len(added)} more {'person loses' if len(added) == 1 else 'people lose'} access")
    sentences += _higher_costs(reviewed.get("costs", {}), fresh["costs"])
    sentences += [f"a rule is broken: {rule}" for rule in fresh["failed"] if rule not in reviewed.get("failed", ())]
    return tuple(sentences)


def _new_gaps(reviewed: Iterable[Mapping[str, JSON]], fresh: Iterable[Mapping[str, JSON]]) -> list[str]:
    known: dict[tuple[str, str], list[Interval]] = {}
    counts: dict[str, list[tuple[Interval, int]]] = {}
    for gap in reviewed:
        for person in gap["people"]:
            known.setdefault((gap["place"], person), []).append(_interval(gap))
        if gap["anonymous"]:
            counts.setdefault(gap["place"], []).append((_interval(gap), gap["anonymous"]))
    sentences = []
    for gap in fresh:
        interval = _interval(gap)
        new = [person for person in gap["people"] if not _within(interval, known.get((gap["place"], person), []))]
        allowed = [count for period, count in counts.get(gap["place"], []) if _within(interval, [period])]
        more = gap["anonymous"] - max(allowed, default=0)
        if new or more > 0:
            end = "the end of what is planned" if interval[1] == FAR else f"{interval[1]:%Y-%m-%d %H:%M %Z}"
            sentences.append(
                f"a gap opened ({gap['kind']}, {len(new) + max(more, 0)} affected, "
                f"{interval[0]:%Y-%m-%d %H:%M %Z} to {end})"
            )
    return sentences


def _higher_costs(reviewed: Mapping[str, str], fresh: Mapping[str, str]) -> list[str]:
    latest = max((int(term.split()[0]) for term in reviewed), default=None)
    out = []
    for term, amount in fresh.items():
        if latest is not None and int(term.split()[0]) > latest:
            continue  # the horizon of the fresh plan reaches further; the reviewed one said nothing of that year
        was = Decimal(reviewed.get(term, "0"))
        if Decimal(amount) > was:
            out.append(f"the cost of {term} rose from {was} to {amount}")
    return out


def _interval(gap: Mapping[str, JSON]) -> Interval:
    return _at(gap["starts_at"]), FAR if gap["ends_at"] is None else _at(gap["ends_at"])


def _at(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _within(interval: Interval, known: Iterable[Interval]) -> bool:
    """Whether the interval lies in the union of the known ones."""
    position = interval[0]
    for starts_at, ends_at in sorted(known):
        if starts_at <= position < ends_at:
            position = ends_at
    return position >= interval[1]
