"""
Which records of the registry a user may see (INV-12): the same answer for lists, details, API, portal and admin.

A record is visible if every account and product that it belongs to is: the scope that its kinds of change declare. Each
answer is one query, whatever the number of rows.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet

from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.directory.access import ALL_ACCOUNTS, visible_accounts, visible_products
from entitlements.directory.models import Account, Deployment, Person
from entitlements.grants.models import Entitlement, Seat
from foundation.identity.models import User

Visible = Callable[[User], QuerySet[Any]]


def features(user: User) -> QuerySet[Feature]:
    """Features of visible products."""
    return Feature.objects.filter(product__in=visible_products(user))


def releases(user: User) -> QuerySet[Release]:
    """Releases of visible products."""
    return Release.objects.filter(product__in=visible_products(user))


def skus(user: User) -> QuerySet[SKU]:
    """SKUs of visible products."""
    return SKU.objects.filter(product__in=visible_products(user))


def sku_revisions(user: User) -> QuerySet[SKURevision]:
    """Revisions of the SKUs of visible products."""
    return SKURevision.objects.filter(sku__product__in=visible_products(user)).select_related("sku")


def region_groups(user: User) -> QuerySet[RegionGroup]:
    """All of them: they belong to nobody."""
    return RegionGroup.objects.all() if user.is_active else RegionGroup.objects.none()


def deployments(user: User) -> QuerySet[Deployment]:
    """Deployments whose account and product are both visible."""
    return Deployment.objects.filter(account__in=visible_accounts(user), product__in=visible_products(user))


def agreements(user: User) -> QuerySet[Agreement]:
    """Agreements whose licensee and covered accounts are all visible."""
    accounts = visible_accounts(user)
    found = Agreement.objects.filter(licensee__in=accounts)
    if user.has_perm(ALL_ACCOUNTS):
        return found
    return found.filter(covered_accounts__contained_by=ArraySubquery(accounts.values("id")))


def order_lines(user: User) -> QuerySet[OrderLine]:
    """Order lines whose licensee and product are both visible."""
    return OrderLine.objects.filter(
        agreement__licensee__in=visible_accounts(user), sku_revision__sku__product__in=visible_products(user)
    ).select_related("sku_revision__sku")


def entitlements(user: User) -> QuerySet[Entitlement]:
    """Entitlements whose account and product are both visible."""
    return Entitlement.objects.visible_to(user).select_related("sku", "pool")


def people(user: User) -> QuerySet[Person]:
    """People of visible accounts."""
    return Person.objects.filter(account__in=visible_accounts(user))


def seats(user: User) -> QuerySet[Seat]:
    """Seats of visible entitlements."""
    return Seat.objects.filter(entitlement__in=Entitlement.objects.visible_to(user))


def accounts(user: User) -> QuerySet[Account]:
    """Accounts granted, with their descendants."""
    return visible_accounts(user)


def products(user: User) -> QuerySet[Product]:
    """Products granted."""
    return visible_products(user)
