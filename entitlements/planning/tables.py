"""Names of records that plans refer to only in passing."""

import uuid
from collections.abc import Iterable

from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Product, Release, SKURevision
from entitlements.directory.models import Account
from entitlements.grants.models import Entitlement
from foundation.identity.models import User


def label_records(ids: Iterable[uuid.UUID]) -> dict[str, str]:
    """Names by id, over the sorts of records that rows refer to; one query each, and only for what is unknown."""
    missing = set(ids)
    labels: dict[str, str] = {}
    for model in (Account, Product, SKU, SKURevision, Agreement, OrderLine, Entitlement, Release, User):
        if not missing:
            break
        related = ["sku"] if model is SKURevision else ["product"] if model is Release else []
        for row in model._default_manager.select_related(*related).filter(pk__in=missing):
            labels[str(row.pk)] = str(row)
            missing.discard(row.pk)
    return labels
