"""
The buttons of a change request's page: what its state offers, and why a button can't be pressed.

A disabled button says what the permission or the rule would say if it were pressed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.requests import deciding, gates, permissions, revisions, rules, schedules, standard
from approvals.requests.errors import AlreadyDecided
from approvals.requests.gates import Obstacle, Step
from approvals.requests.models import ChangeRequest, Decision, Revision, Stage
from approvals.requests.states import Action, Status
from foundation.errors import DomainError
from foundation.identity.models import User


@dataclass(frozen=True)
class Button:
    """One thing to do: its name in addresses, its words, and why it can't be done (empty: it can)."""

    name: str
    label: str
    why_not: str
    tone: str
    explanation: str = ""

    @property
    def enabled(self) -> bool:
        """Whether it can be pressed."""
        return not self.why_not


def refusal(*checks: Callable[[], object]) -> str:
    """The sentence of the first check that refuses; empty if none does."""
    for check in checks:
        try:
            check()
        except DomainError as error:
            return error.message
    return ""


def why_not_decide(
    *, change_request: ChangeRequest, revision: Revision, stage: Stage | None, user: User, now: datetime
) -> str:
    """Why a user can't decide on the open stage by their own authority; empty if they can."""
    if stage is None:
        return "Every approval that is needed has been given."
    why = refusal(
        lambda: deciding.check_may_decide(
            user=user, change_request=change_request, revision=revision, stage=stage, now=now
        )
    )
    if not why and Decision.objects.filter(revision=revision, decider_human_id=user.human_id).exists():
        why = f"{AlreadyDecided.title}. A new revision asks you again."
    if not why and Decision.objects.filter(revision=revision, delegator_human_id=user.human_id).exists():
        why = "Somebody has decided on this revision for you already. A new revision asks you again."
    return why


def buttons(
    *, change_request: ChangeRequest, revision: Revision, obstacles: Sequence[Obstacle], user: User, now: datetime
) -> tuple[Button, ...]:
    """What the request's state offers besides deciding, in the order in which it is usually done."""
    return tuple(_buttons(change_request, revision, obstacles, user, now))


def _buttons(
    change_request: ChangeRequest, revision: Revision, obstacles: Sequence[Obstacle], user: User, now: datetime
) -> Iterator[Button]:
    schedule = schedules.of(revision.document)

    def may_edit() -> None:
        permissions.check_may_edit(user=user, change_request=change_request)

    if rules.allows(change_request=change_request, action=Action.SUBMIT):
        why = refusal(
            may_edit,
            lambda: rules.check_complete(revision=revision),
            lambda: rules.check_rules_hold(document=revision.document),
            lambda: rules.check_waived(document=revision.document),
            lambda: rules.check_not_over(schedule=schedule, now=now),
            lambda: _check_standard(revision, user, now),
            lambda: gates.check_not_stopped(step=Step.REVIEW, found=obstacles),
        )
        then = "The stages below are asked, in their order."
        if standard.of(revision.document) is not None:
            then = "It cites a standard template: if that covers it, it is approved at once and no stage is asked."
        yield Button("submit", "Send to review", why, "primary", then)
    if change_request.status in {Status.APPROVED, Status.SCHEDULED}:
        why = refusal(
            lambda: permissions.check_may_apply(user=user, change_request=change_request),
            lambda: rules.check_window(change_request=change_request, schedule=schedule, now=now),
            lambda: gates.check_not_stopped(step=Step.APPLICATION, found=obstacles),
        )
        yield Button(
            "apply",
            "Apply now",
            why,
            "primary",
            "Written whole, in one transaction. What changed since the review is checked again first.",
        )
    if rules.allows(change_request=change_request, action=Action.WITHDRAW):
        why = refusal(lambda: permissions.check_may_withdraw(user=user, change_request=change_request))
        yield Button("withdraw", "Withdraw", why, "quiet")


def _check_standard(revision: Revision, user: User, now: datetime) -> None:
    if standard.of(revision.document) is not None:
        standard.check_covered(revision=revision, items=revisions.items_of(revision), submitter=user, now=now)


def why_not_edit(*, change_request: ChangeRequest, user: User) -> str:
    """Why a user can't edit the request; empty if they can."""
    return refusal(
        lambda: permissions.check_may_edit(user=user, change_request=change_request),
        lambda: rules.next_status(change_request=change_request, action=Action.AMEND),
    )
