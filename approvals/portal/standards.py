"""Standard templates as people read them: all of them, and those that a draft could cite."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals import governed
from approvals.policies.risk import raised_of
from approvals.requests import revisions, rules, standard
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Planned, Waiver
from approvals.requests.services import current
from approvals.requests.standard import Coverage
from approvals.requests.states import Action
from approvals.roles import VIEW_REQUESTS
from approvals.standards.models import StandardTemplate
from approvals.standards.rules import Citation, in_words
from foundation.errors import NotPermitted
from foundation.identity.models import User


@dataclass(frozen=True)
class ShownTemplate:
    """A template in words."""

    template: StandardTemplate
    kinds: Sequence[str]
    bounds: Sequence[str]
    limits: Sequence[str]
    yours: bool
    expired: bool


@dataclass(frozen=True)
class Panel:
    """What a request has to do with templates: the one that it cites, and those that its draft could."""

    citation: Citation | None
    coverages: Sequence[Coverage]

    @property
    def cited(self) -> Coverage | None:
        """What keeps the draft out of the template that it cites, as it is now."""
        found = [one for one in self.coverages if self.citation and one.template.id == self.citation.template_id]
        return found[0] if found else None


def templates(*, user: User, now: datetime) -> list[ShownTemplate]:
    """
    All templates that are not retired.

    :raises NotPermitted: if the user may not read change requests
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read standard templates. Ask an administrator for a role.")
    held = set(user.groups.values_list("name", flat=True))
    declared, kinds = governed.declared_facts(), governed.kinds()
    return [
        ShownTemplate(
            template=row,
            kinds=[kinds[name].title if name in kinds else name for name in row.kinds],
            bounds=in_words(conditions=row.conditions, declared=declared),
            limits=list(_limits(row)),
            yours=bool(held & set(row.proposer_roles)),
            expired=row.expires_at <= now,
        )
        for row in StandardTemplate.objects.in_force()
    ]


def of_request(*, change_request: ChangeRequest, user: User, now: datetime) -> Panel:
    """What a request has to do with templates, for one reader; choices only where it can be edited as a draft."""
    revision = current(change_request)
    citation = standard.of(revision.document)
    if not rules.allows(change_request=change_request, action=Action.SUBMIT):
        return Panel(citation, ())
    waiver, risk = revision.document["waiver"], revision.document.get("risk")
    items, plan = revisions.items_of(revision), standard.plan_of(revision.document)
    planned = Planned(
        items=items,
        plan=plan,
        stages=(),
        risk=revisions.risky_facts(items=items, plan=plan, raised=raised_of(revision.document))[1] if risk else None,
        waiver=Waiver(**waiver) if waiver else None,
    )
    return Panel(citation, standard.outlook(planned=planned, author=user, now=now))


def _limits(template: StandardTemplate) -> Iterator[str]:
    if template.daily_limit is not None:
        yield f"Applied at most {template.daily_limit} times in 24 hours"
    if template.monthly_limit is not None:
        yield f"Applied at most {template.monthly_limit} times in 30 days"
    for row in template.accumulations:
        yield f"{row['fact'].replace('_', ' ').capitalize()} of one account: at most {row['at_most']} in 30 days"
