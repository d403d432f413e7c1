"""
Proofs out of the stored hashes: a few rows, however long the log is.

The hash of a complete subtree whose level is not stored is computed from those of the stored level below, 8 at most.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from audit.merkle import tree
from audit.merkle.tree import Name, Tree
from audit.sealing.errors import NotSealed
from audit.sealing.models import LEVELS_APART, Checkpoint, Leaf

# Both tables in one round trip, by whole keys: nothing that a planner could read in another way than by them.
STORED = """
    SELECT node.level, node.index, node.hash
      FROM unnest(%s::smallint[], %s::bigint[]) AS wanted(level, index)
      JOIN audit_treenode node ON node.level = wanted.level AND node.index = wanted.index
    UNION ALL
    SELECT 0, leaf.index, leaf.hash FROM audit_leaf leaf WHERE leaf.index = ANY(%s::bigint[])
"""


@dataclass(frozen=True)
class Inclusion:
    """That an event is leaf `index` of the tree of `size`: RFC 9162 §2.1.3."""

    index: int
    size: int
    leaf: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class Place:
    """Where an event is in the log, and the first head that covers it."""

    index: int
    size: int
    signed_at: datetime


def place_of(event_id: uuid.UUID) -> Place | None:
    """Where an event is; None while it is not sealed."""
    leaf = Leaf.objects.filter(event_id=event_id).first()
    head = Checkpoint.objects.filter(size__gt=leaf.index).order_by("size").first() if leaf else None
    return Place(leaf.index, head.size, head.signed_at) if leaf and head else None


def inclusion(*, event_id: uuid.UUID, size: int) -> Inclusion:
    """
    The proof that an event is in the tree of the first `size` leaves.

    :raises NotSealed: if it is not
    """
    leaf = Leaf.objects.filter(event_id=event_id, index__lt=size).first()
    if leaf is None:
        raise NotSealed(f"The event is not among the first {size} of the log. Ask again in a few seconds.")
    hashes = range_hashes(tree.inclusion_ranges(leaf.index, size))
    return Inclusion(index=leaf.index, size=size, leaf=bytes(leaf.hash), hashes=tuple(hashes))


def consistency(*, first: int, second: int) -> tuple[bytes, ...]:
    """
    The proof that the tree of `first` leaves is a beginning of that of `second`: RFC 9162 §2.1.4.

    :raises NotSealed: unless 0 < first ≤ second ≤ the leaves there are
    """
    if not 0 < first <= second or not Leaf.objects.filter(index=second - 1).exists():
        raise NotSealed(f"The log has no trees of {first} and {second} leaves of which one begins the other.")
    return tuple(range_hashes(tree.consistency_ranges(first, second)))


def root(size: int) -> bytes:
    """
    The root of the first `size` leaves, from what is stored.

    :raises NotSealed: if the log is shorter
    """
    names = tree.frontier_names(size)
    hashes = subtree_hashes(names)
    return Tree(size, tuple(hashes[name] for name in names)).root


def range_hashes(ranges: Iterable[tuple[int, int]]) -> list[bytes]:
    """The tree hashes of ranges of leaves, in their order."""
    parts = [(begin, end, tree.subtrees(begin, end)) for begin, end in ranges]
    hashes = subtree_hashes(name for _begin, _end, names in parts for name in names)
    return [Tree(end - begin, tuple(hashes[name] for name in names)).root for begin, end, names in parts]


def subtree_hashes(names: Iterable[Name]) -> dict[Name, bytes]:
    """
    The hashes of complete subtrees.

    :raises NotSealed: if one is not stored
    """
    wanted = {name: _below(*name) for name in names}
    places = [(level, index) for level, begin, end in wanted.values() for index in range(begin, end)]
    if not places:
        return {}
    above = [place for place in places if place[0]]
    with connection.cursor() as cursor:
        leaves = [index for level, index in places if not level]
        cursor.execute(STORED, [[level for level, _ in above], [index for _, index in above], leaves])
        stored = {(level, index): bytes(found) for level, index, found in cursor.fetchall()}
    try:
        return {
            name: Tree.of(stored[level, index] for index in range(begin, end)).root
            for name, (level, begin, end) in wanted.items()
        }
    except KeyError as missing:
        raise NotSealed(f"The log has no subtree {missing}: it is shorter than was asked.") from None


def _below(level: int, index: int) -> tuple[int, int, int]:
    """The stored level at or below a subtree's, and the range of its indexes that the subtree spans."""
    stored = level - level % LEVELS_APART
    spread = level - stored
    return stored, index << spread, (index + 1) << spread
