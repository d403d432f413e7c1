"""How policies change: by the policy in force."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from approvals.governed import Kind, Preparation
from approvals.policies.models import Policy
from approvals.policies.rules import OPERATORS
from approvals.records.kinds import AmendKind, CreateKind, RetireKind
from approvals.records.payloads import Name, Payload, RetirePayload, Text, partial
from approvals.roles import ROLE_NAMES
from foundation.errors import InvalidInput


class Condition(Payload):
    """One comparison of a declared fact with a value."""

    field: Name
    operator: Literal["is", "is_not", "in", "any_of", "none_of", "at_least", "more_than", "at_most", "less_than"]
    value: str | int | bool | list[str]


class StageRow(Payload):
    """One stage that a policy asks for."""

    position: Annotated[int, Field(ge=1, le=50)]
    role: Name
    quorum: Annotated[int, Field(ge=1, le=20)]
    why: Text = ""


class PolicyPayload(Payload):
    """A policy: when it matches, and which stages it asks for."""

    name: Name
    description: Text = ""
    conditions: Annotated[list[Condition], Field(max_length=50)] = []
    stages: Annotated[list[StageRow], Field(min_length=1, max_length=20)]
    waiver_role: Text = ""


def _check(after: Mapping[str, Any]) -> None:
    roles = {stage["role"] for stage in after["stages"]} | ({after["waiver_role"]} - {""})
    unknown = sorted(roles - ROLE_NAMES)
    if unknown:
        raise InvalidInput(
            f"There is no role {', '.join(unknown)}. Use one of: {', '.join(sorted(ROLE_NAMES))}.", roles=unknown
        )
    wrong = [condition for condition in after["conditions"] if condition["operator"] not in OPERATORS]
    if wrong:
        raise InvalidInput("A condition names an operator that does not exist.", conditions=wrong)


class CreatePolicy(CreateKind):
    """Put a policy in force."""

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse roles that do not exist."""
        _check(after)


class AmendPolicy(AmendKind):
    """Change a policy."""

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse roles that do not exist."""
        _check(after)


KINDS: tuple[Kind, ...] = (
    CreatePolicy(name="policy.create", title="Add policy", model=Policy, payload=PolicyPayload),
    AmendPolicy(name="policy.amend", title="Amend policy", model=Policy, payload=partial(PolicyPayload)),
    RetireKind(name="policy.retire", title="Retire policy", model=Policy, payload=RetirePayload),
)
