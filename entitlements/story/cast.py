"""Who plays: one login for each role, with a password that is made anew and shown once."""

import secrets
import uuid
from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from approvals.roles import ROLES
from foundation.identity.models import User

# Licensing approves with two people, so it plays with two.
LOGINS: Mapping[str, tuple[str, str, str]] = {
    "rosa": ("requester", "Rosa", "Requester"),
    "lin": ("licensing", "Lin", "Licensing"),
    "leo": ("licensing", "Leo", "Licensing"),
    "petra": ("product", "Petra", "Product"),
    "lena": ("legal", "Lena", "Legal"),
    "finn": ("finance", "Finn", "Finance"),
    "pavel": ("procurement", "Pavel", "Procurement"),
    "ida": ("it_operations", "Ida", "Operations"),
    "sami": ("security", "Sami", "Security"),
    "sue": ("support", "Sue", "Support"),
    "aud": ("auditor", "Aud", "Auditor"),
    "ada": ("administrator", "Ada", "Administrator"),
    "emil": ("emergency", "Emil", "Emergency"),
}
EVERYWHERE = ("all_accounts", "all_products")


@transaction.atomic
def assemble() -> tuple[dict[str, User], dict[str, str]]:
    """
    Make the logins that are missing, and give every one a new password.

    Returns the users by login name, and the passwords by login name; these are kept nowhere else.
    """
    users, passwords = {}, {}
    everywhere = list(Permission.objects.filter(codename__in=EVERYWHERE, content_type__app_label="entitlements"))
    for name, (role, first, last) in LOGINS.items():
        user, _ = User.objects.get_or_create(
            username=name,
            defaults={
                "first_name": first,
                "last_name": last,
                "email": f"{name}@example.com",
                "human_id": uuid.uuid4(),
                "time_zone": "Europe/Berlin",
                "is_staff": role == "administrator",
            },
        )
        passwords[name] = secrets.token_urlsafe(12)
        user.set_password(passwords[name])
        user.save(update_fields=["password"])
        user.groups.set(Group.objects.filter(name=role))
        user.user_permissions.set(everywhere)
        users[name] = User.objects.get(id=user.id)
    return users, passwords


def role_of(login: str) -> str:
    """What a login's role does."""
    name = LOGINS[login][0]
    return next(role.description for role in ROLES if role.name == name)
