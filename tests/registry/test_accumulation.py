"""What a year's changes add up to: a change in parts is never smaller than the whole."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given as example
from hypothesis import strategies as st

from entitlements.agreements.growth import percent_up, price_rise_percent
from entitlements.planning.accumulation import Growth, Moved, of_costs, of_entitlements, of_order_lines

SEATS = st.one_of(st.none(), st.integers(0, 50))


def right(key: str, seats: int | None, **values: Any) -> dict[str, Any]:
    return {"id": key, "seats": seats, "replaces_id": None, "withdrawn_at": None, "ends_at": None} | values


def line(key: str, *prices: tuple[int | None, int], price: str = "10") -> dict[str, Any]:
    periods = [
        {"starts_at": f"20{year}-01-01T00:00:00Z", "ends_at": None, "quantity": quantity, "unit_price": price}
        for year, quantity in prices
    ]
    return {"id": key, "periods": periods}


def moved(after: dict[str, Any], before: dict[str, Any] | None = None) -> Moved:
    return Moved(after["id"], before, after)


def growth(rows: list[dict[str, Any]], *steps: list[Moved]) -> Growth:
    """Of rows as they stand before the last step, which is planned: what earlier steps left stands already."""
    state = {row["id"]: row for row in rows}
    for step in steps[:-1]:
        state |= {one.key: dict(one.after) for one in step}
    return of_entitlements(rows=list(state.values()), steps=steps)


class TestOfEntitlements:
    def test_adds_up_what_requests_add(self) -> None:
        first, second = right("a", 60), right("a", 70)

        found = growth([right("a", 50)], [moved(first, right("a", 50))], [moved(second, first)])

        assert (found.added, found.added_percent, found.removed, found.start) == (20, 40, 0, 50)

    def test_counts_two_items_of_one_request_as_the_whole(self) -> None:
        rows = [right("a", 50), right("b", 50)]

        found = growth(rows, [moved(right("a", 60), rows[0]), moved(right("b", 60), rows[1])])

        assert (found.added, found.added_percent) == (20, 20)

    def test_sets_nothing_off(self) -> None:
        low, high = right("a", 10), right("a", 60)

        found = growth([right("a", 50)], [moved(low, right("a", 50))], [moved(high, low)])

        assert (found.added, found.removed) == (50, 40)

    def test_sets_nothing_off_within_a_request_either(self) -> None:
        rows = [right("trial", 50), right("other", 50)]

        found = growth(rows, [moved(right("trial", 0), rows[0]), moved(right("other", 100), rows[1])])

        assert (found.added, found.removed) == (50, 50)

    def test_counts_of_a_successor_what_it_adds_beyond(self) -> None:
        found = growth([right("trial", 50)], [moved(right("production", 70, replaces_id="trial"))])

        assert (found.added, found.added_percent, found.removed) == (20, 40, 0)

    def test_passes_a_predecessor_on_once(self) -> None:
        successors = [right(key, 50, replaces_id="trial") for key in ("one", "two")]

        assert growth([right("trial", 50)], *([moved(row)] for row in successors)).added == 50
        assert growth([right("trial", 50)], [moved(row) for row in successors]).added == 50

    def test_counts_a_succession_that_is_undone(self) -> None:
        row = right("production", 50, replaces_id="trial")

        found = growth([right("trial", 50)], [moved(row)], [moved(right("production", 50), row)])

        assert found.added == 50

    def test_counts_what_ends_early_unless_a_successor_takes_it_over(self) -> None:
        ended = right("trial", 50, ends_at="2026-04-01T00:00:00Z")

        assert growth([right("trial", 50)], [moved(ended, right("trial", 50))]).removed == 50
        step = [moved(ended, right("trial", 50)), moved(right("production", 50, replaces_id="trial"))]
        assert growth([right("trial", 50)], step).removed == 0

    def test_counts_what_is_taken_back(self) -> None:
        gone = right("a", 50, withdrawn_at="2026-03-01T00:00:00Z")

        assert growth([right("a", 50)], [moved(gone, right("a", 50))]).removed == 50

    def test_knows_no_number_without_limit(self) -> None:
        found = growth([right("a", 50)], [moved(right("a", None), right("a", 50))])

        assert (found.added, found.added_percent) == (None, None)
        assert growth([right("a", None)], [moved(right("b", 5))]).added_percent is None

    def test_knows_no_percentage_of_nothing(self) -> None:
        assert growth([], [moved(right("a", 5))]).added_percent is None
        assert growth([], [moved(right("a", 0))]).added_percent == 0


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[Moved]], list[Moved]]:
    """Some entitlements, a way from their seats to others in steps of any kind, and the same in one step."""
    keys = [f"e{number}" for number in range(draw(st.integers(1, 4)))]
    replaced = {key: draw(st.sampled_from([None, *keys[:index]])) for index, key in enumerate(keys)}
    rows = {
        key: right(key, draw(SEATS), replaces_id=replaced[key]) for key in keys if draw(st.booleans()) or key == "e0"
    }
    state, steps = dict(rows), []
    for _ in range(draw(st.integers(1, 5))):
        step = []
        for key in draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True)):
            after = right(key, draw(SEATS), replaces_id=replaced[key])
            step.append(Moved(key, state.get(key), after))
        state |= {one.key: dict(one.after) for one in step}
        steps.append(step)
    touched = {one.key for step in steps for one in step}
    whole = [Moved(key, rows.get(key), state[key]) for key in sorted(touched)]
    return list(rows.values()), steps, whole


class TestSplitting:
    @example(splits())
    def test_never_counts_less_than_the_whole(self, case: Any) -> None:
        rows, steps, whole = case

        parts, once = growth(rows, *steps), growth(rows, whole)

        assert parts.start == once.start
        for name in ("added", "removed", "added_percent", "removed_percent"):
            in_parts, at_once = getattr(parts, name), getattr(once, name)
            # What has no number is more than any.
            assert in_parts is None or (at_once is not None and in_parts >= at_once), name

    @example(st.lists(st.integers(0, 100), min_size=2, max_size=6))
    def test_of_an_order_line_never_counts_less_either(self, quantities: list[int]) -> None:
        path = [line("l", (26, quantity)) for quantity in quantities]
        steps = [[Moved("l", before, after)] for before, after in pairwise(path)]

        parts = of_order_lines(rows=[path[-2]], steps=steps)
        once = of_order_lines(rows=[path[0]], steps=[[Moved("l", path[0], path[-1])]])

        assert parts.added is not None
        assert once.added is not None
        assert parts.added >= once.added

    @example(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=3), min_size=2, max_size=5))
    def test_of_a_price_never_rises_less(self, prices: list[list[int]]) -> None:
        path = [
            {
                "periods": [
                    {"starts_at": f"20{26 + number}-01-01T00:00:00Z", "unit_price": str(price)}
                    for number, price in enumerate(periods)
                ]
            }
            for periods in prices
        ]

        parts, once = price_rise_percent(path), price_rise_percent([path[0], path[-1]])

        assert parts is None or (once is not None and parts >= once)


class TestOfCosts:
    def test_adds_up_rises_and_falls_by_themselves(self) -> None:
        assert of_costs(start=Decimal(100), changes=map(Decimal, (30, -40, 11))) == (41, 40, 41)
        assert of_costs(start=Decimal(0), changes=[Decimal(1)])[2] is None


class TestPercentUp:
    def test_rounds_up_so_that_nothing_slips_under_a_threshold(self) -> None:
        assert (percent_up(1, 1000), percent_up(0, 0), percent_up(204, 1000)) == (1, 0, 21)
