"""Who may erase people, who may hold them, and whom each of them sees."""

import uuid

from django.db.models import Q

from entitlements.directory.access import ALL_ACCOUNTS, visible_accounts
from entitlements.directory.models import Person
from foundation.errors import NotFound, NotPermitted
from foundation.identity.models import User

ERASE = "entitlements.erase_person"
HOLD = "entitlements.hold_person"


def check_may_look(*, user: User) -> None:
    """
    Refuse whoever neither erases nor holds.

    :raises NotPermitted: if the user has neither right
    """
    if not user.is_active or not (user.has_perm(ERASE) or user.has_perm(HOLD)):
        raise NotPermitted("You neither erase nor hold people. An administrator erases, legal holds.")


def check_may_erase(*, user: User) -> None:
    """
    Refuse whoever does not erase.

    :raises NotPermitted: if the user may not
    """
    if not user.is_active or not user.has_perm(ERASE):
        raise NotPermitted("You may not erase what is known of people. Ask an administrator.")


def check_may_hold(*, user: User) -> None:
    """
    Refuse whoever does not hold.

    :raises NotPermitted: if the user may not
    """
    if not user.is_active or not user.has_perm(HOLD):
        raise NotPermitted("You may not hold people or lift holds. Ask legal.")


def human_of(*, user: User, key: uuid.UUID) -> uuid.UUID:
    """
    The human whom an id means (their own, a login's, a directory person's), if the user may see all of them.

    A human who has logins belongs to no account: only who is granted all accounts sees them.

    :raises NotFound: if there is none, or something of them is not granted to the user
    """
    people = Person.objects.filter(Q(id=key) | Q(human_id=key)).values_list("human_id", flat=True)
    logins = User.objects.filter(Q(id=key) | Q(human_id=key)).values_list("human_id", flat=True)
    humans = {*people, *logins}
    if len(humans) == 1 and sees(user=user, human_id=next(iter(humans))):
        return humans.pop()
    raise NotFound("There is nobody of this id, or they are not granted to you.")


def sees(*, user: User, human_id: uuid.UUID) -> bool:
    """Whether all that there is of a human is granted to the user."""
    if user.has_perm(ALL_ACCOUNTS):
        return True
    people = Person.objects.filter(human_id=human_id)
    return not (
        User.objects.filter(human_id=human_id).exists() or people.exclude(account__in=visible_accounts(user)).exists()
    )
