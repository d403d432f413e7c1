"""Tells audit of what the registry's events speak: where they belong, and who is granted that."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.urls import reverse

from audit.reads.registry import Sort
from audit.subjects import NOBODYS, Choice, SubjectType
from entitlements.directory.access import ALL_ACCOUNTS, ALL_PRODUCTS, visible_accounts, visible_products
from entitlements.directory.models import AccountClosure
from entitlements.portal import facets
from foundation.identity.models import User


def _page_of(entitlement_id: uuid.UUID, _: Mapping[str, Any]) -> str:
    return reverse("entitlement", args=[entitlement_id])


_ITSELF = "SELECT unnest(%(subjects)s)"
_OF_PRODUCT = "SELECT DISTINCT product_id FROM {table} WHERE id = ANY(%(subjects)s)"
_OF_REVISION = """
SELECT DISTINCT sku.product_id
  FROM entitlements_skurevision revision JOIN entitlements_sku sku ON sku.id = revision.sku_id
 WHERE revision.id = ANY(%(subjects)s)
"""
_OF_DEPLOYMENT = """
SELECT DISTINCT unnest(ARRAY[account_id, product_id]) FROM entitlements_deployment WHERE id = ANY(%(subjects)s)
"""
_OF_AGREEMENT = """
SELECT DISTINCT unnest(licensee_id || covered_accounts) FROM entitlements_agreement WHERE id = ANY(%(subjects)s)
"""
_OF_ORDER_LINE = """
SELECT DISTINCT unnest(ARRAY[agreement.licensee_id, sku.product_id])
  FROM entitlements_orderline line
  JOIN entitlements_agreement agreement ON agreement.id = line.agreement_id
  JOIN entitlements_skurevision revision ON revision.id = line.sku_revision_id
  JOIN entitlements_sku sku ON sku.id = revision.sku_id
 WHERE line.id = ANY(%(subjects)s)
"""
_OF_ENTITLEMENT = """
SELECT DISTINCT unnest(ARRAY[entitlement.account_id, sku.product_id])
  FROM entitlements_entitlement entitlement JOIN entitlements_sku sku ON sku.id = entitlement.sku_id
 WHERE entitlement.id = ANY(%(subjects)s)
"""
_OF_PERSON = "SELECT DISTINCT account_id FROM entitlements_person WHERE id = ANY(%(subjects)s)"

# What is worth an event when somebody reads it: what is paid, and who somebody is.
SENSITIVE = (
    (
        "entitlements.orderline",
        Sort.PRICES,
        ("periods", "price", "unit_price", "list_price", "discount_percent", "purchase_order_amount"),
    ),
    ("entitlements.agreement", Sort.PRICES, ("budget", "bridge_price", "price_cap_percent")),
    ("entitlements.personaldetails", Sort.DETAILS, ("mail", "external_ids")),
)
# Under which names plans hold money.
OF_PLANS = ("net", "net_before", "already_charged", "years", "cost_change", "cost_added", "used_after")
SUBJECTS = (
    SubjectType("entitlements.account", "account", _ITSELF),
    SubjectType("entitlements.product", "product", _ITSELF),
    SubjectType("entitlements.feature", "feature", _OF_PRODUCT.replace("{table}", "entitlements_feature")),
    SubjectType("entitlements.release", "release", _OF_PRODUCT.replace("{table}", "entitlements_release")),
    SubjectType("entitlements.sku", "SKU", _OF_PRODUCT.replace("{table}", "entitlements_sku")),
    SubjectType("entitlements.skurevision", "SKU revision", _OF_REVISION),
    SubjectType("entitlements.regiongroup", "region group", NOBODYS),
    SubjectType("entitlements.deployment", "deployment", _OF_DEPLOYMENT),
    SubjectType("entitlements.agreement", "agreement", _OF_AGREEMENT),
    SubjectType("entitlements.orderline", "order line", _OF_ORDER_LINE),
    SubjectType("entitlements.entitlement", "entitlement", _OF_ENTITLEMENT, address=_page_of),
    SubjectType("entitlements.person", "person", _OF_PERSON),
    SubjectType("foundation.user", "login", None),
)


class AuditDirectory:
    """Answers audit from the grants on accounts and products."""

    def granted(self, user: User) -> Collection[uuid.UUID] | None:
        """The accounts and products granted to a user, in one query; None if all are."""
        if user.has_perm(ALL_ACCOUNTS) and user.has_perm(ALL_PRODUCTS):
            return None
        accounts = visible_accounts(user).order_by().values_list("id", flat=True)
        return list(accounts.union(visible_products(user).order_by().values_list("id", flat=True)))

    def accounts(self, user: User) -> Sequence[Choice]:
        """The accounts granted to a user, by name."""
        return facets.accounts(user)

    def units(self, account_id: uuid.UUID) -> Collection[uuid.UUID]:
        """An account with those below it; the account alone if it does not exist any more."""
        below = AccountClosure.objects.filter(ancestor_id=account_id).values_list("descendant_id", flat=True)
        return {account_id, *below}
