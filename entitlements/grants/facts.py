"""What policies can compare of entitlements, and what their fields belong to. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from approvals.governed import FactType, FactUnit
from entitlements.agreements.facts import SEATS_OF_YEAR, SEATS_PENDING, TERM_FACTS, of_term
from entitlements.agreements.growth import percent_up
from entitlements.catalog.aspects import NOBODYS, Aspect

Row = Mapping[str, Any]

ENTITLEMENT_FACTS = (
    FactType(
        "phase",
        FactUnit.TEXT,
        "",
        "Trial, bridge or production.",
        says="the phase is {value}",
        choices=("trial", "bridge", "production"),
    ),
    FactType(
        "seats_after",
        FactUnit.INTEGER,
        "seats",
        "Seats after the change; absent if unlimited.",
        says="it has {value} seats afterwards",
    ),
    FactType(
        "seats_unlimited",
        FactUnit.BOOLEAN,
        "",
        "Whether seats are unlimited after the change.",
        says="seats are unlimited|seats have a limit",
    ),
    FactType(
        "seats_change",
        FactUnit.INTEGER,
        "seats",
        "Seats after less before; absent if either is unlimited.",
        says="seats change by {value}",
    ),
    FactType(
        "seats_change_percent",
        FactUnit.INTEGER,
        "percent",
        "That change relative to before, rounded away from zero; absent if there were none or either is unlimited.",
        says="seats change by {value} %",
    ),
    FactType("countries_after", FactUnit.TEXTS, "", "Countries of use after the change.", says="used in {value}"),
    FactType("countries_added", FactUnit.TEXTS, "", "Countries of use that are new.", says="newly used in {value}"),
    FactType("countries_removed", FactUnit.TEXTS, "", "Countries of use that end.", says="no longer used in {value}"),
    FactType("environments", FactUnit.TEXTS, "", "Where it may run: trial, staging, production."),
    FactType("support_level", FactUnit.TEXT, "", "The support level.", says="the support level is {value}"),
    FactType(
        "enforcement", FactUnit.TEXT, "", "Hard or soft.", says="enforcement is {value}", choices=("hard", "soft")
    ),
    FactType("replaces", FactUnit.BOOLEAN, "", "Whether it replaces another.", says="it replaces another|it is new"),
    FactType("people_registered", FactUnit.INTEGER, "people", "People who are registered with it."),
    *TERM_FACTS,
    *SEATS_OF_YEAR,
    SEATS_PENDING,
)

ENTITLEMENT_ASPECTS = {
    "reference": NOBODYS,
    "account_id": (Aspect.SEATS,),
    "order_line_id": (Aspect.COST,),
    "sku_id": (Aspect.FEATURES,),
    # The terms under which it stands: what is allowed where, and what must be kept to.
    "sku_revision_id": (Aspect.FEATURES, Aspect.COMPLIANCE),
    "phase": (Aspect.SEATS,),
    "seats": (Aspect.SEATS,),
    "countries": (Aspect.REGIONS,),
    "region_groups": (Aspect.REGIONS,),
    "environments": (Aspect.DELIVERY,),
    "feature_overrides": (Aspect.FEATURES,),
    "support_level": (Aspect.SUPPORT,),
    "starts_at": (Aspect.TERM,),
    "ends_at": (Aspect.TERM,),
    "withdrawn_at": (Aspect.TERM,),
    "retired_at": (Aspect.TERM,),
    "grace_seconds": (Aspect.TERM,),
    "updates_until": (Aspect.SUPPORT,),
    "support_until": (Aspect.SUPPORT,),
    "enforcement": (Aspect.SEATS, Aspect.DELIVERY),
    "owner_id": NOBODYS,
    "replaces_id": (Aspect.SEATS,),
    "notes": NOBODYS,
    "attributes": (Aspect.DELIVERY,),
}
EFFECT_ASPECTS = {"register": Aspect.IDENTITY, "hold": Aspect.SEATS, "release": Aspect.SEATS}


def of_entitlement(*, before: Row | None, after: Row, effects: Row, now: datetime) -> dict[str, Any]:
    """The facts of an entitlement's change; what is absent is None."""
    seats, former = after["seats"], before["seats"] if before else 0
    change = None if seats is None or former is None else seats - former
    was = set(before["countries"] if before else ())
    return {
        "phase": after["phase"],
        "seats_after": seats,
        "seats_unlimited": seats is None,
        "seats_change": change,
        "seats_change_percent": _percent(change, former),
        "countries_after": after["countries"],
        "countries_added": sorted(set(after["countries"]) - was),
        "countries_removed": sorted(was - set(after["countries"])),
        "environments": after["environments"],
        "support_level": after["support_level"],
        "enforcement": after["enforcement"],
        "replaces": after["replaces_id"] is not None,
        "people_registered": len(effects.get("register", ())),
    } | of_term(before=before, after=after, now=now)


def _percent(change: int | None, former: int | None) -> int | None:
    if change is None or not former:
        return None
    percent = percent_up(abs(change), former)
    return percent if percent is None or change >= 0 else -percent
