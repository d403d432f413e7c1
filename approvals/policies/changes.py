"""How policies change: by the policy in force."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from approvals import governed
from approvals.governed import Application, Kind, Preparation, PreparedItem
from approvals.policies import conditions, eligibility
from approvals.policies.models import Policy
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Name, Payload, RetirePayload, Text, partial
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


class _PolicyKind(RecordKind):
    """What both ways of writing a policy refuse."""

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse what could not be evaluated, roles that do not decide, and stages that too few people could pass."""
        roles = {stage["role"] for stage in after["stages"]} | ({after["waiver_role"]} - {""})
        eligibility.check_roles_decide(roles=roles)
        wrong = conditions.check(conditions=after["conditions"], declared=governed.declared_facts())
        if wrong:
            raise InvalidInput(
                " ".join(wrong), errors=[{"field": "conditions", "message": sentence} for sentence in wrong]
            )
        # First data come before the people who will hold its roles.
        if preparation.author is not None:
            eligibility.check_enough(stages=after["stages"], waiver_role=after["waiver_role"])

    def write(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Write the policies, if there are still enough people for what they ask."""
        if application.actor is not None:
            for item in items:
                after = item.after or {}
                eligibility.check_enough(stages=after["stages"], waiver_role=after["waiver_role"])
        super().write(items=items, application=application)


class CreatePolicy(_PolicyKind, CreateKind):
    """Put a policy in force."""


class AmendPolicy(_PolicyKind, AmendKind):
    """Change a policy."""


KINDS: tuple[Kind, ...] = (
    CreatePolicy(name="policy.create", title="Add policy", model=Policy, payload=PolicyPayload),
    AmendPolicy(name="policy.amend", title="Amend policy", model=Policy, payload=partial(PolicyPayload)),
    RetireKind(name="policy.retire", title="Retire policy", model=Policy, payload=RetirePayload),
)
