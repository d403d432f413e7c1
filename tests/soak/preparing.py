"""Change requests large enough that their application can be interrupted in its middle."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from knox.models import AuthToken

from approvals.bootstrap import bootstrap
from approvals.governed import Draft
from approvals.requests import review, services
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from entitlements.catalog.models import SKURevision
from entitlements.directory.models import Person
from entitlements.grants.models import Entitlement, Seat
from foundation import clock
from foundation.identity.models import User
from tests import given

STANDING_COUNT = 12
SWAPPED_COUNT = 6
LINES_COUNT = 13
PEOPLE_COUNT = 30
ITEMS_COUNT = 2 + 2 * LINES_COUNT + STANDING_COUNT
STARTS_AT = (given.NOW - timedelta(days=30)).isoformat()

_number = itertools.count(1)


@dataclass(frozen=True)
class Stock:
    """What stands before the first request: entitlements that every one amends, and the people who act."""

    revision: SKURevision
    standing: list[Entitlement]
    pairs: list[tuple[Person, Person]]
    author: User
    reviewers: tuple[User, ...]
    token: str = field(repr=False)


def stock() -> Stock:
    """Make it, through the governed path."""
    account = given.account()
    revision = given.sku_revision(given.sku(given.product()))
    agreement = given.agreement(account)
    people = given.people(2 * SWAPPED_COUNT, of=account)
    pairs = list(zip(people[::2], people[1::2], strict=True))
    keys = [uuid.uuid4() for _ in range(STANDING_COUNT)]
    drafts = []
    for position, key in enumerate(keys):
        line_id = uuid.uuid4()
        drafts.append(order_line(f"OLD-{position}", str(agreement.id), revision, line_id))
        holders = [str(pairs[position][0].id)] if position < SWAPPED_COUNT else []
        drafts.append(grant(f"OLD-ENT-{position}", str(account.id), line_id, key, holders=holders))
    # Everybody keeps a seat of this one, so that nobody loses access by a seat that goes to somebody else.
    line_id = uuid.uuid4()
    drafts.append(order_line("KEPT", str(agreement.id), revision, line_id))
    holders = [str(person.id) for person in people]
    drafts.append(grant("KEPT-ENT", str(account.id), line_id, uuid.uuid4(), holders=holders))
    bootstrap(reason="What every round amends", drafts=drafts, now=given.NOW)
    standing = [Entitlement.objects.get(id=key) for key in keys]
    _, token = AuthToken.objects.create(user=given.user("it_operations"), expiry=timedelta(days=1))
    return Stock(
        revision=revision,
        standing=standing,
        pairs=pairs,
        author=given.user("requester"),
        # What reaches back into the past is read by finance and legal, too.
        reviewers=tuple(given.user(role) for role in ("licensing", "licensing", "finance", "legal")),
        token=str(token),
    )


def approved(of: Stock) -> ChangeRequest:
    """
    An approved request of forty items.

    A new account with its agreement, order lines and entitlements, thirty people registered, seats for them; and every
    standing entitlement amended, some with a seat that goes from one person to another.
    """
    now = clock.now()
    request = services.propose(
        title="A new subsidiary",
        drafts=[*new_account(of), *amendments(of)],
        author=of.author,
        now=now,
        rationale=given.RATIONALE,
    )
    assert request.current_revision is not None
    services.submit(change_request_id=request.id, author=of.author, now=now)
    for stage in request.current_revision.stages.order_by("position"):
        asked = [reviewer for reviewer in of.reviewers if reviewer.groups.filter(name=stage.role).exists()]
        for reviewer in asked[: stage.quorum]:
            digest = request.current_revision.digest
            review.approve(change_request_id=request.id, digest=digest, reviewer=reviewer, now=now)
    request.refresh_from_db()
    assert request.status == Status.APPROVED
    return request


def new_account(of: Stock) -> list[Draft]:
    number = next(_number)
    account_id, agreement_id = uuid.uuid4(), uuid.uuid4()
    people = [{"person_id": str(uuid.uuid4()), "human_id": str(uuid.uuid4())} for _ in range(PEOPLE_COUNT)]
    drafts = [
        Draft("account.create", {"code": f"new-{number}", "name": f"Subsidiary {number}"}, account_id),
        Draft(
            "agreement.create",
            {
                "reference": f"NEW-{number}",
                "title": "Subsidiary's agreement",
                "side": "licensee",
                "licensor": "Licensor Inc",
                "licensee_id": str(account_id),
                "starts_at": STARTS_AT,
                "renewal": "evergreen",
            },
            agreement_id,
        ),
    ]
    lines = [uuid.uuid4() for _ in range(LINES_COUNT)]
    for line, line_id in enumerate(lines):
        drafts.append(order_line(f"NEW-{number}-{line}", str(agreement_id), of.revision, line_id))
    for line, line_id in enumerate(lines):
        holders = people if line == 0 else people[line::10]
        drafts.append(
            grant(
                f"NEW-ENT-{number}-{line}",
                str(account_id),
                line_id,
                uuid.uuid4(),
                people=people if line == 0 else [],
                holders=[person["person_id"] for person in holders],
            )
        )
    return drafts


def order_line(reference: str, agreement_id: str, revision: SKURevision, line_id: uuid.UUID) -> Draft:
    """A draft of an order line for fifty seats."""
    terms: dict[str, Any] = {
        "agreement_id": agreement_id,
        "reference": reference,
        "sku_revision_id": str(revision.id),
        "starts_at": STARTS_AT,
        "periods": [{"starts_at": STARTS_AT, "ends_at": None, "quantity": 50, "unit_price": "100"}],
        "currency": "EUR",
    }
    return Draft("orderline.create", terms, line_id)


def grant(reference: str, account_id: str, line_id: uuid.UUID, key: uuid.UUID, **terms: Any) -> Draft:
    """A draft of an entitlement to forty seats, without an end."""
    payload: dict[str, Any] = {
        "reference": reference,
        "account_id": account_id,
        "order_line_id": str(line_id),
        "phase": "production",
        "seats": 40,
        "regions": ["DE", "US"],
        "starts_at": STARTS_AT,
    }
    return Draft("entitlement.grant", payload | terms, key)


def amendments(of: Stock) -> list[Draft]:
    drafts = []
    for position, entitlement in enumerate(of.standing):
        payload: dict[str, Any] = {"notes": str(uuid.uuid4())}
        if position < SWAPPED_COUNT:
            holder = Seat.objects.held().get(entitlement=entitlement).person_id
            other = next(person for person in of.pairs[position] if person.id != holder)
            payload |= {"release": [str(holder)], "holders": [str(other.id)]}
        drafts.append(Draft("entitlement.amend", payload, entitlement.id))
    return drafts
