"""Putting off a reminder, saying that one has seen it, choosing how to be reminded."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from approvals import events
from approvals.reminders.models import Attention, ReminderPreference
from approvals.reminders.waiting import Waiting, waits_of
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.schedules import utc_text
from approvals.requests.services import locked
from foundation.errors import InvalidInput, NotFound
from foundation.identity.models import User

GREATEST_SNOOZE = timedelta(days=14)


class NothingWaits(NotFound):
    """Nothing of the request waits for who asks."""

    code = "nothing_waits"
    title = "Nothing waits for you here"


@transaction.atomic
def snooze(*, change_request_id: uuid.UUID, user: User, until: datetime, now: datetime) -> Attention:
    """
    Send no reminder of what waits for a person on a request until an instant; it stays theirs to do.

    `until` and `now` are timezone-aware.

    :raises NotFound: if there is no such request, or the user may not see it
    :raises NothingWaits: if nothing of it waits for the user
    :raises InvalidInput: if the instant is not later than now, more than 14 days away, or after it is due
    """
    change_request, waiting = _found(change_request_id, user, now)
    if until <= now:
        raise InvalidInput("The instant is over. Choose one that is to come.")
    if until > now + GREATEST_SNOOZE:
        raise InvalidInput("Fourteen days are the most. Choose an earlier instant.")
    if waiting.due_at is not None and until > waiting.due_at:
        raise InvalidInput(
            f"It is due {utc_text(waiting.due_at)}, and nothing is put off beyond that. Choose an earlier instant."
        )
    attention, _ = Attention.objects.update_or_create(
        human_id=user.human_id,
        occasion=waiting.occasion,
        defaults={"change_request": change_request, "snoozed_until": until},
    )
    record_step(type=events.REQUEST_SNOOZED, change_request=change_request, actor=user, now=now, until=utc_text(until))
    return attention


@transaction.atomic
def acknowledge(*, change_request_id: uuid.UUID, user: User, now: datetime) -> Attention:
    """
    Keep that a person has seen what waits for them: no reminder more of it until it is due. Again, it changes nothing.

    :raises NotFound: if there is no such request, or the user may not see it
    :raises NothingWaits: if nothing of it waits for the user
    """
    change_request, waiting = _found(change_request_id, user, now)
    if waiting.attention is not None and waiting.attention.acknowledged_at is not None:
        return waiting.attention
    attention, _ = Attention.objects.update_or_create(
        human_id=user.human_id,
        occasion=waiting.occasion,
        defaults={"change_request": change_request, "acknowledged_at": now},
    )
    record_step(type=events.REQUEST_SEEN, change_request=change_request, actor=user, now=now, what=waiting.what)
    return attention


@transaction.atomic
def choose_frequency(*, user: User, frequency: str) -> ReminderPreference:
    """
    Keep how a user is reminded.

    :raises InvalidInput: if there is no such way
    """
    if frequency not in ReminderPreference.Frequency.values:
        raise InvalidInput(f"Choose one of: {', '.join(ReminderPreference.Frequency.values)}.")
    preference, _ = ReminderPreference.objects.update_or_create(user=user, defaults={"frequency": frequency})
    return preference


def frequency_of(user: User) -> str:
    """How a user is reminded."""
    chosen = ReminderPreference.objects.filter(user=user).values_list("frequency", flat=True).first()
    return chosen or ReminderPreference.Frequency.DAILY.value


def zone_of(user: User) -> ZoneInfo:
    """The zone in which a user reads instants."""
    return ZoneInfo(user.time_zone or settings.READER_TIME_ZONE)


def _found(change_request_id: uuid.UUID, user: User, now: datetime) -> tuple[ChangeRequest, Waiting]:
    permissions.visible_request(user=user, change_request_id=change_request_id)
    change_request = locked(change_request_id)
    waiting = waits_of(user, change_request, now)
    if waiting is None:
        raise NothingWaits("Nothing of this change waits for you, so there is no reminder to hold back.")
    return change_request, waiting
