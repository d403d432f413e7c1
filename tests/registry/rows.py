"""One record of every governed model, for tests that are about all of them."""

from datetime import timedelta
from functools import partial
from typing import Any

from approvals.authority.models import AuthorityLimit
from approvals.freezes.models import AccountingPeriod, Freeze
from approvals.policies.models import Policy
from approvals.standards.models import StandardTemplate
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.directory.models import Account, Deployment
from entitlements.grants.models import Entitlement
from tests import given

STAGES = [{"position": 1, "role": "licensing", "quorum": 1}]


def _deployment() -> Deployment:
    return given.deployment(given.account(), given.product())


# Over, so that it stops nothing.
OVER = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}


def _template() -> StandardTemplate:
    template: StandardTemplate = given.record(
        "standard_template.create",
        name="A few more seats",
        kinds=["entitlement.amend"],
        conditions=[{"field": "seats_after", "operator": "at_most", "value": 20}],
        proposer_roles=["requester"],
        expires_at=(given.NOW + timedelta(days=365)).isoformat(),
    )
    return template


def _limit() -> AuthorityLimit:
    limit: AuthorityLimit = given.record(
        "authority_limit.create",
        person=given.user("licensing").username,
        role="licensing",
        seats=10,
        starts_at=given.NOW.isoformat(),
    )
    return limit


MAKERS = {
    AuthorityLimit: _limit,
    Freeze: partial(given.record, "freeze.create", name="One", reason="So.", everything=True, **OVER),
    AccountingPeriod: partial(given.record, "accounting_period.close", label="2020-01", **OVER),
    Policy: partial(given.record, "policy.create", name="One", stages=STAGES),
    StandardTemplate: _template,
    Product: given.product,
    Feature: lambda: given.feature(given.product()),
    Release: lambda: given.record("release.create", product_id=given.product().id, version_name="1.0"),
    SKU: lambda: given.sku(given.product()),
    SKURevision: lambda: given.sku_revision(given.sku(given.product())),
    RegionGroup: lambda: given.region_group("DACH", ["AT", "CH", "DE"]),
    Account: given.account,
    Deployment: _deployment,
    Agreement: lambda: given.agreement(given.account()),
    OrderLine: given.ordered,
    Entitlement: given.entitlement,
}

# A field of each that can be amended, and its new value.
AMENDMENTS: dict[type[Any], dict[str, Any]] = {
    AuthorityLimit: {"seats": 20},
    Freeze: {"reason": "Since today."},
    AccountingPeriod: {"label": "January"},
    Policy: {"description": "Since today."},
    StandardTemplate: {"description": "Since today."},
    Product: {"name": "Renamed"},
    Feature: {"name": "Renamed"},
    Release: {"end_of_life_on": "2030-01-01"},
    SKU: {"name": "Renamed"},
    RegionGroup: {"countries": ["AT", "DE"]},
    Account: {"name": "Renamed"},
    Deployment: {"environment": "staging"},
    Agreement: {"title": "Renamed"},
    OrderLine: {"cost_center": "4711"},
    Entitlement: {"seats": 11},
}

LATER = (given.NOW + timedelta(days=400)).isoformat()


def make(model: type[Any]) -> Any:
    """A stored record of the model."""
    return MAKERS[model]()
