"""Whole rows as JSON values by column name, and back: what items carry before and after."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from approvals.records.models import GovernedModel
from foundation.canonical import jsonable

M = TypeVar("M", bound=GovernedModel)


def row_of(instance: GovernedModel) -> dict[str, Any]:
    """The record's concrete columns as JSON values, by column attribute (`account_id`, `starts_at` …)."""
    return {field.attname: jsonable(field.value_from_object(instance)) for field in instance._meta.concrete_fields}


def instance_from(model: type[M], row: Mapping[str, Any]) -> M:
    """An unsaved instance with the row's values, converted to the fields' Python types."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.attname in row:
            target = field.target_field if isinstance(field, models.ForeignKey) else field
            values[field.attname] = target.to_python(row[field.attname])
    return model(**values)


def parse_instant(value: str) -> datetime:
    """The instant of a JSON value in a row."""
    return datetime.fromisoformat(value)


def instant(value: str | None) -> datetime | None:
    """The instant of a JSON value in a row, or None for an open end."""
    return None if value is None else parse_instant(value)


def changed_fields(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Columns whose values differ, but for the version, in the order of the later row."""
    old, new = before or {}, after or {}
    names = list(new) + [name for name in old if name not in new]
    return tuple(name for name in names if name != "version" and old.get(name) != new.get(name))


def foreign_keys(model: type[models.Model], row: Mapping[str, Any]) -> list[tuple[str, type[models.Model], uuid.UUID]]:
    """The references that a row makes to UUID-keyed records: column, model referred to, id."""
    found = []
    for field in model._meta.concrete_fields:
        value = row.get(field.attname)
        if isinstance(field, models.ForeignKey) and value is not None:
            related = field.related_model
            assert isinstance(related, type)  # noqa: S101  resolved once the models are loaded
            found.append((field.attname, related, uuid.UUID(str(value))))
    return found
