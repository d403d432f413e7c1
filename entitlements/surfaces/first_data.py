"""
First data: what an empty registry needs before anybody can propose, written through the governed path.

Source of the groups' members: europa.eu for EU, efta.int for EEA, both as of November 2026; EMEA follows the United
Nations' M49 regions Europe, Africa and Western Asia, a convention of vendors rather than a standard.
"""

from datetime import datetime

from django.db import transaction

from approvals.bootstrap import bootstrap
from approvals.governed import Draft
from approvals.policies.models import Policy
from approvals.requests.models import ChangeRequest
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

POLICY = {
    "name": "Two of licensing",
    "description": "Every change of a governed record is read by two people of licensing who did not write it.",
    "conditions": [],
    "stages": [
        {"position": 1, "role": "licensing", "quorum": 2, "why": "two people of licensing read every change"},
    ],
    "waiver_role": "legal",
}


@transaction.atomic
def write_first_data(*, now: datetime) -> ChangeRequest | None:
    """Write what is missing of the first data, as one system request; None if nothing is."""
    drafts = [
        Draft("regiongroup.create", {"code": code, "name": name, "countries": countries})
        for code, (name, countries) in GROUPS.items()
        if not RegionGroup.objects.filter(code=code).exists()
    ]
    if not Policy.objects.exists():
        drafts.append(Draft("policy.create", POLICY))
    if not drafts:
        return None
    return bootstrap(reason="First data: region groups and the policy in force at the start.", drafts=drafts, now=now)
