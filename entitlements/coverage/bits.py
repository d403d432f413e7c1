"""
Sets of pools as bits.

Pools of a component are numbered by id, and a set of them is an int with bit i set for pool i. Which pools serve,
satisfy and hold is then an `&`, which is what makes a sweep over many instants cheap.
"""

from __future__ import annotations

from collections.abc import Iterator


def bits(pools: int) -> Iterator[int]:
    """Yield the numbers of the pools in a set, ascending."""
    while pools:
        lowest = pools & -pools
        yield lowest.bit_length() - 1
        pools ^= lowest
