"""
Standard changes: whether a request is inside the pre-approved template that it cites.

Asked when it is planned, when it is sent to review, and again when it is applied, then under a lock on the template:
whoever retires or amends it at the same moment comes before or after the whole application.

Source: docs/authorizations.md
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from approvals import governed
from approvals.governed import Plan, PreparedItem, Size
from approvals.policies.conditions import Facts
from approvals.policies.risk import Raised, raised_of
from approvals.requests.errors import NotStandard, StandardLimitReached, StandardLost
from approvals.requests.models import Authorization, Item, Revision
from approvals.requests.revisions import Planned, Rationale, risky_facts
from approvals.requests.schedules import utc_text
from approvals.requests.standing import demands_on
from approvals.standards import rules
from approvals.standards.models import StandardTemplate
from approvals.standards.rules import Citation, TemplateRow
from foundation.errors import InvalidInput
from foundation.identity.models import User

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
ORDINARY = "To have it approved by its stages, edit it and drop the template."


@dataclass(frozen=True)
class Coverage:
    """A template in force, and what keeps items out of it; nothing: it covers them."""

    template: StandardTemplate
    unmet: tuple[str, ...]

    @property
    def covers(self) -> bool:
        """Whether every item is inside the bounds."""
        return not self.unmet


def of(document: Mapping[str, Any]) -> Citation | None:
    """The template that a stored revision cites; None: the ordinary stages are asked."""
    stored = document.get("standard")
    if stored is None:
        return None
    return Citation(uuid.UUID(stored["template_id"]), stored["name"], stored["version"])


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The plan of a stored revision."""
    stored = document["plan"]
    return Plan(
        document=stored["document"],
        material=stored["material"],
        new_gaps=stored["new_gaps"],
        failures=tuple(stored["failures"]),
        facts=stored.get("facts") or {},
        item_facts=stored.get("item_facts") or (),
        size=Size.read(stored.get("size")),
    )


def cite(*, template_id: uuid.UUID, now: datetime) -> tuple[StandardTemplate, Citation]:
    """
    A template with its version of now.

    :raises InvalidInput: if there is none, or it is no longer in force
    """
    template = StandardTemplate.objects.filter(id=template_id).first()
    why = "There is no such standard template." if template is None else _why_not_in_force(template, now)
    if template is None or why:
        message = f"{why} Choose another one, or none."
        raise InvalidInput(message, errors=[{"field": "template_id", "message": message}])
    return template, Citation(template.id, template.name, template.version)


def kept(document: Mapping[str, Any], *, now: datetime) -> uuid.UUID | None:
    """The template that an edit of a revision goes on citing: its own, while it is in force."""
    citation = of(document)
    template = StandardTemplate.objects.filter(id=citation.template_id).first() if citation else None
    return template.id if template is not None and not _why_not_in_force(template, now) else None


def prefilled(rationale: Rationale, template: StandardTemplate) -> Rationale:
    """The rationale, with the template's words where it says nothing."""
    return replace(
        rationale,
        justification=rationale.justification or template.justification,
        impact=rationale.impact or template.impact,
        acceptance_criteria=rationale.acceptance_criteria or tuple(template.acceptance_criteria),
        rollback=rationale.rollback or template.rollback,
    )


def outlook(*, planned: Planned, author: User, now: datetime) -> tuple[Coverage, ...]:
    """Every template in force that pre-approves some of the kinds concerned, with what would keep this out of it."""
    kinds = {item.kind for item in planned.items}
    raised = planned.risk.raised if planned.risk else None
    change = _Change.of(planned.items, planned.plan, raised, waived=planned.waiver is not None, author=author)
    return tuple(
        Coverage(template, (*_outside(template, change), *_limits_reached(template, planned.items, now)))
        for template in StandardTemplate.objects.in_force().filter(expires_at__gt=now)
        if kinds & set(template.kinds)
    )


def check_covered(
    *, revision: Revision, items: Sequence[PreparedItem], submitter: User, now: datetime
) -> Citation | None:
    """
    Refuse review of a request outside the template that it cites; None if it cites none.

    :raises NotStandard: with each bound that is not kept, in words
    """
    citation = of(revision.document)
    if citation is None:
        return None
    template = StandardTemplate.objects.filter(id=citation.template_id).first()
    why = [_moved(template, citation, now)]
    if template is not None and not why[0]:
        why = [
            *_outside(template, _Change.of_revision(revision, items, plan_of(revision.document))),
            *_without_role(template, submitter),
            *_limits_reached(template, items, now),
        ]
    told = tuple(dict.fromkeys(sentence for sentence in why if sentence))
    if told:
        raise NotStandard(f"{' '.join(told)} {ORDINARY}", unmet=list(told))
    return citation


def authority(
    *, citation: Citation, revision: Revision, items: Sequence[PreparedItem], fresh: Plan, now: datetime
) -> dict[str, Any]:
    """
    What an authorization by a template cites, having checked everything again under a lock on the template.

    :raises StandardLost: if the template was amended or retired or has expired, or no longer covers the change
    :raises StandardLimitReached: if it was applied as often, or moved as much, as it allows

    Source: docs/invariants.md INV-2
    """
    template = StandardTemplate.objects.select_for_update().filter(id=citation.template_id).first()
    why: Iterable[str] = [_moved(template, citation, now)]
    if template is not None and not any(why):
        why = _outside(template, _Change.of_revision(revision, items, fresh))
    told = " ".join(sentence for sentence in why if sentence)
    if told or template is None:
        raise StandardLost(f"{told} The review is open again: its stages are asked.")
    reached = _limits_reached(template, items, now)
    if reached:
        raise StandardLimitReached(f"{' '.join(reached)} Apply it later. {ORDINARY}", unmet=list(reached))
    return {
        "basis": Authorization.Basis.STANDARD,
        "decisions": [],
        "template": template,
        "template_version": template.version,
    }


def _why_not_in_force(template: StandardTemplate, now: datetime) -> str:
    if template.retired_at is not None:
        return f"The standard template “{template.name}” is retired."
    if template.expires_at <= now:
        return f"The standard template “{template.name}” expired on {utc_text(template.expires_at)}."
    return ""


def _moved(template: StandardTemplate | None, citation: Citation, now: datetime) -> str:
    if template is None:
        return f"The standard template “{citation.name}” is gone."
    if template.version != citation.version and template.retired_at is None:
        return (
            f"The standard template “{template.name}” was amended since: this cites version {citation.version}, and "
            f"version {template.version} is in force."
        )
    return _why_not_in_force(template, now)


@dataclass(frozen=True)
class _Change:
    """What is compared with templates: the facts of the items, what no template covers, and who wrote it."""

    facts: Sequence[Facts]
    never: tuple[str, ...]
    author: User | None

    @classmethod
    def of(
        cls, items: Sequence[PreparedItem], plan: Plan, raised: Raised | None, *, waived: bool, author: User | None
    ) -> "_Change":
        """A planned change; the risk is a fact of each item."""
        facts, _risk = risky_facts(items=items, plan=plan, raised=raised)
        never = ["The plan opens a gap, which no template covers."] if plan.new_gaps else []
        never += ["It has a waiver, which no template covers."] if waived else []
        never += [f"A rule does not hold: {failure}." for failure in plan.failures]
        never += [f"{demand.role} must approve it, because {demand.why}." for demand in demands_on(items)]
        return cls(facts, tuple(never), author)

    @classmethod
    def of_revision(cls, revision: Revision, items: Sequence[PreparedItem], plan: Plan) -> "_Change":
        """A revision's change, with its own plan or a fresh one."""
        waived = revision.document["waiver"] is not None
        return cls.of(items, plan, raised_of(revision.document), waived=waived, author=revision.author)


def _outside(template: StandardTemplate, change: _Change) -> tuple[str, ...]:
    row = TemplateRow(template.name, template.kinds, template.conditions)
    found = rules.unmet(template=row, facts=change.facts, declared=governed.declared_facts())
    return (*found, *change.never, *_without_role(template, change.author))


def _without_role(template: StandardTemplate, user: User | None) -> tuple[str, ...]:
    held = user is not None and user.is_active and user.groups.filter(name__in=template.proposer_roles).exists()
    if held:
        return ()
    return (f"The template is for {', '.join(template.proposer_roles)}, and {user or 'the system'} is none of them.",)


def _limits_reached(template: StandardTemplate, items: Sequence[PreparedItem], now: datetime) -> tuple[str, ...]:
    applied = Authorization.objects.filter(template=template)
    found = []
    for limit, span, words in (
        (template.daily_limit, DAY, "24 hours"),
        (template.monthly_limit, MONTH, "30 days"),
    ):
        if limit is not None and applied.filter(created_at__gt=now - span).count() >= limit:
            found.append(f"The template was applied {limit} times in the last {words}, which is the most.")
    if template.accumulations:
        accounts = frozenset().union(*(item.scope.account_ids for item in items))
        recent = applied.filter(created_at__gt=now - MONTH).values("revision_id")
        moved = Item.objects.filter(revision__in=recent, scopes__account_id__in=accounts).distinct()
        # With their ids: two items that moved the same are two.
        earlier = [facts for _id, facts in moved.values_list("id", "facts")]
        for row in template.accumulations:
            found += rules.beyond(
                fact=row["fact"],
                at_most=row["at_most"],
                items=[item.facts for item in items],
                earlier=earlier,
                declared=governed.declared_facts(),
            )
    return tuple(found)
