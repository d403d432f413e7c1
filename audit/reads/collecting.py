"""
Noting, deep down where something sensitive is handed out, that it was; the request's edge records it with who read.

Nothing is noted outside a request: what a task or a command does with a price shows it to nobody.
"""

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from audit.reads import registry
from audit.reads.registry import Sort


@dataclass
class Given:
    """What one request gave out: labels of records by sort and type of record; and files that were made, by what."""

    records: dict[tuple[Sort, str], dict[uuid.UUID, str]] = field(default_factory=dict)
    exports: list[Mapping[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.records or self.exports)


_GIVEN: ContextVar[Given | None] = ContextVar("given", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[Given]:
    """Collect what is noted as long as the context lasts."""
    given = Given()
    token = _GIVEN.set(given)
    try:
        yield given
    finally:
        _GIVEN.reset(token)


def gave(sort: Sort, subject_type: str, records: Mapping[uuid.UUID, str]) -> None:
    """Note that something sensitive of these records, with their labels, is handed to the reader."""
    given = _GIVEN.get()
    if given is not None and records:
        given.records.setdefault((sort, subject_type), {}).update(records)


def gave_fields(subject_type: str, fields: Iterable[str], rows: Iterable[Any]) -> None:
    """Note that these fields of rows of a model are handed out, as far as any is sensitive."""
    for sort in registry.sorts_of(subject_type, fields):
        gave(sort, subject_type, {row.pk: str(row) for row in rows})


def gave_document(document: Any, subject_type: str, records: Mapping[uuid.UUID, str]) -> None:
    """Note that a document of these records is handed out, as far as it holds anything sensitive."""
    if _GIVEN.get() is not None:
        for sort in registry.sorts_in(document):
            gave(sort, subject_type, records)


def gave_export(what: str, form: str, **told: Any) -> None:
    """Note that a file is made of what a reader sees: `what` in words, its `form`, and what narrowed it."""
    given = _GIVEN.get()
    if given is not None:
        given.exports.append({"what": what, "form": form} | told)


def without_words(sought: Mapping[str, str], *names: str) -> dict[str, str]:
    """
    What narrowed a file, with how many words were looked for under these names in place of the words: they can be
    somebody's name, and an event is kept when a name is erased.
    """
    return {
        name: f"{len(value.split())} words, not kept" if name in names and value else value
        for name, value in sought.items()
    }
