"""
The port: what an app must say of its governed records so that they can change.

An app registers *kinds* (grant an entitlement, amend an agreement …), one *planner* that tells what a set of items
would do, and one *access* that tells what a user may see. Approvals plans, reviews and applies through them and knows
nothing else of what it governs. An unknown kind is refused.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from django.db import models
from pydantic import BaseModel

from approvals.facts import RISK_FACT, RiskRule
from approvals.facts import FactType as FactType
from approvals.facts import FactUnit as FactUnit
from foundation.errors import InvalidInput
from foundation.identity.models import User
from foundation.web.blocks import Section

JSON = Any


class UnknownKind(InvalidInput):
    """No app registered this kind of change."""

    code = "unknown_kind"
    title = "Unknown kind of change"


class Operation(StrEnum):
    """What an item does to its row; the governed trigger compares it with the statement."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Draft:
    """
    What somebody asks for, before anything is planned.

    `target_id` names the record; for a new one it may be given, so that later drafts of the same request can refer to
    it.
    """

    kind: str
    payload: Mapping[str, JSON]
    target_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Scope:
    """The accounts and products that an item touches; who may not see all of them may not see the item."""

    account_ids: frozenset[uuid.UUID] = frozenset()
    product_ids: frozenset[uuid.UUID] = frozenset()

    @classmethod
    def merged(cls, scopes: "Iterable[Scope]") -> "Scope":
        """All that several items touch."""
        known = tuple(scopes)
        return cls(
            frozenset().union(*(scope.account_ids for scope in known)),
            frozenset().union(*(scope.product_ids for scope in known)),
        )


@dataclass(frozen=True)
class PreparedItem:
    """
    One record's change, whole: the row before and after, as JSON values by column name.

    `effects` are the operational consequences that application carries out with the row (people registered, seats held
    or released). `facts` are values of the kind's declared facts.
    """

    kind: str
    table: str
    record_id: uuid.UUID
    operation: Operation
    base_version: int | None
    before: Mapping[str, JSON] | None
    after: Mapping[str, JSON] | None
    label: str
    payload: Mapping[str, JSON]
    effects: Mapping[str, JSON] = field(default_factory=dict)
    facts: Mapping[str, JSON] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Preparation:
    """
    What a kind may look at while it turns a draft into an item.

    `pending` holds the rows that earlier items of the same request would leave, by (table, id), and `effects` their
    effects. `sees` tells whether whoever asks may see a scope: what they may not see is answered like what does not
    exist, before anything else is said of it.
    """

    now: datetime
    author: User | None
    pending: Mapping[tuple[str, uuid.UUID], Mapping[str, JSON]]
    effects: Sequence[Mapping[str, JSON]] = ()
    sees: Callable[[Scope], bool] = lambda _scope: True


@dataclass(frozen=True)
class Undone:
    """An item that was applied, for whoever takes it back: the item's id, its change's number, and when."""

    item_id: uuid.UUID
    item: PreparedItem
    number: int
    applied_at: datetime


@dataclass(frozen=True)
class Inverse:
    """
    What would take one applied item back now, in sentences too.

    `draft` is None if nothing is left to take back. `lost` is what stands, because it can't be undone; `conflicts` keep
    it from being taken back without being approved again.
    """

    draft: Draft | None
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Application:
    """In whose name and when items are written; `actor` is None when the system itself applies."""

    now: datetime
    actor: User | None
    change_request_id: uuid.UUID
    change_request_number: int


class Kind(Protocol):
    """One way in which one sort of record changes."""

    @property
    def name(self) -> str:
        """What programs call it: `entitlement.grant`."""

    @property
    def title(self) -> str:
        """What people call it: "Grant entitlement"."""

    @property
    def model(self) -> type[models.Model]:
        """The governed model whose rows it changes."""

    @property
    def operation(self) -> Operation:
        """What it does to the row."""

    @property
    def payload(self) -> type[BaseModel]:
        """What somebody must say to ask for it."""

    @property
    def facts(self) -> Sequence[FactType]:
        """The facts that its items have."""

    def prepare(self, *, draft: Draft, preparation: Preparation) -> PreparedItem:
        """
        Turn a draft into an item; write nothing.

        :raises foundation.errors.InvalidInput: if the payload does not say what it must
        :raises foundation.errors.NotFound: if the target does not exist
        """
        ...

    def write(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Write these items' rows and effects, inside the applying transaction; each effect records its own event."""
        ...

    def inverse(self, *, undone: Undone, now: datetime) -> Inverse:
        """What would take an applied item of this kind back, on its record as it stands; write nothing."""
        ...

    def lasting(self, *, item: PreparedItem) -> Sequence[str]:
        """Sentences for what of an item could not be taken back once it is applied: read before it is approved."""
        ...


@dataclass(frozen=True)
class Size:
    """
    How large a change is, for authority limits: seats that it adds, money that it commits by currency.

    None is not known, or without limit: above whatever limit there is.
    """

    seats: int | None = None
    money: Mapping[str, Decimal] | None = None

    @property
    def seats_words(self) -> str:
        """The seats, for people."""
        return "an unlimited or unknown number of seats" if self.seats is None else f"{self.seats} seats"

    @classmethod
    def read(cls, stored: Mapping[str, JSON] | None) -> "Size":
        """The size as a revision keeps it; a revision from before sizes were kept has an unknown one."""
        if stored is None:
            return cls()
        money = stored["money"]
        known = None if money is None else {currency: Decimal(amount) for currency, amount in money.items()}
        return cls(stored["seats"], known)


@dataclass(frozen=True)
class Plan:
    """
    What a set of items would do.

    `document` is stored with the revision and shown to people; `material` is the part that is compared at application;
    `new_gaps` is True when somebody would lose access they are counted on to have; `failures` are sentences for rules
    that do not hold, which keep the request from review. `facts` are values of the planner's declared facts, which
    every item has; `item_facts` are, by the items' order, values of facts that kinds declare and only a plan knows.
    `size` is what authority limits are compared with.
    """

    document: Mapping[str, JSON]
    material: Mapping[str, JSON]
    new_gaps: bool
    failures: tuple[str, ...] = ()
    facts: Mapping[str, JSON] = field(default_factory=dict)
    item_facts: Sequence[Mapping[str, JSON]] = ()
    size: Size = field(default_factory=Size)


class Planner(Protocol):
    """Tells what items would do, from the registry as it stands."""

    @property
    def facts(self) -> Sequence[FactType]:
        """The facts that a plan has of the whole change; policies compare them with every item."""

    def hold(self, *, items: Sequence[PreparedItem]) -> None:
        """
        Wait for whoever applies something that adds up with these items, until the transaction ends.

        Called first at application, so that of two changes that add up the second sees the first.
        """
        ...

    def plan(self, *, items: Sequence[PreparedItem], now: datetime) -> Plan:
        """Plan the items together; write nothing."""
        ...

    def moved(self, *, reviewed: Mapping[str, JSON], fresh: Mapping[str, JSON]) -> tuple[str, ...]:
        """Sentences for what became worse between two plans' `material`: a new gap, an added loser, a higher cost."""
        ...

    def worse_than_before(
        self, *, undone: Sequence[Undone], items: Sequence[PreparedItem], now: datetime
    ) -> tuple[str, ...]:
        """Sentences for what inverse `items` would leave worse than if the items undone had never been applied."""
        ...


class Access(Protocol):
    """Answers who may see what."""

    def visible(self, *, scopes: "models.QuerySet[Any]", user: User) -> "models.QuerySet[Any]":
        """The item scopes that the user may see, as one subquery."""
        ...

    def may_see(self, *, scope: Scope, user: User) -> bool:
        """Whether the user may see every account and product of a scope."""
        ...

    def ancestors(self, *, account_ids: frozenset[uuid.UUID]) -> Mapping[uuid.UUID, frozenset[uuid.UUID]]:
        """Each of these accounts that exists, with every account above it."""
        ...

    def names(self, *, scope: Scope, user: User | None) -> Mapping[uuid.UUID, str]:
        """What people call a scope's accounts and products: those that exist and, if there is one, the user may see."""
        ...


@dataclass(frozen=True)
class FieldLine:
    """A field that an item changes, whole values in words; `old` is None for a new record."""

    field: str
    label: str
    old: str | None
    new: str
    unit: str


@dataclass(frozen=True)
class Moved:
    """A record that changed since it was planned on: its row then, as proposed, and now (None: it is gone)."""

    kind: str
    label: str
    base: Mapping[str, JSON]
    proposed: Mapping[str, JSON]
    current: Mapping[str, JSON] | None


@dataclass(frozen=True)
class Occasion:
    """
    For whom and when a plan is shown.

    `role` is the one that the reader signs for, or has; empty: nobody in particular. What is not in the plan but live
    is as of `now`; it is left out unless `live`. Unless `named`, people who hold seats are told by id alone.
    """

    user: User
    now: datetime
    change_request_id: uuid.UUID | None = None
    role: str = ""
    moved: Sequence[Moved] = ()
    live: bool = True
    named: bool = True


class Presenter(Protocol):
    """Shows a plan to people: approvals includes its template and knows nothing of what it shows."""

    template_name: str

    def context(self, *, document: Mapping[str, JSON], occasion: Occasion) -> Mapping[str, Any]:
        """What the template needs for a plan's `document`; `contents` lists its sections' names and titles."""
        ...

    def sections(self, *, document: Mapping[str, JSON], occasion: Occasion) -> Sequence[Section]:
        """The same as sections of blocks, in an order that does not depend on the reader's role: to be printed."""
        ...

    def lines(self, *, document: Mapping[str, JSON]) -> Mapping[int, Sequence[FieldLine]]:
        """What each item changes, by its position, as far as the plan's `document` says it in words."""
        ...


_KINDS: dict[str, Kind] = {}
_PRESENTERS: list[Presenter] = []
_PLANNERS: list[Planner] = []
_ACCESSES: list[Access] = []
_DISCARDED: list["Discarded"] = []
_RISKS: list[RiskRule] = []
_APPLIED: list[Callable[[uuid.UUID], Undone | None]] = []


class Discarded(Protocol):
    """Told when a request ends without being applied, so that what was staged for it can go."""

    def __call__(self, *, items: Sequence[PreparedItem], now: datetime) -> None:
        """Remove what was staged for these items."""
        ...


def register_kinds(kinds: Iterable[Kind]) -> None:
    """
    Make kinds known.

    :raises ValueError: if a name is taken by another kind
    """
    for kind in kinds:
        if _KINDS.get(kind.name, kind) is not kind:
            raise ValueError(f"The kind {kind.name} is registered already.")
        _KINDS[kind.name] = kind


def kind(name: str) -> Kind:
    """
    The registered kind of this name.

    :raises UnknownKind: if no app registered it
    """
    try:
        return _KINDS[name]
    except KeyError:
        raise UnknownKind(
            f"There is no kind of change “{name}”. Use one of: {', '.join(sorted(_KINDS))}.", kind=name
        ) from None


def kinds() -> Mapping[str, Kind]:
    """All registered kinds, by name."""
    return dict(_KINDS)


def register_planner(planner: Planner) -> None:
    """Name the planner of this installation; there is one."""
    _PLANNERS[:] = [planner]


def planner() -> Planner:
    """
    The registered planner.

    :raises LookupError: if no app registered one
    """
    if not _PLANNERS:
        raise LookupError("No planner is registered, so no change can be planned. Is the entitlements app installed?")
    return _PLANNERS[0]


def register_risks(rules: Iterable[RiskRule]) -> None:
    """Have rules weigh every change."""
    _RISKS.extend(rule for rule in rules if rule not in _RISKS)


def risks() -> Sequence[RiskRule]:
    """What makes changes risky, as every app says."""
    return tuple(_RISKS)


def register_presenter(presenter: Presenter) -> None:
    """Name who shows plans; there is one."""
    _PRESENTERS[:] = [presenter]


def presenter() -> Presenter:
    """
    The registered presenter.

    :raises LookupError: if no app registered one
    """
    if not _PRESENTERS:
        raise LookupError("No presenter is registered, so no plan can be shown. Is the entitlements app installed?")
    return _PRESENTERS[0]


def register_access(access: Access) -> None:
    """Name who answers for accounts and products; there is one."""
    _ACCESSES[:] = [access]


def access() -> Access:
    """
    The registered access.

    :raises LookupError: if no app registered one: unknown means refuse
    """
    if not _ACCESSES:
        raise LookupError("No access is registered, so nobody may see anything. Is the entitlements app installed?")
    return _ACCESSES[0]


def register_discarded(discarded: Discarded) -> None:
    """Name who is told of requests that end without being applied."""
    if discarded not in _DISCARDED:
        _DISCARDED.append(discarded)


def discard(*, items: Sequence[PreparedItem], now: datetime) -> None:
    """Tell everybody registered that these items will not be applied."""
    for discarded in _DISCARDED:
        discarded(items=items, now=now)


def register_applied(reader: Callable[[uuid.UUID], Undone | None]) -> None:
    """Name who finds applied items by their id; there is one."""
    _APPLIED[:] = [reader]


def applied_item(item_id: uuid.UUID) -> Undone:
    """
    An applied item.

    :raises InvalidInput: if no applied change has such an item
    """
    found = _APPLIED[0](item_id) if _APPLIED else None
    if found is None:
        raise InvalidInput(f"No applied change has an item {item_id}, so there is nothing to restore.")
    return found


def declared_facts() -> Mapping[str, Mapping[str, FactType]]:
    """The facts that items of each registered kind have, by the kind's name and the fact's: its own, and the plan's."""
    whole = _PLANNERS[0].facts if _PLANNERS else ()
    return {kind.name: {fact.name: fact for fact in (RISK_FACT, *whole, *kind.facts)} for kind in _KINDS.values()}


def governed_models() -> frozenset[type[models.Model]]:
    """Every model that a registered kind changes."""
    return frozenset(kind.model for kind in _KINDS.values())
