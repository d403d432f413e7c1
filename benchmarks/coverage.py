"""
Growth of the coverage engine: one sweep over 1,000 to 100,000 entitlements with three needs each.

`python -m benchmarks.coverage` prints the median time of each size, the ratio of the largest to the smallest, and the
exponent of growth: the slope of a straight line through the logarithms of all medians. It exits 1 if the exponent
exceeds the bound.

The input is made before the clock starts, differs for each repeat, and every answer is used. Sizes are interleaved,
so that a machine that becomes slower hits all of them. Time is the CPU time of the process (the engine neither waits
nor starts threads), since the machine may be shared. Garbage collection stays on as in production; the input is
frozen out of it, as it would be in a process that serves (`gc.freeze`), and garbage of the run before is collected
off the clock.
"""

from __future__ import annotations

import gc
import math
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from entitlements.coverage.engine import cover
from entitlements.coverage.results import Coverage
from entitlements.coverage.values import Cohort, Metric, Need, Pool, Unit

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
REPEATS = 3
BOUND = 1.12
START = datetime(2026, 1, 1, tzinfo=UTC)
HORIZON = (START, START + timedelta(days=180))
COUNTRIES = ("AT", "CH", "DE", "FR", "GB", "US")
FEATURES = ("export", "reports", "sign")


class Registry:
    """A made-up registry of accounts of five kinds; each method adds one account with its entitlements and needs."""

    def __init__(self, size: int, seed: int) -> None:
        self.random = Random(seed)
        self.pools: list[Pool] = []
        self.needs: list[Need] = []
        self.products = [self.uuid() for _ in range(12)]
        kinds = [self.plain, self.transition, self.regional, self.group, self.floating]
        while len(self.pools) < size:
            self.random.choices(kinds, weights=(40, 25, 15, 10, 10))[0]()
        del self.pools[size:]

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def day(self, first: int = -400, last: int = 260) -> datetime:
        return START + timedelta(days=self.random.randint(first, last), seconds=self.random.randint(0, 86_399))

    def pool(self, accounts: list[UUID], product: UUID, **fields: object) -> Pool:
        starts_at = self.day(-400, 30)
        terms: dict[str, object] = {
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(days=self.random.choice((90, 365, 730))),
            "seats": self.random.randint(2, 12),
            "features": frozenset(FEATURES),
            "support": 2,
        }
        pool = Pool(id=self.uuid(), product_id=product, account_ids=frozenset(accounts), **(terms | fields))  # type: ignore[arg-type]
        self.pools.append(pool)
        return pool

    def people(self, account: UUID, product: UUID, count: int, countries: tuple[str, ...] = ("DE",)) -> list[UUID]:
        found = []
        for _ in range(count):
            person = self.uuid()
            found.append(person)
            starts_at = self.day(-200, 150)
            self.needs.append(
                Need(
                    account_id=account,
                    product_id=product,
                    country=self.random.choice(countries),
                    person=person,
                    starts_at=starts_at,
                    ends_at=self.random.choice((None, starts_at + timedelta(days=self.random.randint(20, 300)))),
                    features=frozenset(self.random.sample(FEATURES, self.random.randint(0, 2))),
                    support=self.random.randint(0, 2),
                )
            )
        return found

    def plain(self) -> None:
        """One account, one product, one entitlement."""
        account, product = self.uuid(), self.random.choice(self.products)
        self.pool([account], product)
        self.people(account, product, 3)

    def transition(self) -> None:
        """A trial with grace, and the production entitlement that replaces it, activated for some first."""
        account, product = self.uuid(), self.random.choice(self.products)
        ends_at = self.day(10, 120)
        holders = self.people(account, product, 6, ("DE", "US"))
        trial = self.pool(
            [account],
            product,
            starts_at=ends_at - timedelta(days=60),
            ends_at=ends_at,
            grace_ends_at=ends_at + timedelta(days=14),
            seats=6,
            holders=frozenset(holders),
        )
        self.pool(
            [account],
            product,
            starts_at=ends_at - timedelta(days=1),
            ends_at=None,
            seats=self.random.choice((5, 6, 8)),
            replaces=trial.id,
            activation=self.random.choice(
                (None, (Cohort(countries=frozenset({"DE"})), Cohort(people=frozenset(holders[:2]))))
            ),
        )

    def regional(self) -> None:
        """Entitlements of one product for overlapping regions; people compete for them, so that flow decides."""
        account, product = self.uuid(), self.random.choice(self.products)
        for _ in range(3):
            self.pool(
                [account],
                product,
                countries=frozenset(self.random.sample(COUNTRIES, 3)),
                seats=self.random.randint(2, 4),
            )
        self.people(account, product, 9, COUNTRIES)

    def group(self) -> None:
        """A parent whose entitlement serves its subsidiaries, which also have their own."""
        parent, product = self.uuid(), self.random.choice(self.products)
        children = [self.uuid() for _ in range(4)]
        self.pool([parent, *children], product, seats=5)
        for child in children:
            self.pool([child], product, seats=2)
            self.people(child, product, 3)
        self.people(parent, product, 3)

    def floating(self) -> None:
        """Concurrent seats against forecast peaks; people only have to be allowed."""
        account, product = self.uuid(), self.random.choice(self.products)
        self.pool([account], product, metric=Metric.CONCURRENT, seats=8)
        self.people(account, product, 1)
        for count in (3, 7):
            self.needs.append(
                Need(
                    account_id=account,
                    product_id=product,
                    country="DE",
                    count=count,
                    unit=Unit.SESSIONS,
                    starts_at=self.day(-100, 100),
                    ends_at=self.day(101, 260),
                )
            )


def measure(size: int, seed: int) -> tuple[float, Coverage, Registry]:
    """Return the seconds that one sweep took, its answer, and what it was asked."""
    registry = Registry(size, seed)
    gc.collect()
    gc.freeze()
    started = time.process_time()
    coverage = cover(pools=registry.pools, needs=registry.needs, horizon=HORIZON)
    seconds = time.process_time() - started
    gc.unfreeze()
    return seconds, coverage, registry


def exponent(medians: dict[int, float]) -> float:
    """Return the slope of the line through the logarithms of sizes and times (least squares)."""
    return statistics.linear_regression(
        [math.log(size) for size in medians], [math.log(each) for each in medians.values()]
    ).slope


def main() -> int:
    """Measure, print, and return the exit status."""
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for repeat in range(REPEATS):
        for size in SIZES:
            seconds, coverage, registry = measure(size, seed=repeat * len(SIZES) + SIZES.index(size))
            times[size].append(seconds)
            if repeat == 0:
                print(described(size, coverage, registry), flush=True)
    medians = {size: statistics.median(each) for size, each in times.items()}
    for size, seconds in medians.items():
        each = ", ".join(f"{one:.3f}" for one in sorted(times[size]))
        print(f"{size:>9,} entitlements {seconds:8.3f} s CPU {seconds / size * 1e6:7.1f} µs each (of {each})")
    slope = exponent(medians)
    ratio = medians[SIZES[-1]] / medians[SIZES[0]]
    print(f"{SIZES[0]:,} to {SIZES[-1]:,}: time ratio {ratio:.1f}, growth exponent {slope:.3f} (bound {BOUND})")
    return 1 if slope > BOUND else 0


def described(size: int, coverage: Coverage, registry: Registry) -> str:
    """Return what a registry is like and what was found in it, so that nobody measures an empty answer."""
    kinds = Counter(gap.kind.value for gap in coverage.gaps)
    found = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    return (
        f"{size:>9,} entitlements, {len(registry.needs):,} needs, {len(coverage.timelines):,} timelines; gaps: {found}"
    )


if __name__ == "__main__":
    sys.exit(main())
