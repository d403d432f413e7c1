"""
The rules that an entitlement must pass to answer yes, in order.

Each rule takes the question, the terms and the asker's seats, and answers None when it is passed, else the code of
the refusal. Their order says how near a refusal is: the later the rule, the less is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from entitlements.checks.reasons import Code
from entitlements.checks.values import Environment, Holding, Metric, Phase, Question, Terms

FAR_FUTURE = datetime.max.replace(tzinfo=UTC)
ALL_ENVIRONMENTS = frozenset(Environment)


@dataclass(frozen=True, slots=True)
class Asker:
    """The entitlements of which the asking person, and the asking device, hold a seat."""

    by_person: frozenset[UUID]
    by_device: frozenset[UUID]


Rule = Callable[[Question, Terms, Asker], Code | None]


def asker_of(question: Question, holdings: Collection[Holding]) -> Asker:
    """Select from seats of whomever those that the question's person and device hold."""
    person_id, device_id = question.person_id, question.device_id
    return Asker(
        by_person=frozenset(h.entitlement_id for h in holdings if person_id is not None and h.person_id == person_id),
        by_device=frozenset(h.entitlement_id for h in holdings if device_id is not None and h.device_id == device_id),
    )


def serves(terms: Terms, question: Question) -> bool:
    """Answer whether an entitlement has anything to do with the question's account and product."""
    return terms.product_id == question.product_id and (
        terms.account_ids is None or question.account_id in terms.account_ids
    )


def grace_end(terms: Terms) -> datetime:
    """Answer the instant at which even grace is over; the far future for an open end."""
    if terms.ends_at is None:
        return FAR_FUTURE
    try:
        return terms.ends_at + timedelta(seconds=terms.grace_seconds)
    except OverflowError:
        return FAR_FUTURE


def has_ended(terms: Terms, at: datetime) -> bool:
    """Answer whether the right of use is over, grace or not."""
    return terms.ends_at is not None and at >= terms.ends_at


def in_time(terms: Terms, at: datetime) -> bool:
    """Answer whether an entitlement allows anything at an instant: not withdrawn, begun, and not over with its "
    "grace."""
    if terms.withdrawn or at < terms.starts_at:
        return False
    return not has_ended(terms, at) or at < grace_end(terms)


def is_activated(terms: Terms, question: Question) -> bool:
    """Answer whether the rollout of an entitlement has reached the question's country, account or person."""
    cohorts = terms.activation
    return (
        cohorts is None
        or question.account_id in cohorts.account_ids
        or question.country in cohorts.countries
        or question.person_id in cohorts.person_ids
    )


def not_withdrawn(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The entitlement was not withdrawn."""
    return Code.WITHDRAWN if terms.withdrawn else None


def within_the_period(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The instant lies in `[starts_at, ends_at)` or in the grace after it."""
    if question.at < terms.starts_at:
        return Code.NOT_STARTED
    return None if in_time(terms, question.at) else Code.ENDED


def activated(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The rollout has reached the asker's cohort."""
    return None if is_activated(terms, question) else Code.NOT_ACTIVATED


def environment_allowed(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The environment is among those allowed."""
    environment = question.effective_environment
    if environment is None:
        return None if terms.environments == ALL_ENVIRONMENTS else Code.ENVIRONMENT_REQUIRED
    if environment in terms.environments:
        return None
    if terms.phase is Phase.TRIAL and environment is Environment.PRODUCTION:
        return Code.TRIAL_IN_PRODUCTION
    return Code.ENVIRONMENT_NOT_ALLOWED


def region_allowed(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The country is among those allowed."""
    if terms.countries is None:
        return None
    if question.country is None:
        return Code.REGION_REQUIRED
    return None if question.country in terms.countries else Code.REGION_NOT_ALLOWED


def release_covered(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The release is listed, and came out while the right to updates lasted."""
    if terms.releases is not None:
        if question.release is None:
            return Code.RELEASE_REQUIRED
        if question.release not in terms.releases:
            return Code.RELEASE_NOT_COVERED
    if terms.updates_until is not None and question.released_at is not None:
        return Code.RELEASE_AFTER_UPDATES if question.released_at >= terms.updates_until else None
    return None


def feature_included(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The feature is granted and not off."""
    if question.feature is None:
        return None
    feature = terms.features.get(question.feature)
    if feature is None:
        return Code.FEATURE_NOT_INCLUDED
    return Code.FEATURE_OFF if feature.gives_nothing else None


def seat_held(question: Question, terms: Terms, asker: Asker) -> Code | None:
    """The person or device holds a seat where the metric needs one; a full concurrent pool takes in nobody new."""
    full = terms.hard and terms.seats is not None and terms.used_count >= terms.seats
    if terms.metric is Metric.METERED:
        return None
    if terms.metric is Metric.CONCURRENT:
        anonymous = question.person_id is None and question.device_id is None
        holds = terms.entitlement_id in asker.by_person or terms.entitlement_id in asker.by_device
        return Code.SEATS_EXHAUSTED if full and not anonymous and not holds else None
    by_person = terms.metric is Metric.NAMED_USER
    if (question.person_id if by_person else question.device_id) is None:
        return Code.SUBJECT_REQUIRED
    if terms.entitlement_id in (asker.by_person if by_person else asker.by_device):
        return None
    return Code.SEATS_EXHAUSTED if full else Code.NO_SEAT


RULES: tuple[Rule, ...] = (
    not_withdrawn,
    within_the_period,
    activated,
    environment_allowed,
    region_allowed,
    release_covered,
    feature_included,
    seat_held,
)


def first_refusal(question: Question, terms: Terms, asker: Asker) -> tuple[int, Code | None]:
    """Answer how many rules an entitlement passes, and the code of the first that it does not pass, None if it "
    "passes all."""
    for passed, rule in enumerate(RULES):
        code = rule(question, terms, asker)
        if code is not None:
            return passed, code
    return len(RULES), None
