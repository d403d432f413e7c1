"""Who may give and take back seats."""

import uuid

from approvals.roles import PROPOSE
from entitlements.directory.access import visible_accounts
from entitlements.directory.models import Person
from entitlements.grants.models import Entitlement
from foundation.errors import DomainError, NotFound, NotPermitted
from foundation.identity.models import User


def check_may_manage_seats(*, user: User, entitlement_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
    """
    Refuse seats of an entitlement that is not granted to the user, or for a person of an account that is not.

    :raises NotFound: if the user does not see the entitlement's account and product, or the person's account
    :raises NotPermitted: if the user has no role that proposes
    """
    if not Entitlement.objects.visible_to(user).filter(id=entitlement_id).exists():
        raise NotFound("There is no such entitlement, or it is not granted to you.")
    if not user.has_perm(PROPOSE):
        raise NotPermitted("You may not give or take back seats. Ask an administrator for a role that proposes.")
    if person_id is not None and not Person.objects.filter(id=person_id, account__in=visible_accounts(user)).exists():
        raise NotFound("There is no such person, or their account is not granted to you.")


def may_manage_seats(*, user: User, entitlement_id: uuid.UUID) -> bool:
    """Whether the user may give and take back seats of the entitlement."""
    try:
        check_may_manage_seats(user=user, entitlement_id=entitlement_id)
    except DomainError:
        return False
    return True
