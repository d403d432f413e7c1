"""
The Merkle tree of RFC 9162: hashes, growing it, proofs and their verification. Pure.

A tree of `size` leaves is a row of complete subtrees, widths falling powers of two: its *frontier*, from the left. A
complete subtree of 2^level leaves is named `(level, index)`: it begins at leaf `index * 2^level`.

Source: RFC 9162 §2.1 (the hashes are those of RFC 6962)
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32

Name = tuple[int, int]


class BadProof(ValueError):
    """The proof does not show what it claims."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees' hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Tree:
    """A tree by its size and its frontier's hashes, from the left: all that growing it needs, O(log size)."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.frontier) != self.size.bit_count():
            raise ValueError(f"A tree of {self.size} leaves has {self.size.bit_count()} complete subtrees.")

    @property
    def root(self) -> bytes:
        """The root's hash."""
        if not self.frontier:
            return EMPTY_ROOT
        found = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            found = node_hash(left, found)
        return found

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> "Tree":
        """The tree of leaf hashes, or of the hashes of subtrees of one size."""
        return appended(cls(), leaves)[0]


@dataclass(frozen=True)
class Row:
    """Hashes of complete subtrees of one level that lie side by side, from the `begin`-th on."""

    level: int
    begin: int
    hashes: list[bytes]


def appended(tree: Tree, leaves: Iterable[bytes]) -> tuple[Tree, list[Row]]:
    """The tree with the leaf hashes appended, and the subtrees of levels from 1 on that became complete."""
    sha256, row, begin, level = hashlib.sha256, list(leaves), tree.size, 0
    size, left, frontier, complete = tree.size + len(row), list(tree.frontier), [], []
    while row:
        # At each level an odd one stands for itself: the last of those before waited for a right neighbor.
        if begin & 1:
            row, begin = [left.pop(), *row], begin - 1
        if len(row) & 1:
            frontier.append(row[-1])
            row = row[:-1]
        row = [sha256(b"\x01" + one + other).digest() for one, other in zip(row[::2], row[1::2], strict=True)]
        begin, level = begin >> 1, level + 1
        if row:
            complete.append(Row(level, begin, row))
    return Tree(size, (*left, *reversed(frontier))), complete


def frontier_names(size: int) -> list[Name]:
    """The names of the complete subtrees of a tree, from the left."""
    names, begin = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            names.append((level, begin >> level))
            begin += 1 << level
    return names


def subtrees(begin: int, end: int) -> list[Name]:
    """The complete subtrees, from the left, that make up the tree hash of the leaves `[begin, end)` of a proof."""
    if begin & ((1 << max(end - begin - 1, 0).bit_length()) - 1):
        raise ValueError(f"[{begin}, {end}) is no range that a proof speaks of.")
    return [(level, (begin >> level) + index) for level, index in frontier_names(end - begin)]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """
    The ranges of leaves whose tree hashes prove that leaf `index` is in the tree of `size`, in the proof's order.

    :raises ValueError: if there is no such leaf

    Source: RFC 9162 §2.1.3.1
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    found, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """
    The ranges of leaves whose tree hashes prove that the tree of `first` leaves is a beginning of that of `second`.

    :raises ValueError: unless 0 < first ≤ second

    Source: RFC 9162 §2.1.4.1
    """
    if not 0 < first <= second:
        raise ValueError(f"There is no proof from {first} to {second} leaves: ask for 0 < first ≤ second.")
    found: list[tuple[int, int]] = []
    begin, end, whole = 0, second, True
    while end - begin != first - begin:
        middle = begin + _split(end - begin)
        if first <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin, whole = middle, False
    return ([] if whole else [(begin, end)]) + found[::-1]


def check_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """
    Refuse a proof that does not lead from the leaf's hash to the root.

    :raises BadProof: saying so

    Source: RFC 9162 §2.1.3.2
    """
    if not 0 <= index < size:
        raise BadProof(f"A tree of {size} leaves has no leaf {index}.")
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count() or _misshapen(leaf, root, *proof):
        raise BadProof(f"The proof of leaf {index} among {size} has {len(proof)} hashes, not what it needs.")
    found = leaf
    for level, hashed in enumerate(proof):
        right = level >= inner or index >> level & 1
        found = node_hash(hashed, found) if right else node_hash(found, hashed)
    if found != root:
        raise BadProof(f"The proof of leaf {index} among {size} leads to another root.")


def check_consistency(*, first: int, second: int, proof: Sequence[bytes], roots: tuple[bytes, bytes]) -> None:
    """
    Refuse a proof that does not show that the first tree is a beginning of the second.

    :raises BadProof: saying so

    Source: RFC 9162 §2.1.4.2
    """
    if not 0 < first <= second:
        raise BadProof(f"There is no proof from {first} to {second} leaves: ask for 0 < first ≤ second.")
    if first == second:
        if proof or roots[0] != roots[1]:
            raise BadProof("Trees of one size have one root and need no proof.")
        return
    shift = (first & -first).bit_length() - 1
    inner = (first - 1 ^ second - 1).bit_length() - shift
    border = ((first - 1) >> (inner + shift)).bit_count()
    seeded = 1 if first != 1 << shift else 0
    if len(proof) != seeded + inner + border or _misshapen(*roots, *proof):
        raise BadProof(f"The proof from {first} to {second} has {len(proof)} hashes, not what it needs.")
    seed, path = (proof[0], proof[1:]) if seeded else (roots[0], proof)
    mask = (first - 1) >> shift
    before = after = seed
    for level, hashed in enumerate(path):
        if level >= inner or mask >> level & 1:
            before, after = node_hash(hashed, before), node_hash(hashed, after)
        else:
            after = node_hash(after, hashed)
    if (before, after) != roots:
        raise BadProof(f"The tree of {first} leaves is no beginning of that of {second}.")


def _split(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _misshapen(*hashes: bytes) -> bool:
    return any(len(one) != HASH_BYTES for one in hashes)
