"""
The port through which the apps above tell audit what a pack can be about, and what they put into one.

A scope kind says which records and requests belong to a thing; audit selects the events. A contributor then gets the
selection and gives parts: files, tables, sections of the summary, and counts of a population. Whatever it gives must be
told of by the events of the selection, so that a pack never holds more than its ledger says.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.urls import reverse

from foundation.errors import InvalidInput
from foundation.identity.models import User
from foundation.web.blocks import Section

PERIOD = "audit.period"
VIEW_LEDGER = "audit.view_event"


@dataclass(frozen=True)
class Chosen:
    """
    What belongs to a thing: `subjects` are records of which events are taken within the time, `requests` are change
    requests that touch them, of which those with an event in that time are taken whole. `words` say it to people.
    """

    subjects: Collection[uuid.UUID]
    requests: Collection[uuid.UUID]
    words: str


class ScopeKind(Protocol):
    """One sort of thing that a pack can be about."""

    @property
    def name(self) -> str:
        """The subject's type: `app.model`."""

    @property
    def words(self) -> str:
        """What people call one."""

    @property
    def permission(self) -> str:
        """What one must hold to ask for such a pack, besides being granted all that is in it."""

    @property
    def takes_period(self) -> bool:
        """Whether it is about a time."""

    def find(self, text: str) -> uuid.UUID | None:
        """The thing that people call so: by id, number, code or reference; whether somebody may see it is not asked."""
        ...

    def label(self, *, subject_id: uuid.UUID | None, user: User) -> str:
        """
        What people call the thing.

        :raises foundation.errors.NotFound: if there is none, or the user may not see it
        """
        ...

    def chosen(self, *, subject_id: uuid.UUID | None) -> Chosen:
        """What belongs to it."""
        ...

    def address(self, *, subject_id: uuid.UUID) -> str | None:
        """The page of the thing, if there is one."""
        ...


@dataclass(frozen=True)
class Told:
    """An event of the selection: its place in the log, and what its bytes say."""

    index: int
    id: uuid.UUID
    content: bytes
    document: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The type."""
        return str(self.document["type"])

    @property
    def data(self) -> Mapping[str, Any]:
        """The data."""
        data: Mapping[str, Any] = self.document["data"]
        return data


@dataclass(frozen=True)
class Selection:
    """What a pack is about, and the events in it, in the log's order. `requests` are those that are in it whole."""

    kind: str
    label: str
    since: datetime | None
    until: datetime | None
    requests: Sequence[uuid.UUID]
    events: Sequence[Told]
    asker: User
    now: datetime

    def of(self, *types: str) -> Iterator[Told]:
        """The events of some types."""
        return (event for event in self.events if event.type in types)


@dataclass(frozen=True)
class File:
    """A file of the pack; `path` is plain, `what` says to people what it is."""

    path: str
    content: bytes
    what: str


@dataclass(frozen=True)
class Sheet:
    """A table for spreadsheets."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Counted:
    """How many there are of something in the pack, and how they were found."""

    what: str
    count: int
    how: str


@dataclass(frozen=True)
class Step:
    """A contributor is one request or record further."""


Part = File | Sheet | Section | Counted | Step
Contributor = Callable[[Selection], Iterable[Part]]


@dataclass
class Gathered:
    """All that contributors gave, by sort."""

    files: list[File] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)

    def take(self, part: Part) -> None:
        """Keep a part."""
        match part:
            case File():
                self.files.append(part)
            case Sheet():
                self.sheets.append(part)
            case Section():
                self.sections.append(part)
            case Counted():
                self.counted.append(part)
            case Step():
                pass


class Period:
    """The whole log in a time: the only scope that audit knows by itself."""

    name = PERIOD
    words = "audit period"
    permission = VIEW_LEDGER
    takes_period = True

    def find(self, text: str) -> uuid.UUID | None:
        """There is one ledger."""
        return None

    def label(self, *, subject_id: uuid.UUID | None, user: User) -> str:
        """
        What people call it.

        :raises InvalidInput: if a record is named
        """
        if subject_id is not None:
            raise InvalidInput("An audit period is about the whole ledger. Leave the record out.")
        return "the whole ledger"

    def chosen(self, *, subject_id: uuid.UUID | None) -> Chosen:
        """Everything in the time, which no list of records could say."""
        words = (
            "every event of the ledger from the first to the last that was recorded in this time, and every event of "
            "the change requests that have one of those"
        )
        return Chosen((), (), words)

    def address(self, *, subject_id: uuid.UUID) -> str | None:
        """The explorer."""
        return reverse("audit:explorer")


_KINDS: dict[str, ScopeKind] = {PERIOD: Period()}
_CONTRIBUTORS: dict[str, Contributor] = {}


def register_scope_kinds(kinds: Iterable[ScopeKind]) -> None:
    """
    Make known what packs can be about.

    :raises ValueError: if a name is taken by another
    """
    for kind in kinds:
        if type(_KINDS.setdefault(kind.name, kind)) is not type(kind):
            raise ValueError(f"Packs about {kind.name} are registered already.")


def register_contributor(name: str, contributor: Contributor) -> None:
    """
    Have something put into every pack; `name` says whose, and orders the contributors.

    :raises ValueError: if the name is taken by another
    """
    if _CONTRIBUTORS.setdefault(name, contributor) is not contributor:
        raise ValueError(f"A contributor {name} is registered already.")


def id_in(text: str) -> uuid.UUID | None:
    """The id that a text is; None if it is none."""
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def scope_kinds() -> Mapping[str, ScopeKind]:
    """All registered kinds, by name."""
    return dict(_KINDS)


def scope_kind(name: str) -> ScopeKind:
    """
    The registered kind of this name.

    :raises InvalidInput: if there is none
    """
    try:
        return _KINDS[name]
    except KeyError:
        sentence = f"A pack is about one of {', '.join(sorted(_KINDS))}; “{name[:100]}” is none of them."
        raise InvalidInput(sentence, errors=[{"field": "kind", "message": sentence}]) from None


def contributors() -> Sequence[Contributor]:
    """All registered contributors, in the order of their names."""
    return [_CONTRIBUTORS[name] for name in sorted(_CONTRIBUTORS)]
