"""Packs about an entitlement and about an account, over a time."""

import uuid
from collections.abc import Collection, Iterable

from django.db.models import Q
from django.urls import reverse

from approvals.requests.models import Item
from audit.packs.port import VIEW_LEDGER, Chosen, id_in
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.directory.access import visible_accounts
from entitlements.directory.models import Account, AccountClosure, Deployment, Person
from entitlements.grants.models import Entitlement
from foundation.errors import NotFound
from foundation.identity.models import User


class EntitlementScope:
    """One entitlement: the right, its order line, its seats, and every change that touched it."""

    name = "entitlements.entitlement"
    words = "entitlement"
    permission = VIEW_LEDGER
    takes_period = True

    def find(self, text: str) -> uuid.UUID | None:
        """The entitlement of an id or a reference."""
        known = Entitlement.objects.filter(reference=text.strip()).values_list("id", flat=True).first()
        return known or id_in(text)

    def label(self, *, subject_id: uuid.UUID | None, user: User) -> str:
        """
        Its reference.

        :raises NotFound: if there is none, or the user may not see it
        """
        found = Entitlement.objects.visible_to(user).filter(id__in=[subject_id]).select_related("account").first()
        if found is None:
            raise NotFound("There is no such entitlement, or it is not granted to you.")
        return f"{found.reference} of {found.account}"

    def chosen(self, *, subject_id: uuid.UUID | None) -> Chosen:
        """The entitlement with its order line."""
        lines = OrderLine.objects.filter(entitlements__id__in=[subject_id]).values_list("id", flat=True)
        records = [*([subject_id] if subject_id else []), *lines]
        words = (
            "every event about the entitlement or its order line that was recorded in this time, and every event of "
            "each change request that touched one of them in any revision and has an event in this time"
        )
        return Chosen(records, _touching(records), words)

    def address(self, *, subject_id: uuid.UUID) -> str | None:
        """The entitlement's page."""
        return reverse("entitlement", args=[subject_id])


class AccountScope:
    """One account with the units below it: their agreements, orders, entitlements, deployments and people."""

    name = "entitlements.account"
    words = "account"
    permission = VIEW_LEDGER
    takes_period = True

    def find(self, text: str) -> uuid.UUID | None:
        """The account of an id or a code."""
        known = Account.objects.filter(code=text.strip()).values_list("id", flat=True).first()
        return known or id_in(text)

    def label(self, *, subject_id: uuid.UUID | None, user: User) -> str:
        """
        Its name and code.

        :raises NotFound: if there is none, or the user may not see it
        """
        found = visible_accounts(user).filter(id__in=[subject_id]).first()
        if found is None:
            raise NotFound("There is no such account, or it is not granted to you.")
        return f"{found.name} ({found.code})"

    def chosen(self, *, subject_id: uuid.UUID | None) -> Chosen:
        """The account's and its units' records."""
        units = list(AccountClosure.objects.filter(ancestor_id=subject_id).values_list("descendant_id", flat=True))
        agreements = _ids(Agreement.objects.filter(Q(licensee__in=units) | Q(covered_accounts__overlap=units)))
        lines = _ids(OrderLine.objects.filter(agreement__licensee__in=units))
        entitlements = _ids(Entitlement.objects.filter(account__in=units))
        deployments = _ids(Deployment.objects.filter(account__in=units))
        people = _ids(Person.objects.filter(account__in=units))
        records = [*units, *agreements, *lines, *entitlements, *deployments, *people]
        words = (
            "every event about the account, the units below it, their agreements, order lines, entitlements, "
            "deployments and people that was recorded in this time, and every event of each change request that "
            "touched one of them in any revision and has an event in this time"
        )
        return Chosen(records, _touching(records), words)

    def address(self, *, subject_id: uuid.UUID) -> str | None:
        """The account's page."""
        code = Account.objects.filter(id=subject_id).values_list("code", flat=True).first()
        return None if code is None else reverse("account-coverage", args=[code])


def _ids(found: Iterable[object]) -> list[uuid.UUID]:
    return list(found.values_list("id", flat=True))  # type: ignore[attr-defined]  # querysets of several models


def _touching(records: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """The change requests with an item on one of the records, in any revision."""
    items = Item.objects.filter(record_id__in=records).order_by()
    return list(items.values_list("revision__change_request_id", flat=True).distinct())
