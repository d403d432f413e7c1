"""The gate of freezes: what stops a change now, or in the window in which it is to be applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals import governed
from approvals.freezes import locks
from approvals.freezes.calendar import DAY, Span
from approvals.freezes.models import Freeze
from approvals.freezes.rules import Concerned, FreezeRule, concerns, countries_of, free_within
from approvals.governed import PreparedItem
from approvals.requests.gates import Asked, Obstacle, Step
from approvals.requests.schedules import Schedule, utc_text

# How long before it begins a freeze is told of to whoever drafts what nobody scheduled.
NOTICE = 7 * DAY


def rule_of(freeze: Freeze) -> FreezeRule:
    """A stored freeze as values."""
    return FreezeRule(
        name=freeze.name,
        reason=freeze.reason,
        starts_at=freeze.starts_at,
        ends_at=freeze.ends_at,
        zone=freeze.zone,
        holidays_of=tuple(freeze.holidays_of),
        everything=freeze.everything,
        account_ids=frozenset(UUID(key) for key in freeze.account_ids),
        product_ids=frozenset(UUID(key) for key in freeze.product_ids),
        countries=frozenset(freeze.countries),
        stops_review=freeze.stops_review,
        allows_emergency=freeze.allows_emergency,
    )


@dataclass(frozen=True)
class FreezeGate:
    """
    Tells which freezes concern a change.

    What changes freezes is stopped by none, else a freeze of everything could never be lifted.
    """

    def obstacles(self, asked: Asked) -> Sequence[Obstacle]:
        """Freezes that last now, that overlap the window, or that begin soon."""
        if asked.step is Step.APPLICATION:
            _take_turn(asked.items)
        rules = [rule_of(freeze) for freeze in Freeze.objects.in_use()]
        if not rules:
            return ()
        concerned = _concerned(asked.items)
        about = [rule for rule in rules if any(concerns(freeze=rule, item=item) for item in concerned)]
        if asked.schedule is None:
            return tuple(_at_once(about, asked.now))
        return tuple(_in_window(about, asked.schedule, asked.now))


def _take_turn(items: Sequence[PreparedItem]) -> None:
    if any(item.table == Freeze._meta.db_table for item in items):
        locks.hold_alone()
    else:
        locks.hold_shared()


def _concerned(items: Sequence[PreparedItem]) -> list[Concerned]:
    """What the items touch, each account with those above it, as the tree stands and as the request would leave it."""
    items = [item for item in items if item.table != Freeze._meta.db_table]
    # What a request creates is in no tree yet: the scope of the item that creates it says where it will stand.
    created = {item.record_id: item.scope.account_ids for item in items if item.operation is governed.Operation.INSERT}
    with_new = [_grown(item.scope.account_ids, created) for item in items]
    above = governed.access().ancestors(account_ids=frozenset().union(*with_new))
    declared = governed.declared_facts()
    return [
        Concerned(
            account_ids=accounts.union(*(above.get(account_id, frozenset()) for account_id in accounts)),
            product_ids=item.scope.product_ids,
            countries=countries_of(facts=item.facts, declared=declared.get(item.kind, {})),
        )
        for item, accounts in zip(items, with_new, strict=True)
    ]


def _grown(account_ids: frozenset[UUID], created: dict[UUID, frozenset[UUID]]) -> frozenset[UUID]:
    found, new = set(account_ids), set(account_ids)
    while new:
        new = {key for account_id in new for key in created.get(account_id, ())} - found
        found |= new
    return frozenset(found)


def _at_once(rules: Sequence[FreezeRule], now: datetime) -> Iterator[Obstacle]:
    for rule in rules:
        lasting = rule.lasting_at(now)
        if lasting is not None:
            yield _stopping(rule, lasting)
            continue
        for span in rule.spans(now, now + NOTICE)[:1]:
            told = f"{_named(rule, span)} begins at {utc_text(span.starts_at)}: apply this before, or it waits until "
            yield Obstacle(title=rule.name, sentence=f"{told}{utc_text(span.ends_at)}.{_because(rule)}")


def _in_window(rules: Sequence[FreezeRule], schedule: Schedule, now: datetime) -> Iterator[Obstacle]:
    """While the window is open, what lasts now; before, what the window meets, and what lasts now and stops review."""
    if schedule.is_over(now):
        return
    since = max(now, schedule.opens_at)
    spans = {rule: rule.spans(since, schedule.closes_at) for rule in rules}
    frozen = [span for found in spans.values() for span in found]
    whole = not any(free_within(frozen=frozen, since=since, until=schedule.closes_at))
    for rule, found in spans.items():
        opened = schedule.has_opened(now)
        lasting = rule.lasting_at(now) if opened or rule.stops_review else None
        if lasting is not None:
            yield _stopping(rule, lasting, review=whole)
        if found and (lasting is None or not opened):
            yield _meeting(rule, found, schedule, whole)


def _stopping(rule: FreezeRule, span: Span, *, review: bool = False) -> Obstacle:
    stops = {Step.APPLICATION} | ({Step.REVIEW} if rule.stops_review or review else set())
    what = "sent to review or applied" if Step.REVIEW in stops else "applied"
    told = f"{_named(rule, span)} lasts until {utc_text(span.ends_at)}; nothing that it concerns is {what} before."
    return Obstacle(
        title=rule.name,
        sentence=told + _because(rule),
        stops=frozenset(stops),
        until=span.ends_at,
        passes_emergency=rule.allows_emergency,
    )


def _meeting(rule: FreezeRule, spans: Sequence[Span], schedule: Schedule, whole: bool) -> Obstacle:
    span = spans[0]
    lasts = f"{_named(rule, span)} lasts from {utc_text(span.starts_at)} to {utc_text(span.ends_at)}"
    if whole:
        told = f"the window {schedule.in_utc} lies wholly within what is frozen. Choose another window."
    else:
        told = "part of the window is frozen, and the clock applies this in what is left of it."
    return Obstacle(
        title=rule.name,
        sentence=f"{lasts}; {told}{_because(rule)}",
        stops=frozenset({Step.REVIEW}) if whole else frozenset(),
        until=None,
    )


def _named(rule: FreezeRule, span: Span) -> str:
    return f"The freeze “{rule.name}”" + (f" ({span.name})" if span.name else "")


def _because(rule: FreezeRule) -> str:
    return f" Its reason: {rule.reason}" if rule.reason else ""


def spans_ahead(freeze: Freeze, *, now: datetime, until: datetime) -> list[Span]:
    """When a stored freeze lasts, from now on."""
    return rule_of(freeze).spans(now, until)
