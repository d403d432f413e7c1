"""
Closed accounting periods, and what reaches back: a backdated change needs finance and legal, whatever the policies say.

Source: docs/backdating.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, StringConstraints

from approvals.freezes.models import AccountingPeriod
from approvals.governed import Kind, Preparation, PreparedItem
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Payload, RetirePayload, Text, partial
from approvals.records.undoing import RestoreKind
from approvals.requests.schedules import check_zone
from approvals.requests.standing import Demand

ROLES = ("finance", "legal")
NAMED = 5
Row = Mapping[str, Any]


class AccountingPeriodPayload(Payload):
    """A time whose books are closed: `[starts_at, ends_at)`, in the zone in which they are kept."""

    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    zone: Text = "UTC"


class _PeriodKind(RecordKind):
    def label(self, row: Row, preparation: Preparation) -> str:
        """The period's label."""
        return str(row["label"])

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse unknown zones."""
        check_zone(after["zone"])


class ClosePeriod(_PeriodKind, CreateKind):
    """Close a period."""


class AmendPeriod(_PeriodKind, AmendKind):
    """Amend a closed period."""


class ReopenPeriod(_PeriodKind, RetireKind):
    """Open a period again."""


class RestorePeriod(_PeriodKind, RestoreKind):
    """Restore a closed period."""


KINDS: tuple[Kind, ...] = (
    ClosePeriod(
        name="accounting_period.close",
        title="Close accounting period",
        model=AccountingPeriod,
        payload=AccountingPeriodPayload,
    ),
    AmendPeriod(
        name="accounting_period.amend",
        title="Amend accounting period",
        model=AccountingPeriod,
        payload=partial(AccountingPeriodPayload),
    ),
    ReopenPeriod(
        name="accounting_period.reopen",
        title="Open accounting period again",
        model=AccountingPeriod,
        payload=RetirePayload,
    ),
    RestorePeriod(model=AccountingPeriod, sort="accounting_period"),
)


@dataclass(frozen=True)
class BackdatedRule:
    """
    Asks finance and legal about what takes effect a day or more before it was planned, or within closed books.

    The second is asked again at application: what waited for its approvals until its start lies in a closed period is
    backdated too.
    """

    def demands(self, items: Sequence[PreparedItem]) -> Sequence[Demand]:
        """One approval of finance and one of legal, with the items and the closed periods that they touch."""
        dated = [item for item in items if item.facts.get("effective_from")]
        if not dated:
            return ()
        periods = list(AccountingPeriod.objects.closed())
        told = list(_told(dated, periods))
        if not told:
            return ()
        more = len(told) - NAMED
        why = "; ".join(told[:NAMED]) + (f"; and {more} more items" if more > 0 else "")
        return [Demand(role, why) for role in ROLES]


def _told(items: Sequence[PreparedItem], periods: Sequence[AccountingPeriod]) -> Iterator[str]:
    for item in items:
        days = int(item.facts.get("backdated_days") or 0)
        touched = [period.label for period in periods if _touches(item.facts, period)]
        if not days and not touched:
            continue
        told = f"{item.label} takes effect {days} {'day' if days == 1 else 'days'} before it was planned"
        if not days:
            told = f"{item.label} reaches back"
        yield told + (f", into closed books: {', '.join(touched)}" if touched else ", into no closed period")


def _touches(facts: Row, period: AccountingPeriod) -> bool:
    since, until = facts["effective_from"], facts.get("effective_until")
    return datetime.fromisoformat(since) < period.ends_at and (
        until is None or period.starts_at < datetime.fromisoformat(until)
    )
