"""From drafts to a revision: items, plan, policy snapshot, canonical bytes, digest."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from approvals import governed
from approvals.facts import RISK
from approvals.governed import Draft, Operation, Plan, Preparation, PreparedItem, Scope
from approvals.policies.conditions import Facts
from approvals.policies.models import Policy
from approvals.policies.risk import Raised, Risk, assess
from approvals.policies.rules import (
    PolicyRow,
    StageRequirement,
    TicketDemand,
    read_stage,
    stages_for,
    tickets_for,
)
from approvals.requests.errors import DigestMismatch
from approvals.requests.models import ChangeRequest, Item, ItemScope, Revision, Stage
from approvals.requests.schedules import Schedule
from approvals.requests.standing import with_demands
from approvals.standards.rules import Citation
from foundation.canonical import canonical_bytes, digest, jsonable
from foundation.errors import InvalidInput
from foundation.identity.models import User

JSON = Any
MAXIMUM_ITEMS = 10_000


@dataclass(frozen=True)
class Rationale:
    """Why, what for whom, how to tell, how to undo. A draft may leave them open; review demands them."""

    justification: str = ""
    impact: str = ""
    acceptance_criteria: tuple[str, ...] = ()
    rollback: str = ""


@dataclass(frozen=True)
class Waiver:
    """Declares the plan's new gaps as accepted: why, and who bears the risk. The plan lists gaps and people."""

    reason: str
    risk_owner: str


@dataclass(frozen=True)
class Planned:
    """A revision that is not stored yet."""

    items: tuple[PreparedItem, ...]
    plan: Plan
    stages: tuple[StageRequirement, ...]
    risk: Risk | None = None
    rationale: Rationale = field(default_factory=Rationale)
    waiver: Waiver | None = None
    schedule: Schedule | None = None
    demands: tuple[TicketDemand, ...] = ()
    standard: Citation | None = None


@dataclass(frozen=True)
class Weighed:
    """What a plan comes to: its risk, and the stages and tickets that it needs."""

    risk: Risk
    stages: tuple[StageRequirement, ...]
    demands: tuple[TicketDemand, ...]


def _sees_everything(_scope: Scope) -> bool:
    return True


def prepare(
    *,
    drafts: Sequence[Draft],
    author: User | None,
    now: datetime,
    sees: Callable[[Scope], bool] = _sees_everything,
) -> tuple[PreparedItem, ...]:
    """
    Turn drafts into items, in their order; later drafts may refer to records that earlier ones create.

    A target that `sees` refuses is answered like one that does not exist.

    :raises InvalidInput: if a draft does not say what it must, or two touch the same record
    :raises approvals.governed.UnknownKind: if no app registered a kind
    """
    if not drafts:
        raise InvalidInput("The request has no items. Say what should change.")
    if len(drafts) > MAXIMUM_ITEMS:
        raise InvalidInput(f"The request has {len(drafts)} items; {MAXIMUM_ITEMS} is the most. Split it.")
    pending: dict[tuple[str, uuid.UUID], Mapping[str, JSON]] = {}
    effects: list[Mapping[str, JSON]] = []
    preparation = Preparation(now=now, author=author, pending=pending, effects=effects, sees=sees)
    items = []
    for position, draft in enumerate(drafts):
        try:
            item = governed.kind(draft.kind).prepare(draft=draft, preparation=preparation)
        except InvalidInput as error:
            error.context = dict(error.context) | {"item": position, "kind": draft.kind}
            raise
        key = (item.table, item.record_id)
        if key in pending:
            raise InvalidInput(f"Two items of this request touch {item.label}. Say it in one.", item=position)
        if item.after is not None:
            pending[key] = item.after
        effects.append(item.effects)
        items.append(item)
    return tuple(items)


def plan(
    *, drafts: Sequence[Draft], author: User | None, now: datetime, rationale: Rationale, waiver: Waiver | None
) -> Planned:
    """
    Plan drafts without writing anything.

    :raises InvalidInput: if a draft does not say what it must
    """
    items = prepare(drafts=drafts, author=author, now=now)
    return plan_items(items=items, now=now, rationale=rationale, waiver=waiver)


def plan_items(
    *,
    items: tuple[PreparedItem, ...],
    now: datetime,
    rationale: Rationale,
    waiver: Waiver | None,
    schedule: Schedule | None = None,
    raised: Raised | None = None,
    standard: Citation | None = None,
) -> Planned:
    """Plan prepared items without writing anything; `raised` is the risk as the author says."""
    planned = with_lasting(governed.planner().plan(items=items, now=now), items)
    found = weighed(items=items, plan=planned, raised=raised)
    return Planned(
        items=items,
        plan=planned,
        stages=found.stages,
        risk=found.risk,
        rationale=rationale,
        waiver=waiver,
        schedule=schedule,
        demands=found.demands,
        standard=standard,
    )


def with_lasting(planned: Plan, items: Sequence[PreparedItem]) -> Plan:
    """The plan with what of each record could not be taken back: whoever approves it approves its inverse too."""
    lasting = [sentence for item in items for sentence in governed.kind(item.kind).lasting(item=item)]
    told = dict.fromkeys([*planned.document.get("permanent", ()), *lasting])
    return replace(planned, document=dict(planned.document) | {"permanent": list(told)})


def facts_of(*, items: Sequence[PreparedItem], plan: Plan) -> list[Facts]:
    """Each item's facts: what its kind said, and what only the plan knows."""
    own = plan.item_facts or [{}] * len(items)
    return [{**plan.facts, **item.facts, **added} for item, added in zip(items, own, strict=True)]


def risky_facts(
    *, items: Sequence[PreparedItem], plan: Plan, raised: Raised | None
) -> tuple[list[dict[str, JSON]], Risk]:
    """Each item's facts with the risk of the whole, which is a fact of each: what conditions are compared with."""
    facts = facts_of(items=items, plan=plan)
    risk = assess(rules=governed.risks(), facts=facts, declared=governed.declared_facts(), raised=raised)
    return [{**one, RISK: risk.level} for one in facts], risk


def weighed(*, items: Sequence[PreparedItem], plan: Plan, raised: Raised | None) -> Weighed:
    """The risk of planned items, and what policies in force and standing rules ask for; policies see the risk."""
    declared, policies = governed.declared_facts(), _in_force()
    facts, risk = risky_facts(items=items, plan=plan, raised=raised)
    stages = stages_for(policies=policies, facts=facts, needs_waiver=plan.new_gaps, declared=declared)
    return Weighed(
        risk=risk,
        stages=with_demands(stages, items=items),
        demands=tickets_for(policies=policies, facts=facts, declared=declared),
    )


def _in_force() -> list[PolicyRow]:
    return [
        PolicyRow(policy.name, policy.conditions, policy.stages, policy.waiver_role, policy.ticket)
        for policy in Policy.objects.in_force()
    ]


def document_of(planned: Planned, *, change_request: ChangeRequest, number: int) -> dict[str, JSON]:
    """The revision as JSON values: exactly what the digest covers, so that no two revisions share one."""
    document: dict[str, JSON] = jsonable(
        {
            "format": "tenure/revision/1",
            "change_request": {"id": change_request.id, "number": change_request.number},
            "revision": number,
            "title": change_request.title,
            "items": [_item_document(item) for item in planned.items],
            "rationale": asdict(planned.rationale),
            "schedule": asdict(planned.schedule) if planned.schedule else None,
            "waiver": asdict(planned.waiver) if planned.waiver else None,
            "standard": asdict(planned.standard) if planned.standard else None,
            "plan": {
                "document": planned.plan.document,
                "material": planned.plan.material,
                "new_gaps": planned.plan.new_gaps,
                "failures": planned.plan.failures,
                "facts": planned.plan.facts,
                "item_facts": planned.plan.item_facts,
                "size": asdict(planned.plan.size),
            },
            "risk": planned.risk.as_document() if planned.risk else None,
            "policy": [asdict(stage) for stage in planned.stages],
            "demands": [asdict(demand) for demand in planned.demands],
        }
    )
    return document


def store(*, change_request: ChangeRequest, planned: Planned, author: User | None, now: datetime) -> Revision:
    """Write the next revision of a request with its items and stages, and make it current."""
    latest = change_request.revisions.order_by("-number").first()
    number = latest.number + 1 if latest else 1
    document = document_of(planned, change_request=change_request, number=number)
    content = canonical_bytes(document)
    revision = Revision.objects.create(
        change_request=change_request,
        number=number,
        author=author,
        author_human_id=author.human_id if author else None,
        created_at=now,
        content=content,
        digest=digest(content),
        document=document,
    )
    _store_items(revision, document["items"], planned.items)
    Stage.objects.bulk_create(
        Stage(
            revision=revision,
            position=stage.position,
            role=stage.role,
            quorum=stage.quorum,
            reasons=list(stage.reasons),
            people=list(stage.people),
            backup_role=stage.backup_role,
            due_hours=stage.due_hours,
            within_limit=stage.within_limit,
        )
        for stage in planned.stages
    )
    change_request.current_revision = revision
    return revision


def check_untouched(*, revision: Revision) -> None:
    """
    Refuse a revision whose bytes, digest, document, items or stages disagree.

    :raises DigestMismatch: if they do

    Source: docs/invariants.md INV-2
    """
    content = bytes(revision.content)
    stored = [_item_document(item) for item in items_of(revision)]
    stages = list(revision.stages.order_by("position").values(*(field.name for field in fields(StageRequirement))))
    if (
        digest(content) != revision.digest
        or canonical_bytes(revision.document) != content
        or jsonable(stored) != revision.document["items"]
        or jsonable(stages) != jsonable([asdict(stage) for stage in stages_of(revision)])
    ):
        raise DigestMismatch(
            f"Revision {revision.number} is not what its digest says. Do not apply it; tell your auditor.",
            revision_id=str(revision.id),
        )


def items_of(revision: Revision) -> tuple[PreparedItem, ...]:
    """The stored items as values, in their order."""
    scopes: dict[uuid.UUID, tuple[set[uuid.UUID], set[uuid.UUID]]] = {}
    for scope in ItemScope.objects.filter(item__revision=revision):
        accounts, products = scopes.setdefault(scope.item_id, (set(), set()))
        if scope.account_id:
            accounts.add(scope.account_id)
        if scope.product_id:
            products.add(scope.product_id)
    return tuple(
        PreparedItem(
            kind=item.kind,
            table=item.table_name,
            record_id=item.record_id,
            operation=Operation(item.operation),
            base_version=item.base_version,
            before=item.before,
            after=item.after,
            label=item.label,
            payload=item.payload,
            effects=item.effects,
            facts=item.facts,
            scope=Scope(*map(frozenset, scopes.get(item.id, (set(), set())))),
        )
        for item in revision.items.order_by("position")
    )


def items_ever_of(change_request: ChangeRequest) -> tuple[PreparedItem, ...]:
    """The items of every revision: what was staged for an earlier one is staged still."""
    return tuple(item for revision in change_request.revisions.order_by("number") for item in items_of(revision))


def rationale_of(document: Mapping[str, JSON]) -> Rationale:
    """The rationale of a stored revision."""
    stored = document["rationale"]
    return Rationale(
        justification=stored["justification"],
        impact=stored["impact"],
        acceptance_criteria=tuple(stored["acceptance_criteria"]),
        rollback=stored["rollback"],
    )


def drafts_of(items: Sequence[PreparedItem]) -> list[Draft]:
    """What was asked for, so that it can be planned again."""
    return [Draft(kind=item.kind, payload=item.payload, target_id=item.record_id) for item in items]


def stages_of(revision: Revision) -> tuple[StageRequirement, ...]:
    """The chain that the revision's digest covers."""
    return tuple(read_stage(stage, reasons=tuple(stage["reasons"])) for stage in revision.document["policy"])


def demands_of(revision: Revision) -> tuple[TicketDemand, ...]:
    """The tickets demanded that the revision's digest covers; revisions from before there were tickets demand none."""
    return tuple(
        TicketDemand(demand["system"], tuple(demand["reasons"])) for demand in revision.document.get("demands", [])
    )


def _item_document(item: PreparedItem) -> dict[str, JSON]:
    return {
        "kind": item.kind,
        "table": item.table,
        "record_id": item.record_id,
        "operation": item.operation,
        "base_version": item.base_version,
        "before": item.before,
        "after": item.after,
        "label": item.label,
        "payload": item.payload,
        "effects": item.effects,
        "facts": item.facts,
        "accounts": sorted(str(account_id) for account_id in item.scope.account_ids),
        "products": sorted(str(product_id) for product_id in item.scope.product_ids),
    }


def _store_items(revision: Revision, documents: Sequence[Mapping[str, JSON]], items: Sequence[PreparedItem]) -> None:
    rows = [
        Item(
            revision=revision,
            position=position,
            kind=document["kind"],
            table_name=document["table"],
            record_id=item.record_id,
            operation=document["operation"],
            base_version=document["base_version"],
            label=document["label"],
            before=document["before"],
            after=document["after"],
            payload=document["payload"],
            effects=document["effects"],
            facts=document["facts"],
        )
        for position, (document, item) in enumerate(zip(documents, items, strict=True))
    ]
    Item.objects.bulk_create(rows, batch_size=500)
    ItemScope.objects.bulk_create(
        [
            scope
            for row, item in zip(rows, items, strict=True)
            for scope in (
                *(ItemScope(item=row, account_id=account_id) for account_id in sorted(item.scope.account_ids)),
                *(ItemScope(item=row, product_id=product_id) for product_id in sorted(item.scope.product_ids)),
            )
        ],
        batch_size=2_000,
    )
