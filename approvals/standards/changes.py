"""How templates change: by the policies in force, like everything that is governed."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from approvals import governed, roles
from approvals.governed import Kind, Preparation
from approvals.policies import conditions
from approvals.policies.changes import Condition
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Name, Payload, RetirePayload, Text, partial
from approvals.records.rows import parse_instant
from approvals.records.undoing import RestoreKind
from approvals.standards import rules
from approvals.standards.models import StandardTemplate
from foundation.errors import InvalidInput

Limit = Annotated[int, Field(ge=1, le=100_000)] | None
# What decides who may do what is never pre-approved: a template could otherwise widen itself.
OWN_APP = "approvals"


class Accumulation(Payload):
    """How much of a fact may be moved for one account in 30 days."""

    fact: Name
    at_most: Annotated[int, Field(ge=1, le=1_000_000_000)]


class StandardTemplatePayload(Payload):
    """A pre-approved change: its kinds, bounds that every item keeps, who may use it, how often, and until when."""

    name: Name
    description: Text = ""
    kinds: Annotated[list[Name], Field(min_length=1, max_length=20)]
    conditions: Annotated[list[Condition], Field(min_length=1, max_length=50)]
    proposer_roles: Annotated[list[Name], Field(min_length=1, max_length=20)]
    daily_limit: Limit = None
    monthly_limit: Limit = None
    accumulations: Annotated[list[Accumulation], Field(max_length=10)] = []
    expires_at: AwareDatetime
    justification: Text = ""
    impact: Text = ""
    acceptance_criteria: Annotated[list[Name], Field(max_length=50)] = []
    rollback: Text = ""


class _TemplateKind(RecordKind):
    """What both ways of writing a template refuse."""

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse bounds that nothing could keep, kinds that are never standard, and roles that do not propose."""
        declared = governed.declared_facts()
        _check_kinds(after["kinds"])
        _refuse("conditions", conditions.check(conditions=after["conditions"], declared=declared))
        _refuse(
            "conditions",
            rules.misfits(
                kinds=after["kinds"],
                conditions=after["conditions"],
                facts=[row["fact"] for row in after["accumulations"]],
                declared=declared,
            ),
        )
        proposing = {role.name for role in roles.ROLES if roles.PROPOSE in role.permissions}
        wrong = sorted(set(after["proposer_roles"]) - proposing)
        _refuse("proposer_roles", [f"The role {role} does not propose." for role in wrong])
        if parse_instant(after["expires_at"]) <= preparation.now:
            _refuse("expires_at", ["A template expires later than now. Say until when it is to be used."])


class CreateTemplate(_TemplateKind, CreateKind):
    """Put a template in force."""


class AmendTemplate(_TemplateKind, AmendKind):
    """Change a template: a new version, which requests that cite the former one do not have."""


class RestoreTemplate(_TemplateKind, RestoreKind):
    """Restore a template: a new version, whatever its bounds were before."""


def _check_kinds(names: Iterable[str]) -> None:
    for name in names:
        if governed.kind(name).model._meta.app_label == OWN_APP:
            _refuse(
                "kinds", [f"Changes of the kind {name} decide who approves what, so they are never standard changes."]
            )


def _refuse(field: str, sentences: Iterable[str]) -> None:
    told = list(sentences)
    if told:
        raise InvalidInput(" ".join(told), errors=[{"field": field, "message": sentence} for sentence in told])


KINDS: tuple[Kind, ...] = (
    CreateTemplate(
        name="standard_template.create",
        title="Add standard template",
        model=StandardTemplate,
        payload=StandardTemplatePayload,
    ),
    AmendTemplate(
        name="standard_template.amend",
        title="Amend standard template",
        model=StandardTemplate,
        payload=partial(StandardTemplatePayload),
    ),
    RetireKind(
        name="standard_template.retire",
        title="Retire standard template",
        model=StandardTemplate,
        payload=RetirePayload,
    ),
    RestoreTemplate(model=StandardTemplate, sort="standard_template"),
)
