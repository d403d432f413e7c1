"""The events of packs and holds: the same shape everywhere, in the caller's transaction."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from audit.ledger.models import Event
from audit.packs.models import EvidencePack, LegalHold
from audit.services import NewEvent, Subject, record
from audit.subjects import SubjectType
from foundation.identity.models import User

# What belongs to nobody known is for those who are granted everything: its own id is granted to nobody.
_OF_PACK = """
SELECT DISTINCT unnest(CASE WHEN everything THEN ARRAY[id] ELSE scope END)
  FROM audit_evidencepack WHERE id = ANY(%(subjects)s)
"""
_ABOUT = "SELECT subject_id FROM audit_evidencepack WHERE id = ANY(%(subjects)s) AND subject_id IS NOT NULL"
_HELD = "SELECT subject_id FROM audit_legalhold WHERE id = ANY(%(subjects)s) AND subject_id IS NOT NULL"


def _page_of(pack_id: uuid.UUID, _: Mapping[str, Any]) -> str:
    return reverse("audit:pack", args=[pack_id])


def _holds(_hold_id: uuid.UUID, _: Mapping[str, Any]) -> str:
    return reverse("audit:holds")


SUBJECTS = (
    SubjectType("audit.evidencepack", "evidence pack", _OF_PACK, _ABOUT, _page_of),
    SubjectType("audit.legalhold", "legal hold", None, _HELD, _holds),
)


def record_pack(*, type: str, pack: EvidencePack, actor: User | None, now: datetime, **data: Any) -> Event:
    """Record what happened to a pack; `actor` is None when the system acts."""
    subject = Subject("audit.evidencepack", pack.id, f"evidence pack about {pack.label}"[:300])
    about = {"about": pack.label, "kind": pack.kind, "subject": pack.subject_id}
    return record(event=NewEvent(type=type, actor=actor, subject=subject, data=about | data), now=now)


def record_hold(*, type: str, hold: LegalHold, actor: User, now: datetime, reason: str) -> Event:
    """Record that a hold was placed or released."""
    subject = Subject("audit.legalhold", hold.id, f"legal hold on {hold.label}"[:300])
    data = {"about": hold.label, "kind": hold.kind, "subject": hold.subject_id, "reason": reason}
    return record(event=NewEvent(type=type, actor=actor, subject=subject, data=data), now=now)
