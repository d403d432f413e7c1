"""
Reading the whole log: the leaf hashes that the bytes of its events give, in its order.

Source: docs/ledger.md
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, repeat
from typing import Any

from django.db import connection

from audit.merkle import tree
from audit.sealing.services import IN_INDEX_ORDER, binary_cursor

# Leaves read and hashed together.
BLOCK = 10_000

# A block in one row: joined bytes cost a fraction of as many rows.
LEAVES = """
    SELECT count(*), string_agg(uuid_send(event_id), ''), string_agg(hash, ''), coalesce(max(index) + 1, 0)
      FROM (SELECT index, event_id, hash FROM audit_leaf WHERE index >= %s ORDER BY index LIMIT %s) AS leaf
"""
# In the order of sealing, so that leaves and events are read side by side; what is elsewhere is looked up.
CONTENTS = """
    SELECT string_agg(uuid_send(id), ''), string_agg(content, ''), array_agg(octet_length(content))
      FROM (SELECT id, content FROM audit_event
             WHERE (transaction_id, position) > (%s, %s) ORDER BY transaction_id, position LIMIT %s) AS event
"""
PLACE = "SELECT transaction_id, position FROM audit_event WHERE id = %s"


Find = Callable[[str, str], None]


def blocks(*, find: Find, unsealed: Callable[[int], None]) -> Iterator[list[bytes]]:
    """
    The leaf hashes that the bytes of the events give, in the order of the leaves, some thousands at a time.

    What does not fit is told to `find`; `unsealed` is told, at the end, how many events are no leaves.
    """
    sha256, aside, index = hashlib.sha256, _Aside(), 0
    place: Sequence[int] = (0, 0)
    for ids, stored, event_ids, contents, after in _read_ahead():
        place = after
        if ids == event_ids and not aside.contents:
            hashes = [sha256(b"\x00" + content).digest() for content in contents]
        else:
            aside.take(_split(event_ids, repeat(16, len(contents))), contents)
            hashes = [_hash_of(find, aside, *leaf) for leaf in zip(_pieces(ids, 16), _pieces(stored, 32), strict=True)]
        if b"".join(hashes) != stored:
            for number, (found, told) in enumerate(zip(hashes, _pieces(stored, 32), strict=True), start=index):
                if found != told:
                    find("changed", f"The bytes of event {number} of the log are not those that were sealed.")
        index += len(hashes)
        yield hashes
    unsealed(_count_after(place) + len(aside.contents))
    if aside.contents:
        count = len(aside.contents)
        find("outside", f"{count} events are outside the log that were recorded before its last one.")


def _read_ahead() -> Iterator[tuple[bytes, bytes, bytes, list[bytes], Sequence[int]]]:
    """Blocks of leaves and as many events, side by side; the next is read while one is hashed."""

    def read(begin: int, place: Sequence[int]) -> tuple[Any, Any, Sequence[int]]:
        cursor.execute(LEAVES, [begin, BLOCK])
        leaves = cursor.fetchall()[0]
        cursor.execute(CONTENTS, [*place, leaves[0]])
        events = cursor.fetchall()[0]
        if events[0]:
            cursor.execute(PLACE, [uuid.UUID(bytes=events[0][-16:])])
            place = cursor.fetchall()[0]
        return leaves, events, place

    with binary_cursor() as cursor, ThreadPoolExecutor(1) as reader:
        cursor.execute(IN_INDEX_ORDER)
        place: Sequence[int] = (0, 0)
        waiting = reader.submit(read, 0, place)
        while True:
            (count, ids, stored, begin), (event_ids, joined, lengths), place = waiting.result()
            if not count:
                return
            waiting = reader.submit(read, begin, place)
            yield ids, stored, event_ids or b"", _split(joined or b"", lengths or ()), place


@dataclass
class _Aside:
    """Events that were read and are not leaves yet: a few, unless the order was changed."""

    contents: dict[bytes, bytes] = field(default_factory=dict)
    looked_up: set[bytes] = field(default_factory=set)

    def take(self, ids: Sequence[bytes], contents: Sequence[bytes]) -> None:
        """Keep what the order brings, unless it was looked up before."""
        found = zip(ids, contents, strict=True)
        self.contents.update((key, content) for key, content in found if key not in self.looked_up)


def _hash_of(find: Find, aside: _Aside, event_id: bytes, stored: bytes) -> bytes:
    """The leaf hash of an event that may be anywhere; of one that is gone, what is stored."""
    content = aside.contents.pop(event_id, None)
    if content is None:
        content = _looked_up(uuid.UUID(bytes=event_id))
        aside.looked_up.add(event_id)
    if content is None:
        find("removed", f"The event {uuid.UUID(bytes=event_id)} is gone.")
        return stored
    return tree.leaf_hash(content)


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


def _count_after(place: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE (transaction_id, position) > (%s, %s)", [*place])
        (count,) = cursor.fetchone()
    return int(count)
