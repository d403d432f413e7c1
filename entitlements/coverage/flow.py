"""Maximum flow of demands into seats, by networkx."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import networkx as nx

from entitlements.coverage.bits import bits

#: Augmenting paths cost least on these small graphs of classes; the value is the same with any algorithm.
_ALGORITHM = nx.algorithms.flow.shortest_augmenting_path


def bottleneck(
    load: Mapping[int, int],
    *,
    own: Mapping[int, int],
    levels: Mapping[int, Sequence[int]],
    limit: Mapping[int, int],
) -> int:
    """
    Return the pools that keep the demands of a load from having seats all at once; none if they can.

    They are those before the minimum cut that is nearest to the seats: none of them can take one more demand,
    whoever is moved.

    - `load`: for each class (set of pools) the number of its demands.
    - `own`: the seats of each pool.
    - `levels`: for each pool the families that it counts in, nearest first; `limit`: what each of those gives at most.

    The graph runs from the need over classes, pools and families to the seats. An edge without a capacity has no limit.
    """
    graph: nx.DiGraph[Hashable] = nx.DiGraph()
    for pools, count in load.items():
        graph.add_edge("need", ("class", pools), capacity=count)
        for index in bits(pools):
            graph.add_edge(("class", pools), ("pool", index))
    for index, seats in own.items():
        upwards = [("family", level) for level in levels[index]]
        graph.add_edge(("pool", index), upwards[0] if upwards else "seats", capacity=seats)
        for level, above in zip(upwards, [*upwards[1:], "seats"], strict=True) if upwards else ():
            graph.add_edge(level, above, capacity=limit[level[1]])
    placed, (stuck, _) = nx.minimum_cut(graph, "need", "seats", flow_func=_ALGORITHM)
    if placed == sum(load.values()):
        return 0
    return sum(1 << index for index in own if ("pool", index) in stuck)
