"""How policies change: by the policy in force."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from approvals import governed
from approvals.governed import Application, Draft, Kind, Preparation, PreparedItem
from approvals.policies import conditions, eligibility, locking
from approvals.policies.models import Policy
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Name, Payload, RetirePayload, Text, partial
from approvals.records.undoing import RestoreKind
from foundation.errors import InvalidInput

Role = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
# The code of a ticket system, “any”, or nothing.
TicketCode = Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{1,39})?$")]


class Condition(Payload):
    """One comparison of a declared fact with a value."""

    field: Name
    operator: Literal["is", "is_not", "in", "any_of", "none_of", "at_least", "more_than", "at_most", "less_than"]
    value: str | int | bool | list[str]


class StageRow(Payload):
    """
    One stage that a policy asks for: of a role, of named people, or of named people who hold a role.

    People are named by login, or by their human's id, which is what is stored. `due_hours` is how long the stage may
    stay open before it is overdue; `backup_role` may then decide as well, once the stage is escalated.
    `within_limit` demands that whoever decides has an authority limit in force that covers the change.
    """

    position: Annotated[int, Field(ge=1, le=50)]
    role: Role = ""
    quorum: Annotated[int, Field(ge=1, le=20)]
    why: Text = ""
    people: Annotated[list[Name], Field(max_length=50)] = []
    backup_role: Role = ""
    due_hours: Annotated[int, Field(ge=1, le=8760)] | None = None
    within_limit: bool = False


class PolicyPayload(Payload):
    """A policy: when it matches, and which stages it asks for."""

    name: Name
    description: Text = ""
    conditions: Annotated[list[Condition], Field(max_length=50)] = []
    stages: Annotated[list[StageRow], Field(min_length=1, max_length=20)]
    waiver_role: Text = ""
    ticket: TicketCode = ""
    emergency_review_hours: Annotated[int, Field(ge=1, le=720)] | None = None


class _PolicyKind(RecordKind):
    """What both ways of writing a policy refuse, and that people are stored as humans, whatever they were called."""

    def prepare(self, *, draft: Draft, preparation: Preparation) -> PreparedItem:
        """Turn a draft into an item, with the people whom it names as humans: what is kept for ever has no names."""
        named = replace(draft, payload=_with_humans(draft.payload))
        # Which kind comes next in the order of resolution is what the two ways of writing differ in.
        item: PreparedItem = super().prepare(draft=named, preparation=preparation)  # type: ignore[misc]
        return item

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse what could not be evaluated, roles that do not decide, and stages that too few people could pass."""
        eligibility.check_roles_decide(roles=_roles(after))
        _check_stages(after["stages"])
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
        locking.lock_policies()
        super().write(items=items, application=application)


def _with_humans(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with people's ids instead of their logins; what does not have that form is left to validation."""
    stages = payload.get("stages")
    if not isinstance(stages, list):
        return dict(payload)
    return dict(payload) | {"stages": [_stage_with_humans(stage) for stage in stages]}


def _stage_with_humans(stage: Any) -> Any:
    people = stage.get("people") if isinstance(stage, Mapping) else None
    if not isinstance(people, list) or not all(isinstance(name, str) for name in people):
        return stage
    return dict(stage) | {"people": eligibility.humans_named(people)}


def _roles(policy: Mapping[str, Any]) -> set[str]:
    """Every role that decides by a policy."""
    stages = policy["stages"]
    asked = {stage["role"] for stage in stages} | {stage.get("backup_role") or "" for stage in stages}
    return (asked | {policy["waiver_role"]}) - {""}


def _check_stages(stages: Sequence[Mapping[str, Any]]) -> None:
    """
    Refuse stages that ask nobody, or whose backup would never be asked.

    :raises InvalidInput: naming the stages
    """
    wrong = []
    for number, stage in enumerate(stages, start=1):
        if not stage["role"] and not stage.get("people"):
            wrong.append(f"Stage {number} asks nobody: say a role, name people, or both.")
        if stage.get("backup_role") and not stage.get("due_hours"):
            wrong.append(f"Stage {number} has a backup, so say after how many hours it is overdue.")
    if wrong:
        raise InvalidInput(" ".join(wrong), errors=[{"field": "stages", "message": sentence} for sentence in wrong])


class CreatePolicy(_PolicyKind, CreateKind):
    """Put a policy in force."""


class AmendPolicy(_PolicyKind, AmendKind):
    """Change a policy."""


class RestorePolicy(_PolicyKind, RestoreKind):
    """Restore a policy."""


class RetirePolicy(RetireKind):
    """Take a policy out of force."""

    def write(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Retire the policies, when nothing is applied under them."""
        locking.lock_policies()
        super().write(items=items, application=application)


KINDS: tuple[Kind, ...] = (
    CreatePolicy(name="policy.create", title="Add policy", model=Policy, payload=PolicyPayload),
    AmendPolicy(name="policy.amend", title="Amend policy", model=Policy, payload=partial(PolicyPayload)),
    RetirePolicy(name="policy.retire", title="Retire policy", model=Policy, payload=RetirePayload),
    RestorePolicy(model=Policy),
)
