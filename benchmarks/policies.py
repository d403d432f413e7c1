"""
The policy engine against a bare loop of the same comparisons: 1,000 policies of three conditions over 500 items.

`python -m benchmarks.policies` prints the median time of both, their ratio, and the exponents of growth in policies and
in items. It exits 1 if the ratio exceeds its bound (10, of the bare loop) or an exponent exceeds its own.

The engine is measured whole: it reads facts and conditions from JSON values, compares, and makes the chain with its
reasons in words. The bare loop has everything read beforehand and does nothing but compare, in the same order, with the
same stops; both must find the same matches. The policies hold of no item or of few, so neither stops early. Input is
made before the clock starts and differs for each repeat. Time is the process's CPU time: the machine may be shared.
"""

from __future__ import annotations

import gc
import math
import operator
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from approvals.facts import FactType, FactUnit
from approvals.policies.rules import PolicyRow, stages_for

POLICIES, ITEMS, REPEATS = 1_000, 500, 5
BOUND, GROWTH_BOUND = 10.0, 1.15
KIND = "entitlement.amend"
COUNTRIES = ("AT", "CH", "DE", "FR", "GB", "US")
DECLARED = {
    KIND: {
        name: FactType(name, unit, "", name)
        for name, unit in (
            ("kind", FactUnit.TEXT),
            ("phase", FactUnit.TEXT),
            ("seats_after", FactUnit.INTEGER),
            ("countries_added", FactUnit.TEXTS),
        )
    }
}
Bare = list[tuple[str, Callable[[Any, Any], bool], Any]]


def items_of(random: Random, count: int) -> list[dict[str, Any]]:
    """Facts of so many items, as a plan has them."""
    return [
        {
            "kind": KIND,
            "phase": random.choice(("trial", "bridge", "production")),
            "seats_after": random.randrange(10_000),
            "countries_added": random.sample(COUNTRIES, 2),
        }
        for _ in range(count)
    ]


def policies_of(random: Random, count: int) -> list[PolicyRow]:
    """So many policies of three conditions, of which the last holds of few items."""
    return [
        PolicyRow(
            f"Policy {number}",
            [
                {"field": "phase", "operator": "is_not", "value": random.choice(("trial", "production"))},
                {"field": "countries_added", "operator": "any_of", "value": random.sample(COUNTRIES, 3)},
                {"field": "seats_after", "operator": "more_than", "value": random.randrange(9_990, 20_000)},
            ],
            [{"position": 1, "role": random.choice(("finance", "legal", "product")), "quorum": 1}],
            "",
        )
        for number in range(count)
    ]


def bare(policies: Sequence[PolicyRow]) -> list[Bare]:
    """The policies as a loop needs them, read beforehand."""
    return [
        [
            ("phase", operator.ne, policy.conditions[0]["value"]),
            (
                "countries_added",
                lambda fact, value: not fact.isdisjoint(value),
                frozenset(policy.conditions[1]["value"]),
            ),
            ("seats_after", operator.gt, policy.conditions[2]["value"]),
        ]
        for policy in policies
    ]


def loop(policies: Sequence[Bare], items: Sequence[dict[str, Any]]) -> int:
    """How many policies hold of an item: comparisons alone."""
    found = 0
    for policy in policies:
        for item in items:
            for field, compare, value in policy:
                if not compare(item[field], value):
                    break
            else:
                found += 1
                break
    return found


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """The call's CPU seconds, and its answer."""
    gc.collect()
    begun = time.process_time()
    answer = call()
    return time.process_time() - begun, answer


def engine(policies: Sequence[PolicyRow], items: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """CPU seconds of the engine, and how many policies gave a reason."""
    seconds, stages = timed(lambda: stages_for(policies=policies, facts=items, needs_waiver=False, declared=DECLARED))
    return seconds, sum(len(stage.reasons) for stage in stages if stage.reasons != ("no policy decides this change",))


def compare(random: Random) -> tuple[float, float]:
    """One repeat of both, on input of its own."""
    policies, items = policies_of(random, POLICIES), items_of(random, ITEMS)
    read = [item | {"countries_added": frozenset(item["countries_added"])} for item in items]
    ready = bare(policies)
    bare_seconds, found = timed(lambda: loop(ready, read))
    engine_seconds, reasons = engine(policies, items)
    if found != reasons:
        sys.exit(f"The loop finds {found} policies and the engine {reasons}.")
    return engine_seconds, bare_seconds


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(s) for s in seconds]).slope


def main() -> int:
    """Measure, print, and tell whether the bounds hold."""
    runs = [compare(Random(seed)) for seed in range(REPEATS)]
    ratio = statistics.median(whole / alone for whole, alone in runs)
    print(
        f"{POLICIES} policies, {ITEMS} items: {statistics.median(whole for whole, _ in runs):.3f} s, bare loop "
        f"{statistics.median(alone for _, alone in runs):.3f} s; ratio {ratio:.2f} (bound {BOUND:g})"
    )
    slopes = {}
    for what, sizes in (("policies", (250, 500, 1_000, 2_000)), ("items", (125, 250, 500, 1_000))):
        medians = []
        for size in sizes:
            counts = (size, ITEMS) if what == "policies" else (POLICIES, size)
            medians.append(
                statistics.median(
                    engine(policies_of(Random(seed), counts[0]), items_of(Random(seed + 100), counts[1]))[0]
                    for seed in range(3)
                )
            )
        slopes[what] = exponent(sizes, medians)
        print(f"growth in {what}: exponent {slopes[what]:.3f} (bound {GROWTH_BOUND:g})")
    return int(ratio > BOUND or any(slope > GROWTH_BOUND for slope in slopes.values()))


if __name__ == "__main__":
    sys.exit(main())
