"""
Reading the whole log: the leaf hashes that the bytes of its events give, in its order.

Source: docs/ledger.md
"""

import hashlib
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, repeat
from typing import Any

from django.db import connection

from audit.sealing.services import IN_INDEX_ORDER, binary_cursor

# Leaves read and hashed together.
BLOCK = 2_000

# Hashes and ids of a block, in one row.
LEAVES = """
    SELECT count(*), string_agg(uuid_send(event_id), ''), string_agg(hash, ''), coalesce(max(index) + 1, 0)
      FROM (SELECT index, event_id, hash FROM audit_leaf WHERE index >= %s ORDER BY index LIMIT %s) AS leaf
"""
# In the order of sealing, so that leaves and events are read side by side; what is elsewhere is looked up.
CONTENTS = "SELECT uuid_send(id), content FROM audit_event ORDER BY transaction_id, position"


Find = Callable[[str, str], None]


def blocks(*, find: Find, unsealed: Callable[[int], None]) -> Iterator[list[bytes]]:
    """
    The leaf hashes that the bytes of the events give, in the order of the leaves, some thousands at a time.

    What does not fit is told to `find`; `unsealed` is told, at the end, how many events are no leaves.
    """
    sha256, aside, index = hashlib.sha256, _Aside(), 0
    for ids, stored, events in _read_ahead():
        event_ids, leaves = zip(*events, strict=True) if events else ((), ())
        if not aside.leaves and ids == b"".join(event_ids):
            hashes = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
        else:
            aside.take(events)
            hashes = [_hash_of(find, aside, *leaf) for leaf in zip(_pieces(ids, 16), _pieces(stored, 32), strict=True)]
        if b"".join(hashes) != stored:
            for number, (found, told) in enumerate(zip(hashes, _pieces(stored, 32), strict=True), start=index):
                if found != told:
                    find("changed", f"The bytes of event {number} of the log are not those that were sealed.")
        index += len(hashes)
        yield hashes
    unsealed(max(_count() - index, 0))
    if aside.leaves:
        count = len(aside.leaves)
        find("outside", f"{count} events are outside the log that were recorded before its last one.")


def _read_ahead() -> Iterator[tuple[bytes, bytes, list[tuple[bytes, bytes]]]]:
    """Ids and hashes of a block of leaves, and as many events; the next is read while one is hashed."""

    def read(begin: int) -> tuple[Any, list[tuple[bytes, bytes]]]:
        leaves.execute(LEAVES, [begin, BLOCK])
        found = leaves.fetchall()[0]
        return found, contents.fetchmany(found[0]) if found[0] else []

    with _turns(), binary_cursor() as leaves, ThreadPoolExecutor(1) as reader:
        leaves.execute(IN_INDEX_ORDER)
        with connection.connection.cursor(name="ledger_contents", binary=True) as contents:
            contents.execute(CONTENTS)
            waiting = reader.submit(read, 0)
            while True:
                (count, ids, stored, begin), events = waiting.result()
                if not count:
                    return
                waiting = reader.submit(read, begin)
                yield ids, stored, events


@contextmanager
def _turns() -> Iterator[None]:
    """Let threads take turns ten times as often: else the one that reads waits for the one that hashes."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(former / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(former)


@dataclass
class _Aside:
    """Events that were read and are not leaves yet: a few, unless the order was changed."""

    leaves: dict[bytes, bytes] = field(default_factory=dict)
    looked_up: set[bytes] = field(default_factory=set)

    def take(self, events: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep what the order brings, unless it was looked up before."""
        self.leaves.update((key, leaf) for key, leaf in events if key not in self.looked_up)


def _hash_of(find: Find, aside: _Aside, event_id: bytes, stored: bytes) -> bytes:
    """The leaf hash of an event that may be anywhere; of one that is gone, what is stored."""
    leaf = aside.leaves.pop(event_id, None)
    if leaf is None:
        leaf = _looked_up(uuid.UUID(bytes=event_id))
        aside.looked_up.add(event_id)
    if leaf is None:
        find("removed", f"The event {uuid.UUID(bytes=event_id)} is gone.")
        return stored
    return hashlib.sha256(b"\x00" + leaf).digest()


def _pieces(joined: bytes, length: int) -> list[bytes]:
    return _split(joined, repeat(length, len(joined) // length))


def _split(joined: bytes, lengths: Iterable[int]) -> list[bytes]:
    ends = list(accumulate(lengths, initial=0))
    return [joined[begin:end] for begin, end in pairwise(ends)]


def _looked_up(event_id: uuid.UUID) -> bytes | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM audit_event WHERE id = %s", [event_id])
        row = cursor.fetchone()
    return bytes(row[0]) if row else None


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event")
        (count,) = cursor.fetchone()
    return int(count)
