"""The names by which people filter changes: the accounts and products granted to them."""

from collections.abc import Sequence

from approvals.portal.facets import Choice, Facet
from entitlements.directory.access import visible_accounts, visible_products
from foundation.identity.models import User

MOST_CHOICES = 500


def accounts(user: User) -> Sequence[Choice]:
    """Accounts that a user may see, by name; at most 500."""
    return list(visible_accounts(user).order_by("name", "id").values_list("id", "name")[:MOST_CHOICES])


def products(user: User) -> Sequence[Choice]:
    """Products that a user may see, by name; at most 500."""
    return list(visible_products(user).order_by("name", "id").values_list("id", "name")[:MOST_CHOICES])


FACETS = (
    Facet("account", "Account", "account_id", accounts),
    Facet("product", "Product", "product_id", products),
)
