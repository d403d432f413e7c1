"""
From an inventory to the drafts of one change request: what its licenses need in the registry, and nothing twice.

A license becomes an entitlement under an order line of an agreement between its manufacturer and its company. What the
registry has already (by name) is used; what it lacks is added by the same request. People are named in staged personal
details, never in the request, which is kept for ever.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from approvals.governed import Draft
from entitlements.agreements.models import Agreement
from entitlements.catalog.models import SKU, Product, SKURevision
from entitlements.directory.models import Account, Person, PersonalDetails
from entitlements.directory.services import Details
from entitlements.grants.models import Entitlement
from entitlements.imports.values import Contact, License

NO_CURRENCY = "XXX"
FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Placement:
    """
    What the file does not say and the importing user does: the regions of use (countries or groups), the zone in which
    its dates are meant, the currency of what has no price, and who answers for the entitlements.
    """

    regions: tuple[str, ...]
    time_zone: str = "UTC"
    currency: str = NO_CURRENCY
    owner_id: uuid.UUID | None = None


@dataclass
class Drafted:
    """The drafts in order, the personal details to stage, and what the user should know."""

    drafts: list[Draft] = field(default_factory=list)
    details: list[Details] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    already_there: list[str] = field(default_factory=list)
    seats: int = 0


def draft_inventory(*, licenses: Sequence[License], placement: Placement, now: datetime) -> Drafted:
    """Turn licenses into drafts; those that the registry has already are named and left out."""
    return _Drafting(licenses, placement, now).run()


class _Drafting:
    """One pass over the licenses; remembers what it has added already."""

    def __init__(self, licenses: Sequence[License], placement: Placement, now: datetime) -> None:
        self.licenses = licenses
        self.placement = placement
        self.now = now
        self.zone = ZoneInfo(placement.time_zone)
        self.out = Drafted()
        self.accounts = {_key(row.name): (row.id, row.time_zone) for row in Account.objects.filter(retired_at=None)}
        self.products = {
            (_key(row.name), _key(row.licensor)): row.id for row in Product.objects.filter(retired_at=None)
        }
        self.revisions: dict[uuid.UUID, uuid.UUID] = {}
        self.agreements = {row.reference: (row.id, row.starts_at) for row in Agreement.objects.filter(retired_at=None)}
        self.references = set(Entitlement.objects.values_list("reference", flat=True))
        self.people = _known_people(licenses)
        self.codes = {*Product.objects.values_list("code", flat=True), *SKU.objects.values_list("code", flat=True)}
        self.codes |= set(Account.objects.values_list("code", flat=True))

    def run(self) -> Drafted:
        keys = 0
        for license_ in self.licenses:
            reference = _reference(license_)
            if reference in self.references:
                self.out.already_there.append(reference)
                continue
            self.references.add(reference)
            keys += license_.serial_number is not None
            self._license(license_, reference)
        if keys:
            self.out.notes.append(
                f"{keys} license keys are secrets and not stored; their last four characters are kept as an attribute."
            )
        return self.out

    def _license(self, license_: License, reference: str) -> None:
        account_id, zone = self._account(license_.company)
        product_id = self._product(license_)
        revision_id = self._revision(license_, product_id)
        starts_at, ends_at = self._term(license_, zone)
        agreement_id = self._agreement(license_, account_id, starts_at)
        line_id = uuid.uuid4()
        price, currency = self._price(license_)
        self._add(
            "orderline.create",
            line_id,
            agreement_id=agreement_id,
            reference=f"{reference}-order",
            sku_revision_id=revision_id,
            starts_at=starts_at,
            ends_at=ends_at,
            periods=[{"starts_at": starts_at, "ends_at": ends_at, "quantity": license_.seats, "unit_price": price}],
            billing="once",
            currency=currency,
            purchase_order=license_.purchase_order[:100],
            purchase_order_on=license_.purchased_on,
        )
        people, holders = self._people([seat.holder for seat in license_.held_seats])
        attributes = dict(license_.attributes) | _attributes(license_)
        if license_.licensee is not None and not license_.licensee.is_blank:
            contacts, named = self._people([license_.licensee])
            people += [person for person in contacts if person not in people]
            attributes["licensed to"] = f"person {named[0]}"
        self.out.seats += len(holders)
        self._add(
            "entitlement.grant",
            uuid.uuid4(),
            reference=reference,
            account_id=account_id,
            order_line_id=line_id,
            phase="production",
            seats="unlimited" if license_.seats is None else license_.seats,
            regions=list(self.placement.regions),
            starts_at=starts_at,
            ends_at=ends_at,
            owner_id=self.placement.owner_id,
            notes=license_.notes[:10_000],
            attributes={name: value for name, value in attributes.items() if value},
            people=people,
            holders=holders,
        )

    def _add(self, kind: str, target_id: uuid.UUID, **payload: object) -> None:
        self.out.drafts.append(Draft(kind=kind, target_id=target_id, payload=_plain(payload)))

    def _account(self, company: str) -> tuple[uuid.UUID, str]:
        key = _key(company)
        if key not in self.accounts:
            account_id = uuid.uuid4()
            self.accounts[key] = (account_id, self.placement.time_zone)
            self._add(
                "account.create",
                account_id,
                code=self._code(company),
                name=company[:200],
                time_zone=self.placement.time_zone,
            )
        return self.accounts[key]

    def _product(self, license_: License) -> uuid.UUID:
        key = (_key(license_.product), _key(license_.manufacturer))
        if key not in self.products:
            self.products[key] = uuid.uuid4()
            self._add(
                "product.create",
                self.products[key],
                code=self._code(license_.product),
                name=license_.product[:200],
                licensor=license_.manufacturer[:200],
                category=license_.category[:200],
            )
        return self.products[key]

    def _revision(self, license_: License, product_id: uuid.UUID) -> uuid.UUID:
        if product_id not in self.revisions:
            stored = (
                SKURevision.objects.filter(
                    sku__product_id=product_id,
                    sku__purpose=SKU.Purpose.PRODUCTION,
                    metric="named_user",
                    retired_at=None,
                    seats_maximum=None,
                )
                .order_by("-number", "id")
                .first()
            )
            self.revisions[product_id] = stored.id if stored else self._new_revision(license_, product_id)
        return self.revisions[product_id]

    def _new_revision(self, license_: License, product_id: uuid.UUID) -> uuid.UUID:
        sku_id, revision_id = uuid.uuid4(), uuid.uuid4()
        code = self._code(f"{license_.product}-licensed")
        self._add("sku.create", sku_id, product_id=product_id, code=code, name=license_.product[:200])
        self._add(
            "skurevision.create",
            revision_id,
            sku_id=sku_id,
            seats_minimum=0,
            countries=list(self.placement.regions),
            environments=["trial", "staging", "production"],
            support_level="business_hours" if license_.maintained else "none",
        )
        return revision_id

    def _agreement(self, license_: License, account_id: uuid.UUID, starts_at: datetime) -> uuid.UUID:
        licensor = license_.manufacturer or license_.supplier or license_.product
        base = f"IMP-{_slug(licensor, 40)}-{_slug(license_.company, 40)}"
        for number in range(1, 1_000):
            reference = base if number == 1 else f"{base}-{number}"
            known = self.agreements.get(reference)
            if known is not None and known[1] <= starts_at:
                return known[0]
            if known is None:
                break
        agreement_id = uuid.uuid4()
        earliest = min([starts_at, *self._starts_with(license_)])
        self.agreements[reference] = (agreement_id, earliest)
        self._add(
            "agreement.create",
            agreement_id,
            reference=reference,
            title=f"{licensor} for {license_.company}"[:200],
            side="licensee",
            licensor=licensor[:200],
            licensee_id=account_id,
            reseller=license_.supplier[:200],
            starts_at=earliest,
            renewal="evergreen",
        )
        return agreement_id

    def _starts_with(self, license_: License) -> Iterable[datetime]:
        """Starts of the file's licenses of the same parties, so that one agreement holds them all."""
        for other in self.licenses:
            if (_key(other.company), _key(other.manufacturer)) == (_key(license_.company), _key(license_.manufacturer)):
                yield self._term(other, self.accounts.get(_key(other.company), (None, self.placement.time_zone))[1])[0]

    def _term(self, license_: License, zone_name: str) -> tuple[datetime, datetime | None]:
        zone = ZoneInfo(zone_name)
        ends_at = license_.ends_at(zone)
        if license_.purchased_on is not None:
            starts_at = datetime.combine(license_.purchased_on, time.min, tzinfo=zone)
        else:
            starts_at = self.now if ends_at is None or ends_at > self.now else ends_at - timedelta(days=1)
        return starts_at.astimezone(UTC), None if ends_at is None else ends_at.astimezone(UTC)

    def _price(self, license_: License) -> tuple[str, str]:
        if license_.cost is None:
            return "0", self.placement.currency
        share = license_.cost.amount / (license_.seats or 1)
        return f"{share.quantize(FOUR_PLACES, ROUND_HALF_EVEN):f}", license_.cost.currency

    def _people(self, contacts: Sequence[Contact]) -> tuple[list[dict[str, str]], list[str]]:
        """Rows of those to be registered, and everybody's ids, in order and once."""
        new: list[dict[str, str]] = []
        ids: list[str] = []
        for contact in contacts:
            key = _person_key(contact)
            person_id = self.people.get(key)
            if person_id is None:
                person_id = self.people[key] = uuid.uuid4()
                external = {"username": contact.username} if contact.username else {}
                self.out.details.append(Details(person_id, contact.name, contact.email, external))
                new.append({"person_id": str(person_id), "human_id": str(uuid.uuid4())})
            ids.append(str(person_id))
        return new, list(dict.fromkeys(ids))

    def _code(self, text: str) -> str:
        base = _slug(text, 80) or "record"
        code, number = base, 1
        while code in self.codes:
            number += 1
            code = f"{base}-{number}"
        self.codes.add(code)
        return code


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _slug(text: str, length: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:length].strip("-")


def _reference(license_: License) -> str:
    """The same for the same license in every file: of what identifies it, by digest."""
    serial = license_.serial_number.value if license_.serial_number else ""
    identity = "\x1f".join([_key(license_.product), _key(license_.company), license_.order_number, serial])
    identity += f"\x1f{license_.purchase_order}\x1f{license_.purchased_on}\x1f{license_.expires_on}"
    return f"{_slug(license_.product, 40) or 'license'}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _person_key(contact: Contact) -> str:
    return (
        f"mail:{contact.email.casefold()}"
        if contact.email
        else f"username:{contact.username.casefold()}:{_key(contact.name)}"
    )


def _known_people(licenses: Sequence[License]) -> dict[str, uuid.UUID]:
    mails = {
        contact.email.casefold()
        for license_ in licenses
        for contact in [*(seat.holder for seat in license_.held_seats), license_.licensee]
        if contact is not None and contact.email
    }
    registered = PersonalDetails.objects.filter(person_id__in=Person.objects.values("id"), erased_at=None)
    return {
        f"mail:{mail.casefold()}": person_id
        for person_id, mail in registered.exclude(mail="").values_list("person_id", "mail")
        if mail.casefold() in mails
    }


def _attributes(license_: License) -> dict[str, str]:
    told = {True: "yes", False: "no"}
    return {
        "order number": license_.order_number,
        "license key": license_.serial_number.masked() if license_.serial_number else "",
        "maintained": "" if license_.maintained is None else told[license_.maintained],
        "reassignable": "" if license_.reassignable is None else told[license_.reassignable],
        "category": license_.category,
        "supplier": license_.supplier,
    }


def _plain(payload: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in payload.items() if value is not None or name in ("ends_at",)}
