"""One entitlement as people read it: state, from trial to production, seats, terms, dates, what is about to change."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from approvals.portal import inbox
from approvals.requests.models import ChangeRequest, Item
from entitlements.catalog.regions import country_name
from entitlements.grants.models import Entitlement, Seat
from entitlements.planning.timeline import Scale, Tick, span_scale, ticks
from entitlements.portal.lists import STATES, state_of
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.web.instants import instant_text

BAR_HEIGHT = 26
LONGEST_CHAIN = 12
HISTORY_SHOWN = 12


@dataclass(frozen=True)
class Bar:
    """One entitlement of the chain, drawn."""

    entitlement: Entitlement
    x: str
    width: str
    y: str
    text_y: str
    css: str
    label: str


@dataclass(frozen=True)
class Chain:
    """From trial to production: the entitlements that replace one another, over time."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    now_x: str
    height: str
    axis_y: str
    grid_y2: str
    description: str


@dataclass(frozen=True)
class Version:
    """One version of the record: since when, by which change, if the reader may see it."""

    version: int
    since: datetime
    number: int | None
    visible: bool


@dataclass(frozen=True)
class Reading:
    """Everything that the page of an entitlement shows."""

    entitlement: Entitlement
    state: str
    tone: str
    lead: str
    chain: Chain
    seats_held: int
    free: int | None
    countries: Sequence[str]
    features: Sequence[tuple[str, str]]
    notice_on: date | None
    notice_past: bool
    open_changes: Sequence[ChangeRequest]
    history: Sequence[Version]
    predecessor: Entitlement | None
    successors: Sequence[Entitlement]
    grace_ends_at: datetime | None


def read(*, entitlement_id: uuid.UUID, user: User, now: datetime) -> Reading:
    """
    An entitlement with what it stands under.

    :raises NotFound: if there is none, or its account or product is not granted to the user
    """
    seen = Entitlement.objects.visible_to(user)
    entitlement = (
        seen.select_related(
            "account", "sku__product", "sku_revision", "order_line__agreement__licensee", "pool", "owner", "replaces"
        )
        .filter(id=entitlement_id)
        .first()
    )
    if entitlement is None:
        raise NotFound("There is no such entitlement, or it is not granted to you.")
    label, tone = STATES[state_of(entitlement, now=now)]
    chain = _chain_of(entitlement, user)
    granted, used = entitlement.seats, entitlement.pool.used
    notice = entitlement.order_line.agreement.notice_deadline_on
    limits = dict(entitlement.sku_revision.features) | dict(entitlement.feature_overrides)
    return Reading(
        entitlement=entitlement,
        state=label,
        tone=tone,
        lead=_lead(entitlement, used, now),
        chain=_drawn(chain, entitlement, now),
        seats_held=used,
        free=None if granted is None else max(granted - used, 0),
        countries=[country_name(code) for code in entitlement.countries],
        features=[(code, _limit(limit)) for code, limit in sorted(limits.items())],
        notice_on=notice,
        notice_past=notice is not None and notice < now.date(),
        open_changes=_open_changes(entitlement, user),
        history=_history(entitlement, user),
        predecessor=next((one for one in chain if one.id == entitlement.replaces_id), None),
        successors=[one for one in chain if one.replaces_id == entitlement.id],
        grace_ends_at=_grace_end(entitlement),
    )


def _lead(entitlement: Entitlement, used: int, now: datetime) -> str:
    who = f"{used:,} {'person holds a seat' if used == 1 else 'people hold seats'}"
    seats = "unlimited seats" if entitlement.seats is None else f"{entitlement.seats:,} seats"
    if entitlement.withdrawn_at is not None:
        return "It was taken back before it started."
    if entitlement.starts_at > now:
        starts = instant_text(entitlement.starts_at)
        return f"{entitlement.account} may use {entitlement.sku.product} from {starts}: {seats}."
    if entitlement.ends_at is not None and entitlement.ends_at <= now:
        return f"It ended on {instant_text(entitlement.ends_at)}; {who} still."
    until = "without an end" if entitlement.ends_at is None else f"until {instant_text(entitlement.ends_at)}"
    return f"{entitlement.account} may use {entitlement.sku.product} {until}; {who} of {seats}."


def _grace_end(entitlement: Entitlement) -> datetime | None:
    if entitlement.ends_at is None or not entitlement.grace_seconds:
        return None
    return entitlement.ends_at + timedelta(seconds=entitlement.grace_seconds)


def _limit(limit: object) -> str:
    if isinstance(limit, bool):
        return "on" if limit else "off"
    return "unlimited" if limit is None else f"up to {limit:,}"


def _chain_of(entitlement: Entitlement, user: User) -> list[Entitlement]:
    """The entitlement with those that it replaces and that replace it, as far as the user may see them."""
    seen = Entitlement.objects.visible_to(user)
    known = {entitlement.id: entitlement}
    edge = {entitlement.id}
    while edge and len(known) < LONGEST_CHAIN:
        before = {key for one in edge if (key := known[one].replaces_id) is not None}
        found = [*seen.filter(id__in=before), *seen.filter(replaces__in=edge)]
        edge = {one.id for one in found} - set(known)
        known |= {one.id: one for one in found if one.id in edge}
    return sorted(known.values(), key=lambda one: (one.starts_at, one.reference))


def _drawn(chain: Sequence[Entitlement], current: Entitlement, now: datetime) -> Chain:
    scale = span_scale([(one.starts_at, one.ends_at) for one in chain], now=now)
    bars = [_bar(one, current, scale, number) for number, one in enumerate(chain)]
    bottom = len(bars) * (BAR_HEIGHT + 8)
    return Chain(
        bars=bars,
        ticks=ticks(scale=scale, zone=timezone.get_current_timezone()),
        now_x=scale.percent(now),
        height=str(bottom + 26),
        axis_y=str(bottom + 18),
        grid_y2=str(bottom),
        description="; ".join(
            f"{one.reference}, {one.get_phase_display().lower()}, from {instant_text(one.starts_at)} "
            + ("on" if one.ends_at is None else f"to {instant_text(one.ends_at)}")
            for one in chain
        )
        + ".",
    )


def _bar(one: Entitlement, current: Entitlement, scale: Scale, number: int) -> Bar:
    top = number * (BAR_HEIGHT + 8)
    return Bar(
        entitlement=one,
        x=scale.percent(one.starts_at),
        width=scale.width(one.starts_at, one.ends_at or scale.ends_at),
        y=str(top),
        text_y=str(top + 17),
        css=f"tl-{one.phase}",
        label=f"{one.get_phase_display()}: {one.reference}{' (this one)' if one.id == current.id else ''}",
    )


def _open_changes(entitlement: Entitlement, user: User) -> list[ChangeRequest]:
    touching = Item.objects.filter(record_id=entitlement.id).values("revision_id")
    return list(inbox.visible(user).open().filter(current_revision__in=touching).order_by("-created_at")[:10])


def _history(entitlement: Entitlement, user: User) -> list[Version]:
    rows = list(
        Entitlement.history.filter(id=entitlement.id)
        .order_by("-version")
        .values_list("version", "history_date", "change_request_number")[:HISTORY_SHOWN]
    )
    seen = set(
        inbox.visible(user).filter(number__in=[number for _, _, number in rows]).values_list("number", flat=True)
    )
    return [Version(version, since, number, number in seen) for version, since, number in rows]


def holders(entitlement: Entitlement) -> list[uuid.UUID]:
    """People who hold a seat, the first first."""
    held = Seat.objects.held().filter(entitlement=entitlement, person__isnull=False)
    return [key for key in held.order_by("taken_at", "id").values_list("person_id", flat=True) if key]
