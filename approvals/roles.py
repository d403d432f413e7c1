"""
The roles, and what each may do.

A role says *what* a person may do; an object grant on an account and a product says *where* (docs/roles.md). Both are
needed. The groups are created by migration 0004.
"""

from dataclasses import dataclass

PROPOSE = "approvals.propose_changerequest"
DECIDE = "approvals.decide_changerequest"
APPLY = "approvals.apply_changerequest"
VIEW_REQUESTS = "approvals.view_changerequest"
CONFIGURE_TICKETS = "approvals.configure_ticketsystem"
CONFIGURE_SUBSCRIPTIONS = "approvals.configure_subscription"
USE_PERMIT = "approvals.use_emergency_permit"
VIEW_LEDGER = "audit.view_event"
VIEW_ACCESS = "audit.view_access"
OPEN_REVIEWS = "audit.open_accessreview"
MANAGE_HOLDS = "audit.manage_legalhold"


@dataclass(frozen=True)
class Role:
    """A role: the group's name, what people of it do, and the permissions that it carries (`app.codename`)."""

    name: str
    description: str
    permissions: tuple[str, ...]


_READ = (VIEW_REQUESTS,)
_REVIEW = (VIEW_REQUESTS, DECIDE, PROPOSE)

ROLES: tuple[Role, ...] = (
    Role("requester", "Proposes changes for the accounts and products granted to them.", (*_READ, PROPOSE)),
    Role(
        "licensing", "Owns entitlements: proposes, reviews and applies changes of seats and terms.", (*_REVIEW, APPLY)
    ),
    Role("product", "Reviews what is granted of a product: features, limits, releases.", _REVIEW),
    Role(
        "legal",
        "Reviews clauses, regions, hosting and compliance; places and releases legal holds.",
        (*_REVIEW, MANAGE_HOLDS),
    ),
    Role("finance", "Reviews price, term and cost.", _REVIEW),
    Role("procurement", "Proposes and reviews orders and renewals.", _REVIEW),
    Role("it_operations", "Applies approved changes and watches their delivery.", (*_REVIEW, APPLY)),
    Role("security", "Reviews hosting and identity.", _REVIEW),
    Role("support", "Owns what support is promised: reviews support levels and how long they hold.", _REVIEW),
    Role(
        "auditor",
        "Reads everything, changes no record; reviews who holds which rights.",
        (VIEW_REQUESTS, VIEW_LEDGER, VIEW_ACCESS, OPEN_REVIEWS),
    ),
    Role(
        "administrator",
        "Edits the registry in the admin; every save proposes.",
        (
            *_READ,
            PROPOSE,
            APPLY,
            VIEW_LEDGER,
            CONFIGURE_TICKETS,
            CONFIGURE_SUBSCRIPTIONS,
            MANAGE_HOLDS,
            VIEW_ACCESS,
            OPEN_REVIEWS,
        ),
    ),
    Role(
        "emergency",
        "Applies what can’t wait under an emergency permit, which is reviewed afterwards.",
        (*_READ, PROPOSE, USE_PERMIT),
    ),
)


def words(role: str) -> str:
    """A role as people write it: IT operations."""
    spaced = role.replace("_", " ")
    return "IT" + spaced[2:] if spaced.startswith("it ") else spaced


ROLE_NAMES = frozenset(role.name for role in ROLES)
