"""
Tickets of a change: opened, tied, released, read back.

What a system answers is stored in a transaction after the request, never around it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from approvals import events, roles
from approvals.requests import permissions
from approvals.requests.errors import WrongState
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import current, locked
from approvals.requests.states import OPEN, Status
from approvals.tickets import following
from approvals.tickets.connectors import Approval, Seen, connector
from approvals.tickets.errors import (
    TicketFailed,
    TicketNotGivenUp,
    TicketSystemDisabled,
    TicketTaken,
    TicketUnknown,
    TicketUnreadable,
)
from approvals.tickets.models import Ticket, TicketSystem, TicketUpdate
from approvals.tickets.systems import connection_of
from foundation.errors import Conflict, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.outbox import services as outbox
from foundation.outbox.models import OutboxMessage
from foundation.outbox.models import Status as Delivery

# How long a person waits for a system's answer.
PATIENCE_SECONDS = 8.0
GREATEST_TICKETS = 10
# Somebody who presses the button again and again asks the system once.
PAUSE = timedelta(seconds=5)


def check_may_tie(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse work on a request's tickets by somebody who may not see it, or who writes nothing.

    :raises NotFound: if the user may not see the request
    :raises NotPermitted: if the user may not propose
    """
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if not user.has_perm(roles.PROPOSE):
        raise NotPermitted("You read changes and write nothing. Ask an administrator for a role that proposes.")


def system_of(*, code: str) -> TicketSystem:
    """
    The system of a code, in use.

    :raises NotFound: if there is none
    :raises TicketSystemDisabled: if it is disabled
    """
    system = TicketSystem.objects.filter(code=code).first()
    if system is None:
        raise NotFound(f"There is no ticket system “{code}”.")
    if not system.enabled:
        raise TicketSystemDisabled(f"{system.name} is disabled. Ask an administrator, or use another system.")
    return system


@transaction.atomic
def open_ticket(*, change_request_id: UUID, system_code: str, user: User, now: datetime) -> Ticket:
    """
    Have a ticket opened for a change; it is opened by way of the outbox, once, however often that is tried.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if the user may not see the request, or there is no such system
    :raises WrongState: if the request is closed
    :raises TicketSystemDisabled: if the system is disabled
    :raises TicketTaken: if a ticket of the system is tied to the request already
    """
    change_request = locked(change_request_id)
    check_may_tie(user=user, change_request=change_request)
    _check_open(change_request)
    system = system_of(code=system_code)
    _check_free(change_request, system)
    ticket = Ticket.objects.create(
        id=uuid4(),
        change_request=change_request,
        system=system,
        origin=Ticket.Origin.OPENED,
        approval=Approval.UNKNOWN,
        tied_by=user,
        created_at=now,
    )
    revision = current(change_request)
    following.add(ticket=ticket, change_request=change_request, revision=revision, text="", now=now)
    _record(ticket, events.TICKET_ASKED, user, now)
    return ticket


def tie(*, change_request_id: UUID, system_code: str, key: str, user: User, now: datetime) -> Ticket:
    """
    Tie a ticket that exists, once it was read: what the system does not know is not tied.

    Call it outside a transaction: the system is asked first.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if the user may not see the request, or there is no such system
    :raises WrongState: if the request is closed
    :raises TicketUnknown: if the system has no ticket of the key
    :raises TicketUnreadable: if the system gives no usable answer
    :raises TicketTaken: if the ticket stands for a change, or the request has one of this system
    """
    change_request = ChangeRequest.objects.filter(id=change_request_id).first()
    if change_request is None:
        raise NotFound("There is no such change request, or it touches what is not granted to you.")
    check_may_tie(user=user, change_request=change_request)
    _check_open(change_request)
    system = system_of(code=system_code)
    try:
        seen = connector(system.product).find(connection=connection_of(system, seconds=PATIENCE_SECONDS), key=key[:100])
    except TicketFailed as failure:
        if failure.missing:
            raise TicketUnknown(str(failure), errors=[{"field": "key", "message": str(failure)}]) from None
        raise TicketUnreadable(f"{system.name}: {failure}") from None
    return _tie_seen(change_request_id=change_request_id, system_code=system_code, seen=seen, user=user, now=now)


@transaction.atomic
def _tie_seen(*, change_request_id: UUID, system_code: str, seen: Seen, user: User, now: datetime) -> Ticket:
    change_request = locked(change_request_id)
    check_may_tie(user=user, change_request=change_request)
    _check_open(change_request)
    # Locked, so that two requests do not tie the same ticket in the same moment.
    system = TicketSystem.objects.select_for_update().get(id=system_of(code=system_code).id)
    own = Ticket.objects.filter(change_request=change_request, system=system, external_id=seen.external_id)
    known = own.filter(released_at__isnull=True).first()
    if known is not None:
        return known
    _check_free(change_request, system)
    if Ticket.objects.filter(system=system, external_id=seen.external_id, released_at__isnull=True).exists():
        raise TicketTaken(
            f"{seen.key} stands for another change already. A ticket stands for one change: open another, or have it "
            "released there first."
        )
    ticket = Ticket(
        id=uuid4(),
        change_request=change_request,
        system=system,
        origin=Ticket.Origin.TIED,
        tied_by=user,
        created_at=now,
    )
    _take_over(ticket, seen, now)
    ticket.save(force_insert=True)
    revision = current(change_request)
    text = f"This ticket stands for change {change_request.number} in Tenure"
    following.add(ticket=ticket, change_request=change_request, revision=revision, text=text, now=now)
    _record(ticket, events.TICKET_TIED, user, now, status=ticket.status, approval=ticket.approval)
    return ticket


@transaction.atomic
def release(*, ticket_id: UUID, user: User, now: datetime) -> Ticket:
    """
    Untie a ticket from an open request: it stands for nothing then, and nothing more is told to it.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if there is no such ticket, or the user may not see its request
    :raises WrongState: if the request is closed
    """
    ticket = visible_ticket(ticket_id=ticket_id, user=user)
    change_request = locked(ticket.change_request_id)
    check_may_tie(user=user, change_request=change_request)
    _check_open(change_request)
    ticket = lock(ticket_id)
    if ticket.released_at is None:
        ticket.released_at = now
        ticket.next_read_at = None
        ticket.save(update_fields=["released_at", "next_read_at"])
        _record(ticket, events.TICKET_RELEASED, user, now)
    return ticket


def visible_ticket(*, ticket_id: UUID, user: User) -> Ticket:
    """
    A ticket of a request that the user sees.

    :raises NotFound: if there is none
    """
    ticket = Ticket.objects.select_related("system").filter(id=ticket_id).first()
    if ticket is None:
        raise NotFound("There is no such ticket, or its change touches what is not granted to you.")
    permissions.visible_request(user=user, change_request_id=ticket.change_request_id)
    return ticket


def refresh(*, ticket_id: UUID, user: User, now: datetime) -> Ticket:
    """
    Read a ticket now, in a user's name. Call it outside a transaction.

    :raises NotFound: if there is no such ticket, or the user may not see its request
    :raises NotPermitted: if the user may not propose
    :raises Conflict: if the ticket is released or not opened yet
    :raises TicketUnreadable: if the system gives no usable answer
    """
    ticket = visible_ticket(ticket_id=ticket_id, user=user)
    check_may_tie(user=user, change_request=ticket.change_request)
    if ticket.released_at is not None:
        raise Conflict("The ticket is released from this change; nothing is read of it any more.")
    if not ticket.external_id:
        raise Conflict(
            "The ticket is not opened yet: there is nothing to read. Its state is told on the change's page."
        )
    if ticket.read_at is not None and timedelta() <= now - ticket.read_at < PAUSE:
        return ticket
    failure = read_back(ticket=ticket, now=now, seconds=PATIENCE_SECONDS)
    if failure is not None:
        raise TicketUnreadable(f"{ticket.system.name}: {failure}")
    return Ticket.objects.select_related("system").get(id=ticket_id)


def read_back(*, ticket: Ticket, now: datetime, seconds: float) -> TicketFailed | None:
    """Ask the ticket's system and store what it answers; the failure if there is no usable answer."""
    system = ticket.system
    if not system.enabled:
        failure = TicketFailed(f"{system.name} is disabled, so nothing is read of it.", permanent=True)
        note_failure(ticket_id=ticket.id, failure=failure, now=now)
        return failure
    try:
        seen = connector(system.product).read(
            connection=connection_of(system, seconds=seconds), external_id=ticket.external_id
        )
    except TicketFailed as failed:
        note_failure(ticket_id=ticket.id, failure=failed, now=now)
        return failed
    note_seen(ticket_id=ticket.id, seen=seen, now=now)
    return None


@transaction.atomic
def note_seen(*, ticket_id: UUID, seen: Seen, now: datetime) -> None:
    """
    Store what was read of a ticket at `now`, the instant at which it was asked; a change of status is an event.

    An answer that is older than what is stored is dropped.
    """
    ticket = lock(ticket_id)
    if ticket.released_at is not None or (ticket.read_at is not None and now < ticket.read_at):
        return
    before = (ticket.status, ticket.approval)
    _take_over(ticket, seen, now)
    ticket.save()
    _record_read(ticket, before, now)


@transaction.atomic
def note_failure(*, ticket_id: UUID, failure: TicketFailed, now: datetime) -> None:
    """
    Store that a ticket could not be read; it is tried again later, each time after twice as long, at most an hour.

    A ticket that its system does not have any more is approved by nobody.
    """
    ticket = lock(ticket_id)
    if ticket.released_at is not None or (ticket.read_at is not None and now < ticket.read_at):
        return
    before = (ticket.status, ticket.approval)
    ticket.problem = _plain(str(failure))[:1000]
    ticket.failures += 1
    wait = min(read_interval() * 2 ** min(ticket.failures, 6), timedelta(hours=1))
    is_open = ticket.change_request.status in OPEN
    ticket.next_read_at = now + max(wait, failure.retry_after or wait) if is_open else None
    if failure.missing:
        ticket.status, ticket.approval = "gone", Approval.UNKNOWN
    ticket.save()
    _record_read(ticket, before, now)


@transaction.atomic
def try_again(*, ticket_id: UUID, user: User, now: datetime) -> Ticket:
    """
    Send again what the outbox gave up on, once somebody mended what stood in its way.

    :raises NotFound: if there is no such ticket, or the user may not see its request
    :raises NotPermitted: if the user may not propose
    :raises TicketNotGivenUp: if nothing of it was given up
    """
    ticket = visible_ticket(ticket_id=ticket_id, user=user)
    check_may_tie(user=user, change_request=ticket.change_request)
    given_up = messages_of([ticket.id]).get(ticket.id)
    if given_up is None or given_up.status != Delivery.DEAD or ticket.released_at is not None:
        raise TicketNotGivenUp("Nothing that was to be told to this ticket was given up: it is on its way, or told.")
    outbox.replay(id=given_up.id, now=now)
    _record(ticket, events.TICKET_RETRIED, user, now)
    return ticket


def messages_of(ticket_ids: Iterable[UUID]) -> dict[UUID, OutboxMessage]:
    """The outbox message of each ticket's next update, for those that have one."""
    waiting = TicketUpdate.objects.filter(ticket_id__in=list(ticket_ids), sent_at__isnull=True)
    first: dict[str, UUID] = {}
    for update in waiting.order_by("-number"):
        first[following.key_of(update)] = update.ticket_id
    next_ones = {ticket_id: key for key, ticket_id in first.items()}
    found = {message.key: message for message in OutboxMessage.objects.filter(key__in=list(next_ones.values()))}
    return {ticket_id: found[key] for ticket_id, key in next_ones.items() if key in found}


def lock(ticket_id: UUID) -> Ticket:
    """The ticket, locked until the transaction ends."""
    return Ticket.objects.select_for_update(of=("self",)).select_related("system", "change_request").get(id=ticket_id)


def read_interval() -> timedelta:
    """How often a tied ticket is read."""
    return timedelta(minutes=settings.TICKET_READ_MINUTES)


def take_over_opened(ticket: Ticket, seen: Seen, now: datetime) -> None:
    """Store what a system answered when it opened a ticket; the caller holds its lock."""
    _take_over(ticket, seen, now)
    _record(ticket, events.TICKET_OPENED, None, now, status=ticket.status, approval=ticket.approval)


def _take_over(ticket: Ticket, seen: Seen, now: datetime) -> None:
    ticket.external_id, ticket.key, ticket.url = seen.external_id, seen.key, seen.url
    ticket.status, ticket.approval = _plain(seen.status), seen.approval
    ticket.read_at, ticket.problem, ticket.failures = now, "", 0
    ticket.next_read_at = now + read_interval() if ticket.change_request.status in OPEN else None


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _check_open(change_request: ChangeRequest) -> None:
    if change_request.status not in OPEN:
        label = Status(change_request.status).label.lower()
        raise WrongState(f"Change {change_request.number} is {label}: its tickets stay as they are.")


def _check_free(change_request: ChangeRequest, system: TicketSystem) -> None:
    tied = Ticket.objects.filter(change_request=change_request, released_at__isnull=True)
    other = tied.filter(system=system).first()
    if other is not None:
        raise TicketTaken(
            f"Change {change_request.number} has a ticket of {system.name} already: {other}. Release it first."
        )
    if tied.count() >= GREATEST_TICKETS:
        raise TicketTaken(f"Change {change_request.number} has {GREATEST_TICKETS} tickets, which is the most.")


def _record_read(ticket: Ticket, before: tuple[str, str], now: datetime) -> None:
    if (ticket.status, ticket.approval) != before:
        _record(
            ticket,
            events.TICKET_READ,
            None,
            now,
            status=ticket.status,
            approval=str(ticket.approval),
            former_status=before[0],
            former_approval=str(before[1]),
        )


def _record(ticket: Ticket, event_type: str, actor: User | None, now: datetime, **data: Any) -> None:
    record_step(
        type=event_type,
        change_request=ticket.change_request,
        actor=actor,
        now=now,
        ticket_id=str(ticket.id),
        system=ticket.system.code,
        key=ticket.key,
        **data,
    )
