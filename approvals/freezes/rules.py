"""
When a freeze lasts and what it concerns: pure, over values.

Source: docs/freezes.md
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from approvals.freezes.calendar import DAY, Span, holiday_spans, merged

JSON = Any
# How far ahead and behind a run of holidays is followed to its end.
RUN = 30 * DAY


@dataclass(frozen=True)
class FreezeRule:
    """A freeze as values: what `approvals.freezes.models.Freeze` holds."""

    name: str
    reason: str
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    holidays_of: tuple[str, ...]
    everything: bool
    account_ids: frozenset[UUID]
    product_ids: frozenset[UUID]
    countries: frozenset[str]
    stops_review: bool
    allows_emergency: bool

    def spans(self, since: datetime, until: datetime) -> list[Span]:
        """The times within which it lasts that overlap `[since, until)`, in order."""
        if self.starts_at is not None and self.ends_at is not None:
            once = Span(self.starts_at, self.ends_at)
            return [once] if once.overlaps(since, until) else []
        return holiday_spans(places=self.holidays_of, zone=self.zone, since=since, until=until)

    def lasting_at(self, moment: datetime) -> Span | None:
        """The time that lasts at an instant, to the end of the holidays that follow each other; None if none does."""
        found = self.spans(moment, moment + timedelta(microseconds=1))
        if not found:
            return None
        run = next(span for span in merged(self.spans(moment - RUN, moment + RUN)) if span.holds_at(moment))
        return Span(found[0].starts_at, run.ends_at, found[0].name)


@dataclass(frozen=True)
class Concerned:
    """
    What an item touches, as a freeze asks for it.

    `account_ids` are its accounts with every account above them. `countries` is None if its kind has countries and they
    are not known: unknown holds.
    """

    account_ids: frozenset[UUID]
    product_ids: frozenset[UUID]
    countries: frozenset[str] | None


def concerns(*, freeze: FreezeRule, item: Concerned) -> bool:
    """Whether a freeze is about an item: about everything, or each sort of thing that it names fits."""
    if freeze.everything:
        return True
    named = bool(freeze.account_ids or freeze.product_ids or freeze.countries)
    return (
        named
        and (not freeze.account_ids or bool(freeze.account_ids & item.account_ids))
        and (not freeze.product_ids or bool(freeze.product_ids & item.product_ids))
        and (not freeze.countries or item.countries is None or bool(freeze.countries & item.countries))
    )


def countries_of(*, facts: Mapping[str, JSON], declared: Collection[str]) -> frozenset[str] | None:
    """
    The countries that an item's facts tell: of every declared fact whose name begins with `countries`.

    None if the kind declares such facts and the item has none of them; empty if the kind declares none.
    """
    names = [name for name in declared if name.startswith("countries")]
    told = [facts[name] for name in names if facts.get(name) is not None]
    if names and not told:
        return None
    return frozenset(str(country) for countries in told for country in countries)


def free_within(*, frozen: Sequence[Span], since: datetime, until: datetime) -> Iterator[Span]:
    """The parts of `[since, until)` in which none of these spans lasts."""
    at = since
    for span in merged(span for span in frozen if span.overlaps(since, until)):
        if at < span.starts_at:
            yield Span(at, span.starts_at)
        at = max(at, span.ends_at)
    if at < until:
        yield Span(at, until)
