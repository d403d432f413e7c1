"""Seals the ledger: a process that runs beside the web servers, one in all; or one round with --once."""

import signal
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection
from django.db.models import Max
from django.db.models.functions import Coalesce

from audit.copies import services as copies
from audit.copies.errors import LedgerBehind
from audit.copies.restored import check_not_behind
from audit.merkle.notes import BadKey
from audit.sealing import keys
from audit.sealing.errors import LogDamaged
from audit.sealing.models import Checkpoint
from audit.sealing.services import Sealed, seal
from foundation import clock
from foundation.errors import DomainError

BUSY_SECONDS, IDLE_SECONDS, DOWN_SECONDS = 0.1, 1.0, 5.0
log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Numbers what is committed, grows the tree, signs its head: every 100 ms while busy, every second while idle."""

    help = "Seal the ledger until stopped; --once seals what is there and ends."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to end."""
        parser.add_argument("--once", action="store_true", help="seal what is committed now, say how much, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """
        Seal.

        :raises CommandError: if there is no key, or, with --once, if the log is not what was signed
        """
        try:
            keys.signers(), keys.verifiers()
            if once:
                check_not_behind()
                self.stdout.write(f"{seal_all():,} events were sealed.")
                return
        except (BadKey, DomainError) as refusal:
            raise CommandError(str(refusal)) from refusal
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        log.info("sealer_started", origin=keys.origin())
        sealer = Sealer()
        while not stopped.is_set():
            stopped.wait(sealer.round())


def seal_all() -> int:
    """Seal until nothing more is finished; answer how many events."""
    total = 0
    while (done := seal(now=clock.now())).events:
        total += done.events
        if not done.more:
            break
    if total:
        Sealer().keep(clock.now())
    return total


@dataclass
class Sealer:
    """One process that seals, and the size of the last head that it saw: a log does not become shorter."""

    size: int = 0

    def round(self) -> float:
        """Seal once; answer for how many seconds to wait. A database that is away is waited for."""
        now = clock.now()
        try:
            self.check()
            done: Sealed = seal(now=now)
            if done.events:
                self.keep(now)
        except (LogDamaged, LedgerBehind) as refusal:
            log.critical(refusal.code, why=refusal.message)
            return DOWN_SECONDS
        except Error as error:
            log.warning("sealer_waits_for_the_database", why=str(error).strip())
            connection.close()
            # What comes back may be another state.
            self.size = 0
            return IDLE_SECONDS
        if done.more:
            return 0.0
        return BUSY_SECONDS if done.events else IDLE_SECONDS

    def check(self) -> None:
        """
        Look outside, first of all and whenever the log is not as long as it was.

        :raises LedgerBehind: if the database is older than a head that left the house
        """
        size = Checkpoint.objects.aggregate(size=Coalesce(Max("size"), 0))["size"]
        if self.size == 0 or size < self.size:
            check_not_behind()
        self.size = max(size, 1)

    def keep(self, now: datetime) -> None:
        """Have directories hold the newest head, and every so often a copy of its own."""
        last = Checkpoint.objects.latest("size")
        self.size = last.size
        copies.write_latest(note=last.note)
        copies.copy_due(now=now, files=True)
