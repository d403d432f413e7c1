"""
The ways in which people act: the services, the API, the pages and the admin. Each call answers the refusal's code, or
None if it was done; a page that refuses without a code answers REFUSED.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from approvals.authority import services as delegations
from approvals.governed import Draft
from approvals.requests import application, review, services
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.schedules import Schedule
from approvals.verification import acting_back
from approvals.verification import services as verification
from entitlements.grants.models import Entitlement
from foundation.errors import DomainError
from foundation.identity.models import User
from tests import given
from tests.admin.pages import form_of

REFUSED = "refused"
RATIONALE = {
    "justification": "Asked for.",
    "impact": "Seats.",
    "acceptance_criteria": ["They are there."],
    "rollback": "Set them back.",
}
Window = tuple[datetime, datetime]


def attempt(call: Callable[[], object]) -> str | None:
    """The code of the refusal that a service raises, or None."""
    try:
        call()
    except DomainError as refusal:
        return refusal.code
    return None


def schedule_of(window: Window | None) -> Schedule | None:
    """A window as the service takes it."""
    return Schedule(opens_at=window[0], closes_at=window[1], zone="UTC") if window else None


def draft_of(entitlement: Entitlement, seats: int) -> Draft:
    """The change of an entitlement's seats."""
    return Draft("entitlement.amend", {"seats": seats}, entitlement.id)


class Services:
    """Calls of the domain's functions."""

    def propose(self, user: User, entitlement: Entitlement, seats: int, window: Window | None, now: datetime) -> Any:
        """File a draft."""
        drafts = [draft_of(entitlement, seats)]
        return attempt(
            lambda: services.propose(
                title="Seats",
                drafts=drafts,
                author=user,
                now=now,
                rationale=given.RATIONALE,
                schedule=schedule_of(window),
            )
        )

    def edit(
        self,
        user: User,
        request: ChangeRequest,
        entitlement: Entitlement,
        *,
        seats: int,
        window: Window | None,
        digest: str,
        now: datetime,
    ) -> Any:
        """Write the next revision."""
        return attempt(
            lambda: services.amend(
                change_request_id=request.id,
                author=user,
                now=now,
                drafts=[draft_of(entitlement, seats)],
                schedule=schedule_of(window) if window else None,
                expected_digest=digest,
            )
        )

    def submit(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Send to review."""
        return attempt(lambda: services.submit(change_request_id=request.id, author=user, now=now))

    def decide(
        self, user: User, request: ChangeRequest, verdict: str, digest: str, now: datetime, whom: User | None = None
    ) -> Any:
        """Approve, ask for changes or reject, for somebody else if one is named."""
        verb: Any = getattr(review, verdict)
        said = {"comment": "Because.", "on_behalf_of": whom.id if whom else None}
        return attempt(lambda: verb(change_request_id=request.id, digest=digest, reviewer=user, now=now, **said))

    def delegate(self, user: User, other: User, role: str, ends_at: datetime, now: datetime) -> Any:
        """Let somebody else decide in one's place."""
        return attempt(
            lambda: delegations.delegate(
                delegator=user, delegate=other, role=role, starts_at=now, ends_at=ends_at, reason="Away.", now=now
            )
        )

    def withdraw(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Close it."""
        return attempt(lambda: services.withdraw(change_request_id=request.id, user=user, now=now))

    def apply(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Apply it."""
        return attempt(lambda: application.apply(change_request_id=request.id, user=user, now=now))

    def verify(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Tick the first criterion."""
        said = {"criterion": 1, "met": True, "result": "Looked at it."}
        return attempt(lambda: verification.verify(change_request_id=request.id, user=user, now=now, **said))

    def act_back(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Take it back in one click."""
        return attempt(lambda: acting_back.act_back(change_request_id=request.id, user=user, now=now))


class Api:
    """Requests with a token, as a program sends them."""

    def __init__(self) -> None:
        self._clients: dict[Any, APIClient] = {}

    def _client(self, user: User) -> APIClient:
        if user.pk not in self._clients:
            _, secret = AuthToken.objects.create(user=user, expiry=timedelta(days=3650))
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
            self._clients[user.pk] = client
        return self._clients[user.pk]

    def _send(self, user: User, address: str, body: Any) -> Any:
        answer = self._client(user).post(f"/api/v1/change-requests{address}", body, format="json")
        if answer.status_code < 300:
            return None
        assert answer.status_code < 500, answer.content
        if answer.status_code == 401:
            return REFUSED
        return json.loads(answer.content)["code"]

    def propose(self, user: User, entitlement: Entitlement, seats: int, window: Window | None, now: datetime) -> Any:
        """File a draft."""
        body = {"title": "Seats", "items": [_item(entitlement, seats)], "rationale": RATIONALE}
        return self._send(user, "", body | {"schedule": _schedule(window)})

    def edit(
        self,
        user: User,
        request: ChangeRequest,
        entitlement: Entitlement,
        *,
        seats: int,
        window: Window | None,
        digest: str,
        now: datetime,
    ) -> Any:
        """Write the next revision."""
        body = {"items": [_item(entitlement, seats)], "digest": digest, "schedule": _schedule(window)}
        return self._send(user, f"/{request.id}/amend", body)

    def submit(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Send to review."""
        return self._send(user, f"/{request.id}/submit", {})

    def decide(
        self, user: User, request: ChangeRequest, verdict: str, digest: str, now: datetime, whom: User | None = None
    ) -> Any:
        """Approve, ask for changes or reject, for somebody else if one is named."""
        address = verdict.replace("_", "-")
        said = {"digest": digest, "comment": "Because.", "on_behalf_of": str(whom.id) if whom else None}
        return self._send(user, f"/{request.id}/{address}", said)

    def withdraw(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Close it."""
        return self._send(user, f"/{request.id}/withdraw", {})

    def apply(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Apply it."""
        return self._send(user, f"/{request.id}/apply", {})


def _item(entitlement: Entitlement, seats: int) -> dict[str, Any]:
    return {"kind": "entitlement.amend", "target_id": str(entitlement.id), "payload": {"seats": seats}}


def _schedule(window: Window | None) -> dict[str, Any] | None:
    if window is None:
        return None
    opens, closes = (one.isoformat() for one in window)
    return {"opens_at": opens, "closes_at": closes, "zone": "UTC"}


class Pages:
    """Forms of the portal and the admin, as a browser sends them."""

    def _client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def _post(self, user: User, request: ChangeRequest, name: str, **data: str) -> Any:
        address = reverse(f"approvals:change-{name}", args=[request.number])
        answer: Any = self._client(user).post(address, data)
        assert answer.status_code < 500, answer.content
        done = answer.status_code == 302 and not answer["Location"].startswith("/sign-in/")
        return None if done else REFUSED

    def propose(self, user: User, entitlement: Entitlement, seats: int, window: Window | None, now: datetime) -> Any:
        """Save the entitlement's page in the admin, which proposes; it takes no window."""
        client = self._client(user)
        page = reverse("admin:entitlements_entitlement_change", args=[entitlement.pk])
        shown: Any = client.get(page)
        if shown.status_code != 200:
            return REFUSED
        reasons = RATIONALE | {"acceptance_criteria": "They are there.", "seats": str(seats)}
        before = ChangeRequest.objects.count()
        answer: Any = client.post(page, form_of(shown) | reasons)
        assert answer.status_code < 500, answer.content
        return None if answer.status_code == 302 and ChangeRequest.objects.count() == before + 1 else REFUSED

    def submit(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Press “Send to review”."""
        return self._post(user, request, "submit")

    def decide(
        self, user: User, request: ChangeRequest, verdict: str, digest: str, now: datetime, whom: User | None = None
    ) -> Any:
        """Press a button of the decision, for somebody else if one is named."""
        said = {"digest": digest, "verdict": verdict, "comment": "Because."}
        return self._post(user, request, "decide", **said, on_behalf_of=str(whom.id) if whom else "")

    def withdraw(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Press “Withdraw”."""
        return self._post(user, request, "withdraw")

    def apply(self, user: User, request: ChangeRequest, now: datetime) -> Any:
        """Press “Apply now”."""
        return self._post(user, request, "apply")


def revision_of(request: ChangeRequest) -> Revision:
    """The current revision as stored."""
    revision = ChangeRequest.objects.select_related("current_revision").get(pk=request.pk).current_revision
    assert revision is not None
    return revision
