"""What became worse between two plans."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given as example
from hypothesis import strategies as st

from entitlements.planning.material import moved

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PLACES, PEOPLE = ["here", "there"], ["ada", "bo", "cy"]


def at(days: int) -> str:
    return (DAY + timedelta(days=days)).isoformat()


@st.composite
def materials(draw: st.DrawFn) -> dict[str, Any]:
    """A plan's material with up to three gaps, some losers, costs of two years, and broken rules."""
    gaps = []
    for _ in range(draw(st.integers(0, 3))):
        start, length = draw(st.integers(0, 10)), draw(st.integers(1, 10))
        gaps.append(
            {
                "place": draw(st.sampled_from(PLACES)),
                "kind": "dark",
                "starts_at": at(start),
                "ends_at": draw(st.sampled_from([at(start + length), None])),
                "people": sorted(draw(st.sets(st.sampled_from(PEOPLE)))),
                "anonymous": draw(st.integers(0, 3)),
            }
        )
    return {
        "gaps": gaps,
        "losers": sorted(draw(st.sets(st.sampled_from(PEOPLE)))),
        "costs": {year: str(draw(st.integers(0, 100))) for year in ("2026 EUR", "2027 EUR")},
        "failed": sorted(draw(st.sets(st.sampled_from(["rule a", "rule b"])))),
    }


def with_gap(**changes: Any) -> dict[str, Any]:
    gap = {"place": "here", "kind": "dark", "starts_at": at(5), "ends_at": at(9), "people": ["ada"], "anonymous": 0}
    return {"gaps": [gap | changes], "losers": [], "costs": {}, "failed": []}


NOTHING: dict[str, Any] = {"gaps": [], "losers": [], "costs": {}, "failed": []}


class TestMoved:
    @example(one=materials())
    def test_finds_nothing_worse_in_the_same(self, one: dict[str, Any]) -> None:
        assert moved(reviewed=one, fresh=one) == ()

    @example(one=materials())
    def test_finds_nothing_worse_in_nothing(self, one: dict[str, Any]) -> None:
        assert moved(reviewed=one, fresh=NOTHING) == ()

    @example(one=materials(), kept=st.integers(0, 3))
    def test_finds_nothing_worse_in_a_part(self, one: dict[str, Any], kept: int) -> None:
        part = one | {"gaps": one["gaps"][:kept], "losers": one["losers"][:kept], "failed": one["failed"][:kept]}

        assert moved(reviewed=one, fresh=part) == ()

    @example(one=materials(), two=materials())
    def test_finds_something_worse_one_way_or_the_other_unless_they_weigh_the_same(
        self, one: dict[str, Any], two: dict[str, Any]
    ) -> None:
        if moved(reviewed=one, fresh=two) == () == moved(reviewed=two, fresh=one):
            assert one["losers"] == two["losers"]
            assert one["costs"] == two["costs"]
            assert one["failed"] == two["failed"]

    @example(one=materials())
    def test_finds_an_added_loser_a_higher_cost_and_a_broken_rule(self, one: dict[str, Any]) -> None:
        assert moved(reviewed=one, fresh=one | {"losers": [*one["losers"], "zoe"]}) == ("1 more person loses access",)
        dearer = one | {"costs": one["costs"] | {"2026 EUR": "1000"}}
        assert len(moved(reviewed=one, fresh=dearer)) == 1
        assert moved(reviewed=one, fresh=one | {"failed": [*one["failed"], "rule z"]}) == ("a rule is broken: rule z",)

    def test_finds_a_gap_that_starts_earlier_lasts_longer_or_concerns_more(self) -> None:
        worse = [
            {"starts_at": at(4)},
            {"ends_at": at(10)},
            {"ends_at": None},
            {"people": ["ada", "bo"]},
            {"place": "there"},
            {"anonymous": 1},
        ]

        assert [change for change in worse if not moved(reviewed=with_gap(), fresh=with_gap(**change))] == []

    def test_minds_no_gap_that_shrank_or_has_partly_passed(self) -> None:
        better = [{"starts_at": at(6)}, {"ends_at": at(8)}, {"people": []}]

        assert [change for change in better if moved(reviewed=with_gap(), fresh=with_gap(**change))] == []

    def test_joins_reviewed_gaps_that_touch(self) -> None:
        two = with_gap(starts_at=at(5), ends_at=at(7))
        two["gaps"] += with_gap(starts_at=at(7), ends_at=at(9))["gaps"]

        assert moved(reviewed=two, fresh=with_gap()) == ()

    def test_does_not_compare_years_that_the_review_did_not_reach(self) -> None:
        reviewed = NOTHING | {"costs": {"2029 EUR": "5"}}

        assert moved(reviewed=reviewed, fresh=NOTHING | {"costs": {"2029 EUR": "5", "2030 EUR": "5"}}) == ()
        assert moved(reviewed=reviewed, fresh=NOTHING | {"costs": {"2028 EUR": "5"}}) != ()
