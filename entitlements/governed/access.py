"""Tells approvals which change requests a user may see."""

from typing import Any

from django.db.models import Q, QuerySet

from approvals.governed import Scope
from entitlements.directory import access
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
