"""What people write in the forms of packs and holds, as values."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audit.packs import port
from audit.packs.port import ScopeKind
from audit.packs.rules import rules
from foundation.errors import InvalidInput
from foundation.identity.models import User


@dataclass(frozen=True)
class Form:
    """The form that asks for a pack: what may be chosen, and what was written."""

    kinds: Sequence[ScopeKind]
    posted: Mapping[str, str]
    about: str
    keep_days: int
    most_days: int


def form(*, user: User, posted: Mapping[str, str], now: datetime) -> Form:
    """The form as somebody meets it; about what, if an address said so and it may be seen."""
    known = sorted(port.scope_kinds().values(), key=lambda kind: (kind.name == port.PERIOD, kind.words))
    kinds = [kind for kind in known if user.has_perm(kind.permission)]
    kind = next((kind for kind in kinds if kind.name == posted.get("kind")), None)
    about = ""
    subject = posted.get("subject", "")
    if kind is not None and subject and (found := kind.find(subject)):
        about = kind.label(subject_id=found, user=user)
    local = timezone.localtime(now)
    times = {
        "since": (local - timedelta(days=90)).strftime("%Y-%m-%dT00:00"),
        "until": local.strftime("%Y-%m-%dT%H:%M"),
    }
    retention = rules().retention
    days = retention.days_of(kind.name) if kind else retention.days
    return Form(kinds, times | dict(posted), about, days, retention.most_days)


def asked(posted: Mapping[str, str]) -> dict[str, Any]:
    """
    What `services.ask` takes, out of a form.

    :raises InvalidInput: if something can't be read, or names nothing
    """
    kind = port.scope_kind(posted.get("kind", ""))
    days = posted.get("keep_days", "").strip()
    if days and not (days.isascii() and days.isdecimal() and len(days) < 7):
        raise _invalid("keep_days", "Write for how many days the pack is kept as a number.")
    return {
        "kind": kind.name,
        "subject_id": subject_of(kind, posted.get("subject", "")),
        "since": instant_of(posted, "since") if kind.takes_period else None,
        "until": instant_of(posted, "until") if kind.takes_period else None,
        "purpose": posted.get("purpose", ""),
        "older": posted.get("older", ""),
        "keep_days": int(days) if days else None,
    }


def subject_of(kind: ScopeKind, text: str) -> uuid.UUID | None:
    """
    The thing that somebody named.

    :raises InvalidInput: if there is none of that name
    """
    if kind.name == port.PERIOD:
        return None
    found = kind.find(text) if text.strip() else None
    if found is None:
        raise _invalid("subject", f"There is no {kind.words} “{text.strip()[:100]}” that you may see.")
    return found


def instant_of(posted: Mapping[str, str], name: str) -> datetime | None:
    """
    The instant in a field; without an offset in the reader's zone.

    :raises InvalidInput: if it is none
    """
    text = posted.get(name, "").strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else timezone.make_aware(found)
    except (ValueError, OverflowError):
        raise _invalid(name, f"“{text[:50]}” is no instant. Choose a day and a time.") from None


def _invalid(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": field, "message": sentence}])
