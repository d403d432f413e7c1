"""
First data: what an empty registry needs before anybody can propose, written through the governed path.

Source of the groups' members: europa.eu for EU, efta.int for EEA, both as of November 2026; EMEA follows the United
Nations' M49 regions Europe, Africa and Western Asia, a convention of vendors rather than a standard.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from approvals.bootstrap import bootstrap
from approvals.governed import Draft
from approvals.policies.models import Policy
from approvals.requests.models import ChangeRequest
from entitlements.catalog.aspects import Aspect
from entitlements.catalog.models import RegionGroup

EU = ("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK").split()
EEA = sorted([*EU, "IS", "LI", "NO"])
EUROPE_OTHER = ("AD AL AX BA BY CH FO GB GG GI IM JE MC MD ME MK RS RU SJ SM UA VA").split()
AFRICA = (
    "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU "
    "MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"
).split()
WESTERN_ASIA = ("AE AM AZ BH GE IL IQ JO KW LB OM PS QA SA SY TR YE").split()

GROUPS = {
    "EU": ("European Union", EU),
    "EEA": ("European Economic Area", EEA),
    "EMEA": ("Europe, Middle East and Africa", sorted({*EEA, *EUROPE_OTHER, *AFRICA, *WESTERN_ASIA})),
}

# Legal reads before finance, and licensing before those who deliver.
_LEGAL, _FINANCE, _SECURITY, _PRODUCT, _LICENSING, _SUPPORT, _OPERATIONS = range(1, 8)

POLICY: dict[str, Any] = {
    "name": "Two of licensing",
    "description": "Every change of a governed record is read by two people of licensing who did not write it.",
    "conditions": [],
    "stages": [
        {"position": 1, "role": "licensing", "quorum": 2, "why": "two people of licensing read every change"},
    ],
    "waiver_role": "legal",
}


# Where owners are asked too, licensing is asked once, in its place among them.
POLICY_AMONG_OWNERS = POLICY | {"stages": [stage | {"position": _LICENSING} for stage in POLICY["stages"]]}


def _owned(name: str, aspects: list[str], *stages: tuple[int, str, str]) -> dict[str, Any]:
    return {
        "name": f"owners.{name}",
        "description": f"What belongs to {', '.join(aspects)} is read by its owners.",
        "conditions": [{"field": "aspects_touched", "operator": "any_of", "value": aspects}],
        "stages": [{"position": position, "role": role, "quorum": 1, "why": why} for position, role, why in stages],
    }


OWNERS = (
    _owned(
        "legal",
        [Aspect.REGIONS, Aspect.HOSTING, Aspect.COMPLIANCE, Aspect.CLAUSES],
        (_LEGAL, "legal", "legal owns regions, hosting, compliance and clauses"),
    ),
    _owned(
        "finance", [Aspect.PRICE, Aspect.TERM, Aspect.COST], (_FINANCE, "finance", "finance owns price, term and cost")
    ),
    _owned(
        "security", [Aspect.HOSTING, Aspect.IDENTITY], (_SECURITY, "security", "security owns hosting and identity")
    ),
    _owned(
        "seats and features",
        [Aspect.SEATS, Aspect.FEATURES],
        (_PRODUCT, "product", "product owns seats and features"),
        (_LICENSING, "licensing", "licensing owns seats and features"),
    ),
    _owned("support", [Aspect.SUPPORT], (_SUPPORT, "support", "support owns what support is promised")),
    _owned("delivery", [Aspect.DELIVERY], (_OPERATIONS, "it_operations", "IT operations own delivery")),
)


@transaction.atomic
def write_first_data(*, now: datetime, owners: bool = False) -> ChangeRequest | None:
    """
    Write what is missing of the first data, as one system request; None if nothing is.

    With `owners`, the first policies ask the owners of what a change touches besides two of licensing. Policies are
    only written where there are none: those in force change by the policy in force.
    """
    drafts = [
        Draft("regiongroup.create", {"code": code, "name": name, "countries": countries})
        for code, (name, countries) in GROUPS.items()
        if not RegionGroup.objects.filter(code=code).exists()
    ]
    if not Policy.objects.exists():
        policies = (POLICY_AMONG_OWNERS, *OWNERS) if owners else (POLICY,)
        drafts += [Draft("policy.create", policy) for policy in policies]
    if not drafts:
        return None
    return bootstrap(reason="First data: region groups and the policies in force at the start.", drafts=drafts, now=now)
