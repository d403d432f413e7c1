"""Legal holds: what may not be removed, and who said so."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from audit import events
from audit.packs import port
from audit.packs.errors import HoldReleased
from audit.packs.models import LegalHold, LegalHoldQuerySet
from audit.packs.recording import record_hold
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.integrity import Contention, refine_integrity_error

MANAGE = "audit.manage_legalhold"
LONGEST_REASON = 2000


def covering(ids: Collection[uuid.UUID]) -> LegalHoldQuerySet:
    """The holds in force that concern any of these: accounts, requests, entitlements, whatever else has an id."""
    return LegalHold.objects.covering(ids)


def may_manage(user: User) -> bool:
    """Whether the user places and releases holds."""
    return user.is_active and user.has_perm(MANAGE)


def check_may_see(user: User) -> None:
    """
    Refuse whoever neither manages holds nor reads the ledger.

    :raises NotPermitted: saying so
    """
    if not may_manage(user) and not (user.is_active and user.has_perm(port.VIEW_LEDGER)):
        raise NotPermitted("You may not see legal holds. Ask legal, or an administrator.")


def visible(user: User) -> LegalHoldQuerySet:
    """
    All holds, released ones too.

    :raises NotPermitted: if the user may not see them
    """
    check_may_see(user)
    return LegalHold.objects.select_related("placed_by", "released_by")


@transaction.atomic
def place(*, user: User, kind: str, subject_id: uuid.UUID | None, reason: str, now: datetime) -> LegalHold:
    """
    Hold whatever concerns a thing; without one, everything. A second hold on the same thing is the first.

    :raises NotPermitted: if the user does not manage holds
    :raises NotFound: if there is no such thing, or the user may not see it
    :raises InvalidInput: if no reason is given, or a kind without a thing, or the reverse
    """
    _check_may_manage(user)
    said = _reason(reason)
    if bool(kind) == (subject_id is None):
        sentence = "Say what is held: its kind and which one. Leave both out to hold everything."
        raise InvalidInput(sentence, errors=[{"field": "subject_id", "message": sentence}])
    everything = subject_id is None
    label = "everything" if everything else port.scope_kind(kind).label(subject_id=subject_id, user=user)
    known = LegalHold.objects.in_force().filter(subject_id=subject_id, kind="" if everything else kind).first()
    if known is not None:
        return known
    with refine_integrity_error(
        legal_hold_in_force_once=(Contention, "Somebody placed this hold just now. Look again.")
    ):
        hold = LegalHold.objects.create(
            kind="" if everything else kind,
            subject_id=subject_id,
            everything=everything,
            label=label[:300],
            reason=said,
            placed_by=user,
            placed_at=now,
        )
    record_hold(type=events.HOLD_PLACED, hold=hold, actor=user, now=now, reason=said)
    return hold


@transaction.atomic
def release(*, user: User, hold_id: uuid.UUID, reason: str, now: datetime) -> LegalHold:
    """
    End a hold: what only it kept may expire again.

    :raises NotPermitted: if the user does not manage holds
    :raises NotFound: if there is none
    :raises HoldReleased: if it was released before
    :raises InvalidInput: if no reason is given
    """
    _check_may_manage(user)
    hold = LegalHold.objects.select_for_update().filter(id=hold_id).first()
    if hold is None:
        raise NotFound("There is no such legal hold.")
    if hold.released_at is not None:
        raise HoldReleased("This hold was released before. Nothing was changed.")
    hold.released_by, hold.released_at, hold.release_reason = user, now, _reason(reason)
    hold.save(update_fields=["released_by", "released_at", "release_reason"])
    record_hold(type=events.HOLD_RELEASED, hold=hold, actor=user, now=now, reason=hold.release_reason)
    return hold


def _check_may_manage(user: User) -> None:
    if not may_manage(user):
        raise NotPermitted("You may not place or release legal holds. Ask legal, or an administrator.")


def _reason(text: str) -> str:
    said = text.strip()
    if not said or len(said) > LONGEST_REASON or any(ord(one) < 32 and one not in "\n\r\t" for one in said):
        sentence = f"Say why, in at most {LONGEST_REASON:,} characters."
        raise InvalidInput(sentence, errors=[{"field": "reason", "message": sentence}])
    return said
