"""What holds for every question and every set of entitlements."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from entitlements.checks.decision import decide
from entitlements.checks.reasons import REASONS, Code, Outcome
from entitlements.checks.values import Cohorts, Environment, Holding, Metric, Phase, Question, Terms
from tests.checks.examples import (
    ACCOUNT,
    DEVICE,
    END,
    FEATURES,
    NOON,
    OTHER_ACCOUNT,
    OTHER_PERSON,
    OTHER_PRODUCT,
    OWNER,
    PERSON,
    PRODUCT,
    START,
    entitlement_id,
    production,
    question,
)

EVERYWHERE = frozenset(Environment)
GENEROUS = production(
    6,
    metric=Metric.METERED,
    environments=EVERYWHERE,
    countries=None,
    starts_at=START - timedelta(days=1_000),
    ends_at=None,
)
TIME_BOUND_WARNINGS = {Code.UPDATES_ENDED, Code.SUPPORT_ENDED}

instants = st.sampled_from([START, NOON, END, START + timedelta(hours=1), NOON - timedelta(microseconds=1)]) | (
    st.integers(-400, 800).map(lambda days: START + timedelta(days=days))
)
environments = st.sampled_from(list(Environment))
countries = st.sampled_from(["DE", "FR", "US"])
numbers = st.integers(1, 6)
cohorts = st.none() | st.builds(
    Cohorts,
    countries=st.frozensets(countries, max_size=2),
    account_ids=st.frozensets(st.sampled_from([ACCOUNT, OTHER_ACCOUNT]), max_size=1),
    person_ids=st.frozensets(st.sampled_from([PERSON, OTHER_PERSON]), max_size=1),
)
questions = st.builds(
    Question,
    account_id=st.just(ACCOUNT),
    product_id=st.just(PRODUCT),
    at=instants,
    feature=st.none() | st.sampled_from([*FEATURES, "export"]),
    person_id=st.none() | st.just(PERSON),
    device_id=st.none() | st.just(DEVICE),
    country=st.none() | countries,
    environment=st.none() | environments,
    deployment_environment=st.none() | environments,
    release=st.none() | st.sampled_from(["1.0", "2.0"]),
    released_at=st.none() | instants,
)


@st.composite
def terms_of(draw: st.DrawFn, number: int) -> Terms:
    starts_at = draw(instants)
    return Terms(
        entitlement_id=entitlement_id(number),
        product_id=draw(st.sampled_from([PRODUCT, PRODUCT, PRODUCT, OTHER_PRODUCT])),
        account_ids=draw(st.none() | st.just(frozenset({ACCOUNT})) | st.just(frozenset({OTHER_ACCOUNT}))),
        phase=draw(st.sampled_from(list(Phase))),
        metric=draw(st.sampled_from(list(Metric))),
        environments=draw(st.just(EVERYWHERE) | st.frozensets(environments)),
        countries=draw(st.none() | st.none() | st.frozensets(countries)),
        features=draw(st.sampled_from([FEATURES, {}])),
        releases=draw(st.none() | st.just(frozenset({"1.0"}))),
        starts_at=starts_at,
        ends_at=draw(st.none() | st.integers(1, 500).map(lambda days: starts_at + timedelta(days=days))),
        grace_seconds=draw(st.sampled_from([0, 1, 86_400])),
        updates_until=draw(st.none() | instants),
        support_until=draw(st.none() | instants),
        seats=draw(st.none() | st.integers(1, 5)),
        used_count=draw(st.integers(0, 6)),
        hard=draw(st.booleans()),
        activation=draw(cohorts),
        replaces_id=draw(st.none() | numbers.map(entitlement_id)),
        owner=draw(st.none() | st.just(OWNER)),
        withdrawn=draw(st.sampled_from([False, False, False, True])),
    )


books = st.lists(st.integers(1, 5), max_size=5, unique=True).flatmap(lambda each: st.tuples(*map(terms_of, each)))
holdings = st.lists(
    st.builds(
        Holding,
        entitlement_id=st.integers(1, 7).map(entitlement_id),
        person_id=st.none() | st.sampled_from([PERSON, OTHER_PERSON]),
        device_id=st.none() | st.just(DEVICE),
    ),
    max_size=5,
)


class TestAnAnswer:
    @given(questions, books, holdings)
    def test_is_total_and_its_code_says_what_it_is(
        self, asked: Question, terms: tuple[Terms, ...], seats: list[Holding]
    ) -> None:
        answer = decide(asked, terms, seats)
        assert REASONS[answer.code].outcome is (Outcome.ALLOWED if answer.allowed else Outcome.DENIED)
        assert (answer.entitlement_id is None) == (answer.code is Code.NO_ENTITLEMENT)
        assert "{" not in answer.sentence + answer.next_action
        assert bool(answer.duplicate_ids) == (Code.DUPLICATE_SEAT in answer.warnings)
        assert len(answer.duplicate_ids) != 1
        if answer.allowed and answer.until is not None:
            assert answer.until > asked.at

    @given(questions, books, holdings, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_what_is_given(
        self, asked: Question, terms: tuple[Terms, ...], seats: list[Holding], random: Random
    ) -> None:
        shuffled, reseated = list(terms), list(seats)
        random.shuffle(shuffled)
        random.shuffle(reseated)
        assert decide(asked, shuffled, reseated) == decide(asked, terms, seats)

    @given(questions, books, holdings, terms_of(7))
    def test_is_not_changed_by_an_unrelated_entitlement(
        self, asked: Question, terms: tuple[Terms, ...], seats: list[Holding], extra: Terms
    ) -> None:
        foreign_product = replace(extra, product_id=OTHER_PRODUCT, account_ids=None)
        foreign_account = replace(extra, product_id=PRODUCT, account_ids=frozenset({OTHER_ACCOUNT}))
        expected = decide(asked, terms, seats)
        assert decide(asked, [*terms, foreign_product], seats) == expected
        assert decide(asked, [foreign_account, *terms], seats) == expected

    @given(questions, books, holdings, terms_of(7))
    def test_never_turns_from_yes_to_no_when_an_entitlement_is_added(
        self, asked: Question, terms: tuple[Terms, ...], seats: list[Holding], extra: Terms
    ) -> None:
        asked = replace(asked, feature=None)
        assert decide(asked, [GENEROUS, *terms], seats).allowed
        assert decide(asked, [*terms, extra, GENEROUS], seats).allowed
        if decide(asked, terms, seats).allowed:
            assert decide(asked, [*terms, extra], seats).allowed

    @given(questions, books, holdings)
    def test_is_yes_exactly_if_one_entitlement_alone_says_yes(
        self, asked: Question, terms: tuple[Terms, ...], seats: list[Holding]
    ) -> None:
        assert decide(asked, terms, seats).allowed == any(decide(asked, [each], seats).allowed for each in terms)


class TestTime:
    @given(questions, terms_of(1), holdings, st.floats(0, 1), st.floats(0, 1))
    def test_changes_nothing_inside_the_interval_of_an_entitlement(
        self, asked: Question, terms: Terms, seats: list[Holding], early: float, late: float
    ) -> None:
        length = (terms.ends_at or terms.starts_at + timedelta(days=4_000)) - terms.starts_at
        first, second = (_inside(terms.starts_at, length, share) for share in (early, late))
        answers = [decide(replace(asked, at=at), [terms], seats) for at in (first, second)]
        steady = [
            replace(each, warnings=tuple(w for w in each.warnings if w not in TIME_BOUND_WARNINGS)) for each in answers
        ]
        assert steady[0] == steady[1]

    @given(instants, st.integers(1, 10**9), st.integers(0, 10**7))
    def test_is_exact_to_the_microsecond(self, starts_at: datetime, length: int, grace_seconds: int) -> None:
        ends_at = starts_at + timedelta(microseconds=length)
        over_at = ends_at + timedelta(seconds=grace_seconds)
        terms = production(metric=Metric.METERED, starts_at=starts_at, ends_at=ends_at, grace_seconds=grace_seconds)
        tick = timedelta(microseconds=1)

        def code(at: datetime) -> Code:
            return decide(question(at=at), [terms]).code

        assert code(starts_at - tick) is Code.NOT_STARTED
        assert code(starts_at) is Code.ALLOWED
        assert code(ends_at - tick) is Code.ALLOWED
        assert code(ends_at) is (Code.IN_GRACE if grace_seconds else Code.ENDED)
        assert code(over_at - tick) is (Code.IN_GRACE if grace_seconds else Code.ALLOWED)
        assert code(over_at) is Code.ENDED


def _inside(starts_at: datetime, length: timedelta, share: float) -> datetime:
    return min(starts_at + length * share, starts_at + length - timedelta(microseconds=1))
