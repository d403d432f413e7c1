"""A shipping company's pilot that goes to production: what the pages are tried on."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from approvals.governed import Draft
from approvals.requests import services
from approvals.requests.models import ChangeRequest
from entitlements.agreements.models import OrderLine
from entitlements.directory.models import Account
from entitlements.directory.services import Details, NewPerson, register_people, stage_details
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests import given

PASSWORD = "correct horse battery"
NAMES = (
    "Amara Okafor", "Björn Lindqvist", "Chiara Russo", "Dmitri Petrov", "Elif Yılmaz", "Fatou Diallo", "Grace Kim",
    "Hugo Fernández", "Ines Costa", "Jonas Weber", "Keiko Tanaka", "Liam O’Connor", "Mei Chen", "Noah Schmidt",
    "Olga Nowak", "Priya Nair", "Quentin Dubois", "Rosa Jiménez", "Sven Eriksen", "Tove Hansen", "Uma Rao",
    "Viktor Novák", "Wanda Kowalska", "Xavier Moreau", "Yara Haddad", "Zoltán Kiss", "Anna Berg", "Ben Carter",
    "Clara Vogel", "David Levi",
)  # fmt: skip


@dataclass(frozen=True)
class Pilot:
    """The company, its trial and order, and who works on it."""

    account: Account
    trial: Entitlement
    line: OrderLine
    author: User
    first: User
    second: User
    legal: User

    def grant(self, days: float) -> Draft:
        """Production for the trial's holders from so many days after NOW."""
        return Draft(
            "entitlement.grant",
            {
                "reference": f"CHART-PROD-{uuid.uuid4().hex[:4]}",
                "account_id": str(self.account.id),
                "order_line_id": str(self.line.id),
                "phase": "production",
                "seats": 40,
                "regions": ["DE", "US"],
                "starts_at": (given.NOW + timedelta(days=days)).isoformat(),
                "ends_at": (given.NOW + timedelta(days=days + 365)).isoformat(),
                "replaces_id": str(self.trial.id),
            },
        )

    def proposed(self, days: float = 14, **options: Any) -> ChangeRequest:
        """A draft request by the author."""
        defaults: dict[str, Any] = {
            "title": "Chartwise goes to production at Nordwind",
            "drafts": [self.grant(days)],
            "author": self.author,
            "rationale": given.RATIONALE,
        }
        return services.propose(now=given.NOW, **(defaults | options))

    def submitted(self, days: float = 14, **options: Any) -> ChangeRequest:
        """A request in review."""
        request = self.proposed(days, **options)
        return services.submit(change_request_id=request.id, author=self.author, now=given.NOW)


def pilot() -> Pilot:
    """The pilot, in force for thirty people until 21 days after NOW."""
    product = given.product(code="chartwise", name="Chartwise", licensor="Meridian Charts")
    for code in ("export", "live-traffic"):
        given.feature(product, code, name=code.replace("-", " ").title())
    revision = given.sku_revision(
        given.sku(product, code="CHART-PRO", name="Chartwise Professional"),
        features={"export": True, "live-traffic": True},
    )
    account = given.account(code="nordwind", name="Nordwind Reederei", country="DE", time_zone="Europe/Berlin")
    agreement = given.agreement(
        account, reference="AGR-2026-NW", title="Framework agreement", licensor="Meridian Charts"
    )
    trial_line = given.order_line(agreement, revision, 40, reference="OL-TRIAL", periods=_free())
    people = _people(account)
    trial = given.entitlement(
        trial_line,
        reference="CHART-TRIAL",
        phase="trial",
        seats=30,
        holders=people,
        ends_at=(given.NOW + timedelta(days=21)).isoformat(),
    )
    given.record(
        "policy.create",
        name="Licensing, then legal",
        stages=[
            {"position": 1, "role": "licensing", "quorum": 2, "why": "two people of licensing read every change"},
        ],
        waiver_role="legal",
    )
    return Pilot(
        account=account,
        trial=trial,
        line=given.order_line(agreement, revision, 60, reference="OL-PROD"),
        author=_login("ada", "Ada", "Lindholm", "requester"),
        first=_login("bela", "Béla", "Szabó", "licensing"),
        second=_login("carmen", "Carmen", "Ortiz", "licensing"),
        legal=_login("dora", "Dora", "Klein", "legal"),
    )


def _free() -> list[dict[str, Any]]:
    starts_at = (given.NOW - timedelta(days=365)).isoformat()
    return [{"starts_at": starts_at, "ends_at": None, "quantity": 40, "unit_price": "0"}]


def _people(account: Account) -> list[str]:
    rows = register_people(
        people=[
            NewPerson(uuid.uuid4(), account.id, uuid.uuid4(), "US" if index % 5 == 0 else "DE")
            for index in range(len(NAMES))
        ],
        actor=None,
        now=given.NOW,
    )
    stage_details(
        details=[
            Details(row.id, name, f"{name.split()[0].lower()}@nordwind.example")
            for row, name in zip(rows, NAMES, strict=True)
        ],
        now=given.NOW,
    )
    return [str(row.id) for row in rows]


def _login(username: str, first_name: str, last_name: str, role: str) -> User:
    return given.user(
        role,
        username=username,
        first_name=first_name,
        last_name=last_name,
        password=PASSWORD,
        time_zone="Europe/Berlin",
        email=f"{username}@nordwind.example",
    )
