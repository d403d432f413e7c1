"""One trial that goes to production, and the people of it: what most tests of change control begin with."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from approvals.governed import Draft
from approvals.requests import application, review, services
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.revisions import Rationale, Waiver
from audit.models import Event
from entitlements.agreements.models import OrderLine
from entitlements.directory.models import Account, Person
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests import given

_number = itertools.count(1)


@dataclass(frozen=True)
class World:
    """An account whose trial for three people ends in 21 days, an order line for production, and logins."""

    account: Account
    line: OrderLine
    trial_line: OrderLine
    trial: Entitlement
    people: list[Person]
    author: User
    first: User
    second: User
    operator: User

    def grant(self, *, days: float = 20, **payload: Any) -> Draft:
        """A draft that grants production from so many days after NOW, to the trial's holders."""
        values = {
            "reference": f"PROD-{next(_number)}",
            "account_id": str(self.account.id),
            "order_line_id": str(self.line.id),
            "phase": "production",
            "seats": 5,
            "regions": ["DE", "US"],
            "starts_at": (given.NOW + timedelta(days=days)).isoformat(),
            "replaces_id": str(self.trial.id),
        }
        return Draft("entitlement.grant", values | payload)

    def propose(self, *drafts: Draft, **options: Any) -> ChangeRequest:
        """A draft request by the author, with everything that review demands."""
        defaults: dict[str, Any] = {"title": "To production", "author": self.author, "rationale": given.RATIONALE}
        return services.propose(drafts=list(drafts) or [self.grant()], now=given.NOW, **(defaults | options))

    def submit(self, *drafts: Draft, **options: Any) -> ChangeRequest:
        """A request in review."""
        request = self.propose(*drafts, **options)
        return services.submit(change_request_id=request.id, author=self.author, now=given.NOW)

    def approved(self, *drafts: Draft, **options: Any) -> ChangeRequest:
        """A request that both reviewers approved."""
        request = self.submit(*drafts, **options)
        approve(request, self.first, self.second)
        return fresh(request)

    def apply(self, request: ChangeRequest, *, days: float = 0) -> ChangeRequest:
        """The request, applied by the operator so many days after NOW."""
        return application.apply(change_request_id=request.id, user=self.operator, now=given.NOW + timedelta(days=days))


def make() -> World:
    """The world, written through the governed path."""
    trial_line = given.ordered()
    account = trial_line.agreement.licensee
    people = given.people(3, of=account)
    trial = given.entitlement(
        trial_line,
        phase="trial",
        seats=5,
        holders=[str(person.id) for person in people],
        ends_at=(given.NOW + timedelta(days=21)).isoformat(),
    )
    return World(
        account=account,
        line=given.order_line(trial_line.agreement, trial_line.sku_revision, 100),
        trial_line=trial_line,
        trial=trial,
        people=people,
        author=given.user("requester"),
        first=given.user("licensing"),
        second=given.user("licensing"),
        operator=given.user("it_operations"),
    )


def approve(request: ChangeRequest, *reviewers: User) -> None:
    """Approvals of the current revision."""
    for reviewer in reviewers:
        review.approve(
            change_request_id=request.id, digest=revision_of(request).digest, reviewer=reviewer, now=given.NOW
        )


def fresh(request: ChangeRequest) -> ChangeRequest:
    """The request as stored."""
    return ChangeRequest.objects.select_related("current_revision").get(id=request.id)


def revision_of(request: ChangeRequest) -> Revision:
    """Its current revision as stored."""
    revision = fresh(request).current_revision
    assert revision is not None
    return revision


def events_of(request: ChangeRequest) -> list[str]:
    """The last parts of the types of the request's own events, sorted: those of one transaction have no order."""
    found = Event.objects.filter(change_request_id=request.id, subject_type="approvals.changerequest")
    return sorted(event.type.rpartition(".")[2] for event in found)


def counted() -> tuple[int, int, int]:
    """How many requests, revisions and events there are: unchanged where a step was refused."""
    return ChangeRequest.objects.count(), Revision.objects.count(), Event.objects.count()


__all__ = ["Rationale", "Waiver", "World", "approve", "counted", "events_of", "fresh", "make", "revision_of"]
