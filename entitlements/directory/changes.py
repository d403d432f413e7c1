"""
How the directory changes: payloads and kinds of accounts and deployments. People are operational: see services.py.
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel

from approvals.governed import FactType, FactUnit, Kind, Preparation, Scope
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind, referred_row
from approvals.records.payloads import Code, Country, Name, Payload, partial
from approvals.records.undoing import RestoreKind
from entitlements.catalog.aspects import NOBODYS, Aspect
from entitlements.catalog.changes import EnvironmentName
from entitlements.catalog.models import Release
from entitlements.catalog.regions import check_countries
from entitlements.directory.models import Account, Deployment
from foundation.errors import InvalidInput

Row = Mapping[str, Any]


class AccountPayload(Payload):
    """An account; `time_zone` is an IANA name."""

    code: Code
    name: Name
    type: Literal["customer", "subsidiary", "business_unit"] = "customer"
    parent_id: UUID | None = None
    country: Country | Literal[""] = ""
    time_zone: str = "UTC"


class DeploymentPayload(Payload):
    """Where an account runs a product."""

    account_id: UUID
    product_id: UUID
    name: Name
    environment: EnvironmentName
    hosting_country: Country | Literal[""] = ""
    release_id: UUID | None = None


class _Account(RecordKind):
    own_facts = (FactType("country", FactUnit.TEXT, "", "The account's country; empty if none is said."),)
    aspects = {
        "code": (Aspect.DELIVERY,),
        "name": NOBODYS,
        "type": NOBODYS,
        # Whom agreements cover, and who may see what, follow the tree.
        "parent_id": (Aspect.CLAUSES, Aspect.IDENTITY),
        "country": (Aspect.COMPLIANCE,),
        "time_zone": NOBODYS,
        "retired_at": (Aspect.IDENTITY,),
    }

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """The country."""
        return {"country": after["country"]}

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The account, and the parent under which it stands."""
        ids = {row["id"], row["parent_id"]} - {None}
        return Scope(account_ids=frozenset(UUID(str(account_id)) for account_id in ids))

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse unknown countries and zones, and a tree that bites its tail."""
        check_countries([after["country"]] if after["country"] else [])
        if after["time_zone"] not in available_timezones():
            raise InvalidInput(f"“{after['time_zone']}” is not a time zone. Use a name such as Europe/Berlin.")
        seen, parent_id = {after["id"]}, after["parent_id"]
        while parent_id is not None:
            if parent_id in seen:
                raise InvalidInput("An account can't stand below itself. Choose another parent.")
            seen.add(parent_id)
            parent_id = referred_row(Account, parent_id, preparation)["parent_id"]


class _Deployment(RecordKind):
    own_facts = (
        FactType("environment", FactUnit.TEXT, "", "Trial, staging or production.", says="it runs in {value}"),
        FactType("hosting_country", FactUnit.TEXT, "", "Where it is hosted; empty if it is not said."),
    )
    aspects = {
        "account_id": (Aspect.DELIVERY,),
        "product_id": (Aspect.DELIVERY,),
        "name": NOBODYS,
        "environment": (Aspect.DELIVERY,),
        "hosting_country": (Aspect.HOSTING,),
        "release_id": (Aspect.DELIVERY,),
        "retired_at": (Aspect.DELIVERY,),
    }

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Environment and hosting."""
        return {"environment": after["environment"], "hosting_country": after["hosting_country"]}

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The account and the product."""
        return Scope(frozenset({UUID(str(row["account_id"]))}), frozenset({UUID(str(row["product_id"]))}))

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse unknown countries, and a release of another product."""
        check_countries([after["hosting_country"]] if after["hosting_country"] else [])
        if after["release_id"] is not None:
            release = referred_row(Release, after["release_id"], preparation)
            if release["product_id"] != after["product_id"]:
                raise InvalidInput(f"Release {release['version_name']} belongs to another product.")


class CreateAccount(_Account, CreateKind):
    """Add an account."""


class AmendAccount(_Account, AmendKind):
    """Amend an account."""


class RetireAccount(_Account, RetireKind):
    """Retire an account."""


class RestoreAccount(_Account, RestoreKind):
    """Restore an account."""


class CreateDeployment(_Deployment, CreateKind):
    """Add a deployment."""


class AmendDeployment(_Deployment, AmendKind):
    """Amend a deployment."""


class RetireDeployment(_Deployment, RetireKind):
    """Retire a deployment."""


class RestoreDeployment(_Deployment, RestoreKind):
    """Restore a deployment."""


KINDS: tuple[Kind, ...] = (
    CreateAccount(name="account.create", title="Add account", model=Account, payload=AccountPayload),
    AmendAccount(name="account.amend", title="Amend account", model=Account, payload=partial(AccountPayload)),
    RetireAccount(name="account.retire", title="Retire account", model=Account),
    RestoreAccount(model=Account),
    CreateDeployment(name="deployment.create", title="Add deployment", model=Deployment, payload=DeploymentPayload),
    AmendDeployment(
        name="deployment.amend",
        title="Amend deployment",
        model=Deployment,
        payload=partial(DeploymentPayload, without=("account_id", "product_id")),
    ),
    RetireDeployment(name="deployment.retire", title="Retire deployment", model=Deployment),
    RestoreDeployment(model=Deployment),
)
