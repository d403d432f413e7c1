"""Copies of names that the foundation keeps for a while: mails on their way, answers, sign-ins, the admin's own log."""

from datetime import datetime

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from foundation.api.models import IdempotencyRecord
from foundation.identity.erasure import Copies, Known, register_copies
from foundation.identity.models import ERASED
from foundation.outbox.models import OutboxMessage

_SIGN_INS = (AccessAttempt, AccessFailureLog, AccessLog)


def register() -> None:
    """Tell the port of erasure what is kept here."""
    register_copies("messages", Copies("messages that name them", count_messages, forget_messages))
    register_copies("answers", Copies("kept answers that name them", count_answers, forget_answers))
    register_copies("sign-ins", Copies("records of their sign-ins", count_sign_ins, forget_sign_ins))
    register_copies("admin log", Copies("entries of the admin’s own log", count_entries, forget_entries))


def count_messages(known: Known) -> int:
    """How many messages name a human."""
    return sum(known.without(row.payload) != row.payload for row in _messages(known))


def forget_messages(known: Known, now: datetime) -> int:
    """Put the words of erasure in place of the names in messages."""
    changed = 0
    for row in _messages(known).select_for_update(of=("self",)):
        payload, error = known.without(row.payload), known.without(row.last_error)
        if (payload, error) != (row.payload, row.last_error):
            OutboxMessage.objects.filter(pk=row.pk).update(payload=payload, last_error=error)
            changed += 1
    return changed


def count_answers(known: Known) -> int:
    """How many kept answers name a human."""
    return sum(known.without(row.body) != row.body for row in _answers(known))


def forget_answers(known: Known, now: datetime) -> int:
    """Put the words of erasure in place of the names in kept answers."""
    changed = 0
    for row in _answers(known).select_for_update():
        if (body := known.without(row.body)) != row.body:
            IdempotencyRecord.objects.filter(pk=row.pk).update(body=body)
            changed += 1
    return changed


def count_sign_ins(known: Known) -> int:
    """How many records of sign-ins there are under the human's login names."""
    return sum(model.objects.filter(username__in=known.logins).count() for model in _SIGN_INS)


def forget_sign_ins(known: Known, now: datetime) -> int:
    """Remove them."""
    return sum(model.objects.filter(username__in=known.logins).delete()[0] for model in _SIGN_INS)


def count_entries(known: Known) -> int:
    """How many entries of the admin's own log are about the human's logins."""
    return _entries(known).count()


def forget_entries(known: Known, now: datetime) -> int:
    """Put the words of erasure in place of what they call the login."""
    return _entries(known).update(object_repr=ERASED, change_message="")


def _messages(known: Known) -> QuerySet[OutboxMessage]:
    rows = OutboxMessage.objects.annotate(text=Cast("payload", TextField()))
    return rows.filter(_holding(known, "text") | _holding(known, "last_error")).order_by("id")


def _answers(known: Known) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(_holding(known, "body")).order_by("id")


def _entries(known: Known) -> QuerySet[LogEntry]:
    ids = [str(key) for key in known.login_ids]
    return LogEntry.objects.filter(content_type__app_label="foundation", content_type__model="user", object_id__in=ids)


def _holding(known: Known, column: str) -> Q:
    """What could hold one of the texts; whether it does as a whole word is looked at row by row."""
    # Where there is no text to look for, nothing holds it.
    found = Q(pk__in=[])
    for text in known.texts:
        found = found | Q((f"{column}__icontains", text))
    return found
