"""How authority limits change: by change requests, under the policy in force."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from approvals.authority.models import AuthorityLimit
from approvals.governed import Draft, Kind, Preparation, PreparedItem
from approvals.policies import eligibility
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Currency, Name, Payload, RetirePayload, partial
from approvals.records.undoing import RestoreKind

Seats = Annotated[int, Field(ge=0, le=1_000_000_000)]
Money = Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=2)]


class LimitPayload(Payload):
    """
    Up to what somebody decides in a role: seats added, money committed, or both.

    The person is named by login, or by their human's id, which is what is stored.
    """

    person: Name
    role: Name
    seats: Seats | None = None
    money: Money | None = None
    currency: Currency | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None


class _LimitKind(RecordKind):
    """What both ways of writing a limit share: a human instead of a login, and a role that decides."""

    def prepare(self, *, draft: Draft, preparation: Preparation) -> PreparedItem:
        """Turn a draft into an item, with the person as a human: what is kept for ever has no names."""
        named = replace(draft, payload=_with_human(draft.payload))
        # Which kind comes next in the order of resolution is what the two ways of writing differ in.
        item: PreparedItem = super().prepare(draft=named, preparation=preparation)  # type: ignore[misc]
        return item

    def label(self, row: Mapping[str, Any], preparation: Preparation) -> str:
        """Whose authority it is not said: the label is kept for ever."""
        return f"authority limit as {row['role']}"

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse roles that do not decide."""
        eligibility.check_roles_decide(roles={after["role"]})


class CreateLimit(_LimitKind, CreateKind):
    """Set a limit."""

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The row's values."""
        return _columns(payload.model_dump())


class AmendLimit(_LimitKind, AmendKind):
    """Change a limit; whose it is stays."""

    def values(self, *, before: Mapping[str, Any], payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The values that change."""
        return _columns(payload.model_dump(include=payload.model_fields_set))


class RestoreLimit(_LimitKind, RestoreKind):
    """Restore a limit."""


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    if "person" in values:
        values["human"] = values.pop("person")
    if "currency" in values:
        values["currency"] = values["currency"] or ""
    return values


def _with_human(payload: Mapping[str, Any]) -> dict[str, Any]:
    person = payload.get("person")
    if not isinstance(person, str) or not person.strip():
        return dict(payload)
    [human] = eligibility.humans_named([person])
    return dict(payload) | {"person": human}


KINDS: tuple[Kind, ...] = (
    CreateLimit(name="authority_limit.create", title="Set authority limit", model=AuthorityLimit, payload=LimitPayload),
    AmendLimit(
        name="authority_limit.amend",
        title="Change authority limit",
        model=AuthorityLimit,
        payload=partial(LimitPayload, without=("person", "role")),
    ),
    RetireKind(
        name="authority_limit.retire", title="Retire authority limit", model=AuthorityLimit, payload=RetirePayload
    ),
    RestoreLimit(model=AuthorityLimit, sort="authority_limit"),
)
