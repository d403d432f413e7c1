"""
The port through which the apps above tell audit of what events speak: where events about a sort of record belong, what
the sort is called, and where people see the record.

What is SQL here runs inside the INSERT of the event, so that it costs no query of its own. It may name `%(subjects)s`,
an array of the ids of the records that the event is about, and `%(request)s`, the id of its change request or null.
"""

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.contrib.postgres.fields import ArrayField
from django.db.models import UUIDField
from django.db.models.expressions import RawSQL

from foundation.identity.models import User

_NAMED = re.compile(r"%\((\w+)\)s")
IDS: "ArrayField[Any, Any]" = ArrayField(UUIDField())
Choice = tuple[uuid.UUID, str]
# The scope of what belongs to no account and no product, such as a policy: whoever may see events at all sees it.
NOBODYS = "SELECT NULL::uuid WHERE false"


class UnknownSubject(LookupError):
    """No app registered this sort of subject; nobody could say who may see its events."""


@dataclass(frozen=True)
class SubjectType:
    """
    One sort of record that events are about: `app.model`, and what people call one.

    `scope` selects the accounts and products that an event belongs to, in one column of ids; None: nobody knows, so it
    is shown to those who see everything. `records` selects further records that the event speaks of. `address` is the
    page that people see of a record, from its id and the event's data; None where there is none.
    """

    name: str
    words: str
    scope: str | None
    records: str = ""
    address: Callable[[uuid.UUID, Mapping[str, Any]], str | None] | None = None


class Directory(Protocol):
    """What audit asks about accounts, products and change requests."""

    def granted(self, user: User) -> Collection[uuid.UUID] | None:
        """The accounts and products granted to a user; None if all are."""
        ...

    def accounts(self, user: User) -> Sequence[Choice]:
        """The accounts that a user may choose from, by name."""
        ...

    def units(self, account_id: uuid.UUID) -> Collection[uuid.UUID]:
        """An account with those below it."""
        ...


@dataclass(frozen=True)
class Requests:
    """Change requests as audit needs them: `number_sql` and `id_sql` translate, `address` is the page of a number."""

    number_sql: str
    id_sql: str
    address: Callable[[int], str]


_TYPES: dict[str, SubjectType] = {}
_PORTS: dict[str, Any] = {}


def register_subjects(types: Iterable[SubjectType]) -> None:
    """
    Make sorts of subjects known.

    :raises ValueError: if a name is taken by another
    """
    for subject_type in types:
        known = _TYPES.setdefault(subject_type.name, subject_type)
        if known != subject_type:
            raise ValueError(f"The subject {subject_type.name} is registered already, as something else.")


def register_directory(directory: Directory) -> None:
    """Make known who is granted which accounts and products."""
    _PORTS["directory"] = directory


def register_requests(requests: Requests) -> None:
    """Make known how change requests are numbered and shown."""
    _PORTS["requests"] = requests


def directory() -> Directory:
    """The registered directory; without one nothing could be shown."""
    found: Directory = _PORTS["directory"]
    return found


def requests() -> Requests:
    """The registered change requests."""
    found: Requests = _PORTS["requests"]
    return found


def subject_types() -> Mapping[str, SubjectType]:
    """All registered sorts, by name."""
    return dict(_TYPES)


def subject_type(name: str) -> SubjectType:
    """
    The registered sort of this name.

    :raises UnknownSubject: if no app registered it
    """
    try:
        return _TYPES[name]
    except KeyError:
        raise UnknownSubject(
            f"No subject “{name}” is registered. Register in audit.subjects where its events belong."
        ) from None


def scope_of(*, name: str, subjects: Sequence[uuid.UUID], request_id: uuid.UUID | None) -> RawSQL | None:
    """
    The accounts and products of an event about records of one sort, as an expression for its INSERT.

    :raises UnknownSubject: if no app registered the sort
    """
    found = subject_type(name)
    return None if found.scope is None else _ids(found.scope, subjects, request_id)


def records_of(*, name: str, subjects: Sequence[uuid.UUID], request_id: uuid.UUID | None) -> RawSQL | None:
    """
    The further records of which an event about records of one sort speaks, as an expression for its INSERT; None: none.

    :raises UnknownSubject: if no app registered the sort
    """
    found = subject_type(name)
    return _ids(found.records, subjects, request_id) if found.records else None


def _ids(select: str, subjects: Sequence[uuid.UUID], request_id: uuid.UUID | None) -> RawSQL:
    values: Mapping[str, Any] = {"subjects": list(subjects), "request": request_id}
    casts = {"subjects": "%s::uuid[]", "request": "%s::uuid"}
    parts = _NAMED.split(select)
    # RawSQL takes positions: names stand at odd places.
    text = "".join(casts[part] if index % 2 else part for index, part in enumerate(parts))
    return RawSQL(f"ARRAY({text})", [values[name] for name in parts[1::2]], output_field=IDS)  # noqa: S611  no input
