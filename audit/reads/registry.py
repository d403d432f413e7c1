"""
The port through which the apps above say what is sensitive: which fields of which records, and under which names such
values stand in documents. What gives any of it out notes that (audit/reads/collecting.py).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any


class Sort(StrEnum):
    """Why a read is worth an event."""

    PRICES = "prices"
    DETAILS = "personal_details"
    FILE = "file"
    EXPORT = "export"


_FIELDS: dict[str, dict[str, Sort]] = {}
_NAMES: dict[str, Sort] = {}


def declare(*, model: str, sort: Sort, fields: Iterable[str]) -> None:
    """Make fields of a model (`app.model`) known as sensitive, in documents too."""
    named = dict.fromkeys(fields, sort)
    _FIELDS.setdefault(model, {}).update(named)
    _NAMES.update(named)


def declare_names(*, sort: Sort, names: Iterable[str]) -> None:
    """Make names known under which documents hold what is sensitive."""
    _NAMES.update(dict.fromkeys(names, sort))


def declared() -> Mapping[str, Mapping[str, Sort]]:
    """All sensitive fields, by model."""
    return {model: dict(fields) for model, fields in _FIELDS.items()}


def sorts_of(model: str, fields: Iterable[str]) -> frozenset[Sort]:
    """What is sensitive among these fields of a model."""
    known = _FIELDS.get(model, {})
    return frozenset(known[name] for name in fields if name in known)


def sorts_in(document: Any) -> frozenset[Sort]:
    """What is sensitive in a JSON document: a value that is not empty, under one of the names, however deep."""
    found: set[Sort] = set()
    everything = set(_NAMES.values())
    rest = [document]
    while rest and found != everything:
        value = rest.pop()
        if isinstance(value, Mapping):
            found |= {_NAMES[name] for name, part in value.items() if name in _NAMES and part not in (None, "", [], {})}
            rest += value.values()
        elif isinstance(value, list | tuple):
            rest += value
    return frozenset(found)
