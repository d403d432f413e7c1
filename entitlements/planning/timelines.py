"""A plan's coverage, and the registry's, as drawings: places that are alike once, those with gaps first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from entitlements.catalog.regions import country_name
from entitlements.coverage.results import Coverage
from entitlements.planning.coverage import gap_row, place_row
from entitlements.planning.timeline import Drawing, GapSpan, Scale, Stretch, draw
from foundation.canonical import jsonable
from foundation.web.instants import instant_text

JSON = Any


@dataclass(frozen=True)
class ShownTimeline:
    """Coverage of places that are alike: where, the drawing, and its number on the page."""

    number: int
    title: str
    where: str
    drawing: Drawing
    has_gap: bool
    differs: bool


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
