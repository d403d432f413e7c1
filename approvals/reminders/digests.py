"""
One mail for each person, with all that waits for them.

Note "One person at a time": each is claimed by a lock on their login that other workers skip, and their mail, its rows
and the lock end together. The rows are unique for person, occasion and step besides, so that nobody is reminded twice
of the same step whoever runs.

Source: docs/reminders.md
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from approvals import roles
from approvals.authority.models import Delegation
from approvals.reminders.models import Reminder, ReminderPreference
from approvals.reminders.services import frequency_of, zone_of
from approvals.reminders.waiting import APPLY, DECIDE, MEND, Waiting, waiting_for
from approvals.requests.models import ChangeRequest, Stage
from approvals.requests.querysets import StageQuerySet
from approvals.requests.states import RETURNED, Status
from foundation.identity.models import User
from foundation.ladder import DAY, Rung, latest_digest_time
from foundation.mail import services as mail
from foundation.templatetags.tenure import zone_name

logger = logging.getLogger(__name__)
_HEADINGS = {
    DECIDE: "Waits for your decision",
    MEND: "Came back to you",
    APPLY: "Approved, and nobody has applied it",
}


def remind(*, now: datetime) -> int:
    """
    Remind everybody for whom something waits and who is to be reminded now; how many mails were written.

    What one person meets stops no other. A week in which nothing ran ends with one mail for each.
    """
    sent, hurry = 0, _asked().filter(due_hours__lt=24).exists()
    for user_id in _concerned(now):
        try:
            sent += _remind_one(user_id, now, hurry)
        except Exception:
            logger.exception("A reminder broke; it is tried again at the next run.")
    return sent


def _concerned(now: datetime) -> Sequence[uuid.UUID]:
    """Logins for whom something could wait; what does is asked for each of them."""
    asked: set[uuid.UUID] = set()
    chains: dict[tuple[str, str, str], Stage] = {}
    for stage in _asked().defer("reasons"):
        chains.setdefault((stage.role, str(stage.people), stage.backup_role if stage.escalated_at else ""), stage)
    for stage in chains.values():
        asked.update(stage.deciders().values_list("id", flat=True))
    deputies = Delegation.objects.in_force_at(now).filter(delegator_id__in=asked)
    asked.update(deputies.values_list("delegate_id", flat=True))
    asked.update(_authors())
    if ChangeRequest.objects.filter(status=Status.APPROVED).exists():
        asked.update(_appliers())
    return sorted(asked)


def _asked() -> StageQuerySet:
    """The stages that ask somebody now, and some of replaced revisions."""
    return Stage.objects.filter(
        revision__change_request__status=Status.IN_REVIEW, completed_at__isnull=True, opened_at__isnull=False
    )


def _authors() -> Iterable[uuid.UUID]:
    humans = ChangeRequest.objects.filter(status__in=sorted(RETURNED)).values("created_by__human_id")
    return User.objects.filter(is_active=True, human_id__in=humans).values_list("id", flat=True)


def _appliers() -> Iterable[uuid.UUID]:
    label, codename = roles.APPLY.split(".")
    named = {"content_type__app_label": label, "codename": codename}
    having = Q(is_superuser=True)
    for path in ("groups__permissions", "user_permissions"):
        having |= Q(**{f"{path}__{name}": value for name, value in named.items()})
    return User.objects.filter(having, is_active=True).values_list("id", flat=True).distinct()


@transaction.atomic(durable=True)
def _remind_one(user_id: uuid.UUID, now: datetime, hurry: bool) -> bool:
    """Write one person's mail, if it is time and there is a new step, or one that hurries; whether it was written."""
    user = User.objects.select_for_update(skip_locked=True, no_key=True).filter(id=user_id, is_active=True).first()
    if user is None:
        return False
    by_morning = _is_time(user, now)
    if not (by_morning or hurry):
        return False
    waiting = waiting_for(user, now)
    new = _new_steps(user, waiting, now)
    if not new or not (by_morning or any(_hurries(one, rung) for one, rung in new)):
        return False
    mail_id = uuid.uuid4()
    rows = Reminder.objects.bulk_create(
        Reminder(
            human_id=user.human_id,
            change_request=one.change_request,
            occasion=one.occasion,
            step=rung.step,
            mail_id=mail_id,
            created_at=now,
        )
        for one, rung in new
    )
    listed = [one for one in waiting if not one.snoozed(now)]
    mail.send(
        recipients=[user.id],
        subject=_subject(listed, now),
        text=_text(user, listed, now),
        now=now,
        key=f"reminder:{mail_id}",
    )
    return bool(rows)


def _is_time(user: User, now: datetime) -> bool:
    if frequency_of(user) == ReminderPreference.Frequency.IMMEDIATE:
        return True
    morning = latest_digest_time(now=now, zone=zone_of(user))
    return not Reminder.objects.filter(human_id=user.human_id, created_at__gte=morning).exists()


def _hurries(one: Waiting, rung: Rung) -> bool:
    """Whether the next morning could be too late: less than a day was given, and it is not overdue for long."""
    given = one.due_at - one.since if one.due_at is not None else DAY
    return given < DAY and rung.step in ("half", "due")


def _new_steps(user: User, waiting: Sequence[Waiting], now: datetime) -> list[tuple[Waiting, Rung]]:
    rungs = [(one, rung) for one in waiting if (rung := one.rung(now)) is not None]
    occasions = [one.occasion for one, _ in rungs]
    told = set(Reminder.objects.filter(human_id=user.human_id, occasion__in=occasions).values_list("occasion", "step"))
    return [(one, rung) for one, rung in rungs if (one.occasion, rung.step) not in told]


def _subject(waiting: Sequence[Waiting], now: datetime) -> str:
    count = len(waiting)
    overdue = sum(one.overdue(now) for one in waiting)
    told = f"{count} {'change waits' if count == 1 else 'changes wait'} for you"
    return f"{told}, {overdue} overdue" if overdue else told


def _text(user: User, waiting: Sequence[Waiting], now: datetime) -> str:
    parts = []
    for what, heading in _HEADINGS.items():
        of_kind = [one for one in waiting if one.what == what]
        if of_kind:
            parts.append("\n\n".join([f"{heading}:", *(_line(user, one, now) for one in of_kind)]))
    parts.append(
        f"{settings.PUBLIC_URL}/ lists all of it; there you can put a reminder off, or say that you have seen it.\n"
        f"{settings.PUBLIC_URL}/profile/ says how often you are reminded."
    )
    return "\n\n".join(parts) + "\n"


def _line(user: User, one: Waiting, now: datetime) -> str:
    due = ""
    if one.due_at is not None:
        local = one.due_at.astimezone(zone_of(user))
        when = f"{local.day} {local:%b %Y, %H:%M} {zone_name(local)}"
        due = f"; overdue since {when}" if one.overdue(now) else f"; due {when}"
    request = one.change_request
    return f"#{request.number} {request.title}{due}\n{settings.PUBLIC_URL}/changes/{request.number}/"
