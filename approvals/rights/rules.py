"""What change control calls its permissions, what of it does not go together, and stages that hang on few people."""

from collections.abc import Iterator
from datetime import datetime

from approvals import roles
from approvals.authority.models import AuthorityLimit
from approvals.policies.eligibility import deciders
from approvals.policies.models import Policy
from approvals.policies.rules import whom
from audit.access.port import Capability, Conflict, Limit, Pair

CAPABILITIES = (
    Capability("sees", "sees changes", roles.VIEW_REQUESTS),
    Capability("proposes", "proposes", roles.PROPOSE, acts=True),
    Capability("approves", "approves", roles.DECIDE, acts=True),
    Capability("applies", "applies", roles.APPLY, acts=True),
    Capability("emergency", "applies in an emergency", roles.USE_PERMIT, acts=True),
    Capability("audits", "reads the ledger", roles.VIEW_LEDGER),
    # Configures what others are told of: the mark of administrators among the roles.
    Capability("administers", "administers", roles.CONFIGURE_TICKETS),
)
PAIRS = (
    Pair(
        "proposes_and_approves",
        "proposes",
        "approves",
        "two people should do that, and INV-3 lets nobody approve their own.",
    ),
    Pair("proposes_and_applies", "proposes", "applies", "one person takes a change from its first word to its effect."),
    Pair("approves_and_applies", "approves", "applies", "whoever approves should not be who carries it out."),
    Pair("administers_and_approves", "administers", "approves", "they give rights, and decide by them."),
    Pair("administers_and_applies", "administers", "applies", "they give rights, and carry changes out by them."),
    Pair("emergency_and_approves", "emergency", "approves", "they could review the emergencies of others like them."),
    Pair("audits_and_acts", "audits", "approves", "whoever judges should not have taken part."),
)


def only_reviewers(now: datetime) -> Iterator[Conflict]:
    """The stages of policies in force that exactly as many, or fewer, humans can pass as they ask for."""
    for policy in Policy.objects.in_force():
        for stage in policy.stages:
            people = stage.get("people") or []
            found = list(deciders(role=stage["role"], people=people).order_by("username"))
            humans = {user.human_id for user in found}
            if len(humans) <= int(stage["quorum"]):
                asked = roles.words(whom(role=stage["role"], people=people))
                names = ", ".join(str(user) for user in found) or "nobody"
                yield Conflict(
                    "only_reviewers",
                    f"Stage {stage['position']} of the policy “{policy.name}” asks for {stage['quorum']} of {asked}; "
                    f"there {'is' if len(humans) == 1 else 'are'} only: {names}.",
                    [user.pk for user in found],
                )


def limits(now: datetime) -> Iterator[Limit]:
    """The authority limits in force."""
    for row in AuthorityLimit.objects.in_force_at(now).order_by("role", "id"):
        yield Limit(row.human, f"{roles.words(row.role)} up to {row.words}")
