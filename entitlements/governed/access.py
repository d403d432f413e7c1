"""Tells approvals which change requests a user may see."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from approvals.governed import Scope
from entitlements.catalog.models import Product
from entitlements.directory import access
from entitlements.directory.models import Account, AccountClosure
from foundation.identity.models import User


class RegistryAccess:
    """Answers from the grants on accounts and products."""

    def visible(self, *, scopes: QuerySet[Any], user: User) -> QuerySet[Any]:
        """The item scopes whose account or product is granted to the user, as one subquery."""
        if not user.is_active:
            return scopes.none()
        accounts = (
            Q(account_id__isnull=False)
            if user.has_perm(access.ALL_ACCOUNTS)
            else Q(account_id__in=access.visible_accounts(user).values("id"))
        )
        products = (
            Q(product_id__isnull=False)
            if user.has_perm(access.ALL_PRODUCTS)
            else Q(product_id__in=access.visible_products(user).values("id"))
        )
        return scopes.filter(accounts | products)

    def may_see(self, *, scope: Scope, user: User) -> bool:
        """Whether every account and product is granted to the user."""
        return access.may_see(user=user, account_ids=scope.account_ids, product_ids=scope.product_ids)

    def ancestors(self, *, account_ids: frozenset[uuid.UUID]) -> Mapping[uuid.UUID, frozenset[uuid.UUID]]:
        """Each account that exists with those above it, from the closure of the tree."""
        above: dict[uuid.UUID, set[uuid.UUID]] = {}
        rows = AccountClosure.objects.filter(descendant__in=account_ids).exclude(depth=0)
        for descendant_id, ancestor_id in rows.values_list("descendant_id", "ancestor_id"):
            above.setdefault(descendant_id, set()).add(ancestor_id)
        return {account_id: frozenset(found) for account_id, found in above.items()}

    def names(self, *, scope: Scope, user: User | None) -> Mapping[uuid.UUID, str]:
        """The names of accounts and products, those that the user may see if there is one."""
        accounts = access.visible_accounts(user) if user else Account.objects.all()
        products = access.visible_products(user) if user else Product.objects.all()
        found = dict(accounts.filter(id__in=scope.account_ids).values_list("id", "name"))
        return found | dict(products.filter(id__in=scope.product_ids).values_list("id", "name"))
