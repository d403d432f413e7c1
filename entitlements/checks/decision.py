"""
The access check: one pure decision over values.

`decide` holds every entitlement of the account and product against the rules and chooses one to answer from:

- a yes beats a no;
- among several that allow it, one in force beats one in grace, production beats bridge beats trial, then the one that
  lasts longest;
- among several that refuse, the one that passes most rules, so that the explanation names what is really missing.

What remains equal is decided by the entitlement's id: the answer never depends on the order of what is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from entitlements.checks.duplicates import duplicate_ids
from entitlements.checks.reasons import REASONS, UNKNOWN_CODES, Code, guidance_path
from entitlements.checks.rules import (
    FAR_FUTURE,
    Asker,
    asker_of,
    first_refusal,
    grace_end,
    has_ended,
    in_time,
    is_activated,
    serves,
)
from entitlements.checks.values import Answer, FeatureLimit, Holding, LimitKind, Phase, Question, Terms
from entitlements.checks.words import Words

MAX_QUESTIONS = 1_000
_PHASE_RANK: Mapping[Phase, int] = {Phase.TRIAL: 0, Phase.BRIDGE: 1, Phase.PRODUCTION: 2}


class TooManyQuestions(ValueError):
    """More questions were asked at once than the bulk form takes."""


def decide(question: Question, terms: Collection[Terms], holdings: Collection[Holding] = ()) -> Answer:
    """
    Answer one question from the entitlements in force or near it.

    Entitlements of other products and accounts, and seats of other people and devices, may be among what is given:
    they change nothing.
    """
    asker = asker_of(question, holdings)
    related = [each for each in terms if serves(each, question)]
    best: Terms | None = None
    best_key: tuple[object, ...] = ()
    best_code: Code | None = Code.NO_ENTITLEMENT
    for each in related:
        passed, code = first_refusal(question, each, asker)
        key = _preference(question, each, passed, code)
        if best is None or key > best_key:
            best, best_key, best_code = each, key, code
    if best is None:
        return _answer(Code.NO_ENTITLEMENT, {}, allowed=False)
    if best_code is not None:
        return _denial(question, best, best_code, duplicate_ids(related, asker, question.at))
    return _permission(question, best, related, asker)


def decide_all(
    questions: Sequence[Question], terms: Collection[Terms], holdings: Collection[Holding] = ()
) -> tuple[Answer, ...]:
    """
    Answer up to 1,000 questions, each as `decide` would, in their order.

    :raises TooManyQuestions: if there are more
    """
    if len(questions) > MAX_QUESTIONS:
        raise TooManyQuestions(
            f"{len(questions):,} questions were asked at once; ask at most {MAX_QUESTIONS:,} and send the rest "
            f"separately."
        )
    by_product: defaultdict[UUID, list[Terms]] = defaultdict(list)
    for each in terms:
        by_product[each.product_id].append(each)
    by_subject: defaultdict[UUID | str | None, list[Holding]] = defaultdict(list)
    for holding in holdings:
        for subject in {holding.person_id, holding.device_id} - {None}:
            by_subject[subject].append(holding)
    return tuple(
        decide(
            question,
            by_product.get(question.product_id, ()),
            [*by_subject.get(question.person_id, ()), *by_subject.get(question.device_id, ())],
        )
        for question in questions
    )


def refuse(code: Code) -> Answer:
    """
    Answer no before any entitlement is looked at: something named is unknown, or the state at hand is too old to
    answer from.

    :raises ValueError: if the code is not one of `UNKNOWN_CODES`
    """
    if code not in UNKNOWN_CODES:
        raise ValueError(
            f"{code} is decided from entitlements; refuse takes one of {', '.join(sorted(UNKNOWN_CODES))}."
        )
    return _answer(code, {}, allowed=False)


def _preference(question: Question, terms: Terms, passed: int, code: Code | None) -> tuple[object, ...]:
    """Rank one entitlement among those that could answer; the greatest answers."""
    at = question.at
    ended = has_ended(terms, at)
    distance = 0.0
    if code is Code.NOT_STARTED:
        distance = (terms.starts_at - at).total_seconds()
    elif code is Code.ENDED and terms.ends_at is not None:
        distance = (at - terms.ends_at).total_seconds()
    limit, _ = _limit(question, terms)
    return (
        passed,
        -distance,
        not ended,
        _PHASE_RANK[terms.phase],
        terms.ends_at or FAR_FUTURE,
        limit is None,
        limit or 0,
        terms.entitlement_id.int,
    )


def _permission(question: Question, terms: Terms, related: Collection[Terms], asker: Asker) -> Answer:
    in_grace = has_ended(terms, question.at)
    duplicates = duplicate_ids(related, asker, question.at)
    limit, limit_kind = _limit(question, terms)
    return _answer(
        Code.IN_GRACE if in_grace else Code.ALLOWED,
        Words(question, terms),
        allowed=True,
        terms=terms,
        until=grace_end(terms) if in_grace else terms.ends_at,
        limit=limit,
        limit_kind=limit_kind,
        duplicates=duplicates,
        warnings=_warnings(question, terms, related, duplicates),
    )


def _denial(question: Question, terms: Terms, code: Code, duplicates: tuple[UUID, ...]) -> Answer:
    mismatch = (Code.ENVIRONMENT_MISMATCH,) if _mismatched(question) else ()
    return _answer(
        code,
        Words(question, terms),
        allowed=False,
        terms=terms,
        until=terms.starts_at if code is Code.NOT_STARTED else None,
        duplicates=duplicates,
        warnings=(Code.DUPLICATE_SEAT, *mismatch) if duplicates else mismatch,
    )


def _answer(
    code: Code,
    words: Mapping[str, str] | Words,
    *,
    allowed: bool,
    terms: Terms | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    limit_kind: LimitKind | None = None,
    duplicates: tuple[UUID, ...] = (),
    warnings: tuple[Code, ...] = (),
) -> Answer:
    reason = REASONS[code]
    return Answer(
        allowed=allowed,
        code=code,
        sentence=reason.sentence.format_map(words),
        next_action=reason.action.format_map(words),
        guidance=guidance_path(code),
        limit=limit,
        limit_kind=limit_kind,
        until=until,
        entitlement_id=terms.entitlement_id if terms else None,
        phase=terms.phase if terms else None,
        owner=terms.owner if terms else None,
        duplicate_ids=duplicates,
        warnings=warnings,
    )


def _limit(question: Question, terms: Terms) -> tuple[int | None, LimitKind | None]:
    """Answer the limit of the feature asked for or, when none was, of the seats; None is no limit."""
    if question.feature is None:
        return terms.seats, LimitKind.SEATS
    feature: FeatureLimit | None = terms.features.get(question.feature)
    return (feature.limit, feature.kind) if feature else (None, None)


def _mismatched(question: Question) -> bool:
    claimed, known = question.environment, question.deployment_environment
    return claimed is not None and known is not None and claimed is not known


def _warnings(
    question: Question, terms: Terms, related: Collection[Terms], duplicates: tuple[UUID, ...]
) -> tuple[Code, ...]:
    at = question.at
    found = (
        (Code.IN_GRACE, has_ended(terms, at)),
        (Code.DUPLICATE_SEAT, bool(duplicates)),
        (Code.OVER_SEATS, terms.seats is not None and terms.used_count > terms.seats),
        (Code.UPDATES_ENDED, terms.updates_until is not None and at >= terms.updates_until),
        (Code.SUPPORT_ENDED, terms.support_until is not None and at >= terms.support_until),
        (Code.ACTIVATION_PENDING_SUCCESSOR, _successor_waits(question, terms, related)),
        (Code.ENVIRONMENT_MISMATCH, _mismatched(question)),
    )
    return tuple(code for code, applies in found if applies)


def _successor_waits(question: Question, terms: Terms, related: Collection[Terms]) -> bool:
    """Answer whether an entitlement that replaces this one has begun but is not activated for the asker."""
    return any(
        each.replaces_id == terms.entitlement_id and in_time(each, question.at) and not is_activated(each, question)
        for each in related
    )
