"""
The sealed ledger: sealing, verification and proofs over a million events.

`python -m benchmarks.ledger` prints, each within one run and on the same events: how many are sealed a second (at least
50,000); the time of verifying all of them, read from PostgreSQL, over that of the bare SHA-256 calls that it needs, on
the same bytes in memory (at most 2.5 times); the database's time for what an inclusion proof reads (below a
millisecond). It exits 1 if one misses its bound. `TENURE_BENCH_EVENTS` sets how many events.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import time
import uuid
from datetime import UTC, datetime
from random import Random

from benchmarks import _database

EVENTS = int(os.environ.get("TENURE_BENCH_EVENTS", "1000000"))
BATCH = 20_000
SEALED_PER_SECOND, VERIFIED_TIMES, PROOF_MILLISECONDS = 50_000, 2.5, 1.0
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def fill() -> list[bytes]:
    """Insert events as application records them, in transactions' order; answer their bytes."""
    from django.db import connection

    from foundation.canonical import canonical_bytes

    random, contents = Random(7), []
    names = "id, type, recorded_at, change_request_id, subject_type, subject_id, subject_label, data, content"
    with connection.cursor() as cursor, cursor.copy(f"COPY audit_event ({names}) FROM STDIN") as copy:
        digest = hashlib.sha256(b"a change").hexdigest()
        template = canonical_bytes(
            {
                "actor": uuid.UUID(int=1),
                "actor_human": uuid.UUID(int=2),
                "change_request": "@request",
                "data": {"authorization": "Quorum", "digest": digest, "items": 1, "number": 70, "revision": 1},
                "id": "@event",
                "recorded_at": NOW,
                "subject": {"id": "@request", "label": "change 70", "type": "approvals.changerequest"},
                "type": "approvals.change_request.applied",
            }
        ).decode()
        data = json.dumps({"authorization": "Quorum", "digest": digest, "items": 1, "number": 70, "revision": 1})
        for _ in range(EVENTS):
            event, request = (str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(2))
            content = template.replace("@event", event).replace("@request", request).encode()
            contents.append(content)
            kind = "approvals.change_request.applied"
            copy.write_row((event, kind, NOW, request, "approvals.changerequest", request, "change 70", data, content))
    settle("audit_event")
    return contents


def settle(*tables: str) -> None:
    """Have what a database does once after many rows were written done, and the planner informed."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")


def bare(contents: list[bytes]) -> float:
    """Seconds of the SHA-256 calls that verification needs: a leaf for each event, and each inner node."""
    sha256, began = hashlib.sha256, time.perf_counter()
    hashes = [sha256(b"\x00" + content).digest() for content in contents]
    while len(hashes) > 1:
        pairs = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=False)
        ]
        hashes = pairs + hashes[len(hashes) & ~1 :]
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, and answer 1 if a bound is missed."""
    with _database.running():
        return measure()


def measure() -> int:
    """Measure on the running database."""
    from django.db import connection

    from audit.sealing import keys, proofs
    from audit.sealing.models import Checkpoint, Leaf
    from audit.sealing.services import seal
    from audit.sealing.verification import verify_log

    contents = fill()
    began, count = time.perf_counter(), 0
    while (done := seal(now=NOW, batch=BATCH)).events:
        count += done.events
    rate = count / (time.perf_counter() - began)
    print(f"sealed {count:,} events, {rate:,.0f} a second (at least {SEALED_PER_SECOND:,})")
    settle("audit_leaf", "audit_treenode")

    note = Checkpoint.objects.latest("size").note
    ratios = []
    for _ in range(5):
        hashing = bare(contents)
        began = time.perf_counter()
        report = verify_log(brought=[note], keys=keys.verifiers(), origin="")
        ratios.append((time.perf_counter() - began) / hashing)
        assert report.holds
        assert report.size == count
    times = statistics.median(ratios)
    print(f"verified in {times:.2f} times the bare hashing of {hashing:.2f} s (at most {VERIFIED_TIMES})")

    random, spent = Random(8), []
    events = list(Leaf.objects.filter(index__in=[random.randrange(count) for _ in range(300)]).values("event_id"))
    for event in events:
        with connection.execute_wrapper(_Clock(spent)):
            proofs.inclusion(event_id=event["event_id"], size=count)
    spent_each = sum(spent) / len(events) * 1000
    print(f"an inclusion proof takes {spent_each:.2f} ms of database time (below {PROOF_MILLISECONDS})")
    return 0 if rate >= SEALED_PER_SECOND and times <= VERIFIED_TIMES and spent_each < PROOF_MILLISECONDS else 1


class _Clock:
    """Adds up the seconds of each query, with its way there and back."""

    def __init__(self, spent: list[float]) -> None:
        self.spent = spent

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        """Run the query and note how long it took."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.spent.append(time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
