"""How entitlements change: grant, amend, extend, retire, move to another SKU revision."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from approvals.governed import Application, Kind, Operation, Preparation, PreparedItem, Scope
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, known, referred_row
from approvals.records.payloads import Code, Country, Payload, Text
from approvals.records.rows import instance_from, instant
from entitlements.agreements.models import OrderLine
from entitlements.catalog.aspects import Aspect
from entitlements.catalog.changes import EnvironmentName, Limit, SupportName, product_of_sku
from entitlements.catalog.models import SKURevision
from entitlements.catalog.regions import expand
from entitlements.directory.models import Person
from entitlements.directory.services import NewPerson, register_people
from entitlements.grants import facts, services
from entitlements.grants.facts import EFFECT_ASPECTS, ENTITLEMENT_ASPECTS, ENTITLEMENT_FACTS
from entitlements.grants.models import Activation, Entitlement, Seat
from foundation.errors import InvalidInput

Row = Mapping[str, Any]
Seats = Annotated[int, Field(ge=0, le=1_000_000_000)] | Literal["unlimited"]
Grace = Annotated[int, Field(ge=0, le=366 * 86_400, description="Seconds that checks still allow after the end.")]
PhaseName = Literal["trial", "bridge", "production"]


class PersonRow(Payload):
    """A person whom application registers; names are not part of a request, because it is kept for ever."""

    person_id: UUID
    human_id: UUID
    country: Country | Literal[""] = ""


class GrantPayload(Payload):
    """
    A new entitlement.

    `regions` takes countries and region groups. What is left out follows the SKU revision: environments, support level;
    and the order line: SKU revision. `people` are registered and `holders` get a seat when the change is applied;
    unless `carry_over` is false, each holder of the predecessor gets one too.
    """

    reference: Code
    account_id: UUID
    order_line_id: UUID
    sku_revision_id: UUID | None = None
    phase: PhaseName
    seats: Seats
    regions: Annotated[list[str], Field(min_length=1)]
    environments: list[EnvironmentName] | None = None
    feature_overrides: dict[Code, Limit] = {}
    support_level: SupportName | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    updates_until: AwareDatetime | None = None
    support_until: AwareDatetime | None = None
    grace_seconds: Grace = 0
    enforcement: Literal["hard", "soft"] = "hard"
    owner_id: UUID | None = None
    replaces_id: UUID | None = None
    notes: Text = ""
    attributes: dict[str, str] = {}
    people: Annotated[list[PersonRow], Field(max_length=100_000)] = []
    holders: Annotated[list[UUID], Field(max_length=100_000)] = []
    carry_over: bool | None = None


class AmendPayload(Payload):
    """
    Changes to an entitlement's terms; what is left out stays as it is.

    `holders` get a seat, `release` lose theirs. A start that has passed is not moved.
    """

    seats: Seats | None = None
    regions: Annotated[list[str], Field(min_length=1)] | None = None
    environments: Annotated[list[EnvironmentName], Field(min_length=1)] | None = None
    feature_overrides: dict[Code, Limit] | None = None
    support_level: SupportName | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    updates_until: AwareDatetime | None = None
    support_until: AwareDatetime | None = None
    grace_seconds: Grace | None = None
    enforcement: Literal["hard", "soft"] | None = None
    owner_id: UUID | None = None
    replaces_id: UUID | None = None
    notes: Text | None = None
    holders: list[UUID] = []
    release: list[UUID] = []


class ExtendPayload(Payload):
    """A later end; null makes it open-ended."""

    ends_at: AwareDatetime | None


class EndPayload(Payload):
    """An earlier end, or none yet; before the start it takes the entitlement back."""

    ends_at: AwareDatetime


class MovePayload(Payload):
    """The SKU revision to move to, of the same SKU, with the regions under it."""

    sku_revision_id: UUID
    regions: Annotated[list[str], Field(min_length=1)] | None = None


class EntitlementKind(RecordKind):
    """What every kind of change of an entitlement has in common."""

    own_facts = ENTITLEMENT_FACTS
    aspects = ENTITLEMENT_ASPECTS

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Leave alone what was taken back before it started: it gives nothing, now or later."""
        if before is not None and before["withdrawn_at"] is not None:
            raise InvalidInput("This entitlement was taken back before it started. Grant another one.")

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The account and the SKU's product."""
        return Scope(frozenset({UUID(str(row["account_id"]))}), frozenset({product_of_sku(row["sku_id"], preparation)}))

    def label(self, row: Row, preparation: Preparation) -> str:
        """The entitlement's reference."""
        return str(row["reference"])

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Phase, seats, countries, term."""
        return known(facts.of_entitlement(before=before, after=after, effects=effects, now=preparation.now))

    def aspects_of(self, *, before: Row | None, after: Row, effects: Row) -> frozenset[str]:
        """Those of the fields, and of people registered and seats held or released."""
        own = super().aspects_of(before=before, after=after, effects=effects)
        if before is None:
            # A new right stands under terms that were agreed to already; only another revision changes them.
            own -= {Aspect.COMPLIANCE}
        return own | {aspect for name, aspect in EFFECT_ASPECTS.items() if effects.get(name)}

    def lasting(self, *, item: PreparedItem) -> Sequence[str]:
        """What acting back would leave."""
        row, before, found = item.after or {}, item.before, []
        if before is None or row["starts_at"] != before["starts_at"]:
            found.append(f"{item.label}: once it has started, the time that it was in force stands; it would end then")
        if before is not None and row["ends_at"] != before["ends_at"] and row["ends_at"] is not None:
            found.append(f"{item.label}: once it has ended, it is not reopened; a new grant would have to replace it")
        if before is not None and row["withdrawn_at"] != before["withdrawn_at"]:
            found.append(f"{item.label}: time that passes while it is taken back is not restored")
        return found

    def outside(self, *, item: PreparedItem) -> Sequence[str]:
        """People who are registered with it."""
        count = len(item.effects.get("register", ()))
        return (f"{item.label}: the {count} people registered with it stay registered.",) if count else ()

    def carry_out(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Bring pool and activation along, register people, hold and release seats."""
        for item in items:
            entitlement = instance_from(Entitlement, item.after or {})
            effects = item.effects
            register_people(
                people=[
                    NewPerson(
                        UUID(row["person_id"]), entitlement.account_id, UUID(row["human_id"]), row.get("country", "")
                    )
                    for row in effects.get("register", [])
                ],
                actor=application.actor,
                now=application.now,
                change_request_id=application.change_request_id,
            )
            # Seats first go, then the pool is brought to its terms, then seats come: the counter's CHECK is immediate.
            for name, service in (("release", services.release_seats), ("hold", services.hold_seats)):
                if name == "hold":
                    services.write_pool(entitlement=entitlement)
                if effects.get(name):
                    service(
                        entitlement=entitlement,
                        person_ids=[UUID(person_id) for person_id in effects[name]],
                        actor=application.actor,
                        now=application.now,
                        change_request_id=application.change_request_id,
                    )
            if self.operation is Operation.INSERT:
                Activation.objects.create(entitlement=entitlement)


class Grant(EntitlementKind, CreateKind):
    """Grant an entitlement under an order line."""

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The row, with the SKU revision's terms where nothing else is said and regions expanded."""
        assert isinstance(payload, GrantPayload)  # noqa: S101  the kind's own payload
        values = payload.model_dump(exclude={"regions", "people", "holders", "carry_over"})
        order_line = referred_row(OrderLine, payload.order_line_id, preparation)
        values["sku_revision_id"] = payload.sku_revision_id or order_line["sku_revision_id"]
        revision = referred_row(SKURevision, values["sku_revision_id"], preparation)
        values["sku_id"] = revision["sku_id"]
        values["seats"] = _seats(payload.seats)
        values["countries"], values["region_groups"] = expand(payload.regions)
        values["environments"] = payload.environments or _environments(payload.phase, revision)
        values["support_level"] = payload.support_level or revision["support_level"]
        return values

    def effects(
        self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation
    ) -> Mapping[str, Any]:
        """People to register and seats to hold."""
        assert isinstance(payload, GrantPayload)  # noqa: S101  the kind's own payload
        _check_known(payload.holders, also={person.person_id for person in payload.people} | _registering(preparation))
        hold = [str(person_id) for person_id in payload.holders]
        if payload.carry_over and payload.replaces_id is None:
            raise InvalidInput("There is no predecessor whose holders could be carried over. Name it in replaces_id.")
        if payload.replaces_id is not None and payload.carry_over is not False:
            held = Seat.objects.held().filter(entitlement_id=payload.replaces_id, person__isnull=False)
            hold += [
                str(person_id) for person_id in held.order_by("taken_at", "id").values_list("person_id", flat=True)
            ]
        return {
            "register": [
                {
                    "person_id": str(person.person_id),
                    "human_id": str(person.human_id),
                    "country": person.country,
                }
                for person in payload.people
            ],
            "hold": list(dict.fromkeys(hold)),
            "release": [],
        }


class Amend(EntitlementKind, AmendKind):
    """Amend an entitlement's terms."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The changed terms, regions expanded."""
        assert isinstance(payload, AmendPayload)  # noqa: S101  the kind's own payload
        values = payload.model_dump(
            include=payload.model_fields_set, exclude={"regions", "holders", "release", "seats"}
        )
        nullable = {"ends_at", "updates_until", "support_until", "owner_id", "replaces_id"}
        values = {name: value for name, value in values.items() if value is not None or name in nullable}
        if payload.seats is not None:
            values["seats"] = _seats(payload.seats)
        if payload.regions is not None:
            values["countries"], values["region_groups"] = expand(payload.regions)
        if "starts_at" in values and values["starts_at"] != instant(before["starts_at"]):
            _check_not_started(before, preparation.now)
        if "ends_at" in values and values["ends_at"] != instant(before["ends_at"]):
            _check_not_ended(before, preparation.now)
        ends_at = values.get("ends_at")
        if ends_at is not None and ends_at != instant(before["ends_at"]) and ends_at < preparation.now:
            raise InvalidInput("The end is past: what was in force then stays so. Choose now or later.")
        return values

    def effects(
        self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation
    ) -> Mapping[str, Any]:
        """Seats to hold and to release."""
        assert isinstance(payload, AmendPayload)  # noqa: S101  the kind's own payload
        _check_known(payload.holders, also=_registering(preparation))
        held = set(
            Seat.objects.held()
            .filter(entitlement_id=after["id"], person_id__in=payload.release)
            .values_list("person_id", flat=True)
        )
        missing = sorted(str(person_id) for person_id in payload.release if person_id not in held)
        if missing:
            raise InvalidInput(
                f"No seat of it is held by {', '.join(missing)}, so none can be released.", people=missing
            )
        return {
            "register": [],
            "hold": [str(person_id) for person_id in payload.holders],
            "release": [str(person_id) for person_id in payload.release],
        }


class Extend(EntitlementKind, AmendKind):
    """Move an entitlement's end later."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The later end."""
        assert isinstance(payload, ExtendPayload)  # noqa: S101  the kind's own payload
        former = instant(before["ends_at"])
        if former is None:
            raise InvalidInput("This entitlement is open-ended, so there is no end to move.")
        _check_not_ended(before, preparation.now)
        if payload.ends_at is not None and payload.ends_at <= former:
            raise InvalidInput(
                f"The new end is not after the present one ({former:%Y-%m-%d %H:%M %Z}). Retire instead."
            )
        return {"ends_at": payload.ends_at}


class Retire(EntitlementKind, AmendKind):
    """End an entitlement, at an instant that is not past; before its start, take it back."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The earlier end, or the withdrawal."""
        assert isinstance(payload, EndPayload)  # noqa: S101  the kind's own payload
        starts_at, former = instant(before["starts_at"]), instant(before["ends_at"])
        if before["withdrawn_at"] is not None:
            raise InvalidInput("This entitlement was taken back before it started.")
        if former is not None and payload.ends_at > former:
            raise InvalidInput(
                f"It ends earlier already, on {former:%Y-%m-%d %H:%M %Z}. Extend it to move the end later."
            )
        if starts_at is not None and payload.ends_at <= starts_at:
            _check_not_started(before, preparation.now)
            return {"withdrawn_at": preparation.now}
        if payload.ends_at < preparation.now:
            raise InvalidInput("The end is past: what was in force then stays so. Choose now or later.")
        return {"ends_at": payload.ends_at}


class Move(EntitlementKind, AmendKind):
    """Move an entitlement to another revision of its SKU."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The revision, and the regions under it."""
        assert isinstance(payload, MovePayload)  # noqa: S101  the kind's own payload
        revision = referred_row(SKURevision, payload.sku_revision_id, preparation)
        if revision["sku_id"] != before["sku_id"]:
            raise InvalidInput(
                "That revision is of another SKU. Grant an entitlement of that SKU which replaces this one."
            )
        values: dict[str, Any] = {"sku_revision_id": payload.sku_revision_id}
        if payload.regions is not None:
            values["countries"], values["region_groups"] = expand(payload.regions)
        return values


def _seats(seats: int | str) -> int | None:
    return None if isinstance(seats, str) else seats


def _environments(phase: str, revision: Row) -> list[str]:
    # A trial is for trying: in production it needs to be said.
    allowed = list(revision["environments"])
    trying = [name for name in allowed if name != "production"]
    return (trying or allowed) if phase == "trial" else allowed


def _registering(preparation: Preparation) -> set[UUID]:
    """The people whom earlier items of the same request register."""
    return {UUID(row["person_id"]) for effects in preparation.effects for row in effects.get("register", ())}


def _check_known(holders: Sequence[UUID], *, also: set[UUID]) -> None:
    """Refuse holders who are neither registered nor would be by the same request."""
    named = set(holders) - also
    known = set(Person.objects.filter(id__in=named).values_list("id", flat=True))
    missing = sorted(str(person_id) for person_id in named - known)
    if missing:
        raise InvalidInput(f"Nobody is registered as {', '.join(missing)}. Register them first.", people=missing)


def _check_not_ended(before: Row, now: datetime) -> None:
    ends_at = instant(before["ends_at"])
    if ends_at is not None and ends_at <= now:
        raise InvalidInput(
            f"This entitlement ended on {ends_at:%Y-%m-%d %H:%M %Z}, and past intervals stay as they were. "
            "Grant an entitlement that replaces it."
        )


def _check_not_started(before: Row, now: datetime) -> None:
    starts_at = instant(before["starts_at"])
    if starts_at is not None and starts_at <= now:
        raise InvalidInput("This entitlement has started, and what was in force stays so. End it now or later instead.")


KINDS: tuple[Kind, ...] = (
    Grant(name="entitlement.grant", title="Grant entitlement", model=Entitlement, payload=GrantPayload),
    Amend(name="entitlement.amend", title="Amend entitlement", model=Entitlement, payload=AmendPayload),
    Extend(name="entitlement.extend", title="Extend entitlement", model=Entitlement, payload=ExtendPayload),
    Retire(name="entitlement.retire", title="Retire entitlement", model=Entitlement, payload=EndPayload),
    Move(name="entitlement.move", title="Move to a SKU revision", model=Entitlement, payload=MovePayload),
)
