"""
Making packs: claimed one by one under a lease, gathered, sealed by the ledger, and only then ready.

The row is the truth. A worker that dies loses its lease and the next begins again; whoever finds that its lease is
another's stops. Nothing is stored before it is whole.

Source: docs/evidence-packs.md
"""

import hashlib
import io
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from audit import events
from audit.ledger.models import Event
from audit.packs import archive, building, selection
from audit.packs.building import encoded, pretty
from audit.packs.doorbell import BUILD_TASK as BUILD_TASK
from audit.packs.errors import NotSealedInTime, PackTooLarge
from audit.packs.models import PART_BYTES, EvidencePack, EvidencePackPart, EvidencePackQuerySet
from audit.packs.recording import record_pack
from audit.packs.services import parts_of
from audit.packs.states import Status
from audit.sealing import proofs
from audit.sealing.models import Checkpoint, Leaf
from foundation.errors import DomainError

LEASE = timedelta(minutes=3)
# A worker waits so long for the sealer by itself, then lets others go first.
WAIT_SECONDS, LOOK_SECONDS = 10.0, 0.2
AGAIN = timedelta(seconds=15)
GIVEN_UP_AFTER = timedelta(minutes=15)
MOST_ATTEMPTS = 5
TOLD_EVERY_SECONDS = 0.5
RUN_SECONDS = 400
MEBIBYTE = 1024 * 1024

log = structlog.get_logger(__name__)
T = TypeVar("T")


class LeaseLost(Exception):
    """Another worker has the pack now."""


@dataclass
class Clock:
    """The instant of a run, moving on with a monotonic clock."""

    began: datetime
    started: float = field(default_factory=time.monotonic)

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.began + timedelta(seconds=time.monotonic() - self.started)


def build_due(*, now: datetime, wait_seconds: float = WAIT_SECONDS, pack_id: uuid.UUID | None = None) -> int:
    """
    Go on with every pack that is due, one after the other, or with one; answer how many became ready or failed.

    What one meets stops no other.
    """
    clock, ended = Clock(now), 0
    while time.monotonic() - clock.started < RUN_SECONDS:
        pack = _claim(clock.now, pack_id)
        if pack is None:
            break
        try:
            ended += _go_on(pack, clock, wait_seconds)
        except LeaseLost:
            log.warning("evidence_pack_lease_lost", pack=str(pack.id))
        except DomainError as refusal:
            _fail(pack, refusal.message, clock.now)
            ended += 1
        except Exception as error:
            log.exception("evidence_pack_broke", pack=str(pack.id), attempts=pack.attempts)
            if pack.attempts >= MOST_ATTEMPTS:
                _fail(
                    pack, f"It broke {pack.attempts} times, at last with {type(error).__name__}. Ask again.", clock.now
                )
                ended += 1
            else:
                _put_off(pack, clock.now, counts=True)
        if pack_id is not None:
            break
    return ended


def expire_due(*, now: datetime, limit: int = 200) -> int:
    """Remove the bytes of packs whose time is over and that no hold keeps; answer how many."""
    expired = 0
    for pack_id in EvidencePack.objects.to_expire(now).values_list("id", flat=True)[:limit]:
        with transaction.atomic():
            # Asked again under the lock: a hold may have been placed since.
            due = EvidencePack.objects.to_expire(now).filter(id=pack_id)
            pack = due.select_for_update(of=("self",), skip_locked=True).first()
            if pack is None:
                continue
            _expire(pack, now)
            expired += 1
    return expired


def expire_naming(*, packs: EvidencePackQuerySet, now: datetime) -> int:
    """
    Remove the bytes of packs before their time, in the caller's transaction, because somebody whom they name is erased;
    answer how many. What a hold keeps stays; what is removed can be made again.
    """
    rows = list(packs.not_held().order_by("id").select_for_update(of=("self",)))
    for pack in rows:
        _expire(pack, now)
    return len(rows)


def _expire(pack: EvidencePack, now: datetime) -> None:
    pack.status, pack.ended_at = Status.EXPIRED, now
    pack.save(update_fields=["status", "ended_at"])
    EvidencePackPart.objects.filter(pack=pack).delete()
    record_pack(type=events.PACK_EXPIRED, pack=pack, actor=None, now=now, sha256=pack.sha256)


def _claim(now: datetime, pack_id: uuid.UUID | None) -> EvidencePack | None:
    with transaction.atomic():
        due = EvidencePack.objects.due(now)
        if pack_id is not None:
            due = due.filter(id=pack_id)
        pack = due.select_related("asked_by").select_for_update(skip_locked=True, of=("self",)).first()
        if pack is not None:
            pack.lease, pack.leased_until = uuid.uuid4(), now + LEASE
            pack.attempts += 1
            pack.save(update_fields=["lease", "leased_until", "attempts"])
    return pack


def _go_on(pack: EvidencePack, clock: Clock, wait_seconds: float) -> int:
    """One pack, as far as it goes now; 1 if that is to its end."""
    if pack.status == Status.REQUESTED:
        head = _covering(pack, clock, wait_seconds)
        if head is None:
            _put_off(pack, clock.now)
            return 0
        _build(pack, head, clock)
    leaf = _waited(lambda: Leaf.objects.filter(event_id=pack.seal_id or pack.id).first(), wait_seconds)
    if leaf is None:
        _put_off(pack, clock.now)
        return 0
    _finish(pack, leaf, clock)
    return 1


def _covering(pack: EvidencePack, clock: Clock, wait_seconds: float) -> Checkpoint | None:
    """The last head, once it covers every event of the pack."""

    def look() -> Checkpoint | None:
        head = Checkpoint.objects.order_by("-size").first()
        criteria = _criteria(pack)
        return None if head is None or selection.unsealed(criteria, head.size) else head

    return _waited(look, wait_seconds)


def _waited(look: Callable[[], T | None], wait_seconds: float) -> T | None:
    until = time.monotonic() + wait_seconds
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    return found


def _criteria(pack: EvidencePack) -> selection.Criteria:
    return selection.criteria_of(kind=pack.kind, subject_id=pack.subject_id, since=pack.since, until=pack.until)


def _build(pack: EvidencePack, head: Checkpoint, clock: Clock) -> None:
    """Put the files together, and store them with the event of their seal."""
    gist = building.gist_of(pack, criteria=_criteria(pack), head=head, now=clock.now)
    told = [0.0]

    def progress(done: int, total: int) -> None:
        if time.monotonic() - told[0] >= TOLD_EVERY_SECONDS:
            told[0] = time.monotonic()
            _held(pack, clock.now, done=done, total=total)

    built = building.build(gist, progress=progress)
    ids = list(gist.population.ids)
    accounts, everything = selection.scope_of(ids)
    with tempfile.TemporaryFile() as whole, transaction.atomic():
        _store(pack, built.files, whole)
        _lock(pack)
        pack.status, pack.built_at, pack.manifest = Status.BUILT, clock.now, built.manifest
        pack.scope, pack.everything, pack.event_count = accounts, everything, built.events
        pack.held_by = sorted({*gist.criteria.subjects, *gist.criteria.requests, *accounts})
        event = record_pack(
            type=events.PACK_BUILT, pack=pack, actor=None, now=clock.now, manifest=built.manifest, events=built.events,
            requests=len(gist.criteria.requests),
        )  # fmt: skip
        pack.seal_id = event.id
        pack.save()


def _finish(pack: EvidencePack, leaf: Leaf, clock: Clock) -> None:
    """Put the seal into the pack, which is ready then."""
    head = Checkpoint.objects.filter(size__gt=leaf.index).order_by("-size").first()
    assert head is not None  # noqa: S101  a leaf is stored with the head that covers it
    files = _stored(pack)
    former = int(json.loads(files["completeness.json"])["log"]["size"])
    proof = proofs.inclusion(event_id=leaf.event_id, size=head.size)
    files["seal/event.json"] = bytes(Event.objects.values_list("content", flat=True).get(id=leaf.event_id))
    files["seal/checkpoint"] = head.note.encode()
    files["seal/proof.json"] = pretty(
        {
            "index": proof.index,
            "size": head.size,
            "hashes": encoded(proof.hashes),
            "from_size": former,
            "consistency": encoded(proofs.consistency(first=former, second=head.size)),
        }
    )
    with tempfile.TemporaryFile() as whole, transaction.atomic():
        size, digest = _store(pack, files, whole)
        _lock(pack)
        now = clock.now
        pack.status, pack.ready_at, pack.keep_until = Status.READY, now, now + timedelta(days=pack.keep_days)
        pack.size, pack.sha256, pack.done = size, digest, pack.total
        pack.lease = pack.leased_until = None
        pack.save()
        record_pack(type=events.PACK_FINISHED, pack=pack, actor=None, now=now, size=size, sha256=digest)


def _store(pack: EvidencePack, files: Mapping[str, bytes], whole: IO[bytes]) -> tuple[int, str]:
    """Store the files as the pack's bytes, in place of what it has; answer their size and SHA-256."""
    archive.write(files, whole)
    size = whole.tell()
    if size > settings.EVIDENCE_PACK_MEBIBYTES * MEBIBYTE:
        raise PackTooLarge(
            f"The pack has {size / MEBIBYTE:,.0f} MiB, and {settings.EVIDENCE_PACK_MEBIBYTES:,} are the most. Ask for "
            "a shorter time, or for less."
        )
    EvidencePackPart.objects.filter(pack=pack).delete()
    whole.seek(0)
    digest, number = hashlib.sha256(), 0
    while content := whole.read(PART_BYTES):
        digest.update(content)
        EvidencePackPart.objects.create(pack=pack, number=number, content=content)
        number += 1
    return size, digest.hexdigest()


def _stored(pack: EvidencePack) -> dict[str, bytes]:
    return archive.read(io.BytesIO(b"".join(parts_of(pack))))


def _lock(pack: EvidencePack) -> None:
    """
    Hold the row until the transaction ends.

    :raises LeaseLost: if another worker has it
    """
    if not EvidencePack.objects.select_for_update().filter(id=pack.id, lease=pack.lease).exists():
        raise LeaseLost


def _held(pack: EvidencePack, now: datetime, **progress: int) -> None:
    """Say how far a pack is, and go on having it."""
    mine = EvidencePack.objects.filter(id=pack.id, lease=pack.lease)
    if not mine.update(leased_until=now + LEASE, **progress):
        raise LeaseLost


def _put_off(pack: EvidencePack, now: datetime, *, counts: bool = False) -> None:
    """Let others go first; what waits for the sealer does not count as an attempt."""
    since = pack.built_at or pack.asked_at
    if not counts and now - since > GIVEN_UP_AFTER:
        raise NotSealedInTime(
            "The ledger did not seal what the pack needs within 15 minutes. See that the sealer runs (“manage.py "
            "seal”), then ask again."
        )
    EvidencePack.objects.filter(id=pack.id, lease=pack.lease).update(
        lease=None,
        leased_until=None,
        next_attempt_at=now + AGAIN,
        attempts=F("attempts") - (0 if counts else 1),
    )


@transaction.atomic
def _fail(pack: EvidencePack, why: str, now: datetime) -> None:
    locked = EvidencePack.objects.select_for_update(of=("self",)).filter(id=pack.id, lease=pack.lease).first()
    if locked is None:
        return
    EvidencePackPart.objects.filter(pack=locked).delete()
    locked.status, locked.ended_at, locked.problem = Status.FAILED, now, why
    locked.lease = locked.leased_until = None
    locked.save(update_fields=["status", "ended_at", "problem", "lease", "leased_until"])
    record_pack(type=events.PACK_FAILED, pack=locked, actor=None, now=now, why=why)
