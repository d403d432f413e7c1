"""
Answering access questions from the registry as it stands: for a user (`answer`), or for code that stands below any user
(`decide_from_registry`). Names are resolved here, terms are read by check_terms, the decision is entitlements.checks'.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db.models import Exists, OuterRef, Q, QuerySet

from entitlements.catalog.models import Feature, Product, Release
from entitlements.checks.decision import MAX_QUESTIONS, decide_all, refuse
from entitlements.checks.reasons import Code
from entitlements.checks.values import Answer, Environment, Question
from entitlements.directory.access import visible_accounts, visible_products
from entitlements.directory.models import Account, Deployment, Person
from entitlements.grants.models import Seat
from entitlements.surfaces import check_terms
from foundation.errors import InvalidInput, NotPermitted
from foundation.identity.models import User

ASK_HYPOTHETICALLY = "entitlements.ask_hypothetically"


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A question in the words of whoever asks.

    `account` and `product` are ids or codes, `deployment` an id or a name, `release` a name, `country` an ISO 3166
    code. `at` is the instant asked about, timezone-aware; None is now.
    """

    account: str
    product: str
    feature: str | None = None
    person_id: uuid.UUID | None = None
    device_id: str | None = None
    country: str | None = None
    environment: Environment | None = None
    deployment: str | None = None
    release: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class _Directory:
    """What the questions name, as far as it is known to whoever asks."""

    accounts: Mapping[str, uuid.UUID]
    products: Mapping[str, uuid.UUID]
    features: Collection[tuple[uuid.UUID, str]]
    deployments: Mapping[tuple[uuid.UUID, uuid.UUID, str], tuple[uuid.UUID, str]]
    releases: Mapping[tuple[uuid.UUID, str], datetime | None]
    left: Mapping[uuid.UUID, datetime | None]


def answer(*, questions: Sequence[Asked], user: User, now: datetime) -> tuple[Answer, ...]:
    """
    Answer up to 1,000 questions of a user, in their order, in a constant number of queries.

    What is not granted to the user is answered as if it did not exist. The entitlement that an answer rests on may be
    an ancestor account's, where its agreement serves the account asked about.

    :raises NotPermitted: if a question names an instant and the user may not ask hypothetically
    :raises InvalidInput: if there are no questions, or too many
    """
    if any(asked.at is not None for asked in questions) and not user.has_perm(ASK_HYPOTHETICALLY):
        raise NotPermitted(
            "You may ask about the present only. Leave “at” out, or ask an administrator for the right to ask "
            "hypothetically."
        )
    return _answer(questions, accounts=visible_accounts(user), products=visible_products(user), now=now)


def decide_from_registry(*, questions: Sequence[Asked], now: datetime) -> tuple[Answer, ...]:
    """
    Answer up to 1,000 questions with nobody's eyes: every account, product and instant may be asked about.

    :raises InvalidInput: if there are no questions, or too many
    """
    return _answer(questions, accounts=Account.objects.all(), products=Product.objects.all(), now=now)


def _answer(
    questions: Sequence[Asked], *, accounts: QuerySet[Account], products: QuerySet[Product], now: datetime
) -> tuple[Answer, ...]:
    if not 1 <= len(questions) <= MAX_QUESTIONS:
        raise InvalidInput(f"Ask 1 to {MAX_QUESTIONS:,} questions at once; you asked {len(questions):,}.")
    directory = _read(questions, accounts, products)
    resolved = [_resolve(asked, directory, asked.at or now) for asked in questions]
    asked_for = [question for question in resolved if isinstance(question, Question)]
    served = check_terms.load(
        account_ids={question.account_id for question in asked_for},
        product_ids={question.product_id for question in asked_for},
        person_ids={question.person_id for question in asked_for if question.person_id},
        device_ids={question.device_id for question in asked_for if question.device_id},
        earliest=min((question.at for question in asked_for), default=now),
        latest=max((question.at for question in asked_for), default=now),
    )
    decided = iter(decide_all(asked_for, served.terms, served.holdings))
    return tuple(next(decided) if isinstance(question, Question) else refuse(question) for question in resolved)


def _read(questions: Sequence[Asked], accounts: QuerySet[Account], products: QuerySet[Product]) -> _Directory:
    known_accounts = _by_name(accounts, {asked.account for asked in questions})
    known_products = _by_name(products, {asked.product for asked in questions})
    product_ids = set(known_products.values())
    return _Directory(
        accounts=known_accounts,
        products=known_products,
        features=frozenset(
            Feature.objects.filter(
                product__in=product_ids, code__in={asked.feature for asked in questions if asked.feature}
            ).values_list("product_id", "code")
        ),
        deployments=_deployments(questions, set(known_accounts.values()), product_ids),
        releases={
            (product_id, name): None if day is None else datetime.combine(day, time.min, UTC)
            for product_id, name, day in Release.objects.filter(
                product__in=product_ids, version_name__in={asked.release for asked in questions if asked.release}
            ).values_list("product_id", "version_name", "released_on")
        },
        left=_people({asked.person_id for asked in questions if asked.person_id}, accounts),
    )


def _by_name(rows: "QuerySet[Account] | QuerySet[Product]", names: Collection[str]) -> dict[str, uuid.UUID]:
    """Ids by what was asked: an id or a code. An id wins over a code that looks like it."""
    ids = {name: key for name in names if (key := _uuid(name)) is not None}
    found = list(rows.filter(Q(id__in=ids.values()) | Q(code__in=names)).values_list("id", "code"))
    present = {key for key, _ in found}
    by_code = {code: key for key, code in found}
    return {name: key for name, key in by_code.items() if name in names} | {
        name: key for name, key in ids.items() if key in present
    }


def _deployments(
    questions: Sequence[Asked], account_ids: Collection[uuid.UUID], product_ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, uuid.UUID, str], tuple[uuid.UUID, str]]:
    """Deployments in use by account, product and what was asked: an id or a name."""
    names = {asked.deployment for asked in questions if asked.deployment}
    ids = [key for name in names if (key := _uuid(name)) is not None]
    rows = Deployment.objects.filter(
        Q(id__in=ids) | Q(name__in=names), account__in=account_ids, product__in=product_ids, retired_at__isnull=True
    ).values_list("account_id", "product_id", "id", "name", "environment")
    found = {}
    for account_id, product_id, key, name, environment in rows:
        found[(account_id, product_id, name)] = (key, environment)
        found[(account_id, product_id, str(key))] = (key, environment)
    return found


def _people(person_ids: Iterable[uuid.UUID], accounts: QuerySet[Account]) -> dict[uuid.UUID, datetime | None]:
    """When each person left, or None; only people of the accounts, and who holds a seat of theirs."""
    seat_there = Seat.objects.held().filter(person=OuterRef("pk"), entitlement__account__in=accounts)
    rows = Person.objects.filter(Q(account__in=accounts) | Exists(seat_there), id__in=set(person_ids))
    return dict(rows.values_list("id", "left_at"))


def _resolve(asked: Asked, directory: _Directory, at: datetime) -> Question | Code:
    """The question over ids, or the code that says what of it is unknown."""
    account_id = directory.accounts.get(asked.account)
    product_id = directory.products.get(asked.product)
    if account_id is None:
        return Code.ACCOUNT_UNKNOWN
    if product_id is None:
        return Code.PRODUCT_UNKNOWN
    unknown = _first_unknown(asked, directory, product_id, at)
    if unknown is not None:
        return unknown
    deployment_id, environment = None, None
    if asked.deployment is not None:
        key = _uuid(asked.deployment)
        named = directory.deployments.get((account_id, product_id, str(key) if key else asked.deployment))
        if named is None:
            return Code.DEPLOYMENT_UNKNOWN
        deployment_id, environment = named[0], Environment(named[1])
    return Question(
        account_id=account_id,
        product_id=product_id,
        at=at,
        feature=asked.feature,
        person_id=asked.person_id,
        device_id=asked.device_id,
        country=asked.country,
        environment=asked.environment,
        deployment_id=deployment_id,
        deployment_environment=environment,
        release=asked.release,
        released_at=directory.releases.get((product_id, asked.release)) if asked.release else None,
    )


def _first_unknown(asked: Asked, directory: _Directory, product_id: uuid.UUID, at: datetime) -> Code | None:
    if asked.feature is not None and (product_id, asked.feature) not in directory.features:
        return Code.FEATURE_UNKNOWN
    if asked.release is not None and (product_id, asked.release) not in directory.releases:
        return Code.RELEASE_UNKNOWN
    if asked.person_id is not None:
        left_at = directory.left.get(asked.person_id, at)
        # Who has left is known no longer, whatever seat was forgotten.
        if left_at is not None and left_at <= at:
            return Code.SUBJECT_UNKNOWN
    return None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
