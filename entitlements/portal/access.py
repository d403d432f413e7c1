"""May this person use this? The question of the check page, its answer, and the guidance to every reason."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from django.db.models import Q

from approvals.portal.facets import Choice
from entitlements.catalog.models import Feature
from entitlements.checks.reasons import REASONS, Outcome
from entitlements.checks.values import Answer, Environment
from entitlements.directory.access import visible_accounts, visible_products
from entitlements.directory.models import Person, PersonalDetails
from entitlements.directory.services import names_of
from entitlements.grants.models import Entitlement
from entitlements.portal import facets
from entitlements.surfaces import checking
from entitlements.surfaces.checking import Asked
from foundation.errors import InvalidInput
from foundation.identity.models import User

MOST_MATCHES = 8
OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    Outcome.ALLOWED: ("Allowed", "success"),
    Outcome.DENIED: ("Not allowed", "danger"),
    Outcome.WARNING: ("Worth knowing", "warning"),
}


@dataclass(frozen=True)
class Match:
    """A person found by what was typed."""

    person_id: uuid.UUID
    name: str


@dataclass(frozen=True)
class Asking:
    """The form with what was typed, the people that it could mean, and the answer if there is one."""

    given: Mapping[str, str]
    accounts: Sequence[Choice]
    products: Sequence[Choice]
    features: Sequence[tuple[str, str]]
    environments: Sequence[str]
    matches: Sequence[Match]
    person: str
    answer: Answer | None
    entitlement: Entitlement | None
    problem: str
    warnings: Sequence[Any]


@dataclass(frozen=True)
class Guidance:
    """One reason code as people read it."""

    code: str
    outcome: str
    tone: str
    sentence: str
    explanation: str
    actor: str
    action: str


FIELDS = ("account", "product", "feature", "person", "country", "environment")


def ask(*, user: User, parameters: Mapping[str, str], now: datetime) -> Asking:
    """The question as it was typed, answered if it can be, about accounts and products granted to the user."""
    given = {name: parameters.get(name, "").strip() for name in FIELDS}
    matches, problem = _people(given["person"], user)
    chosen = matches[0] if len(matches) == 1 else None
    answer = None
    if given["account"] and given["product"] and not problem and (chosen or not given["person"]):
        try:
            (answer,) = checking.answer(questions=[_asked(given, chosen)], user=user, now=now)
        except InvalidInput as error:
            problem = error.message
    found = Entitlement.objects.visible_to(user)
    return Asking(
        given=given,
        accounts=facets.accounts(user),
        products=facets.products(user),
        features=_features(user),
        environments=[environment.value for environment in Environment],
        matches=matches if len(matches) > 1 else (),
        person=chosen.name if chosen else "",
        answer=answer,
        entitlement=found.filter(id=answer.entitlement_id).first() if answer and answer.entitlement_id else None,
        problem=problem,
        warnings=[(code, REASONS[code]) for code in answer.warnings] if answer else (),
    )


def guidance() -> list[Guidance]:
    """Every reason code, in the order of its table."""
    return [
        Guidance(
            code=code.value,
            outcome=OUTCOMES[reason.outcome][0],
            tone=OUTCOMES[reason.outcome][1],
            sentence=_shown(reason.sentence),
            explanation=reason.explanation,
            actor=reason.actor,
            action=_shown(reason.action),
        )
        for code, reason in REASONS.items()
    ]


def _shown(template: str) -> str:
    """A sentence with the words that each answer fills in, in angle brackets."""
    parts = Formatter().parse(template)
    return "".join(text + (f"‹{name.replace('_', ' ')}›" if name else "") for text, name, _, _ in parts)


def _asked(given: Mapping[str, str], person: Match | None) -> Asked:
    environment = given["environment"]
    return Asked(
        account=given["account"],
        product=given["product"],
        feature=given["feature"] or None,
        person_id=person.person_id if person else None,
        country=given["country"].upper() or None,
        environment=Environment(environment) if environment in set(Environment) else None,
    )


def _people(text: str, user: User) -> tuple[Sequence[Match], str]:
    """People of visible accounts whom a name, mail or id could mean."""
    if not text:
        return (), ""
    seen = Person.objects.filter(account__in=visible_accounts(user))
    try:
        ids = list(seen.filter(id=uuid.UUID(text)).values_list("id", flat=True))
    except ValueError:
        exact = PersonalDetails.objects.filter(Q(mail__iexact=text) | Q(name__iexact=text))
        ids = list(seen.filter(id__in=exact.values("person_id")).values_list("id", flat=True)[:MOST_MATCHES])
        if not ids:
            near = PersonalDetails.objects.filter(Q(mail__icontains=text) | Q(name__icontains=text))
            ids = list(
                seen.filter(id__in=near.values("person_id")).order_by("id").values_list("id", flat=True)[:MOST_MATCHES]
            )
    if not ids:
        return (), "Nobody at the accounts granted to you has that name, mail or id. Check how it is written."
    names = names_of(ids)
    return [Match(key, names[key]) for key in ids], ""


def _features(user: User) -> list[tuple[str, str]]:
    rows = Feature.objects.filter(product__in=visible_products(user), retired_at__isnull=True)
    return sorted(set(rows.values_list("code", "name")))[:500]
