"""
The form that edits a change request: why, and the simple values (instants, numbers) of what is asked for.

What the form does not show stays as it was; a value is replaced only where the reader changed what was on the screen.
"""

import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from pydantic import AwareDatetime, BaseModel

from approvals import governed
from approvals.facts import RiskLevel
from approvals.governed import Draft, PreparedItem
from approvals.policies.risk import Raised
from approvals.portal.reading import found
from approvals.requests import given_out, obstacles, permissions, revisions, rules, schedules
from approvals.requests.gates import Obstacle
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.revisions import Rationale, Waiver
from approvals.requests.schedules import TOLERANCE, Former, Schedule
from approvals.requests.services import current
from approvals.requests.states import Action
from foundation.errors import InvalidInput
from foundation.identity.models import User

ITEMS_SHOWN = 25
LOCAL = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Input:
    """One value of one item: the form's name for it, its words, how it is entered, and what stands there."""

    name: str
    field: str
    label: str
    kind: str
    value: str
    hint: str = ""


@dataclass(frozen=True)
class EditedItem:
    """An item with the values that this form can change."""

    position: int
    title: str
    label: str
    inputs: Sequence[Input]


@dataclass(frozen=True)
class Form:
    """Everything that the form shows."""

    change_request: ChangeRequest
    revision: Revision
    title: str
    rationale: Mapping[str, str]
    waiver: Mapping[str, str]
    schedule: Sequence[Input]
    risk: Mapping[str, Any] | None
    needs_waiver: bool
    gap: str
    items: Sequence[EditedItem]
    hidden_items: int
    obstacles: Sequence[Obstacle]


@dataclass(frozen=True)
class Amendment:
    """What the form asks for, as the service takes it."""

    title: str
    rationale: Rationale
    waiver: Waiver | None
    schedule: Schedule | Former | None
    raised: Raised | Former | None
    drafts: Sequence[Draft] | None
    expected_digest: str


def form(*, number: int, user: User, now: datetime, posted: Mapping[str, str] | None = None) -> Form:
    """
    The form as it stands, or with what was posted.

    :raises NotFound: if the user may not see the request
    :raises NotPermitted: if the user may not propose
    :raises WrongState: if the request is closed
    """
    change_request = found(number=number, user=user)
    permissions.check_may_edit(user=user, change_request=change_request)
    rules.next_status(change_request=change_request, action=Action.AMEND)
    revision = current(change_request)
    items = revisions.items_of(revision)
    given_out.note(change_request, revision.document)
    given = posted or {}
    stored = revision.rationale
    rationale = {
        name: given.get(name, "\n".join(stored[name]) if isinstance(stored[name], list) else stored[name])
        for name in rules.REQUIRED
    }
    waiver = revision.document["waiver"] or {}
    return Form(
        change_request=change_request,
        revision=revision,
        title=given.get("title", change_request.title),
        rationale=rationale,
        waiver={name: given.get(f"waiver_{name}", waiver.get(name, "")) for name in ("reason", "risk_owner")},
        schedule=_window(schedules.of(revision.document), given),
        risk=_risk(revision.document["risk"], given),
        needs_waiver=bool(revision.document["plan"]["new_gaps"] or waiver),
        gap=revision.plan.get("interruption") or "",
        items=[item for item in map(_edited, range(ITEMS_SHOWN), items) if item.inputs],
        hidden_items=max(len(items) - ITEMS_SHOWN, 0),
        obstacles=obstacles.of_request(change_request=change_request, reader=user, now=now, items=items),
    )


def amendment(*, number: int, user: User, posted: Mapping[str, str]) -> Amendment:
    """
    What a posted form asks for.

    :raises InvalidInput: if an instant can't be read
    :raises NotFound: if the user may not see the request
    """
    revision = current(found(number=number, user=user))
    items = revisions.items_of(revision)
    changed = {index: values for index, values in _changes(items, posted)}
    drafts = revisions.drafts_of(items)
    for index, values in changed.items():
        draft = drafts[index]
        drafts[index] = Draft(draft.kind, dict(draft.payload) | values, draft.target_id)
    reason, risk_owner = (posted.get(f"waiver_{name}", "").strip() for name in ("reason", "risk_owner"))
    if bool(reason) != bool(risk_owner):
        raise InvalidInput("A waiver says both why the gap is accepted and who bears the risk.")
    criteria = tuple(line.strip() for line in posted.get("acceptance_criteria", "").splitlines() if line.strip())
    return Amendment(
        title=posted.get("title", "").strip(),
        rationale=Rationale(
            justification=posted.get("justification", "").strip(),
            impact=posted.get("impact", "").strip(),
            acceptance_criteria=criteria,
            rollback=posted.get("rollback", "").strip(),
        ),
        waiver=Waiver(reason, risk_owner) if reason else None,
        schedule=_schedule(schedules.of(revision.document), posted),
        raised=_raised(posted),
        drafts=drafts if changed else None,
        expected_digest=posted.get("digest", ""),
    )


def _risk(stored: Mapping[str, Any] | None, given: Mapping[str, str]) -> dict[str, Any] | None:
    """What was computed, the levels to which it may be raised, and what it is raised to."""
    if stored is None:
        return None
    raised = stored["raised"] or {"level": "", "reason": ""}
    levels = [level.value for level in RiskLevel]
    return {
        "computed": stored["computed"],
        "levels": levels[levels.index(stored["computed"]) :],
        "level": given.get("risk_level", raised["level"]),
        "reason": given.get("risk_reason", raised["reason"]),
    }


def _raised(posted: Mapping[str, str]) -> Raised | Former | None:
    if "risk_level" not in posted:
        return Former.KEPT
    level, reason = posted["risk_level"], posted.get("risk_reason", "").strip()
    if not level:
        return None
    if level not in RiskLevel.__members__.values():
        raise InvalidInput(f"“{level}” is no risk. Choose one of: {', '.join(RiskLevel)}.")
    return Raised(RiskLevel(level), reason)


def _window(schedule: Schedule | None, given: Mapping[str, str]) -> tuple[Input, ...]:
    """
    The two ends of the window, in the reader's zone.

    What was refused is shown as text: a picker of local times could not take the offset that may be asked for.
    """
    zone = timezone.get_current_timezone_name()
    hint = f"in {zone}; with a UTC offset, such as +01:00, where its clocks skip or repeat an hour"
    later = f"in {zone}; empty: {TOLERANCE.total_seconds() / 3600:g} hour after it opens"
    return tuple(
        Input(
            f"schedule_{name}",
            name,
            label,
            "text" if f"schedule_{name}" in given else "datetime-local",
            given.get(f"schedule_{name}", _shown(schedule, name)),
            words,
        )
        for name, label, words in (("opens_at", "Opens at", hint), ("closes_at", "Closes at", later))
    )


def _schedule(former: Schedule | None, posted: Mapping[str, str]) -> Schedule | Former | None:
    """What the window's fields ask for: an end that was left as it was shown stays the instant that it was."""
    fields = [name for name in ("opens_at", "closes_at") if f"schedule_{name}" in posted]
    texts = {name: posted[f"schedule_{name}"].strip() for name in fields}
    if all(text == _shown(former, name) for name, text in texts.items()):
        return Former.KEPT
    if not any(texts.values()):
        return None
    if not texts.get("opens_at"):
        raise InvalidInput("A window says when it opens. Say it, or leave both fields empty: somebody then applies it.")
    kept = {name: text for name, text in texts.items() if former and text and text == _shown(former, name)}
    said = texts | {name: getattr(former, name).isoformat() for name in kept}
    return schedules.said(
        opens_at=said["opens_at"], closes_at=said.get("closes_at"), zone=timezone.get_current_timezone_name()
    )


def _shown(schedule: Schedule | None, name: str) -> str:
    return timezone.localtime(getattr(schedule, name)).strftime(LOCAL) if schedule else ""


def _edited(position: int, item: PreparedItem) -> EditedItem:
    return EditedItem(position, governed.kind(item.kind).title, item.label, tuple(_inputs(position, item)))


def _inputs(position: int, item: PreparedItem) -> Iterator[Input]:
    payload: type[BaseModel] = governed.kind(item.kind).payload
    for name, value in item.payload.items():
        field = payload.model_fields.get(name)
        if field is None or isinstance(value, bool | list | dict):
            continue
        types = list(_types(field.annotation))
        label = name.removesuffix("_at").replace("_", " ").capitalize()
        key = f"item-{position}-{name}"
        if datetime in types or AwareDatetime in types:
            yield Input(
                key,
                name,
                label,
                "datetime-local",
                _local(value),
                f"in {timezone.get_current_timezone_name()}; empty: open",
            )
        elif int in types and (isinstance(value, int) or value == "unlimited"):
            unlimited = str in types or "unlimited" in types
            yield Input(
                key,
                name,
                label,
                "text" if unlimited else "number",
                str(value),
                "a number, or “unlimited”" if unlimited else "",
            )


def _types(annotation: Any) -> Iterator[Any]:
    """The plain types and literal values that an annotation mentions."""
    arguments = typing.get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types(argument)


def _changes(items: Sequence[PreparedItem], posted: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for position, item in enumerate(items[:ITEMS_SHOWN]):
        values = {
            shown.field: _value(shown, posted[shown.name].strip())
            for shown in _inputs(position, item)
            if shown.name in posted and posted[shown.name].strip() != shown.value
        }
        if values:
            yield position, values


def _value(shown: Input, text: str) -> Any:
    if shown.kind != "datetime-local":
        return int(text) if text.isdecimal() and len(text) < 19 else text
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{shown.label}: “{text}” is not a date and time. Write it as 2026-04-01T09:00.") from None
    aware = timezone.make_aware(local) if timezone.is_naive(local) else local
    return aware.astimezone(UTC).isoformat()


def _local(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return timezone.localtime(datetime.fromisoformat(value)).strftime(LOCAL)
