from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from entitlements.checks.decision import TooManyQuestions, decide, decide_all, refuse
from entitlements.checks.reasons import REASONS, UNKNOWN_CODES, Code, Outcome
from entitlements.checks.values import Answer, Cohorts, Environment, LimitKind, Metric, Phase
from tests.checks.examples import (
    ACCOUNT,
    DEPLOYMENT,
    DEVICE,
    END,
    NOON,
    OTHER_ACCOUNT,
    OTHER_PERSON,
    OTHER_PRODUCT,
    OWNER,
    PERSON,
    START,
    entitlement_id,
    production,
    question,
    seat,
    trial,
)

TICK = timedelta(microseconds=1)
EVERYWHERE = frozenset(Environment)

# One example per code: the question, the terms, the seats that bring it about.
DENIALS = {
    Code.NO_ENTITLEMENT: (question(), [], []),
    Code.WITHDRAWN: (question(), [production(withdrawn=True)], [seat()]),
    Code.NOT_STARTED: (question(at=START - TICK), [production()], [seat()]),
    Code.ENDED: (question(at=END), [production()], [seat()]),
    Code.NOT_ACTIVATED: (question(), [production(activation=Cohorts())], [seat()]),
    Code.TRIAL_IN_PRODUCTION: (question(), [trial()], [seat(2)]),
    Code.ENVIRONMENT_NOT_ALLOWED: (question(environment=Environment.TRIAL), [production()], [seat()]),
    Code.ENVIRONMENT_REQUIRED: (question(environment=None), [production()], [seat()]),
    Code.REGION_NOT_ALLOWED: (question(country="US"), [production()], [seat()]),
    Code.REGION_REQUIRED: (question(country=None), [production()], [seat()]),
    Code.RELEASE_NOT_COVERED: (question(release="3.0"), [production(releases=frozenset({"2.4"}))], [seat()]),
    Code.RELEASE_AFTER_UPDATES: (
        question(release="3.0", released_at=NOON),
        [production(updates_until=NOON)],
        [seat()],
    ),
    Code.RELEASE_REQUIRED: (question(), [production(releases=frozenset({"2.4"}))], [seat()]),
    Code.FEATURE_NOT_INCLUDED: (question(feature="export"), [production()], [seat()]),
    Code.FEATURE_OFF: (question(feature="beta"), [production()], [seat()]),
    Code.SUBJECT_REQUIRED: (question(person_id=None), [production()], [seat()]),
    Code.NO_SEAT: (question(), [production()], [seat(person_id=OTHER_PERSON)]),
    Code.SEATS_EXHAUSTED: (question(), [production(used_count=10)], []),
}
WARNINGS = {
    Code.IN_GRACE: (question(at=END), [production(grace_seconds=60)], [seat()]),
    Code.DUPLICATE_SEAT: (question(), [production(), production(3)], [seat(), seat(3)]),
    Code.OVER_SEATS: (question(), [production(hard=False, used_count=11)], [seat()]),
    Code.UPDATES_ENDED: (question(), [production(updates_until=NOON)], [seat()]),
    Code.SUPPORT_ENDED: (question(), [production(support_until=NOON)], [seat()]),
    Code.ACTIVATION_PENDING_SUCCESSOR: (
        question(environment=Environment.STAGING),
        [trial(), production(activation=Cohorts(), replaces_id=entitlement_id(2))],
        [seat(2), seat()],
    ),
    Code.ENVIRONMENT_MISMATCH: (
        question(
            environment=Environment.TRIAL,
            deployment_id=DEPLOYMENT,
            deployment_environment=Environment.PRODUCTION,
        ),
        [production()],
        [seat()],
    ),
}


class TestEveryCode:
    @pytest.mark.parametrize("code", DENIALS)
    def test_is_the_reason_of_a_refusal(self, code: Code) -> None:
        answer = decide(*DENIALS[code])
        assert (answer.allowed, answer.code) == (False, code)

    @pytest.mark.parametrize("code", WARNINGS)
    def test_stands_beside_a_permission(self, code: Code) -> None:
        answer = decide(*WARNINGS[code])
        assert answer.allowed
        assert answer.warnings == (code,)

    def test_has_an_example_here(self) -> None:
        assert DENIALS.keys() | UNKNOWN_CODES == {c for c in Code if REASONS[c].outcome is Outcome.DENIED}
        assert WARNINGS.keys() - {Code.IN_GRACE} == {c for c in Code if REASONS[c].outcome is Outcome.WARNING}
        assert {c for c in Code if REASONS[c].outcome is Outcome.ALLOWED} == {Code.ALLOWED, Code.IN_GRACE}

    @pytest.mark.parametrize("code", sorted(UNKNOWN_CODES))
    def test_is_refused_before_entitlements_are_read(self, code: Code) -> None:
        answer = refuse(code)
        assert (answer.allowed, answer.code, answer.entitlement_id) == (False, code, None)


class TestRefuse:
    def test_does_not_stand_in_for_a_decision(self) -> None:
        with pytest.raises(ValueError, match="decided from entitlements"):
            refuse(Code.ALLOWED)


class TestAnAllowedAnswer:
    def test_names_the_entitlement_its_end_its_owner_and_its_seats(self) -> None:
        answer = decide(question(), [production()], [seat()])
        assert answer == Answer(
            allowed=True,
            code=Code.ALLOWED,
            sentence="The production entitlement allows this until 2027-01-01 00:00 UTC.",
            next_action="Nothing needs to be done.",
            guidance="/guidance/reason-codes#allowed",
            limit=10,
            limit_kind=LimitKind.SEATS,
            until=END,
            entitlement_id=entitlement_id(1),
            phase=Phase.PRODUCTION,
            owner=OWNER,
        )

    @pytest.mark.parametrize(
        ("feature", "limit", "kind"),
        [
            ("reports", None, LimitKind.SWITCH),
            ("projects", 25, LimitKind.QUOTA),
            ("renders", 0, LimitKind.METERED),
        ],
    )
    def test_gives_the_limit_of_the_feature(self, feature: str, limit: int | None, kind: LimitKind) -> None:
        answer = decide(question(feature=feature), [production()], [seat()])
        assert (answer.allowed, answer.limit, answer.limit_kind) == (True, limit, kind)

    def test_says_that_unlimited_seats_have_no_limit(self) -> None:
        answer = decide(question(), [production(seats=None)], [seat()])
        assert (answer.limit, answer.limit_kind) == (None, LimitKind.SEATS)

    def test_of_an_open_end_has_no_until(self) -> None:
        answer = decide(question(at=datetime.max.replace(tzinfo=UTC)), [production(ends_at=None)], [seat()])
        assert answer.until is None
        assert answer.sentence == "The production entitlement allows this, without an end."


class TestADenial:
    def test_names_the_rule_the_entitlement_the_owner_and_the_guidance(self) -> None:
        answer = decide(question(), [trial()], [seat(2)])
        assert answer.sentence == "A trial entitlement does not allow use in a production deployment."
        assert answer.next_action.startswith("Ask Ines Duarte to convert the trial")
        assert answer.guidance == "/guidance/reason-codes#trial_in_production"
        assert (answer.entitlement_id, answer.owner, answer.phase) == (entitlement_id(2), OWNER, Phase.TRIAL)

    def test_explains_the_entitlement_that_comes_nearest(self) -> None:
        ended = production(1, ends_at=NOON)
        no_seat = production(3)
        answer = decide(question(), [ended, no_seat])
        assert (answer.code, answer.entitlement_id) == (Code.NO_SEAT, entitlement_id(3))

    def test_prefers_the_end_of_yesterday_to_the_start_of_next_year(self) -> None:
        ended = production(1, ends_at=NOON - timedelta(days=1))
        later = production(3, starts_at=NOON + timedelta(days=300))
        assert decide(question(), [later, ended]).entitlement_id == entitlement_id(1)
        soon = replace(later, starts_at=NOON + timedelta(hours=1))
        assert decide(question(), [soon, ended]).entitlement_id == entitlement_id(3)

    def test_before_the_start_says_when_that_is(self) -> None:
        answer = decide(question(at=START - TICK), [production()], [seat()])
        assert answer.until == START
        assert "2026-01-01 00:00 UTC" in answer.sentence

    def test_writes_the_seconds_of_an_instant_that_has_any(self) -> None:
        end = datetime(2026, 5, 1, 6, 30, 7, tzinfo=UTC)
        assert "2026-05-01 06:30:07 UTC" in decide(question(), [production(ends_at=end)]).sentence

    def test_without_an_owner_names_the_licensing_team(self) -> None:
        answer = decide(question(), [production(owner=None)])
        assert answer.next_action == "Ask the account's licensing team to assign a seat."

    def test_keeps_the_duplicates(self) -> None:
        answer = decide(question(country="US"), [production(), production(3)], [seat(), seat(3)])
        assert not answer.allowed
        assert answer.duplicate_ids == (entitlement_id(1), entitlement_id(3))
        assert answer.warnings == (Code.DUPLICATE_SEAT,)


class TestTime:
    @pytest.mark.parametrize(
        ("at", "code"),
        [
            (START - TICK, Code.NOT_STARTED),
            (START, Code.ALLOWED),
            (END - TICK, Code.ALLOWED),
            (END, Code.IN_GRACE),
            (END + timedelta(seconds=60) - TICK, Code.IN_GRACE),
            (END + timedelta(seconds=60), Code.ENDED),
        ],
    )
    def test_is_exact_at_every_boundary(self, at: datetime, code: Code) -> None:
        assert decide(question(at=at), [production(grace_seconds=60)], [seat()]).code is code

    def test_in_grace_names_the_end_of_grace(self) -> None:
        answer = decide(question(at=END), [production(grace_seconds=60)], [seat()])
        assert answer.until == END + timedelta(seconds=60)
        assert "by grace until 2027-01-01 00:01 UTC" in answer.sentence

    def test_hands_over_from_trial_to_production_without_a_gap(self) -> None:
        before = trial(environments=EVERYWHERE, ends_at=NOON)
        after = production(1, starts_at=NOON, replaces_id=before.entitlement_id)
        for at, expected in ((NOON - TICK, before), (NOON, after)):
            answer = decide(question(at=at), [before, after], [seat(), seat(2)])
            assert (answer.code, answer.entitlement_id) == (Code.ALLOWED, expected.entitlement_id)

    @pytest.mark.parametrize("field", ["at", "released_at"])
    def test_without_a_zone_is_not_asked(self, field: str) -> None:
        with pytest.raises(ValueError, match="time zone"):
            question(**{field: datetime(2026, 1, 1)})  # noqa: DTZ001 - the point of the test

    def test_without_a_zone_is_not_granted(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            production(starts_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test

    def test_of_grace_is_never_negative(self) -> None:
        with pytest.raises(ValueError, match="zero seconds or more"):
            production(grace_seconds=-1)

    def test_of_grace_may_reach_past_the_calendar(self) -> None:
        last_day = datetime(9999, 12, 31, tzinfo=UTC)
        terms = production(ends_at=last_day, grace_seconds=10**9)
        assert decide(question(at=last_day), [terms], [seat()]).code is Code.IN_GRACE


class TestChoice:
    def test_prefers_production_to_bridge_to_trial(self) -> None:
        three = [
            trial(1, environments=EVERYWHERE, ends_at=None),
            production(2, phase=Phase.BRIDGE, ends_at=None),
            production(3),
        ]
        seats = [seat(1), seat(2), seat(3)]
        assert decide(question(), three, seats).entitlement_id == entitlement_id(3)
        assert decide(question(), three[:2], seats).entitlement_id == entitlement_id(2)

    def test_prefers_what_lasts_longest(self) -> None:
        terms = [production(1, ends_at=None), production(2), production(3, ends_at=NOON + TICK)]
        assert decide(question(), terms, [seat(1), seat(2), seat(3)]).entitlement_id == entitlement_id(1)

    def test_prefers_a_trial_in_force_to_production_in_grace(self) -> None:
        terms = [production(1, ends_at=NOON, grace_seconds=60), trial(2, environments=EVERYWHERE)]
        answer = decide(question(), terms, [seat(1), seat(2)])
        assert (answer.code, answer.entitlement_id) == (Code.ALLOWED, entitlement_id(2))

    def test_stays_with_the_trial_until_the_rollout_arrives(self) -> None:
        before = trial(environments=EVERYWHERE)
        after = production(replaces_id=before.entitlement_id, activation=Cohorts(countries=frozenset({"FR"})))
        seats = [seat(1), seat(2)]
        waiting = decide(question(), [before, after], seats)
        assert (waiting.entitlement_id, waiting.warnings) == (
            before.entitlement_id,
            (Code.ACTIVATION_PENDING_SUCCESSOR,),
        )
        assert decide(question(country="FR"), [before, after], seats).entitlement_id == after.entitlement_id


class TestActivation:
    @pytest.mark.parametrize(
        "cohorts",
        [
            None,
            Cohorts(countries=frozenset({"DE"})),
            Cohorts(account_ids=frozenset({ACCOUNT})),
            Cohorts(person_ids=frozenset({PERSON})),
        ],
    )
    def test_reaches_whoever_is_listed(self, cohorts: Cohorts | None) -> None:
        assert decide(question(), [production(activation=cohorts)], [seat()]).allowed

    def test_does_not_reach_a_question_that_names_no_one_of_a_cohort(self) -> None:
        terms = production(metric=Metric.METERED, countries=None, activation=Cohorts(countries=frozenset({"DE"})))
        assert decide(question(country=None, person_id=None), [terms]).code is Code.NOT_ACTIVATED


class TestEnvironment:
    def test_of_the_deployment_outranks_what_is_claimed(self) -> None:
        answer = decide(
            question(environment=Environment.TRIAL, deployment_environment=Environment.PRODUCTION),
            [trial()],
            [seat(2)],
        )
        assert answer.code is Code.TRIAL_IN_PRODUCTION
        assert answer.warnings == (Code.ENVIRONMENT_MISMATCH,)

    def test_production_is_allowed_to_a_trial_whose_terms_say_so(self) -> None:
        assert decide(question(), [trial(environments=EVERYWHERE)], [seat(2)]).code is Code.ALLOWED

    def test_need_not_be_named_where_all_are_allowed(self) -> None:
        assert decide(question(environment=None), [production(environments=EVERYWHERE)], [seat()]).allowed

    def test_of_staging_is_not_called_a_trial_in_production(self) -> None:
        terms = trial(environments=frozenset({Environment.TRIAL}))
        answer = decide(question(environment=Environment.STAGING), [terms], [seat(2)])
        assert answer.code is Code.ENVIRONMENT_NOT_ALLOWED


class TestReleases:
    def test_are_all_covered_where_none_is_listed(self) -> None:
        assert decide(question(release="9.9"), [production()], [seat()]).allowed

    def test_from_before_the_end_of_updates_may_be_used_on(self) -> None:
        terms = production(updates_until=NOON)
        answer = decide(question(release="2.4", released_at=NOON - TICK), [terms], [seat()])
        assert (answer.allowed, answer.warnings) == (True, (Code.UPDATES_ENDED,))


class TestFeatures:
    def test_with_a_quota_of_zero_are_off(self) -> None:
        assert decide(question(feature="archive"), [production()], [seat()]).code is Code.FEATURE_OFF


class TestSeats:
    def test_of_a_device_are_held_by_the_device(self) -> None:
        terms = [production(metric=Metric.DEVICE)]
        asked = question(device_id=DEVICE)
        assert decide(asked, terms, [seat(device_id=DEVICE)]).allowed
        assert decide(asked, terms, [seat(person_id=PERSON)]).code is Code.NO_SEAT
        assert decide(question(), terms, [seat(device_id=DEVICE)]).code is Code.SUBJECT_REQUIRED

    def test_of_a_person_are_not_held_by_a_device(self) -> None:
        assert decide(question(device_id=DEVICE), [production()], [seat(device_id=DEVICE)]).code is Code.NO_SEAT

    def test_are_not_needed_for_metered_use(self) -> None:
        assert decide(question(person_id=None), [production(metric=Metric.METERED, used_count=99)]).allowed

    def test_of_a_concurrent_pool_are_free_until_it_is_full(self) -> None:
        room = production(metric=Metric.CONCURRENT, used_count=9)
        full = production(metric=Metric.CONCURRENT, used_count=10)
        assert decide(question(), [room]).allowed
        assert decide(question(), [full]).code is Code.SEATS_EXHAUSTED
        assert decide(question(), [full], [seat()]).allowed
        assert decide(question(person_id=None), [full]).allowed

    def test_beyond_a_soft_pool_are_not_called_exhausted(self) -> None:
        assert decide(question(), [production(hard=False, used_count=10)]).code is Code.NO_SEAT
        assert decide(question(), [production(metric=Metric.CONCURRENT, hard=False, used_count=10)]).allowed


class TestTheAccount:
    def test_is_served_when_listed_or_when_selected_by_the_caller(self) -> None:
        served = production(account_ids=frozenset({OTHER_ACCOUNT, ACCOUNT}))
        assert decide(question(), [served], [seat()]).allowed
        assert decide(question(), [production(account_ids=None)], [seat()]).allowed

    def test_has_nothing_from_another_account_or_product(self) -> None:
        foreign = [production(1, account_ids=frozenset({OTHER_ACCOUNT})), production(2, product_id=OTHER_PRODUCT)]
        answer = decide(question(), foreign, [seat(1), seat(2)])
        assert (answer.code, answer.entitlement_id, answer.duplicate_ids) == (Code.NO_ENTITLEMENT, None, ())


class TestDecideAll:
    def test_answers_each_question_as_decide_does(self) -> None:
        cases = [*DENIALS.values(), *WARNINGS.values()]
        terms = [production(), trial(environments=EVERYWHERE), production(3, metric=Metric.DEVICE)]
        seats = [seat(1), seat(2, person_id=OTHER_PERSON), seat(3, device_id=DEVICE, person_id=PERSON)]
        questions = [asked for asked, _, _ in cases] + [question(person_id=OTHER_PERSON), question(device_id=DEVICE)]
        assert decide_all(questions, terms, seats) == tuple(decide(each, terms, seats) for each in questions)

    def test_takes_a_thousand_questions_and_no_more(self) -> None:
        asked = [question(account_id=UUID(int=n)) for n in range(1_000)]
        assert len(decide_all(asked, [production()], [seat()])) == 1_000
        with pytest.raises(TooManyQuestions, match="1,001 questions"):
            decide_all([*asked, question()], [], [])
