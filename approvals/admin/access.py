"""Who reads and who proposes in the admin; what they see of it is decided by the grants on accounts and products."""

from typing import Protocol

from django.contrib.auth.models import AnonymousUser

from approvals import roles
from foundation.identity.models import User


class _Asking(Protocol):
    user: User | AnonymousUser


def may_read(request: _Asking) -> bool:
    """Tell whether a role of the user reads the registry; each of them does."""
    return request.user.is_active and request.user.is_staff and request.user.has_perm(roles.VIEW_REQUESTS)


def may_propose(request: _Asking) -> bool:
    """Tell whether a role of the user proposes changes."""
    return may_read(request) and request.user.has_perm(roles.PROPOSE)
