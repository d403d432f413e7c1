"""Which events of the ledger a user sees in the admin."""

from django.db.models import Q, QuerySet

from approvals.requests.models import ChangeRequest
from audit.ledger.models import Event
from entitlements.directory.access import ALL_ACCOUNTS, ALL_PRODUCTS
from foundation.identity.models import User


def visible_events(events: QuerySet[Event], user: User) -> QuerySet[Event]:
    """
    Return all of them for whoever is granted all accounts and products, else those of change requests that the user
    sees and of the user's own acts.

    An event speaks of records by id alone, so anything less certain is left out (INV-12).
    """
    if user.has_perm(ALL_ACCOUNTS) and user.has_perm(ALL_PRODUCTS):
        return events
    requests = ChangeRequest.objects.visible_to(user).values("pk")
    return events.filter(Q(change_request_id__in=requests) | Q(actor_human_id=user.human_id))
