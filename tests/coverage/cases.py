"""Random cases for the coverage engine: small, crowded, and around changes of daylight saving time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from entitlements.coverage.values import Cohort, Metric, Need, Pool, Source, Unit

ACCOUNTS = [UUID(int=0xA0 + number) for number in range(3)]
PRODUCTS = [UUID(int=0xB0 + number) for number in range(2)]
PEOPLE = [UUID(int=0xC0 + number) for number in range(5)]
COUNTRIES = ["DE", "US"]
FEATURES = ["export", "sign"]
RELEASES = ["4", "5"]
ZONES = [UTC, *map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"))]

#: Shortly before clocks change: Berlin back and forward, New York back and forward, Lord Howe back by half an hour.
CHANGES = [
    datetime(2025, 10, 26, 0, tzinfo=UTC),
    datetime(2025, 3, 30, 0, tzinfo=UTC),
    datetime(2025, 11, 2, 5, tzinfo=UTC),
    datetime(2025, 3, 9, 6, tzinfo=UTC),
    datetime(2025, 4, 5, 14, tzinfo=UTC),
]


@dataclass(frozen=True)
class Case:
    pools: list[Pool]
    needs: list[Need]
    horizon: tuple[datetime, datetime]


@st.composite
def instants(draw: st.DrawFn, change: datetime) -> datetime:
    """An instant near a change of clocks, written in any zone; some are local times that occur twice or never."""
    zone = draw(st.sampled_from(ZONES))
    instant = (change + timedelta(minutes=30) * draw(st.integers(0, 8))).astimezone(zone)
    if draw(st.integers(0, 9)) == 0:
        instant += timedelta(microseconds=draw(st.sampled_from([-1, 1])))
    if draw(st.integers(0, 4)) == 0:
        # Wall-clock arithmetic, deliberately: it lands on ambiguous and on missing local times.
        instant = (instant + timedelta(minutes=30)).replace(fold=draw(st.integers(0, 1)))
    return instant


def some(values: list[object], least: int = 1) -> st.SearchStrategy[frozenset[object]]:
    return st.frozensets(st.sampled_from(values), min_size=least)


def mostly_none(strategy: st.SearchStrategy[object], once_in: int = 3) -> st.SearchStrategy[object]:
    return st.integers(1, once_in).flatmap(lambda number: strategy if number == once_in else st.none())


def cohorts() -> st.SearchStrategy[Cohort]:
    return st.builds(
        Cohort,
        accounts=mostly_none(some(ACCOUNTS)),
        countries=mostly_none(some(COUNTRIES)),
        people=mostly_none(some(PEOPLE)),
    )


@st.composite
def pools(draw: st.DrawFn, number: int, change: datetime) -> Pool:
    edges = sorted(draw(st.lists(instants(change), min_size=3, max_size=3)), key=lambda edge: edge.astimezone(UTC))
    ends = draw(st.integers(0, 3)) > 0
    metric = draw(
        st.sampled_from([Metric.NAMED_USER] * 5 + [Metric.DEVICE, Metric.CONCURRENT, Metric.CONCURRENT, Metric.METERED])
    )
    return Pool(
        id=UUID(int=0xD0 + number),
        product_id=draw(st.sampled_from([PRODUCTS[0]] * 6 + [PRODUCTS[1]])),
        account_ids=draw(some(ACCOUNTS)),
        starts_at=edges[0],
        ends_at=edges[1] if ends else None,
        grace_ends_at=edges[2] if ends and draw(st.booleans()) else None,
        seats=draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3, 4, None])),
        metric=metric,
        countries=draw(mostly_none(some(COUNTRIES), 2)),
        features=draw(some(FEATURES, least=draw(st.sampled_from([0, 1, 2])))),
        releases=draw(mostly_none(some(RELEASES, least=0))),
        updates_ends_at=draw(mostly_none(instants(change))),
        support=draw(st.integers(0, 2)),
        support_ends_at=draw(mostly_none(instants(change))),
        replaces=draw(mostly_none(st.sampled_from([UUID(int=0xD0 + before) for before in range(number)]), 2))
        if number
        else None,
        activation=draw(mostly_none(st.lists(cohorts(), max_size=2).map(tuple), 4)),
        holders=draw(some(PEOPLE, least=0)) if draw(st.booleans()) else frozenset(),
    )


@st.composite
def needs(draw: st.DrawFn, change: datetime) -> Need:
    edges = sorted(draw(st.lists(instants(change), min_size=2, max_size=2)), key=lambda edge: edge.astimezone(UTC))
    person = draw(st.sampled_from([*PEOPLE, *PEOPLE, None, None, None]))
    release = draw(mostly_none(st.sampled_from(RELEASES)))
    return Need(
        account_id=draw(st.sampled_from(ACCOUNTS)),
        product_id=draw(st.sampled_from([PRODUCTS[0]] * 6 + [PRODUCTS[1]])),
        country=draw(st.sampled_from(COUNTRIES)),
        starts_at=edges[0],
        ends_at=draw(st.sampled_from([edges[1], None])),
        person=person,
        count=1 if person else draw(st.integers(1, 3)),
        unit=Unit.HOLDERS if person else draw(st.sampled_from(Unit)),
        features=draw(some(FEATURES, least=0)),
        release=release,
        released_at=draw(mostly_none(instants(change), 2)) if release else None,
        support=draw(st.sampled_from([0, 0, 0, 1, 2])),
        source=draw(st.sampled_from(Source)),
    )


@st.composite
def crowded_pools(draw: st.DrawFn, number: int, change: datetime) -> Pool:
    """A pool that differs from its neighbors only in whom it can serve, so that people compete for its few seats."""
    edges = sorted(draw(st.lists(instants(change), min_size=3, max_size=3)), key=lambda edge: edge.astimezone(UTC))
    before = change - timedelta(days=1)
    return Pool(
        id=UUID(int=0xD0 + number),
        product_id=PRODUCTS[0],
        account_ids=draw(st.sampled_from([frozenset(ACCOUNTS), frozenset(ACCOUNTS[:2]), frozenset(ACCOUNTS[1:])])),
        starts_at=draw(st.sampled_from([before, before, edges[0]])),
        ends_at=draw(st.sampled_from([None, edges[1]])) if number else edges[1],
        grace_ends_at=None if number else draw(st.sampled_from([None, edges[2]])),
        seats=draw(st.sampled_from([1, 1, 2, 2, 3])),
        metric=draw(st.sampled_from([Metric.NAMED_USER] * 9 + [Metric.CONCURRENT])),
        countries=draw(st.sampled_from([None, frozenset(["DE"]), frozenset(["US"])])),
        features=draw(st.sampled_from([frozenset(FEATURES), *(frozenset([each]) for each in FEATURES)])),
        replaces=draw(mostly_none(st.sampled_from([UUID(int=0xD0 + old) for old in range(number)]), 3))
        if number
        else None,
        activation=draw(mostly_none(st.lists(cohorts(), min_size=1, max_size=2).map(tuple), 6)),
        holders=draw(some(PEOPLE, least=0)) if draw(st.booleans()) else frozenset(),
    )


@st.composite
def crowded_needs(draw: st.DrawFn, change: datetime) -> Need:
    """A need that several pools can meet, for most of the time."""
    person = draw(st.sampled_from([*PEOPLE, None]))
    return Need(
        account_id=draw(st.sampled_from(ACCOUNTS)),
        product_id=PRODUCTS[0],
        country=draw(st.sampled_from(COUNTRIES)),
        starts_at=draw(st.sampled_from([change - timedelta(days=1), draw(instants(change))])),
        person=person,
        count=1 if person else draw(st.integers(1, 3)),
        unit=Unit.HOLDERS if person else draw(st.sampled_from([Unit.HOLDERS, Unit.HOLDERS, Unit.SESSIONS])),
        features=draw(some(FEATURES, least=0)),
    )


@st.composite
def contests(draw: st.DrawFn, change: datetime) -> tuple[list[Pool], list[Need]]:
    """Many people, each with an own choice among few seats; one pool ends, another is replaced."""
    people = [UUID(int=0xC0 + number) for number in range(8)]
    before, ends_at = change - timedelta(days=1), draw(instants(change))
    count = draw(st.integers(3, 5))
    served = [draw(st.sets(st.sampled_from(ACCOUNTS), min_size=1, max_size=2)) for _ in range(count)]
    succession = draw(st.sampled_from([{}, {1: 0}, {2: 1}, {2: 1, 3: 1}, {2: 1, 4: 3}, {1: 0, 2: 1, 3: 2}]))
    case_pools = [
        Pool(
            id=UUID(int=0xD0 + number),
            product_id=PRODUCTS[0],
            account_ids=frozenset(served[number]),
            starts_at=before,
            ends_at=ends_at if number == 0 else None,
            grace_ends_at=ends_at + timedelta(hours=1) if number == 0 and draw(st.booleans()) else None,
            seats=draw(st.sampled_from([1, 1, 2, 3])),
            countries=draw(mostly_none(some(COUNTRIES))),
            features=draw(st.sampled_from([frozenset(FEATURES), frozenset(FEATURES), frozenset(FEATURES[:1])])),
            replaces=UUID(int=0xD0 + succession[number]) if number in succession else None,
            holders=draw(st.frozensets(st.sampled_from(people), max_size=3)),
        )
        for number in range(count)
    ]
    case_needs = [
        Need(
            account_id=draw(st.sampled_from(ACCOUNTS)),
            product_id=PRODUCTS[0],
            country=draw(st.sampled_from(["DE", "DE", "DE", "US"])),
            starts_at=before,
            ends_at=draw(mostly_none(instants(change), 4)),
            person=person,
            count=1 if person else draw(st.integers(1, 3)),
            features=draw(
                st.sampled_from([frozenset(), frozenset(FEATURES), *(frozenset([each]) for each in FEATURES)])
            ),
        )
        for person in draw(st.lists(st.sampled_from([*people, None]), min_size=4, max_size=9))
    ]
    return case_pools, case_needs


@st.composite
def relatives(draw: st.DrawFn, change: datetime) -> tuple[list[Pool], list[Need]]:
    """A trial and its successors that serve different accounts, and others that relieve them: families decide."""
    before = change - timedelta(days=1)
    accounts = [frozenset(ACCOUNTS[:1]), frozenset(ACCOUNTS[1:2]), frozenset(ACCOUNTS[1:]), frozenset(ACCOUNTS)]
    heirs = draw(st.integers(1, 2))
    case_pools = [
        Pool(
            id=UUID(int=0xD0 + number),
            product_id=PRODUCTS[0],
            account_ids=accounts[number] if number < 2 else draw(st.sampled_from(accounts[1:])),
            starts_at=before,
            ends_at=draw(mostly_none(instants(change), 4)),
            seats=draw(st.integers(1, 3)),
            countries=frozenset(["DE"]) if number == heirs + 1 else draw(mostly_none(some(COUNTRIES), 4)),
            replaces=UUID(int=0xD0 + draw(st.integers(0, number - 1))) if 0 < number <= heirs else None,
        )
        for number in range(heirs + 2)
    ]
    case_needs = [
        Need(
            account_id=draw(st.sampled_from([ACCOUNTS[0], ACCOUNTS[1], ACCOUNTS[1]])),
            product_id=PRODUCTS[0],
            country=draw(st.sampled_from(COUNTRIES)),
            starts_at=draw(st.sampled_from([before, before, before, draw(instants(change))])),
            person=UUID(int=0xC0 + number),
        )
        for number in range(draw(st.integers(3, 6)))
    ]
    return case_pools, case_needs


@st.composite
def seat_maps(draw: st.DrawFn, change: datetime) -> tuple[list[Pool], list[Need]]:
    """Few people who each need many things of overlapping entitlements: which seats each takes decides."""
    before = change - timedelta(days=1)
    case_pools = [
        Pool(
            id=UUID(int=0xD0 + number),
            product_id=PRODUCTS[0],
            account_ids=frozenset(ACCOUNTS[:1]),
            starts_at=before,
            ends_at=draw(mostly_none(instants(change), 4)),
            seats=draw(st.integers(1, 2)),
            countries=draw(st.sampled_from([None, None, frozenset(["DE"]), frozenset(["US"])])),
            features=draw(some(FEATURES)),
            holders=draw(st.frozensets(st.sampled_from(PEOPLE[:3]), max_size=2)),
        )
        for number in range(draw(st.integers(2, 4)))
    ]
    case_needs = [
        Need(
            account_id=ACCOUNTS[0],
            product_id=PRODUCTS[0],
            country=country,
            starts_at=before,
            person=person,
            count=1 if person else draw(st.integers(1, 3)),
            features=draw(some(FEATURES)),
        )
        for person in [*PEOPLE[:3], None]
        for country in COUNTRIES
        if draw(st.integers(0, 3))
    ]
    return case_pools, case_needs


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case of one of five kinds."""
    change = draw(st.sampled_from(CHANGES))
    horizon = (change + timedelta(minutes=draw(st.sampled_from([-60, 0, 45]))), change + timedelta(minutes=210))
    style = draw(st.integers(0, 4))
    if style > 1:
        kind = (contests, relatives, seat_maps)[style - 2]
        case_pools, case_needs = draw(kind(change))
    else:
        one_pool, one_need = (crowded_pools, crowded_needs) if style else (pools, needs)
        case_pools = [draw(one_pool(number, change)) for number in range(draw(st.integers(0, 5)))]
        case_needs = draw(st.lists(one_need(change), min_size=1, max_size=9))
    return Case(draw(st.permutations(case_pools)), case_needs, horizon)
