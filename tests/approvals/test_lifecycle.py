"""
The life of a change request under any sequence of steps by several logins, against an oracle written apart.

The oracle knows who is which human, who has which role and what was decided; it says of each step whether it is allowed
and, if not, why not. Nothing of it is taken from the code that it judges.
"""

import os
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from approvals.governed import Draft
from approvals.requests import application, review, services
from approvals.requests.errors import (
    AlreadyDecided,
    NotAReviewer,
    QuorumLost,
    SelfReview,
    StaleBase,
    StaleDigest,
    WrongState,
)
from approvals.requests.models import ChangeRequest, Decision
from audit.models import Event
from entitlements.grants.models import Entitlement
from foundation.errors import DomainError, NotFound, NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.world import World, revision_of

QUORUM = 2
OPEN = {"draft", "in_review", "changes_requested", "approved"}


# A machine run costs seconds: a few always, more in the long proofs.
EXAMPLES = 25 if os.environ.get("TENURE_SOAK") == "1" else 4


@dataclass(frozen=True)
class Login:
    """A login as the oracle sees it: whose it is and what it may do."""

    name: str
    human: str
    roles: tuple[str, ...]
    superuser: bool = False

    @property
    def proposes(self) -> bool:
        return self.superuser or bool({"requester", "licensing", "legal", "it_operations"} & set(self.roles))

    @property
    def applies(self) -> bool:
        return self.superuser or bool({"licensing", "it_operations"} & set(self.roles))

    @property
    def reviews(self) -> bool:
        return "licensing" in self.roles


LOGINS = (
    Login("ada", "Ada", ("requester", "licensing")),
    Login("ada at home", "Ada", ("licensing",)),
    Login("bo", "Bo", ("licensing",)),
    Login("cy", "Cy", ("licensing",)),
    Login("cy at home", "Cy", ("licensing",)),
    Login("di", "Di", ("licensing",)),
    Login("operator", "Eve", ("it_operations",)),
    Login("lawyer", "Fay", ("legal",)),
    Login("auditor", "Gus", ("auditor",)),
    Login("root", "Hal", (), superuser=True),
)
ANYBODY = st.sampled_from(LOGINS)
REVIEWERS = st.sampled_from(LOGINS[:6])
VERDICTS = st.sampled_from(["approve", "approve", "approve", "ask_for_changes", "reject"])


@dataclass
class Story:
    """What the oracle knows of the request."""

    status: str = "draft"
    authors: set[str] = field(default_factory=lambda: {"Ada"})
    approved_by: list[Login] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)
    revisions: int = 1
    decisions: int = 0
    events: int = 1
    base_moved: bool = False

    def revised(self, status: str) -> None:
        self.status, self.approved_by, self.decided = status, [], set()
        self.revisions += 1
        self.events += 1


class Lifecycle(RuleBasedStateMachine):
    """One request that amends a trial from 5 seats to 6."""

    world: ClassVar[World]
    users: ClassVar[dict[str, User]]

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.story = Story()
        self.inactive: set[str] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def propose(self) -> None:
        self.request = services.propose(
            title="One more seat",
            drafts=[Draft("entitlement.amend", {"seats": 6}, self.world.trial.id)],
            author=self.users["ada"],
            now=given.NOW,
            rationale=given.RATIONALE,
        )

    # Steps

    @rule(login=ANYBODY)
    def amend(self, login: Login) -> None:
        expected = self._may_edit(login) or self._in(OPEN)
        if self._tried(
            expected, login, lambda user: services.amend(change_request_id=self.request.id, author=user, now=given.NOW)
        ):
            self.story.revised("draft")
            self.story.authors.add(login.human)
            self.story.base_moved = False

    @rule(login=ANYBODY)
    def submit(self, login: Login) -> None:
        expected = self._may_edit(login) or self._in({"draft"})
        if self._tried(
            expected, login, lambda user: services.submit(change_request_id=self.request.id, author=user, now=given.NOW)
        ):
            self.story.status = "in_review"
            self.story.events += 1

    @rule(login=REVIEWERS, verdict=VERDICTS)
    def decide(self, login: Login, verdict: str) -> None:
        self._decide(login, verdict, stale=False)

    @rule(login=ANYBODY, verdict=VERDICTS, stale=st.booleans())
    def try_to_decide(self, login: Login, verdict: str, stale: bool) -> None:
        self._decide(login, verdict, stale=stale)

    @rule(login=ANYBODY)
    def withdraw(self, login: Login) -> None:
        expected = self._may_edit(login)
        if expected is None and not (login.human == "Ada" or login.applies):
            expected = NotPermitted
        expected = expected or self._in(OPEN)
        if self._tried(
            expected, login, lambda user: services.withdraw(change_request_id=self.request.id, user=user, now=given.NOW)
        ):
            self.story.status = "withdrawn"
            self.story.events += 1

    @rule(login=ANYBODY)
    def apply(self, login: Login) -> None:
        expected = self._sees(login) or (None if login.applies else NotPermitted) or self._in({"approved"})
        if expected is None and self.story.base_moved:
            expected = StaleBase
        if expected is None and len([one for one in self.story.approved_by if one.name not in self.inactive]) < QUORUM:
            expected = QuorumLost
        if self._tried(
            expected, login, lambda user: application.apply(change_request_id=self.request.id, user=user, now=given.NOW)
        ):
            self.story.status = "applied"
            self.story.events += 1
        elif expected is QuorumLost:
            self.story.revised("in_review")

    # What happens besides

    @rule(login=st.sampled_from(LOGINS[2:6]))
    def leave_or_return(self, login: Login) -> None:
        self.inactive ^= {login.name}
        User.objects.filter(id=self.users[login.name].id).update(is_active=login.name not in self.inactive)

    @rule()
    def change_the_record_elsewhere(self) -> None:
        current = Entitlement.objects.get(id=self.world.trial.id)
        given.record("entitlement.amend", target_id=current.id, grace_seconds=current.grace_seconds + 1)
        self.story.base_moved = True

    # What is always so

    @invariant()
    def stands_as_the_oracle_says(self) -> None:
        if not hasattr(self, "request"):
            return
        stored = ChangeRequest.objects.get(id=self.request.id)
        assert stored.status == self.story.status
        assert stored.revisions.count() == revision_of(stored).number == self.story.revisions
        assert Decision.objects.filter(revision__change_request=stored).count() == self.story.decisions
        own = Event.objects.filter(change_request_id=stored.id, subject_type="approvals.changerequest")
        assert own.count() == self.story.events
        seats = Entitlement.objects.get(id=self.world.trial.id).seats
        assert seats == (6 if self.story.status == "applied" else 5)

    # The oracle's own words

    def _sees(self, login: Login) -> type[DomainError] | None:
        return NotFound if login.name in self.inactive or not (login.roles or login.superuser) else None

    def _may_edit(self, login: Login) -> type[DomainError] | None:
        return self._sees(login) or (None if login.proposes else NotPermitted)

    def _in(self, statuses: set[str]) -> type[DomainError] | None:
        return None if self.story.status in statuses else WrongState

    def _may_decide(self, login: Login, stale: bool) -> type[DomainError] | None:
        refusals: list[tuple[bool, type[DomainError]]] = [
            (self._sees(login) is not None, NotFound),
            (self.story.status != "in_review", WrongState),
            (login.human in self.story.authors, SelfReview),
            (not login.reviews, NotAReviewer),
            (stale, StaleDigest),
            (login.human in self.story.decided, AlreadyDecided),
        ]
        return next((error for refused, error in refusals if refused), None)

    def _decide(self, login: Login, verdict: str, *, stale: bool) -> None:
        digest = "0" * 64 if stale else revision_of(self.request).digest
        if not self._tried(
            self._may_decide(login, stale),
            login,
            lambda user: getattr(review, verdict)(
                change_request_id=self.request.id, digest=digest, reviewer=user, now=given.NOW, comment="Because."
            ),
        ):
            return
        story = self.story
        story.decisions += 1
        story.events += 1
        story.decided.add(login.human)
        if verdict == "approve":
            story.approved_by.append(login)
            if len(story.approved_by) == QUORUM:
                story.status = "approved"
                story.events += 1
        else:
            story.status = {"ask_for_changes": "changes_requested", "reject": "rejected"}[verdict]

    def _tried(self, expected: type[DomainError] | None, login: Login, step: Any) -> bool:
        """Whether the step was taken; fails unless it was refused exactly as expected."""
        user = User.objects.get(id=self.users[login.name].id)
        refusal: DomainError | None = None
        try:
            step(user)
        except DomainError as error:
            refusal = error
        assert (type(refusal) if refusal else None) is expected, f"{login.name}: {refusal!r}, expected {expected}"
        return refusal is None


@pytest.mark.django_db
class TestLifecycle:
    def test_goes_only_where_the_oracle_says(self) -> None:
        humans: dict[str, Any] = {}
        users = {}
        for login in LOGINS:
            user = given.user(*login.roles, is_superuser=login.superuser)
            user.human_id = humans.setdefault(login.human, user.human_id)
            user.save()
            users[login.name] = user
        Lifecycle.world, Lifecycle.users = building.make(), users

        run_state_machine_as_test(
            Lifecycle,
            settings=settings(max_examples=EXAMPLES, stateful_step_count=20),
        )
