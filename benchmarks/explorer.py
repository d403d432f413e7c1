"""
The explorer's first page among a million events, against a bare indexed SELECT of 50 rows of the same table.

`python -m benchmarks.explorer` prints the median time of reading the first page (every query of it, each event told as
a sentence) over that of the bare SELECT, unfiltered and with each filter, for somebody who sees everything and for
somebody who is granted one account; and how many queries each takes. It exits 1 if the unfiltered first page takes more
than 12 times the bare SELECT, five queries or more, or if one of its queries uses no index. What the filters take is
told, not bounded: it depends on what is looked for. `TENURE_BENCH_EVENTS` sets how many events.

Runs are interleaved, so that a machine that becomes slower hits all of them; time is wall time, because PostgreSQL
works in another process.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import _database

EVENTS = int(os.environ.get("TENURE_BENCH_EVENTS", "1000000"))
REPEATS = 15
BOUND, MOST_QUERIES = 12.0, 4
HUMANS, ACCOUNTS, PRODUCTS = 500, 2_000, 40
OLD_ACCOUNT, BUSY_ACCOUNT, RARE_ACCOUNT = 1_000_001, 3, 1_900
BARE = """
SELECT id, type, recorded_at, actor_id, actor_human_id, change_request_id, subject_type, subject_id, subject_label,
       data, scope, transaction_id, position
  FROM audit_event ORDER BY recorded_at DESC, position DESC LIMIT 50
"""
# Accounts of very different size, many changes and few seats; an account of 20,000 events, all of the first days.
FILL = f"""
INSERT INTO audit_event (id, type, recorded_at, actor_id, actor_human_id, change_request_id, subject_type, subject_id,
                         subject_label, data, content, scope)
SELECT gen_random_uuid(), made.type, TIMESTAMPTZ '2025-01-01 00:00Z' + made.number * INTERVAL '27 seconds',
       lpad(to_hex(1 + (made.number * 7919) % {HUMANS}), 32, '0')::uuid,
       lpad(to_hex(1 + (made.number * 7919) % {HUMANS}), 32, '0')::uuid,
       md5('request ' || made.number / 5)::uuid,
       CASE WHEN made.type LIKE 'entitlements.%' THEN 'entitlements.entitlement' ELSE 'approvals.changerequest' END,
       md5('subject ' || made.number / 5)::uuid,
       'change ' || made.number / 5,
       jsonb_build_object('number', made.number / 5, 'revision', 1, 'title', 'Seats for team ' || made.number % 9973,
                          'digest', md5(made.number::text), 'comment', 'See order ' || made.number % 77777,
                          'role', 'licensing', 'holder', 'person ' || md5(made.number::text)::uuid, 'source', 'portal',
                          'authorization', 'Quorum'),
       convert_to('{{"id":"' || made.number || '","type":"' || made.type || '"}}', 'UTF8'),
       ARRAY[lpad(to_hex(made.account), 32, '0')::uuid, lpad(to_hex(5000000 + made.number % {PRODUCTS}), 32, '0')::uuid]
  FROM (SELECT number, (ARRAY['approvals.change_request.proposed', 'approvals.change_request.submitted',
                              'approvals.change_request.approval_given', 'approvals.change_request.applied',
                              'entitlements.seat.taken'])[1 + number % 5] AS type,
               CASE WHEN number <= 40000 AND number % 2 = 0 THEN {OLD_ACCOUNT}
                    ELSE 1 + floor({ACCOUNTS} * power((number * 104729 % 1000003) / 1000003.0, 3))::int END AS account
          FROM generate_series(1, {EVENTS}::bigint) AS number) made
"""  # noqa: S608  numbers of this module


def key(number: int) -> uuid.UUID:
    """The id that the filling gave to an account or a human."""
    return uuid.UUID(int=number)


def fill() -> None:
    """Make the events as the superuser does it fastest: without the indexes, which are made afterwards."""
    import psycopg

    from foundation.embedded import cluster
    from tests.support import instance

    own = cluster.prepare(instance.layout_of(f"run-{os.getpid()}"), fleeting=True)
    with psycopg.connect(instance.superuser_url(own), autocommit=True) as connection:
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_event' AND indexname LIKE 'event_%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(FILL)
        connection.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE audit_event")


def people() -> tuple[Any, Any]:
    """Who acts; an auditor of everything, and one of a single account and product."""
    from foundation.identity.models import User
    from tests import given

    User.objects.bulk_create(
        [
            User(
                id=key(number),
                human_id=key(number),
                username=f"actor-{number}",
                first_name="Ada",
                last_name=f"L{number}",
            )
            for number in range(1, HUMANS + 1)
        ]
    )
    everything = given.user("auditor")
    little = given.user("auditor", everywhere=False)
    given.grant_access(little, given.account(), given.product())
    return everything, little


def main() -> int:
    """Measure, print, and answer 1 if a bound is missed."""
    with _database.running():
        return measure()


def measure() -> int:
    """Measure on the running database."""
    from django.db import connection

    began = time.perf_counter()
    fill()
    everything, little = people()
    print(f"{EVENTS:,} events made in {time.perf_counter() - began:.0f} s")
    asked: dict[str, Callable[[], Any]] = {"a bare indexed SELECT of 50 rows": bare}
    asked |= {name: page(everything, **parameters) for name, parameters in FILTERS.items()}
    asked["granted one account"] = page(little)
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(REPEATS + 1):
        for name, call in asked.items():
            begun = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    reference = medians["a bare indexed SELECT of 50 rows"]
    counted = {}
    for name, call in asked.items():
        with _Counting(connection) as counting:
            rows = call()
        counted[name] = counting.queries
        print(
            f"{name:36} {medians[name] * 1000:8.2f} ms, {medians[name] / reference:7.1f} times, "
            f"{len(counting.queries)} queries, {rows} rows"
        )
    first = "first page"
    ratio, queries = medians[first] / reference, counted[first]
    scanned = [query for query in queries if walks(connection, *query)]
    print(
        f"first page: {ratio:.1f} times the bare SELECT (bound {BOUND:g}), {len(queries)} queries (at most "
        f"{MOST_QUERIES}), {len(scanned)} of them without an index"
    )
    return int(ratio > BOUND or len(queries) > MOST_QUERIES or bool(scanned))


FILTERS: Mapping[str, Mapping[str, str]] = {
    "first page": {},
    "by an actor": {"actor": str(key(7))},
    "by a busy account": {"account": str(key(BUSY_ACCOUNT))},
    "by a rare account": {"account": str(key(RARE_ACCOUNT))},
    "by an account of long ago": {"account": str(key(OLD_ACCOUNT))},
    "by a change's object": {"object": "1f0e3dad-9990-8345-f743-9f8ffabdffc4"},
    "by a kind": {"kind": "approvals.change_request"},
    "by one type": {"kind": "entitlements.seat.taken"},
    "by a month": {"since": "2025-03-01", "until": "2025-03-31"},
    "by a rare word": {"text": "77001"},
    "by two common words": {"text": "seats team"},
    "by words and account": {"text": "approval lic", "account": str(key(RARE_ACCOUNT))},
}


def bare() -> int:
    """Read 50 rows as plainly as a program can."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BARE)
        return len(cursor.fetchall())


def page(user: Any, **parameters: str) -> Callable[[], int]:
    """Read the first page as the portal does, for a user whose rights are asked anew."""
    from datetime import UTC

    from audit import subjects
    from audit.explorer import filters, reading
    from foundation.identity.models import User

    fresh = User.objects.get(pk=user.pk)
    fresh.has_perm("audit.view_event")

    def read() -> int:
        found = reading.page(user=fresh, sought=filters.parse(parameters, zone=UTC))
        subjects.directory().accounts(fresh)
        return len([reading.told(event) for event in found.events])

    return read


class _Counting:
    """Keeps the queries that a connection is asked."""

    def __init__(self, connection: Any) -> None:
        self.queries: list[tuple[str, Any]] = []
        self._wrapper = connection.execute_wrapper(self)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.queries.append((sql, params))
        return execute(sql, params, many, context)

    def __enter__(self) -> _Counting:
        self._wrapper.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self._wrapper.__exit__(*args)


def walks(connection: Any, sql: str, params: Any) -> bool:
    """Whether a query reads all of a large table."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    return "Seq Scan on audit_event" in plan or ("Sort" in plan and "audit_event" in plan)


if __name__ == "__main__":
    sys.exit(main())
