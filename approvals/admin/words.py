"""What changed in a record, in words."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Model
from django.db.models.fields import Field
from django.utils import timezone

from approvals.records.models import GovernedModel
from approvals.requests.models import ChangeRequest, Item
from approvals.requests.states import OPEN
from foundation.identity.models import User

NOTHING = "–"
LONGEST = 120
_UNTOLD = frozenset({"id", "version"})


def in_words(field: "Field[Any, Any]", value: Any) -> str:
    """Return a column's value as people read it; references by id, because what they name may be out of sight."""
    if value is None or value == "" or value == [] or value == {}:
        return NOTHING
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if hasattr(value, "tzinfo") and hasattr(value, "hour"):
        local = timezone.localtime(value)
        return f"{local.day} {local:%b %Y, %H:%M %Z}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def changes_between(old: Model, new: Model, *, fields: "list[Field[Any, Any]]") -> list[dict[str, str]]:
    """Return the columns that differ, each with its label and its old and new value in words."""
    return [
        {
            "label": str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:],
            "old": in_words(field, getattr(old, field.attname)),
            "new": in_words(field, getattr(new, field.attname)),
        }
        for field in fields
        if field.name not in _UNTOLD and getattr(old, field.attname) != getattr(new, field.attname)
    ]


def difference_since(record: GovernedModel, version: int) -> str:
    """Return a sentence for what changed between an earlier version of a record and what is stored now."""
    history: Any = record.history  # type: ignore[attr-defined]  # simple-history adds it to every concrete model
    base = history.filter(version=version).order_by("history_id").first()
    latest = history.filter(version=record.version).order_by("-history_id").first()
    if base is None:
        return "Its earlier version is not known."
    changes = changes_between(base, record, fields=list(record._meta.concrete_fields))
    listed = "; ".join(f"{change['label']}: {change['old']} → {change['new']}" for change in changes)
    number = latest.change_request_number if latest else None
    return f"{f'Change {number}' if number else 'Another change'} made it so: {listed or 'nothing that shows here'}."


def open_requests_on(record: GovernedModel, *, user: User | AnonymousUser) -> list[ChangeRequest]:
    """Return the open change requests with an item for a record, of those that the user may see; newest first."""
    if not isinstance(user, User):
        return []
    touching = Item.objects.filter(
        record_id=record.pk, table_name=record._meta.db_table, revision=F("revision__change_request__current_revision")
    )
    requests = ChangeRequest.objects.visible_to(user).filter(
        status__in=OPEN, id__in=touching.values("revision__change_request")
    )
    return list(requests.order_by("-number")[:10])
