"""
Sealing: numbers the events that are committed, grows the tree by them, and signs its head.

What is below the snapshot's xmin is finished: no transaction that is still open can add an event before it. So the
order `(transaction_id, position)` never gets a predecessor later, and `id > cursor`, which loses rows, is not needed.

Source: docs/ledger.md
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection, transaction
from psycopg.pq import Format

from audit.merkle import notes, tree
from audit.merkle.notes import BadNote, SignerKey
from audit.merkle.tree import HASH_BYTES, Tree
from audit.sealing import keys, proofs
from audit.sealing.errors import LogDamaged, NotSealed
from audit.sealing.models import LEVELS_APART, Checkpoint, Leaf

# One sealer at a time, in all of the database.
LOCK = 0x7E4C_5EA1
BATCH = 20_000

# Below it every transaction is finished; from `open_to` on none has begun.
SNAPSHOT = """
    SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint, system_identifier
      FROM pg_current_snapshot() AS now, pg_control_system()
"""
# Read in the index's order, whatever the planner thinks of it: nothing is sorted, and nothing beyond the batch is read.
IN_INDEX_ORDER = """
    SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true),
           set_config('enable_sort', 'off', true)
"""
UNSEALED = """
    SELECT id, content, transaction_id, position
      FROM audit_event
     WHERE (transaction_id, position) > (%s, %s) AND transaction_id < %s
     ORDER BY transaction_id, position
     LIMIT %s
"""
# After a dump was restored: what another cluster numbered, by its own order.
ADOPTED = """
    SELECT event.id, event.content, event.transaction_id, event.position
      FROM audit_event event
     WHERE NOT EXISTS (SELECT 1 FROM audit_leaf leaf WHERE leaf.event_id = event.id)
     ORDER BY event.transaction_id, event.position
     LIMIT %s
"""
Row = tuple[Any, bytes, int, int]


@dataclass(frozen=True)
class Sealed:
    """What one round did: how many events it sealed, and whether more waited than it took."""

    events: int = 0
    more: bool = False


@dataclass(frozen=True)
class Place:
    """
    The last event sealed, in the order of one cluster.

    Events of transactions below `contested_below` may have been sealed out of that order, when a dump was adopted.
    """

    transaction_id: int
    position: int
    cluster: int
    contested_below: int


@transaction.atomic
def seal(*, now: datetime, batch: int = BATCH) -> Sealed:
    """
    Seal at most `batch` events; nothing if another sealer is at work, or nothing is finished.

    :raises NoSigningKey: if no key is set here
    :raises LogDamaged: if what is stored is not what was signed last: nothing is signed on it
    """
    signing = keys.signers()
    if not _alone():
        return Sealed()
    last = Checkpoint.objects.order_by("-size").first()
    grown = checked(last)
    place, rows, more = _next(last, batch)
    if not rows:
        return Sealed()
    new, complete = tree.appended(grown, leaves := [tree.leaf_hash(row[1]) for row in rows])
    _store(rows=rows, leaves=leaves, begin=grown.size, complete=complete)
    _sign(new=new, place=place, signing=signing, now=now)
    return Sealed(events=len(rows), more=more)


def checked(last: Checkpoint | None) -> Tree:
    """
    The tree that was signed last, if what is stored still is that tree.

    :raises LogDamaged: saying what does not fit
    """
    count = Leaf.objects.order_by("-index").values_list("index", flat=True).first()
    size = last.size if last else 0
    if (count + 1 if count is not None else 0) != size:
        raise LogDamaged(f"{size} events were signed, and the last leaf is {count}. Nothing is sealed on such a log.")
    if last is None:
        return Tree()
    try:
        signed = notes.read_checkpoint(last.note, keys=keys.verifiers(), origins=keys.origins())
        stored = proofs.root(size)
    except (BadNote, NotSealed) as error:
        raise LogDamaged(f"The last checkpoint does not hold: {error} Nothing is sealed on it.") from error
    frontier = bytes(last.frontier)
    parts = tuple(frontier[begin : begin + HASH_BYTES] for begin in range(0, len(frontier), HASH_BYTES))
    grown = Tree(size, parts) if len(parts) == size.bit_count() else Tree()
    if (signed.size, signed.root) != (size, grown.root) or not stored == signed.root == bytes(last.root):
        raise LogDamaged(
            f"The checkpoint of {size} events is signed for another root than what is stored gives. Nothing is sealed "
            "on it: run “manage.py ledger verify”."
        )
    return grown


@contextmanager
def binary_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor that gets bytes as they are; Django's read them as text."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.format = Format.BINARY
        yield cursor


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        (alone,) = cursor.fetchone()
    return bool(alone)


def _next(last: Checkpoint | None, batch: int) -> tuple[Place, list[Row], bool]:
    """The events to seal now, in order, the place of the last of them, and whether there may be more."""
    with binary_cursor() as cursor:
        cursor.execute(SNAPSHOT)
        finished_below, open_to, cluster = cursor.fetchall()[0]
        if last is None:
            return _unsealed(cursor, Place(0, 0, cluster, 0), finished_below, batch)
        if last.cluster == cluster:
            place = Place(last.transaction_id, last.position, cluster, last.contested_below)
            return _unsealed(cursor, place, finished_below, batch)
        # What is finished is taken here, whatever its number; what is open is found later by its transaction.
        cursor.execute(ADOPTED, [batch])
        rows = cursor.fetchall()
        if len(rows) == batch:
            return Place(rows[-1][2], rows[-1][3], cluster=0, contested_below=0), rows, True
        return Place(finished_below, -1, cluster, contested_below=open_to), rows, False


def _unsealed(cursor: Any, place: Place, finished_below: int, batch: int) -> tuple[Place, list[Row], bool]:
    cursor.execute(IN_INDEX_ORDER)
    while True:
        cursor.execute(UNSEALED, [place.transaction_id, place.position, finished_below, batch])
        rows = cursor.fetchall()
        if not rows:
            return place, [], False
        more, contested = len(rows) == batch, rows[0][2] < place.contested_below
        place = replace(place, transaction_id=rows[-1][2], position=rows[-1][3])
        if contested:
            known = set(Leaf.objects.filter(event_id__in=[row[0] for row in rows]).values_list("event_id", flat=True))
            rows = [row for row in rows if row[0] not in known]
        if rows or not more:
            return place, rows, more


def _store(*, rows: Sequence[Row], leaves: Sequence[bytes], begin: int, complete: Sequence[tree.Row]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY audit_leaf (index, event_id, hash) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "uuid", "bytea"])
            for index, (row, leaf) in enumerate(zip(rows, leaves, strict=True), start=begin):
                copy.write_row((index, row[0], leaf))
        with cursor.copy("COPY audit_treenode (level, index, hash) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int2", "int8", "bytea"])
            for side in complete:
                if side.level % LEVELS_APART == 0:
                    for index, found in enumerate(side.hashes, start=side.begin):
                        copy.write_row((side.level, index, found))


def _sign(*, new: Tree, place: Place, signing: Sequence[SignerKey], now: datetime) -> None:
    head = notes.Checkpoint(origin=keys.origin(), size=new.size, root=new.root)
    Checkpoint.objects.create(
        size=new.size,
        root=new.root,
        frontier=b"".join(new.frontier),
        note=notes.sign(head.text(), signing),
        signed_at=now,
        transaction_id=place.transaction_id,
        position=place.position,
        cluster=place.cluster,
        contested_below=place.contested_below,
    )
