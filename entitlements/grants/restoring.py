"""
How an entitlement is taken back or restored: forward only. What was in force stays so; seats go back if they can.

Source: docs/after-application.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from approvals.governed import Kind, Operation, Preparation, Undone
from approvals.records.restoring import Restoration, compare
from approvals.records.rows import instant, parse_instant
from approvals.records.undoing import RestoreKind
from entitlements.grants.changes import EntitlementKind
from entitlements.grants.models import Entitlement, Seat
from foundation.errors import InvalidInput

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Seats:
    """Seats that go back, those that can't, and what is too many."""

    hold: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


class RestoreEntitlement(EntitlementKind, RestoreKind):
    """Take back what an item did to an entitlement."""

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Leave alone what stays taken back."""
        if after["withdrawn_at"] is not None and before is not None and before["withdrawn_at"] is not None:
            raise InvalidInput("This entitlement was taken back before it started. Grant another one.")

    def restoration(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """Fields as before, as far as the past allows; seats back to whom they belonged, unless taken since."""
        if undone.item.operation is Operation.INSERT:
            return self.unmade(undone=undone, row=row, now=now)
        compared = compare(before=undone.item.before or {}, after=undone.item.after or {}, now=row)
        values, lost, conflicts = _forward(row, compared.restore, now)
        seats = _seats_back(undone, dict(row) | values)
        return Restoration(
            values=values,
            restored=(
                *self.named(row, {key: values[key] for key in compared.restore if key in values}),
                *seats.restored,
            ),
            lost=(*lost, *seats.lost),
            conflicts=(*self.changed_since(row, compared.changed_since), *conflicts, *seats.conflicts),
            hold=seats.hold,
            release=seats.release,
        )

    def unmade(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """What was granted is taken back before its start, or ends; past it stands."""
        label, starts_at, ends_at = row["reference"], parse_instant(row["starts_at"]), instant(row["ends_at"])
        if row["withdrawn_at"] is not None:
            return Restoration(lost=(f"{label} is taken back already.",))
        if ends_at is not None and ends_at <= now:
            return Restoration(lost=(f"{label} was in force {_period(starts_at, ends_at)}: that is past and stands.",))
        seats = _seats_back(undone, dict(row), granting=True)
        touched = self.touched_since(undone, row)
        if starts_at >= now:
            values, said = {"withdrawn_at": now}, f"{label} is taken back before it starts."
            stands: tuple[str, ...] = ()
        else:
            values, said = {"ends_at": now}, f"{label} ends as soon as this is applied."
            stands = (f"{label} was in force from {starts_at:%Y-%m-%d %H:%M %Z} until then: that stands.",)
        return Restoration(
            values=values,
            restored=(said, *seats.restored),
            lost=(*stands, *seats.lost),
            conflicts=touched,
            release=seats.release,
        )

    def effects(
        self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation
    ) -> Mapping[str, Any]:
        """Seats to give back and to release."""
        assert before is not None  # noqa: S101  it restores what there is
        undone = self.undone(before=before, payload=payload)
        found = self.restoration(undone=undone, row=before, now=preparation.now)
        return {"register": [], "hold": list(found.hold), "release": list(found.release)}


def _forward(row: Row, restore: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[str], list[str]]:
    """Former values that leave the past as it was, with what stands and what needs a new grant."""
    values, lost, conflicts = dict(restore), [], []
    label = row["reference"]
    ended = instant(row["ends_at"])
    if "ends_at" in values:
        former = instant(values["ends_at"])
        if ended is not None and ended <= now:
            del values["ends_at"]
            if former is None or former > now:
                conflicts.append(
                    f"{label} ended on {ended:%Y-%m-%d %H:%M %Z}, and what has ended is not reopened. Grant an "
                    "entitlement that replaces it: it bridges the time from then on."
                )
            else:
                lost.append(f"{label} was to end on {former:%Y-%m-%d %H:%M %Z}; both ends are past and stand.")
        elif former is not None and former <= now:
            values["ends_at"] = now
            lost.append(
                f"{label} was to end on {former:%Y-%m-%d %H:%M %Z}, which is past: it ends as soon as this is applied, "
                "and its right until then stands."
            )
    back = "withdrawn_at" in values and values["withdrawn_at"] is None
    if "starts_at" in values or back:
        lost += _start_forward(row, values, now, label, back=back)
    return values, lost, conflicts


def _start_forward(row: Row, values: dict[str, Any], now: datetime, label: str, *, back: bool) -> list[str]:
    former = parse_instant(str(values.get("starts_at", row["starts_at"])))
    begun = parse_instant(row["starts_at"]) <= now and not back and row["withdrawn_at"] is None
    if begun:
        values.pop("starts_at", None)
        return [f"{label} has started, so its start is not moved: what was in force stays so."]
    if former <= now:
        values["starts_at"] = now
        return [
            f"{label} was to start on {former:%Y-%m-%d %H:%M %Z}: the time since then is past and is not restored. It "
            "starts as soon as this is applied."
        ]
    return []


def _seats_back(undone: Undone, row: Row, *, granting: bool = False) -> _Seats:
    """
    Seats that the item moved, as they stand: those that it gave are released, those that it took go back.

    A seat that was taken since stays and counts; where it leaves no room, nobody is given a seat back.
    """
    effects, label = undone.item.effects, row["reference"]
    seats = Seat.objects.filter(entitlement_id=row["id"])
    held = list(seats.held().values_list("person_id", "taken_at"))
    given = {UUID(person) for person in effects.get("hold", ())}
    release = [person for person, taken_at in held if person in given and taken_at == undone.applied_at]
    holders = {person for person, _taken_at in held}
    former = seats.filter(released_at=undone.applied_at, person_id__in=effects.get("release", ()))
    back = [
        person
        for person in former.order_by("taken_at", "id").values_list("person_id", flat=True)
        if person is not None and person not in holders
    ]
    kept = len(held) - len(release)
    since = sum(taken_at > undone.applied_at for _person, taken_at in held)
    restored, lost, conflicts = [], [], []
    limit = None if granting or row["enforcement"] != Entitlement.Enforcement.HARD else row["seats"]
    if limit is not None and kept > limit:
        conflicts.append(
            f"{label}: {kept} seats are held, {kept - limit} more than the {limit} that it would have again. Name "
            "whose seats are released first, or keep the limit."
        )
    returning = back if limit is None else back[: max(limit - kept, 0)]
    if release:
        restored.append(f"{label}: {_people(len(release))} whom the change gave a seat lose it again.")
    if returning:
        restored.append(f"{label}: {_people(len(returning))} get back the seat that the change took.")
    if len(returning) < len(back):
        lost.append(
            f"{label}: {_people(len(back) - len(returning))} do not get their seat back, because others took it since."
        )
    if since:
        lost.append(f"{label}: {since} {'seat' if since == 1 else 'seats'} taken since stay with their holders.")
    return _Seats(
        hold=tuple(str(person) for person in returning),
        release=tuple(str(person) for person in release),
        restored=tuple(restored),
        lost=tuple(lost),
        conflicts=tuple(conflicts),
    )


def _people(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"


def _period(starts_at: datetime, ends_at: datetime) -> str:
    return f"from {starts_at:%Y-%m-%d %H:%M %Z} to {ends_at:%Y-%m-%d %H:%M %Z}"


KINDS: tuple[Kind, ...] = (RestoreEntitlement(model=Entitlement),)
