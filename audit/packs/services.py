"""Asking for evidence packs, and taking them."""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction

from audit import events, subjects
from audit.merkle import notes
from audit.merkle.notes import BadNote
from audit.packs import port, selection
from audit.packs.doorbell import ring_on_commit
from audit.packs.errors import PackNotReady, PackTooLarge
from audit.packs.models import EvidencePack, EvidencePackPart
from audit.packs.recording import record_pack
from audit.packs.rules import rules
from audit.packs.selection import Criteria
from audit.sealing import keys
from audit.sealing.models import Leaf
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.web.instants import day_text

LONGEST_PURPOSE = 1000


@transaction.atomic
def ask(
    *,
    user: User,
    kind: str,
    now: datetime,
    subject_id: uuid.UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    purpose: str = "",
    older: str = "",
    keep_days: int | None = None,
) -> EvidencePack:
    """
    Ask for a pack; a worker makes it.

    `[since, until)` is the time that it is about, for what has one; `until` is at most `now`. `older` is a signed
    checkpoint of which it proves that the ledger continues it. `keep_days` is for how long it is kept.

    :raises NotFound: if there is no such thing, or the user may not see it
    :raises NotPermitted: if the user may not ask for such packs, or it would hold what is not granted to the user
    :raises InvalidInput: if the time, the checkpoint or the days are none that can be asked for
    :raises PackTooLarge: if it would hold more events than the installation allows
    """
    scope = port.scope_kind(kind)
    label = label_for(user=user, kind=kind, subject_id=subject_id)
    since, until = _time(takes=scope.takes_period, since=since, until=until, now=now)
    criteria = selection.criteria_of(kind=kind, subject_id=subject_id, since=since, until=until)
    if selection.selected(criteria)[: settings.EVIDENCE_PACK_EVENTS + 1].count() > settings.EVIDENCE_PACK_EVENTS:
        raise PackTooLarge(
            f"The pack would hold more than {settings.EVIDENCE_PACK_EVENTS:,} events, the most that one may. Ask for a "
            "shorter time, or for less."
        )
    accounts, everything = check_may_have(user=user, criteria=criteria)
    pack = EvidencePack.objects.create(
        kind=kind,
        subject_id=subject_id,
        label=_labelled(label, since, until),
        since=since,
        until=until,
        purpose=_purpose(purpose),
        older=_older(older),
        scope=accounts,
        everything=everything,
        asked_by=user,
        asked_at=now,
        keep_days=_days(keep_days, kind),
        next_attempt_at=now,
    )
    record_pack(
        type=events.PACK_REQUESTED, pack=pack, actor=user, now=now, keep_days=pack.keep_days, since=since, until=until,
        purpose=pack.purpose,
    )  # fmt: skip
    ring_on_commit()
    return pack


def label_for(*, user: User, kind: str, subject_id: uuid.UUID | None) -> str:
    """
    What people call the thing that a pack would be about.

    :raises NotFound: if there is none, or the user may not see it
    :raises NotPermitted: if the user may not ask for packs of this kind
    """
    scope = port.scope_kind(kind)
    if not user.is_active or not user.has_perm(scope.permission):
        raise NotPermitted(f"You may not ask for evidence about an {scope.words}. Ask an auditor." if
                           scope.words[0] in "aeiou" else
                           f"You may not ask for evidence about a {scope.words}. Ask an auditor.")  # fmt: skip
    return scope.label(subject_id=subject_id, user=user)


def check_may_have(*, user: User, criteria: Criteria) -> tuple[list[uuid.UUID], bool]:
    """
    The accounts and products that the events selected belong to, and whether one belongs to nobody known.

    :raises NotPermitted: if one of them is not granted to the user
    """
    accounts, everything = selection.scope_of(list(selection.selected(criteria).values_list("id", flat=True)))
    granted = subjects.directory().granted(user)
    if granted is not None and (everything or not set(accounts) <= set(granted)):
        raise NotPermitted(
            "The pack would hold what is not granted to you: events of other accounts or products. Ask an auditor, or "
            "ask for less."
        )
    return accounts, everything


def visible_pack(*, user: User, pack_id: uuid.UUID) -> EvidencePack:
    """
    A pack that the user may see.

    :raises NotFound: if there is none, or something in it is not granted to the user
    """
    found = EvidencePack.objects.visible_to(user).select_related("asked_by").filter(id=pack_id).first()
    if found is None:
        raise NotFound("There is no such evidence pack, or it holds what is not granted to you.")
    return found


@transaction.atomic
def download(*, user: User, pack_id: uuid.UUID, where: str, now: datetime) -> tuple[EvidencePack, Iterator[bytes]]:
    """
    The pack and its bytes, in parts; that somebody took it is recorded first.

    :raises NotFound: if there is none, or something in it is not granted to the user any more
    :raises PackNotReady: if there are no bytes
    """
    visible_pack(user=user, pack_id=pack_id)
    pack = EvidencePack.objects.select_for_update(of=("self",)).get(id=pack_id)
    if not pack.is_ready:
        raise PackNotReady(f"This pack can’t be downloaded: it is {pack.status_label.lower()}. {pack.problem}".strip())
    record_pack(type=events.PACK_DOWNLOADED, pack=pack, actor=user, now=now, where=where, sha256=pack.sha256)
    return pack, parts_of(pack)


def parts_of(pack: EvidencePack) -> Iterator[bytes]:
    """The bytes of a pack, a part at a time."""
    number = 0
    while True:
        part = EvidencePackPart.objects.filter(pack=pack, number=number).values_list("content", flat=True).first()
        if part is None:
            return
        yield bytes(part)
        number += 1


def verified_digest(pack: EvidencePack) -> str:
    """The SHA-256 of the bytes as they are stored."""
    found = hashlib.sha256()
    for part in parts_of(pack):
        found.update(part)
    return found.hexdigest()


def _time(
    *, takes: bool, since: datetime | None, until: datetime | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    if not takes:
        if since or until:
            _refuse("since", "A pack about a change request is about all of it. Leave the time out.")
        return None, None
    if since is None:
        _refuse("since", "Say from when on the pack is about it.")
    ended = min(until or now, now)
    if since is None or since >= ended:
        _refuse("since", "The time begins before it ends, and in the past.")
    return since, ended


def _purpose(text: str) -> str:
    purpose = text.strip()
    if len(purpose) > LONGEST_PURPOSE or any(ord(one) < 32 and one not in "\n\r\t" for one in purpose):
        _refuse("purpose", f"The purpose has at most {LONGEST_PURPOSE:,} characters, and no control characters.")
    return purpose


def _older(note: str) -> str:
    text = note.replace("\r\n", "\n").strip("\n")
    if not text:
        return ""
    text += "\n"
    try:
        read = notes.read_checkpoint(text, keys=keys.verifiers(), origins=keys.origins())
    except BadNote as error:
        _refuse("older", f"The older checkpoint is not believed: {error}")
    if not read.size > 0 or not Leaf.objects.filter(index=read.size - 1).exists():
        _refuse(
            "older", f"The older checkpoint is of {read.size:,} events, and this ledger has fewer: tell your auditor."
        )
    return text


def _days(days: int | None, kind: str) -> int:
    retention = rules().retention
    if days is None:
        return retention.days_of(kind)
    if not 1 <= days <= retention.most_days:
        _refuse("keep_days", f"A pack is kept for 1 to {retention.most_days:,} days.")
    return days


def _labelled(label: str, since: datetime | None, until: datetime | None) -> str:
    if since is None or until is None:
        return label[:300]
    return f"{label[:240]}, {day_text(since.date())} to {day_text(until.date())}"


def _refuse(field: str, sentence: str) -> None:
    raise InvalidInput(sentence, errors=[{"field": field, "message": sentence}])
