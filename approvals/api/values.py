"""What was sent, validated, as the values that services take."""

from typing import Any

from approvals.governed import Draft
from approvals.requests.revisions import Rationale, Waiver
from approvals.requests.schedules import Schedule, said


def drafts_from(rows: list[dict[str, Any]]) -> list[Draft]:
    """Validated rows as drafts."""
    return [Draft(kind=row["kind"], payload=row["payload"], target_id=row.get("target_id")) for row in rows]


def rationale_from(row: dict[str, Any] | None) -> Rationale | None:
    """A validated rationale as a value."""
    if row is None:
        return None
    return Rationale(**(row | {"acceptance_criteria": tuple(row["acceptance_criteria"])}))


def waiver_from(row: dict[str, Any] | None) -> Waiver | None:
    """A validated waiver as a value."""
    return None if row is None else Waiver(**row)


def schedule_from(row: dict[str, Any] | None) -> Schedule | None:
    """
    A validated schedule as a value.

    :raises InvalidInput: if an instant can't be read or is not one, the zone is unknown, or the window never opens
    """
    if row is None:
        return None
    return said(opens_at=row["opens_at"], closes_at=row.get("closes_at"), zone=row["zone"])
