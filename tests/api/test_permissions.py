"""
The permission matrix of the API: every address and method, and who may ask it.

What is granted to whom by account and product is tested in test_registry_reads.py: here everybody is granted all.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from approvals.announcements.models import Announcement, Subscription
from approvals.attachments.services import Upload, attach
from approvals.authority.models import Delegation
from approvals.governed import Draft
from approvals.permits import services as permits
from approvals.permits.models import Permit
from approvals.requests import services
from approvals.requests.models import ChangeRequest
from approvals.roles import DECIDE, ROLES, USE_PERMIT
from approvals.tickets.models import Ticket, TicketSystem
from approvals.tickets.services import open_ticket
from approvals.tickets.systems import SystemSettings, add
from approvals.verification import acting_back
from audit.models import AccessReview, Event, ReviewEntry
from audit.packs import holds
from audit.reviews import services as review_services
from audit.reviews.opening import Part, Wanted, open_review
from entitlements.privacy.services import place_hold
from foundation import clock
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.api.conftest import token_of
from tests.api.test_change_requests import RATIONALE
from tests.api.test_registry_reads import world
from tests.approvals.files import PDF
from tests.audit.packing import ready
from tests.sealed import seal_here

pytestmark = pytest.mark.django_db

NOBODY_IN_PARTICULAR = "no role"
ANYBODY = frozenset({role.name for role in ROLES} | {NOBODY_IN_PARTICULAR})
ANY_ROLE = frozenset(role.name for role in ROLES)
PROPOSERS = ANY_ROLE - {"auditor"}
APPLIERS = frozenset({"licensing", "it_operations", "administrator"})
ADMINISTRATORS = frozenset({"administrator"})
HOLDERS = frozenset({"legal", "administrator"})
LEGAL = frozenset({"legal"})
LEDGER_READERS = frozenset({"administrator", "auditor"})
DECIDERS = frozenset(role.name for role in ROLES if DECIDE in role.permissions)
VERIFIERS = ANY_ROLE - {"requester", "auditor", "emergency"}
REVIEWERS_OF_THE_STAGE = frozenset({"licensing"})

READ = {"GET {}": ANYBODY, "GET {}/<uuid:id>": ANYBODY}
WRITE = {"POST {}": PROPOSERS, "PATCH {}/<uuid:id>": PROPOSERS, "DELETE {}/<uuid:id>": PROPOSERS}
REVISED = {"POST {}": PROPOSERS, "DELETE {}/<uuid:id>": PROPOSERS}


def of(name: str, *rows: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {address.format(name): roles for row in rows for address, roles in row.items()}


MATRIX: dict[str, frozenset[str]] = {
    **of("products", READ, WRITE),
    **of("features", READ, WRITE),
    **of("releases", READ, WRITE),
    **of("skus", READ, WRITE),
    **of("sku-revisions", READ, REVISED),
    **of("region-groups", READ, WRITE),
    **of("accounts", READ, WRITE),
    **of("deployments", READ, WRITE),
    **of("agreements", READ, WRITE),
    **of("order-lines", READ, WRITE),
    **of("entitlements", READ, WRITE),
    **of("people", READ),
    **of("seats", READ),
    "GET authority-limits": ANY_ROLE,
    "GET authority-limits/<uuid:id>": ANY_ROLE,
    **of("authority-limits", WRITE),
    "GET delegations": ANYBODY,
    "POST delegations": DECIDERS,
    "POST delegations/<uuid:id>/revoke": ANYBODY,
    "GET policies": ANY_ROLE,
    "GET policies/<uuid:id>": ANY_ROLE,
    **of("policies", WRITE),
    "GET accounting-periods": ANY_ROLE,
    "GET accounting-periods/<uuid:id>": ANY_ROLE,
    **of("accounting-periods", WRITE),
    "GET freezes": ANY_ROLE,
    "GET freezes/<uuid:id>": ANY_ROLE,
    **of("freezes", WRITE),
    "GET standard-templates": ANY_ROLE,
    "GET standard-templates/<uuid:id>": ANY_ROLE,
    **of("standard-templates", WRITE),
    "POST entitlements/<uuid:id>/extend": PROPOSERS,
    "POST entitlements/<uuid:id>/move": PROPOSERS,
    "POST entitlements/<uuid:id>/seats": PROPOSERS,
    "DELETE entitlements/<uuid:id>/seats/<uuid:seat_id>": PROPOSERS,
    "POST check": ANYBODY,
    "POST check/bulk": ANYBODY,
    "GET change-requests": ANY_ROLE,
    "GET change-requests/<uuid:id>": ANY_ROLE,
    "GET change-requests/<uuid:id>/approvers": ANY_ROLE,
    "GET change-requests/<uuid:id>/pdf": ANY_ROLE,
    "GET change-requests/<uuid:id>/comments": ANY_ROLE,
    "POST change-requests/<uuid:id>/comments": ANY_ROLE - {"auditor"},
    "GET change-requests/<uuid:id>/attachments": ANY_ROLE,
    "POST change-requests/<uuid:id>/attachments": ANY_ROLE - {"auditor"},
    "GET change-requests/<uuid:id>/attachments/<uuid:attachment_id>": ANY_ROLE,
    "GET change-requests/<uuid:id>/attachments/<uuid:attachment_id>/content": ANY_ROLE,
    "GET change-requests/<uuid:id>/difference": ANY_ROLE,
    "GET change-requests/<uuid:id>/tickets": ANY_ROLE,
    "POST change-requests/<uuid:id>/tickets": PROPOSERS,
    "POST change-requests/<uuid:id>/tickets/<uuid:ticket_id>/read": PROPOSERS,
    "POST change-requests/<uuid:id>/tickets/<uuid:ticket_id>/retry": PROPOSERS,
    "POST change-requests/<uuid:id>/tickets/<uuid:ticket_id>/release": PROPOSERS,
    "GET ticket-systems": ADMINISTRATORS,
    "POST ticket-systems": ADMINISTRATORS,
    "PATCH ticket-systems/<uuid:id>": ADMINISTRATORS,
    "GET change-requests/<uuid:id>/verification": ANY_ROLE,
    "POST change-requests/<uuid:id>/verification": VERIFIERS,
    "GET change-requests/<uuid:id>/inverse": ANY_ROLE,
    "POST change-requests/<uuid:id>/inverse": APPLIERS,
    "POST change-requests/<uuid:id>/snooze": REVIEWERS_OF_THE_STAGE,
    "POST change-requests/<uuid:id>/acknowledge": REVIEWERS_OF_THE_STAGE,
    "GET announcements": ANYBODY,
    "GET announcements/<uuid:id>": ANY_ROLE,
    "POST announcements/<uuid:id>/acknowledge": ANY_ROLE,
    "GET subscriptions": ANYBODY,
    "POST subscriptions": ANY_ROLE,
    "GET subscriptions/<uuid:id>": ANY_ROLE,
    "PUT subscriptions/<uuid:id>": ANY_ROLE,
    "DELETE subscriptions/<uuid:id>": ANY_ROLE,
    "PUT subscriptions/<uuid:id>/following": ANY_ROLE,
    "GET waiting": ANYBODY,
    "GET reminders/preference": ANYBODY,
    "PUT reminders/preference": ANYBODY,
    "POST change-requests": PROPOSERS,
    "POST change-requests/<uuid:id>/amend": PROPOSERS,
    "POST change-requests/<uuid:id>/replan": PROPOSERS,
    "POST change-requests/<uuid:id>/submit": PROPOSERS,
    "POST change-requests/<uuid:id>/approve": REVIEWERS_OF_THE_STAGE,
    "POST change-requests/<uuid:id>/ask-for-changes": REVIEWERS_OF_THE_STAGE,
    "POST change-requests/<uuid:id>/reject": REVIEWERS_OF_THE_STAGE,
    "POST change-requests/<uuid:id>/apply": APPLIERS,
    "POST change-requests/<uuid:id>/withdraw": APPLIERS,
    "GET permits": ANY_ROLE,
    "GET permits/<uuid:id>": ANY_ROLE,
    "POST change-requests/<uuid:id>/permits": frozenset({"emergency"}),
    "POST permits/<uuid:id>/use": frozenset({"emergency"}),
    "POST permits/<uuid:id>/reviews": REVIEWERS_OF_THE_STAGE,
    "POST plans": PROPOSERS,
    "GET kinds": ANYBODY,
    "GET events": LEDGER_READERS,
    "GET events/<uuid:id>": LEDGER_READERS,
    "GET events/export": LEDGER_READERS,
    "GET events/<uuid:id>/proof": LEDGER_READERS,
    "GET ledger": LEDGER_READERS,
    "GET ledger/checkpoints": LEDGER_READERS,
    "GET ledger/consistency": LEDGER_READERS,
    "GET evidence-packs": ANYBODY,
    "POST evidence-packs": ANY_ROLE,
    "GET evidence-packs/<uuid:id>": ANY_ROLE,
    "GET evidence-packs/<uuid:id>/content": ANY_ROLE,
    "GET legal-holds": HOLDERS | LEDGER_READERS,
    "POST legal-holds": HOLDERS,
    "POST legal-holds/<uuid:id>/release": HOLDERS,
    "GET access/logins": LEDGER_READERS,
    "GET access/conflicts": LEDGER_READERS,
    "GET access/export": LEDGER_READERS,
    "GET access-reviews": ANYBODY,
    "POST access-reviews": LEDGER_READERS,
    "GET access-reviews/<uuid:id>": ANYBODY,
    "POST access-reviews/<uuid:id>/close": LEDGER_READERS,
    "GET access-reviews/<uuid:id>/entries": ANYBODY,
    "POST access-reviews/<uuid:id>/entries/<uuid:entry_id>/decision": ANYBODY,
    "POST access-reviews/<uuid:id>/entries/<uuid:entry_id>/assign": LEDGER_READERS,
    "GET humans/<uuid:id>/erasure": ADMINISTRATORS | LEGAL,
    "POST humans/<uuid:id>/erasure": ADMINISTRATORS,
    "GET humans/<uuid:id>/holds": ADMINISTRATORS | LEGAL,
    "POST humans/<uuid:id>/holds": LEGAL,
    "POST humans/<uuid:id>/holds/<uuid:hold_id>/lift": LEGAL,
    "GET tokens": ANYBODY,
    "POST tokens": ANYBODY,
    "DELETE tokens/<str:token_id>": ANYBODY,
}
PUBLIC = {"GET openapi.json"}
# What is put, by the end of its address.
PUT = {"preference": {"frequency": "immediate"}, "following": {"follows": True}, "<uuid:id>": {"name": "Another"}}


def addresses() -> Iterator[str]:
    """Every method and address under /api/v1/."""
    (under,) = [
        entry
        for entry in get_resolver().url_patterns
        if isinstance(entry, URLResolver) and str(entry.pattern) == "api/v1/"
    ]
    for entry in under.url_patterns:
        assert isinstance(entry, URLPattern), entry
        view = entry.callback
        handlers = getattr(view, "actions", None) or {
            name: name for name in view.cls.http_method_names if hasattr(view.cls, name)
        }
        for method in set(handlers) - {"head", "options"}:
            yield f"{method.upper()} {entry.pattern}"


class TestMatrix:
    def test_names_every_address(self) -> None:
        assert set(addresses()) == MATRIX.keys() | PUBLIC

    def test_lets_nobody_in_who_is_not_signed_in(self) -> None:
        client = APIClient()
        for address in MATRIX:
            method, route = address.split(" ")
            answer = client.generic(method, "/api/v1/" + filled(route, {}))
            assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json"), address
        for address in PUBLIC:
            assert client.get("/api/v1/" + address.split(" ")[1]).status_code == 200

    def test_breaks_at_no_other_method(self) -> None:
        client = APIClient()
        client.force_authenticate(given.user(*ANY_ROLE))
        for route in sorted({address.split(" ")[1] for address in MATRIX}):
            for method in {"OPTIONS", "HEAD", "PUT", "TRACE", "BREW"} - served(route):
                answer = client.generic(method, "/api/v1/" + filled(route, {}))
                # Without its query an address may say what it lacks.
                assert answer.status_code in (200, 400, 404, 405), (method, route)

    @pytest.mark.parametrize("role", sorted(ANYBODY))
    def test_is_what_the_api_does(self, role: str) -> None:
        user = given.user(*({role} & ANY_ROLE))
        ask = Asking(user)
        surprises = []
        for address, allowed in MATRIX.items():
            answer = ask(address)
            expected = (200, 201, 202, 204) if role in allowed else (403, 404)
            if answer.status_code not in expected:
                surprises.append((address, answer.status_code, answer.content[:300]))
        assert surprises == []


def served(route: str) -> set[str]:
    """The methods that an address has."""
    return {address.split(" ")[0] for address in MATRIX if address.split(" ")[1] == route}


def filled(route: str, ids: dict[str, Any]) -> str:
    names = ("id", "seat_id", "attachment_id", "ticket_id", "hold_id", "entry_id")
    for name in (*(f"<uuid:{name}>" for name in names), "<str:token_id>"):
        route = route.replace(name, str(ids.get(name, uuid.uuid4())))
    return route


class Asking:
    """Asks each address so that only permission can refuse it, and undoes what it did."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = APIClient()
        self.client.force_authenticate(user)
        self.world = world()
        self.world["region-groups"] = given.region_group("ONE", ["DE"])
        self.world["policies"] = given.record(
            "policy.create",
            name="Extra",
            conditions=[{"field": "kind", "operator": "is", "value": "skurevision.retire"}],
            stages=[{"position": 1, "role": "legal", "quorum": 1}],
        )
        self.world["freezes"] = given.record("freeze.create", **FREEZE)
        self.world["accounting-periods"] = given.record("accounting_period.close", **PERIOD)
        self.world["authority-limits"] = given.record(
            "authority_limit.create", person=user.username, role="legal", seats=5, starts_at=given.NOW.isoformat()
        )
        self.deputy = given.user("finance")
        now = clock.now()
        self.world["delegations"] = Delegation.objects.create(
            delegator=self.deputy,
            delegator_human_id=self.deputy.human_id,
            delegate=user,
            delegate_human_id=user.human_id,
            starts_at=now,
            ends_at=now + timedelta(days=9),
            reason="Away.",
            created_at=now,
        )
        self.world["standard-templates"] = given.record("standard_template.create", **STANDARD)
        self.author = given.user("requester")
        given.user("legal")  # A policy that nobody could satisfy is refused.
        self.permits = self.taken()
        self.requests = {status: self.request(status) for status in ("draft", "in_review", "approved", "applied")}
        self.attachment = attach(
            change_request_id=self.requests["in_review"].id,
            author=self.author,
            file=Upload("kept.pdf", PDF),
            now=given.NOW,
        )
        self.system, self.ticket = ticketed(self.requests["in_review"])
        self.world["announcements"] = Announcement.objects.create(
            change_request=self.requests["applied"],
            human_id=user.human_id,
            reader=user,
            reasons=["All"],
            created_at=now,
        )
        self.subscriptions = {
            "own": Subscription.objects.create(owner=user, name="Own", created_at=now),
            "shared": Subscription.objects.create(role="legal", name="Shared", created_at=now),
        }
        held, unheld = given.people(2, of=self.world["accounts"])
        self.held, self.unheld = held.human_id, unheld.human_id
        self.hold = place_hold(key=self.held, user=given.user("legal"), reason="A dispute.", now=clock.now())
        self.reviews = {name: self.review(name) for name in ("open", "decided")}
        self.world["events"] = Event.objects.newest_first()[0]
        about = {"kind": "approvals.changerequest", "subject_id": self.requests["draft"].id}
        self.world["evidence-packs"] = ready(about, self.author)
        self.world["legal-holds"] = holds.place(
            **about, user=given.user("legal"), reason="An investigation.", now=clock.now()
        )
        seal_here()

    def __call__(self, address: str) -> HttpResponse:
        method, route = address.split(" ")
        query, body = self.told(method, route)
        with transaction.atomic():
            answer = self.client.generic(
                method,
                f"/api/v1/{filled(route, self.ids(route))}{query}",
                data=body if isinstance(body, bytes) else "" if body is None else json.dumps(body),
                content_type=MULTIPART_CONTENT if isinstance(body, bytes) else "application/json",
                HTTP_IF_MATCH='"1"',
            )
            transaction.set_rollback(True)
        return answer

    def review(self, name: str) -> tuple[AccessReview, ReviewEntry]:
        """A review with something that the sender looks at; decided or not."""
        now, held = clock.now(), given.user("support", everywhere=False, username=f"held-{name}-{self.user.pk}")
        given.grant_access(held, self.world["accounts"])
        auditor = given.user("auditor")
        owners = [(login.username, Part()) for login in (self.user, auditor)]
        wanted = Wanted("Access", now + timedelta(days=9), Part(accounts=[self.world["accounts"].id]), owners)
        review = open_review(user=auditor, wanted=wanted, now=now)
        for entry in review.entries.select_related("reviewer") if name == "decided" else ():
            review_services.decide(
                review_id=review.id, entry_id=entry.id, user=entry.reviewer, verdict="keep", reason="So.", now=now
            )
        return review, review.entries.get(holder=held, source="account")

    def request(self, status: str) -> ChangeRequest:
        client = APIClient()
        client.force_authenticate(self.author)
        # What is applied is another record, so that the others stand on the versions that they were planned on.
        proposal = self.elsewhere() if status == "applied" else self.proposal()
        made = client.post("/api/v1/change-requests", proposal).json()
        address = f"/api/v1/change-requests/{made['id']}"
        if status != "draft":
            client.post(f"{address}/submit")
        if status in ("approved", "applied"):
            for _ in range(2):
                reviewer = APIClient()
                reviewer.force_authenticate(given.user("licensing"))
                reviewer.post(f"{address}/approve", {"digest": made["revision"]["digest"]})
        if status == "applied":
            operator = APIClient()
            operator.force_authenticate(given.user("it_operations"))
            operator.post(f"{address}/apply")
        found = ChangeRequest.objects.get(id=made["id"])
        assert found.status == status
        return found

    def taken(self) -> dict[str, Permit]:
        """One permit that the sender could use, if they may use any, and one that somebody used."""
        notes = [Draft("entitlement.amend", {"notes": "Soon."}, given.entitlement().id) for _ in range(2)]
        made = [
            services.propose(
                title="Soon", drafts=[draft], author=self.author, now=clock.now(), rationale=given.RATIONALE
            )
            for draft in notes
        ]
        holder = given.user("emergency")
        own = self.user if self.user.has_perm(USE_PERMIT) else holder
        found = {}
        for name, user, request in (("own", own, made[0]), ("used", holder, made[1])):
            digest = request.current_revision.digest  # type: ignore[union-attr]
            found[name] = permits.take(
                change_request_id=request.id, digest=digest, user=user, reason="It burns, now.", now=clock.now()
            )
        permits.use(permit_id=found["used"].id, user=holder, now=clock.now())
        return found

    def proposal(self) -> dict[str, Any]:
        item = {
            "kind": "entitlement.amend",
            "target_id": str(self.world["entitlements"].id),
            "payload": {"seats": 11},
        }
        return {"title": "More seats", "items": [item], "rationale": RATIONALE}

    def elsewhere(self) -> dict[str, Any]:
        item = {"kind": "account.amend", "target_id": str(given.account().id), "payload": {"name": "Another"}}
        return {"title": "Another name", "items": [item], "rationale": RATIONALE}

    def ids(self, route: str) -> dict[str, Any]:
        resource = route.split("/")[0]
        if resource == "tokens":
            return {"<str:token_id>": token_of(self.user)[:15]}
        if resource == "permits":
            return {"<uuid:id>": self.permits["own" if route.endswith("use") else "used"].id}
        if resource == "change-requests":
            action = route.split("/")[-1]
            # A ticket is opened where there is none of the system yet.
            status = {
                "submit": "draft",
                "apply": "approved",
                "tickets": "draft",
                "verification": "applied",
                "inverse": "applied",
            }.get(action, "in_review")
            return {
                "<uuid:id>": self.requests[status].id,
                "<uuid:attachment_id>": self.attachment.id,
                "<uuid:ticket_id>": self.ticket.id,
            }
        if resource == "subscriptions":
            return {"<uuid:id>": self.subscriptions["shared" if route.endswith("following") else "own"].id}
        if resource == "ticket-systems":
            return {"<uuid:id>": self.system.id}
        if resource == "access-reviews":
            # Everybody may be asked to review; one of the reviews is decided.
            review, entry = self.reviews["decided" if route.endswith("close") else "open"]
            return {"<uuid:id>": review.id, "<uuid:entry_id>": entry.id}
        if resource == "humans":
            # Nobody is erased while they are held.
            human = self.held if route.endswith("lift") else self.unheld
            return {"<uuid:id>": human, "<uuid:hold_id>": self.hold.id}
        found = self.world.get(resource)
        return {"<uuid:id>": found and found.id, "<uuid:seat_id>": self.world["seats"].id}

    def told(self, method: str, route: str) -> tuple[str, Any]:
        """What makes the request complete: a query and a body."""
        resource, *rest = route.split("/")
        if resource == "entitlements" and method == "DELETE" and len(rest) == 1:
            return "?ends_at=2026-06-01T00:00:00Z", None
        if route == "ledger/consistency":
            return "?first=1&second=2", None
        if method == "PUT":
            return "", PUT[route.rpartition("/")[2]]
        if method not in ("POST", "PATCH") or resource == "announcements":
            return "", None
        if resource == "change-requests" and rest:
            return "", self.of_request(rest[-1])
        if rest and resource in ENDED:
            return "", ENDED[resource]
        if resource == "permits":
            return "", {"digest": self.permits["used"].digest, "verdict": "justified"} if rest[-1] == "reviews" else {}
        if method == "PATCH":
            return "", AMENDED.get(resource, {"name": "Another"})
        if rest and resource == "entitlements":
            return "", self.entitlement_bodies()[rest[-1]]
        return "", self.bodies()[route]()

    def of_request(self, action: str) -> Any:
        decision = {"digest": self.requests["in_review"].current_revision.digest, "comment": "So it is."}
        if action == "attachments":
            return encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("order.pdf", PDF)})
        if action == "inverse":
            return {"digest": self.inverse_digest()}
        bodies: dict[str, Any] = {
            "snooze": {"until": (clock.now() + timedelta(hours=1)).isoformat()},
            "tickets": {"system": self.system.code},
            "permits": {"digest": decision["digest"], "reason": "The line stands still."},
            "comments": {"text": "So it is."},
            "verification": {"criterion": 1, "met": True, "result": "Everybody signed in."},
        }
        return bodies.get(action, decision if action in ("approve", "ask-for-changes", "reject") else {})

    def inverse_digest(self) -> str:
        request = self.requests["applied"]
        outlook = acting_back.look(change_request=request, user=self.author, now=clock.now())
        assert outlook.in_one_click
        return outlook.digest

    def entitlement_bodies(self) -> dict[str, dict[str, Any]]:
        revision = self.world["sku-revisions"]
        return {
            "extend": {"ends_at": (given.NOW + timedelta(days=900)).isoformat()},
            "move": {"sku_revision_id": str(revision.id), "regions": ["DE"]},
            "seats": {"device": "press-7"},
        }

    def bodies(self) -> dict[str, Callable[[], dict[str, Any]]]:
        w = self.world
        product_id, account_id = str(w["products"].id), str(w["accounts"].id)
        starts_at = (given.NOW + timedelta(days=500)).isoformat()
        named = {"code": "another", "name": "Another"}
        question = {"account": account_id, "product": product_id}
        return {
            "subscriptions": lambda: {"name": "Mine"},
            "products": lambda: named,
            "features": lambda: named | {"product_id": product_id},
            "releases": lambda: {"product_id": product_id, "version_name": "2.0"},
            "skus": lambda: named | {"product_id": product_id},
            "sku-revisions": lambda: {
                "sku_id": str(w["skus"].id),
                "countries": ["DE"],
                "environments": ["production"],
            },
            "region-groups": lambda: named | {"countries": ["DE"]},
            "accounts": lambda: named,
            "deployments": lambda: {
                "account_id": account_id,
                "product_id": product_id,
                "name": "another",
                "environment": "trial",
            },
            "agreements": lambda: {
                "reference": "another",
                "title": "Another",
                "side": "licensee",
                "licensor": "Licensor Inc",
                "licensee_id": account_id,
                "starts_at": starts_at,
            },
            "order-lines": lambda: {
                "agreement_id": str(w["agreements"].id),
                "reference": "another",
                "sku_revision_id": str(w["sku-revisions"].id),
                "starts_at": starts_at,
                "periods": [{"starts_at": starts_at, "quantity": 1, "unit_price": "1"}],
                "currency": "EUR",
            },
            "evidence-packs": lambda: {
                "kind": "approvals.changerequest",
                "subject_id": str(self.requests["draft"].id),
            },
            "legal-holds": lambda: {"reason": "An investigation of everything."},
            "authority-limits": lambda: {
                "person": self.author.username,
                "role": "legal",
                "seats": 5,
                "starts_at": starts_at,
            },
            "delegations": lambda: {
                "delegate": self.deputy.username,
                "ends_at": (clock.now() + timedelta(days=9)).isoformat(),
                "reason": "Away.",
            },
            "entitlements": lambda: {
                "reference": "another",
                "account_id": account_id,
                "order_line_id": str(w["order-lines"].id),
                "phase": "production",
                "seats": 1,
                "regions": ["DE"],
                "starts_at": starts_at,
            },
            "policies": lambda: {
                "name": "Another",
                "stages": [{"position": 1, "role": "legal", "quorum": 1}],
            },
            "freezes": lambda: FREEZE | {"name": "Another"},
            "accounting-periods": lambda: PERIOD | {"label": "Another"},
            "standard-templates": lambda: STANDARD | {"name": "Another"},
            "change-requests": self.proposal,
            "plans": lambda: {"items": self.proposal()["items"]},
            "check": lambda: question,
            "check/bulk": lambda: {"questions": [question]},
            "tokens": lambda: {"days": 1},
            "access-reviews": lambda: {
                "name": "Another",
                "due_at": starts_at,
                "owners": [{"login": self.author.username}, {"login": self.deputy.username}],
            },
            "access-reviews/<uuid:id>/close": lambda: {},
            "access-reviews/<uuid:id>/entries/<uuid:entry_id>/decision": lambda: {"verdict": "keep", "reason": "So."},
            "access-reviews/<uuid:id>/entries/<uuid:entry_id>/assign": lambda: {"login": self.deputy.username},
            "humans/<uuid:id>/erasure": lambda: {"basis": "asked"},
            "humans/<uuid:id>/holds": lambda: {"reason": "A dispute."},
            "humans/<uuid:id>/holds/<uuid:hold_id>/lift": lambda: {"reason": "It is settled."},
            "ticket-systems": lambda: {
                "code": "another",
                "name": "Another",
                "product": "servicenow",
                "base_url": "https://another.example",
                "secret": "secret",
            },
        }


# What is said when something of a resource is ended.
ENDED: dict[str, Any] = {"delegations": None, "legal-holds": {"reason": "It is settled."}}
PERIOD = {"label": "2019", "starts_at": "2019-01-01T00:00:00Z", "ends_at": "2020-01-01T00:00:00Z"}
# Over when anybody asks.
FREEZE = {
    "name": "Audit",
    "reason": "An audit.",
    "starts_at": "2020-01-01T00:00:00Z",
    "ends_at": "2020-01-02T00:00:00Z",
    "everything": True,
}


def ticketed(request: ChangeRequest) -> tuple[TicketSystem, Ticket]:
    """A system, and a ticket of a request that was read just now and whose next update was given up."""
    asked = SystemSettings(
        code="itsm",
        name="The service desk",
        product="servicenow",
        base_url="https://example.service-now.com",
        account="tenure",
        secret="secret",
        settings={},
    )
    system = add(asked=asked, actor=given.user("administrator"), now=clock.now())
    assert request.created_by is not None
    ticket = open_ticket(change_request_id=request.id, system_code="itsm", user=request.created_by, now=clock.now())
    # A reading of a moment ago is answered as it is: nothing leaves this machine.
    Ticket.objects.filter(id=ticket.id).update(external_id="7", read_at=clock.now())
    OutboxMessage.objects.filter(kind="ticket.update").update(status="dead", dead_at=clock.now())
    return system, ticket


STANDARD: dict[str, Any] = {
    "name": "A few more seats",
    "kinds": ["entitlement.amend"],
    "conditions": [{"field": "seats_after", "operator": "at_most", "value": 5}],
    "proposer_roles": ["requester"],
    "expires_at": "2050-01-01T00:00:00Z",
}
AMENDED: dict[str, dict[str, Any]] = {
    "ticket-systems": {"name": "Another"},
    "releases": {"version_name": "3.0"},
    "accounting-periods": {"label": "Another"},
    "agreements": {"title": "Another"},
    "order-lines": {"cost_center": "another"},
    "entitlements": {"seats": 12},
    "authority-limits": {"seats": 12},
}
