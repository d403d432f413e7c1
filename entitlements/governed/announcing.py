"""What each role is told of at first: what it owns, and what it has to prepare for."""

from approvals.announcements.defaults import DefaultSubscription
from entitlements.catalog.aspects import Aspect


def _touching(*aspects: Aspect) -> list[dict[str, object]]:
    return [{"field": "aspects_touched", "operator": "any_of", "value": [aspect.value for aspect in aspects]}]


DEFAULTS = (
    DefaultSubscription(
        "finance.money", "finance", "Price, term and cost", _touching(Aspect.PRICE, Aspect.TERM, Aspect.COST)
    ),
    DefaultSubscription(
        "security.hosting", "security", "Hosting and identity", _touching(Aspect.HOSTING, Aspect.IDENTITY)
    ),
    DefaultSubscription(
        "it_operations.delivery",
        "it_operations",
        "Delivery, regions, hosting and identity",
        _touching(Aspect.DELIVERY, Aspect.REGIONS, Aspect.HOSTING, Aspect.IDENTITY),
    ),
    DefaultSubscription(
        "it_operations.lost",
        "it_operations",
        "Somebody loses access",
        [{"field": "people_losing_access", "operator": "more_than", "value": 0}],
        acknowledge_hours=24,
    ),
    DefaultSubscription(
        "product.scope",
        "product",
        "Seats, features and support",
        _touching(Aspect.SEATS, Aspect.FEATURES, Aspect.SUPPORT),
    ),
)
