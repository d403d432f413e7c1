"""
Killing the sealer, and the database under it, while sixteen writers record: every committed event is sealed once.

A short seed always; under `make soak` 100 kills of the sealer and 20 of PostgreSQL, whose restart recovers.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import Error, connection, transaction

from approvals import events
from audit.services import NewEvent, Subject, record_all
from tests import given
from tests.soak.serving import Served, served
from tests.support import instance

LONG = os.environ.get("TENURE_SOAK") == "1"
SEALER_KILLS, DATABASE_KILLS = (100, 20) if LONG else (5, 1)
WRITERS = 16
SEALED_WITHIN_SECONDS = 5.0
# A shared machine may leave a process that starts waiting for long.
PATIENCE_SECONDS = 240.0 if LONG else 90.0
EVENT = NewEvent(
    type=events.REQUEST_WITHDRAWN,
    actor=None,
    subject=Subject("approvals.changerequest", uuid.UUID(int=7), "change 7"),
    data={"number": 7},
)


@dataclass
class Writers:
    """Threads that record one to three events in each transaction, until they are told to stop."""

    stop: threading.Event = field(default_factory=threading.Event)
    committed: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def _write(self, number: int) -> None:
        chance = random.Random(number)
        try:
            while not self.stop.wait(chance.random() * 0.02):
                count = chance.randint(1, 3)
                try:
                    with transaction.atomic():
                        record_all(events=[EVENT] * count, now=given.NOW)
                        time.sleep(chance.random() * 0.01)
                    self.committed.append(count)
                except Error:
                    # The database was killed: whether the last transaction is in it is not known here.
                    self.unknown.append(count)
                    connection.close()
                    time.sleep(0.1)
        finally:
            connection.close()


class Sealing:
    """The sealer as `serve` runs it, which can be killed."""

    def __init__(self, serving: Served) -> None:
        self.environment = serving.environment
        self.log = serving.own.layout.home / "sealer.log"
        self.start()

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "seal"],
                cwd=instance.CHECKOUT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(30)


def asked(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0] if len(row) == 1 else row


def wait_for(query: str, *, seconds: float) -> float:
    """Wait until the query answers true; answer how long it took."""
    began = time.monotonic()
    while not asked(query):
        assert time.monotonic() - began < seconds, query
        time.sleep(0.05)
    return time.monotonic() - began


UNSEALED = (
    "SELECT NOT EXISTS (SELECT FROM audit_event e WHERE NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event_id = e.id))"
)


@pytest.fixture
def serving(loopback: None, django_db_blocker: Any) -> Iterator[Served]:
    """Have an instance of its own, whose commits reach the disk."""
    with django_db_blocker.unblock(), served() as running:
        yield running


@pytest.mark.soak
class TestKillSealer:
    def test_loses_and_repeats_nothing(
        self, serving: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        chance = random.Random(20_261_124)
        before = asked("SELECT count(*) FROM audit_event")
        sealing, writers = Sealing(serving), Writers()
        wait_for("SELECT count(*) > 0 FROM audit_checkpoint", seconds=PATIENCE_SECONDS)
        writers.start()
        kept: list[str] = []
        kills = ["sealer"] * SEALER_KILLS + ["database"] * DATABASE_KILLS
        chance.shuffle(kills)
        mid = 0
        for number, victim in enumerate(kills):
            size = asked("SELECT max(size) FROM audit_checkpoint")
            wait_for(f"SELECT max(size) > {size} FROM audit_checkpoint", seconds=PATIENCE_SECONDS)
            time.sleep(chance.random() * 0.15)
            if victim == "database":
                connection.close()
                serving.kill_postgresql()
                serving.start_postgresql()
            else:
                mid += asked("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)")
                sealing.kill()
                if number % 10 == 0:
                    kept.append(asked("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1"))
                sealing.start()
        size = asked("SELECT max(size) FROM audit_checkpoint")
        wait_for(f"SELECT max(size) > {size} FROM audit_checkpoint", seconds=PATIENCE_SECONDS)
        writers.end()
        took = wait_for(UNSEALED, seconds=SEALED_WITHIN_SECONDS)
        sealing_alone = time.monotonic()
        sealing.kill(signal.SIGTERM)
        assert sealing.process.returncode == 0, sealing.log.read_text()[-2000:]
        assert time.monotonic() - sealing_alone < 10

        total = asked("SELECT count(*) FROM audit_event")
        leaves, first, last, different = asked(
            "SELECT count(*), min(index), max(index), count(DISTINCT event_id) FROM audit_leaf"
        )
        assert (first, last, different) == (0, leaves - 1, leaves)
        assert leaves == total
        # What was told to be committed is there; of what was killed in its middle, all of a transaction or nothing.
        assert sum(writers.committed) <= total - before <= sum(writers.committed) + sum(writers.unknown)
        files = []
        for number, note in enumerate(kept):
            (tmp_path / f"{number}").write_text(note)
            files += ["--checkpoint", str(tmp_path / f"{number}")]
        told = subprocess.run(
            [sys.executable, "manage.py", "ledger", "verify", *files],
            cwd=instance.CHECKOUT, env=serving.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "The ledger holds." in told.stdout, told.stdout + told.stderr
        with capsys.disabled():
            sys.stdout.write(
                f"\n{SEALER_KILLS} kills of the sealer ({mid} within a round), {DATABASE_KILLS} of PostgreSQL,"
                f" under {WRITERS} writers: {total - before} events, {len(writers.unknown)} transactions cut off;"
                f" gaps 0, twice 0, unsealed 0 after {took:.1f} s\n"
            )
