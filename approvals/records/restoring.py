"""
What taking an applied item back does to its record: a three-way comparison of before, after and now. Pure.

A field that nobody touched since gets its value of before; one that was changed since keeps what it has and is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import models

from approvals.governed import Undone
from approvals.records.payloads import Payload
from approvals.records.rows import changed_fields

Row = Mapping[str, Any]


class RestorePayload(Payload):
    """Take one item of an applied change back: the id of the item. What it restores follows from the records."""

    undoes: UUID


@dataclass(frozen=True)
class Restoration:
    """
    New values by column, and sentences for what is restored, what stands and what was changed since.

    `hold` and `release` are people who get a seat back or lose the one that the change gave them.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    release: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not self.values and not self.hold and not self.release


class Restorer(Protocol):
    """A kind that restores records of its model."""

    def restoration(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """What taking an item back means for its record as it stands."""
        ...

    def row_now(self, record_id: UUID) -> Row:
        """The record as it stands."""
        ...


@dataclass(frozen=True)
class Compared:
    """Fields to restore with their former values, and those that somebody changed since."""

    restore: dict[str, Any]
    changed_since: tuple[str, ...]


def compare(*, before: Row, after: Row, now: Row) -> Compared:
    """Compare the fields that a change touched with what they are now; those that are as before need nothing."""
    restore, changed_since = {}, []
    for name in changed_fields(before, after):
        if now.get(name) == after.get(name):
            restore[name] = before.get(name)
        elif now.get(name) != before.get(name):
            changed_since.append(name)
    return Compared(restore, tuple(changed_since))


def in_words(model: type[models.Model], names: tuple[str, ...] | list[str]) -> str:
    """Columns as people call them."""
    fields = (model._meta.get_field(name.removesuffix("_id")) for name in names)
    return ", ".join(str(getattr(found, "verbose_name", found.name)) for found in fields)
