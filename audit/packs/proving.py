"""Proofs of many events at once: the hashes that they share are read once."""

from collections.abc import Iterator, Sequence

from audit.merkle import tree
from audit.merkle.tree import Tree
from audit.sealing.proofs import subtree_hashes

AT_ONCE = 500


def inclusions(indexes: Sequence[int], size: int) -> Iterator[tuple[int, list[bytes]]]:
    """
    The inclusion proof of each leaf in the tree of `size`, in the order given.

    :raises NotSealed: if the log is shorter
    """
    for begin in range(0, len(indexes), AT_ONCE):
        batch = indexes[begin : begin + AT_ONCE]
        named = {
            index: [(end - start, tree.subtrees(start, end)) for start, end in tree.inclusion_ranges(index, size)]
            for index in batch
        }
        hashes = subtree_hashes({name for ranges in named.values() for _, names in ranges for name in names})
        for index in batch:
            yield index, [Tree(width, tuple(hashes[name] for name in names)).root for width, names in named[index]]
