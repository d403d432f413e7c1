"""
Copying the log's head out of the house.

Source: docs/ledger.md
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings

from audit.copies.errors import CopyFailed
from audit.copies.models import CheckpointCopy
from audit.copies.targets import FileTarget, Target, targets
from audit.sealing.models import Checkpoint

log = structlog.get_logger(__name__)


def copy_due(*, now: datetime, files: bool) -> int:
    """
    Copy the last checkpoint to each target that is due: it has an older one, and that is long enough ago.

    `files` are the sealer's, whose machine they are on; the others a worker's. What fails is logged and tried again by
    the next call. Answer how many took it.
    """
    last = Checkpoint.objects.order_by("-size").first()
    if last is None:
        return 0
    due = [target for target in targets() if isinstance(target, FileTarget) == files]
    return sum(_copied(target, last, now) for target in due if _is_due(target, last, now))


def write_latest(*, note: str) -> None:
    """Have every directory hold this checkpoint as its newest."""
    for target in targets():
        if isinstance(target, FileTarget):
            try:
                target.write_latest(note)
            except CopyFailed as failure:
                log.error("checkpoint_not_copied", target=target.name, why=failure.message)


def _is_due(target: Target, last: Checkpoint, now: datetime) -> bool:
    former = CheckpointCopy.objects.filter(target=target.name).order_by("-copied_at").first()
    if former is None:
        return True
    return former.size != last.size and now - former.copied_at >= timedelta(minutes=settings.LEDGER_COPY_MINUTES)


def _copied(target: Target, last: Checkpoint, now: datetime) -> bool:
    try:
        target.write(note=last.note, size=last.size)
    except CopyFailed as failure:
        log.error("checkpoint_not_copied", target=target.name, why=failure.message)
        return False
    CheckpointCopy.objects.create(target=target.name, size=last.size, copied_at=now)
    return True
