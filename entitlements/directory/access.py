"""
Who may see which account and product (INV-12).

A grant on an account covers its descendants; all accounts and all products are explicit grants. Both answers are
subqueries, so that a list is one query without a check per row, and the same in lists, details, admin, portal, API,
exports and history.
"""

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from entitlements.catalog.models import Product
from entitlements.directory.models import (
    Account,
    AccountClosure,
    AccountGroupGrant,
    AccountUserGrant,
    ProductGroupGrant,
    ProductUserGrant,
)
from foundation.identity.models import User

ALL_ACCOUNTS = "entitlements.all_accounts"
ALL_PRODUCTS = "entitlements.all_products"
ACCESS_ACCOUNT = "access_account"
ACCESS_PRODUCT = "access_product"


def visible_accounts(user: User) -> QuerySet[Account]:
    """The accounts granted to a user or to a group of theirs, with their descendants."""
    if not user.is_active:
        return Account.objects.none()
    if user.has_perm(ALL_ACCOUNTS):
        return Account.objects.all()
    granted = Q(
        ancestor__in=AccountUserGrant.objects.filter(user=user, permission__codename=ACCESS_ACCOUNT).values(
            "content_object"
        )
    ) | Q(
        ancestor__in=AccountGroupGrant.objects.filter(
            group__in=_groups(user), permission__codename=ACCESS_ACCOUNT
        ).values("content_object")
    )
    return Account.objects.filter(id__in=AccountClosure.objects.filter(granted).values("descendant"))


def visible_products(user: User) -> QuerySet[Product]:
    """The products granted to a user or to a group of theirs."""
    if not user.is_active:
        return Product.objects.none()
    if user.has_perm(ALL_PRODUCTS):
        return Product.objects.all()
    return Product.objects.filter(
        Q(
            id__in=ProductUserGrant.objects.filter(user=user, permission__codename=ACCESS_PRODUCT).values(
                "content_object"
            )
        )
        | Q(
            id__in=ProductGroupGrant.objects.filter(
                group__in=_groups(user), permission__codename=ACCESS_PRODUCT
            ).values("content_object")
        )
    )


def may_see(*, user: User, account_ids: Iterable[uuid.UUID], product_ids: Iterable[uuid.UUID]) -> bool:
    """
    Whether every account and product is granted to the user.

    What does not exist yet (a request may create it) is only for those who are granted all accounts or all products.
    """
    accounts, products = set(account_ids), set(product_ids)
    if not user.is_active:
        return False
    seen_accounts = user.has_perm(ALL_ACCOUNTS) or (
        visible_accounts(user).filter(id__in=accounts).count() == len(accounts)
    )
    seen_products = user.has_perm(ALL_PRODUCTS) or (
        visible_products(user).filter(id__in=products).count() == len(products)
    )
    return seen_accounts and seen_products


def _groups(user: User) -> QuerySet[Group]:
    return user.groups.all()
