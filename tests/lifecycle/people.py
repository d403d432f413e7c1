"""What every example begins with: people, entitlements, and the policies that come and go."""

from dataclasses import dataclass

from approvals.policies.models import Policy
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests import given
from tests.lifecycle.oracle import Rule

# Name, human and roles: ada has two logins, lee turns out to be lia.
PEOPLE: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("ada", 1, ("requester",)),
    ("ada-second", 1, ("licensing", "finance")),
    ("bo", 2, ("requester", "legal")),
    ("lia", 3, ("licensing",)),
    ("lee", 4, ("licensing", "legal")),
    ("lou", 5, ("licensing",)),
    ("fay", 6, ("finance",)),
    ("fin", 7, ("finance", "licensing")),
    ("leo", 8, ("legal",)),
    ("ops", 9, ("it_operations",)),
    ("aud", 10, ("auditor",)),
)
NAMES = tuple(name for name, _human, _roles in PEOPLE)
RULES = (
    Rule("Everything", None, ((1, "licensing", 1),)),
    Rule("Growth", ("seats_change", "more_than", 20), ((1, "licensing", 2), (2, "finance", 1))),
    Rule("Large", ("seats_after", "more_than", 120), ((1, "legal", 1), (2, "finance", 1), (3, "licensing", 2))),
    Rule("Cuts", ("seats_change", "at_most", 0), ((1, "legal", 1),)),
    Rule("Seats", ("fields_touched", "any_of", ["seats", "unlimited"]), ((1, "finance", 1), (2, "legal", 1))),
)


@dataclass(frozen=True)
class Stage:
    """What every example begins with."""

    entitlements: tuple[Entitlement, ...]
    users: dict[str, User]


def make_stage() -> Stage:
    """Three entitlements under one agreement, the people, and no policy but those of the steps."""
    for policy in Policy.objects.in_force():
        given.record("policy.retire", target_id=policy.id)
    line = given.ordered(quantity=1_000_000)
    entitlements = tuple(
        given.entitlement(line, seats=100, phase=phase, reference=f"LIFE-{phase}")
        for phase in ("trial", "bridge", "production")
    )
    users = {}
    for name, human, roles in PEOPLE:
        users[name] = given.user(*roles, username=name, is_staff=True)
        if human == 1:
            User.objects.filter(username=name).update(human_id=users["ada"].human_id)
    return Stage(entitlements, {name: User.objects.get(username=name) for name in users})
