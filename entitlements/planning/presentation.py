"""
The plan of a revision for people: names for ids, instants in the reader's zone, timelines, lists of a bearable length.

Whoever may see the request may see its plan; names of people are looked up now, because they can be erased.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from approvals import governed
from approvals.governed import FieldLine, PreparedItem, UnknownKind
from entitlements.catalog.regions import country_name
from entitlements.coverage.results import Coverage
from entitlements.directory.services import names_of
from entitlements.planning.coverage import gap_row, place_row
from entitlements.planning.timeline import Drawing, GapSpan, Scale, Stretch, draw
from foundation.canonical import jsonable
from foundation.identity.models import User
from foundation.web.instants import in_reader_zone, instant_text

JSON = Any
CHANGES_SHOWN = 25
PEOPLE_SHOWN = 24
PEOPLE_FOLDED = 1_000
TIMELINES_SHOWN = 12
SEATS_SHOWN = 200
LOSES: Mapping[str, str] = {
    "dark": "no access at all",
    "short": "no free seat",
    "lost": "part of it is lost",
    "grace": "only by grace",
    "no_seat": "no seat in the successor",
}
GAINS: Mapping[str, str] = {
    "dark": "would otherwise have no access",
    "short": "would otherwise have no free seat",
    "lost": "would otherwise lose part of it",
    "grace": "would otherwise go on by grace only",
    "seat": "a new seat",
}


@dataclass(frozen=True)
class ShownLine:
    """One field of an item, whole values; `old` is None for a new record."""

    label: str
    old: str | None
    new: str
    unit: str


@dataclass(frozen=True)
class ShownChange:
    """One item: what is done to which record, and how its values change."""

    title: str
    label: str
    lines: Sequence[ShownLine]


@dataclass(frozen=True)
class Group:
    """People to whom the same happens: what, to which product of which account, from when, until when; by name."""

    kind: str
    account: str
    product: str
    at: datetime | None
    until: datetime | None
    count: int
    names: Sequence[str]
    folded: Sequence[str]

    @property
    def left_out(self) -> int:
        """How many are neither shown nor folded."""
        return self.count - len(self.names) - len(self.folded)


@dataclass(frozen=True)
class People:
    """People who lose, or who gain: how many, and in groups of the same fate."""

    count: int
    groups: Sequence[Group]


@dataclass(frozen=True)
class ShownTimeline:
    """Coverage of places that are alike: where, the drawing, and its number on the page."""

    number: int
    title: str
    where: str
    drawing: Drawing
    has_gap: bool
    differs: bool


class PlanPresenter:
    """Shows plans (docs/plan-document.md) with the template entitlements/plan.html."""

    template_name = "entitlements/plan.html"

    def context(self, *, document: Mapping[str, JSON], items: Sequence[PreparedItem], user: User) -> Mapping[str, Any]:
        """What the template needs; sections that the document does not have are empty."""
        labels = document.get("labels", {})
        people = document.get("people", {})
        lose, gain = people.get("lose", ()), people.get("gain", ())
        seats = document.get("seats", {})
        names = names_of(_people_named(lose, gain, seats.get("rows", ())))
        changes = document.get("changes", ())
        drawings = timelines(document.get("coverage"), labels)
        telling = [shown for shown in drawings if shown.has_gap or shown.differs]
        return {
            "changes": [shown_change(change) for change in changes[:CHANGES_SHOWN]],
            "change_count": len(changes),
            "further_changes": max(len(changes) - CHANGES_SHOWN, 0),
            "by_kind": kinds_counted(changes),
            "cost": [_cost(row) for row in document.get("cost", {}).get("years", ())],
            "cost_until": _instant(document.get("cost", {}).get("until")),
            "lose": _people(lose, names, labels, LOSES),
            "gain": _people(gain, names, labels, GAINS),
            "seats": seats,
            "seat_rows": [_seat(row, names, labels) for row in seats.get("rows", ())[:SEATS_SHOWN]],
            "timelines": telling[:TIMELINES_SHOWN],
            "quiet_timelines": [shown for shown in drawings if shown not in telling][:TIMELINES_SHOWN],
            "timelines_left_out": max(len(telling) - TIMELINES_SHOWN, 0),
            "new_gaps": document.get("coverage", {}).get("new_gaps", ()),
            "rules_failed": [row for row in document.get("rules", ()) if not row["passed"]],
            "rules_passed": _passed(document.get("rules", ())),
            "enforcement_points": document.get("delivery", {}).get("enforcement_points", ()),
        }

    def lines(self, *, document: Mapping[str, JSON]) -> Mapping[int, Sequence[FieldLine]]:
        """What each item changes, by its position, as the page of the change says it."""
        return {
            change["position"]: [
                FieldLine(line["field"], _label(str(line["label"])), line["old"], line["new"], line.get("unit", ""))
                for line in change.get("lines", ())
            ]
            for change in document.get("changes", ())
        }


def shown_change(change: Mapping[str, JSON]) -> ShownChange:
    """One change of a plan's document in words."""
    return ShownChange(
        title=_title(change["kind"]),
        label=change["label"],
        lines=[
            ShownLine(
                label=_label(str(line["label"])),
                old=None if line["old"] is None else in_reader_zone(str(line["old"])),
                new=in_reader_zone(str(line["new"])),
                unit=line.get("unit", ""),
            )
            for line in change.get("lines", ())
        ],
    )


def kinds_counted(changes: Sequence[Mapping[str, JSON]]) -> list[tuple[str, int]]:
    """How many changes there are of each kind, most first."""
    return Counter(_title(change["kind"]) for change in changes).most_common()


def timelines(coverage: Mapping[str, JSON] | None, labels: Mapping[str, str]) -> list[ShownTimeline]:
    """Drawings of a plan's coverage, before and after; those with gaps first."""
    if not coverage:
        return []
    scale = Scale(_required(coverage["starts_at"]), _required(coverage["ends_at"]))
    gaps = {name: _gaps_by_place(coverage[f"gaps_{name}"], scale) for name in ("before", "after")}
    # Gaps that a feature has with its whole product are told once, at the product (entitlements/planning/coverage.py).
    told = {key for by_place in gaps.values() for key in by_place}
    places = [place for place in coverage["places"] if not place["feature"] or _place_key(place) in told]
    return _drawn(places, (("Before", "before"), ("After", "after")), gaps, scale, labels)


def timelines_of_now(*, coverage: Coverage, labels: Mapping[str, str]) -> list[ShownTimeline]:
    """Drawings of the registry's coverage as it stands; those with gaps first."""
    places = jsonable(
        [place_row(place) | {"now": [row._asdict() for row in rows]} for place, rows in coverage.timelines.items()]
    )
    scale = Scale(*coverage.horizon)
    whole = [place for place in places if not place["feature"]] or places
    gaps = {"now": _gaps_by_place(jsonable([gap_row(gap) for gap in coverage.gaps]), scale)}
    return _drawn(whole, (("As it stands", "now"),), gaps, scale, labels)


def _drawn(
    places: Iterable[Mapping[str, JSON]],
    lanes: Sequence[tuple[str, str]],
    gaps: Mapping[str, Mapping[tuple[str, ...], Sequence[GapSpan]]],
    scale: Scale,
    labels: Mapping[str, str],
) -> list[ShownTimeline]:
    """One drawing for each group of places that are alike in every lane."""
    groups: dict[tuple[Any, ...], list[Mapping[str, JSON]]] = {}
    for place in places:
        told = tuple(
            (title, tuple(_stretches(place[name], scale)), tuple(gaps[name].get(_place_key(place), ())))
            for title, name in lanes
        )
        groups.setdefault((place["account"], place["product"], place["unit"], told), []).append(place)
    drawn = []
    for number, ((account, product, _, told), alike) in enumerate(groups.items(), start=1):
        drawing = draw(
            lanes=told,
            scale=scale,
            zone=timezone.get_current_timezone(),
            say=instant_text,
            patterns=f"hatch-{number}",
        )
        drawn.append(
            ShownTimeline(
                number=number,
                title=f"{labels.get(product, 'A product')} for {labels.get(account, 'an account')}",
                where=_where(alike),
                drawing=drawing,
                has_gap=any(spans for _, _, spans in told),
                differs=len({stretches for _, stretches, _ in told}) > 1,
            )
        )
    return sorted(drawn, key=lambda shown: (not shown.has_gap, not shown.differs))


def _label(text: str) -> str:
    words = text.removesuffix(" at").replace("sku", "SKU")
    return words[:1].upper() + words[1:]


def _title(kind: str) -> str:
    try:
        return governed.kind(kind).title
    except UnknownKind:
        # A revision is kept for ever; its kind may be gone.
        return kind


def _cost(row: Mapping[str, JSON]) -> dict[str, Any]:
    return dict(row) | {name: Decimal(row[name]) for name in ("before", "after", "change")}


def _people_named(*lists: Iterable[Mapping[str, JSON]]) -> set[uuid.UUID]:
    return {
        uuid.UUID(row["person"])
        for rows in lists
        for row in list(rows)[: PEOPLE_SHOWN + PEOPLE_FOLDED]
        if row.get("person")
    }


def _people(
    rows: Sequence[Mapping[str, JSON]],
    names: Mapping[uuid.UUID, str],
    labels: Mapping[str, str],
    words: Mapping[str, str],
) -> People:
    alike: dict[tuple[Any, ...], list[uuid.UUID]] = {}
    for row in rows:
        key = (row["at"], row["until"], row["kind"], row["account"], row["product"])
        alike.setdefault(key, []).append(uuid.UUID(row["person"]))
    groups = []
    for (at, until, kind, account, product), people in alike.items():
        known = sorted(names[person] for person in people if person in names)
        groups.append(
            Group(
                kind=words.get(kind, str(kind)),
                account=labels.get(account, ""),
                product=labels.get(product, ""),
                at=_instant(at),
                until=_instant(until),
                count=len(people),
                names=known[:PEOPLE_SHOWN],
                folded=known[PEOPLE_SHOWN:],
            )
        )
    groups.sort(key=lambda group: -group.count)
    return People(len({row["person"] for row in rows}), groups)


def _seat(row: Mapping[str, JSON], names: Mapping[uuid.UUID, str], labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": names.get(uuid.UUID(row["person"]), ""),
        "from": labels.get(row["from"], ""),
        "to": labels.get(row["to"], row["to"]) if row["to"] else None,
        "at": _instant(row["at"]),
    }


def _passed(rules: Sequence[Mapping[str, JSON]]) -> list[tuple[str, int]]:
    return list(Counter(row["sentence"] for row in rules if row["passed"]).items())


def _stretches(segments: Iterable[Mapping[str, JSON]], scale: Scale) -> list[Stretch]:
    return [
        Stretch(_required(one["starts_at"]), _instant(one["ends_at"]) or scale.ends_at, one["capacity"], one["need"])
        for one in segments
    ]


def _gaps_by_place(gaps: Iterable[Mapping[str, JSON]], scale: Scale) -> dict[tuple[str, ...], list[GapSpan]]:
    found: dict[tuple[str, ...], list[GapSpan]] = {}
    for gap in gaps:
        ends_at = _instant(gap["ends_at"])
        span = GapSpan(
            starts_at=_required(gap["starts_at"]),
            ends_at=ends_at or scale.ends_at,
            kind=gap["kind"],
            count=gap["count"],
            open_ended=ends_at is None,
            dimensions=tuple(gap.get("dimensions", ())),
        )
        found.setdefault(_place_key(gap), []).append(span)
    return found


def _place_key(row: Mapping[str, JSON]) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "") for name in ("account", "product", "country", "feature"))


def _where(places: Sequence[Mapping[str, JSON]]) -> str:
    countries = sorted({place["country"] for place in places if place["country"]})
    features = sorted({place["feature"] for place in places if place["feature"]})
    told = ", ".join(country_name(code) for code in countries[:6]) or "everywhere"
    if len(countries) > 6:
        told += f" and {len(countries) - 6} more countries"
    return f"{told}; feature {', '.join(features)}" if features else told


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _required(value: str) -> datetime:
    return datetime.fromisoformat(value)
