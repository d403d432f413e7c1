"""Collects the registry's models."""

from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.directory.models import (
    Account,
    AccountClosure,
    AccountGroupGrant,
    AccountUserGrant,
    Deployment,
    Person,
    PersonalDetails,
    ProductGroupGrant,
    ProductUserGrant,
)
from entitlements.grants.models import Activation, Entitlement, Seat, SeatPool
from entitlements.privacy.models import PersonHold

__all__ = [
    "SKU",
    "Account",
    "AccountClosure",
    "AccountGroupGrant",
    "AccountUserGrant",
    "Activation",
    "Agreement",
    "Deployment",
    "Entitlement",
    "Feature",
    "OrderLine",
    "Person",
    "PersonHold",
    "PersonalDetails",
    "Product",
    "ProductGroupGrant",
    "ProductUserGrant",
    "RegionGroup",
    "Release",
    "SKURevision",
    "Seat",
    "SeatPool",
]
