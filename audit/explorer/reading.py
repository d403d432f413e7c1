"""Events as people and programs read them: the page that was asked for, each event as a sentence with its links."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from django.apps import apps
from django.db.models.expressions import RawSQL

from audit import contributors, subjects
from audit.explorer import filters, pages
from audit.explorer.filters import Sought
from audit.explorer.pages import Found
from audit.ledger.models import Event, EventQuerySet, granted_to
from audit.reads.collecting import gave_document, without_words
from foundation.errors import NotFound, NotPermitted
from foundation.identity import naming
from foundation.identity.models import User

VIEW = "audit.view_event"
THE_SYSTEM = "The system"
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Told:
    """
    One event told to people; `brief` is its sentence with digests cut short.

    `change_number` and the addresses are None where there are none.
    """

    event: Event
    sentence: str
    brief: str
    actor: str
    kind: str
    subject_words: str
    change_number: int | None
    change_address: str | None
    subject_address: str | None


def events_for(user: User) -> EventQuerySet:
    """
    The events that a user may see, without their bytes.

    :raises NotPermitted: if the user may see none
    """
    return _all(user).visible_to(user)


def check_may_read(*, user: User) -> None:
    """
    Refuse whoever may see no event at all.

    :raises NotPermitted: saying so
    """
    _all(user)


def found(*, user: User, parameters: Mapping[str, str], zone: tzinfo) -> Found:
    """
    The events that fit what is looked for, as far as the user may see them.

    :raises NotPermitted: if the user may see none
    :raises InvalidInput: if a parameter can't be read
    """
    return of(user=user, sought=filters.parse(parameters, zone=zone))


def of(*, user: User, sought: Sought) -> Found:
    """
    The same, of what was read already.

    :raises NotPermitted: if the user may see none
    """
    events = _all(user)
    granted = subjects.directory().granted(user)
    conditions = granted_to(user, granted) & filters.conditions_of(sought)
    walks = granted is not None or filters.uses_gin(sought)
    return Found(events.filter(conditions), events.filter(filters.compared(conditions)) if walks else None)


def _all(user: User) -> EventQuerySet:
    if not user.is_active or not user.has_perm(VIEW):
        raise NotPermitted("You may not read the audit log. Ask an administrator for the role auditor.")
    number = RawSQL(f"({subjects.requests().number_sql})", [])  # noqa: S611  a registered constant
    return Event.objects.with_actors().annotate(change_number=number).defer("content", "words", "records")


def page(*, user: User, sought: Sought, cursor: str = "", rows: int = pages.ROWS) -> pages.Page:
    """
    A page of the events that fit, newest first.

    :raises NotPermitted: if the user may see none
    :raises InvalidInput: if the cursor names no place
    """
    found_page = pages.page_of(of(user=user, sought=sought), cursor=cursor, rows=rows)
    with_names(found_page.events)
    return found_page


def one(*, user: User, event_id: uuid.UUID) -> Event:
    """
    One event, with its bytes.

    :raises NotPermitted: if the user may see none
    :raises NotFound: if there is none, or the user may not see it
    """
    event = events_for(user).defer(None).defer("words").filter(id=event_id).first()
    if event is None:
        raise NotFound("There is no such event, or it concerns what is not granted to you.")
    note(event)
    return event


def note(event: Event) -> None:
    """Note that what an event holds is handed out: of a record's change that is the record."""
    if event.subject_id is not None:
        gave_document(event.data, event.subject_type, {event.subject_id: event.subject_label})


def with_names(events: Sequence[Event]) -> Sequence[Event]:
    """The same events with the names of the logins that they mention, in one query, or none if they mention nobody."""
    names = naming.names_of(naming.mentioned(json.dumps(event.data) for event in events))
    for event in events:
        event.names = names  # type: ignore[attr-defined]  # kept beside the row
    return events


def named_in_parts(events: Iterable[Event], *, rows: int) -> Iterator[Event]:
    """Many events with the names of the logins that they mention, read for so many at once."""
    remaining = iter(events)
    while part := list(islice(remaining, rows)):
        yield from with_names(part)


def told(event: Event) -> Told:
    """An event of `events_for` as people read it."""
    actor = getattr(event, "named", None) or THE_SYSTEM
    number = getattr(event, "change_number", None)
    known = subjects.subject_types().get(event.subject_type)
    address = known.address if known and event.subject_id else None
    whole, data = sentence(event, actor), {**event.data, "number": number}
    return Told(
        event=event,
        sentence=whole,
        brief=_DIGEST.sub(lambda found: f"{found[0][:12]}…", whole),
        actor=actor,
        kind=kind_words(event.type),
        subject_words=known.words if known else event.subject_type,
        change_number=number,
        change_address=subjects.requests().address(number) if number is not None else None,
        subject_address=address(event.subject_id, data) if address and event.subject_id else None,
    )


def sentence(event: Event, actor: str) -> str:
    """The event in its type's words; of a type that this program does not know, its name."""
    subject = event.subject_label or str(event.subject_id or "")
    try:
        return contributors.sentence(
            type_name=event.type, data=event.data, actor=actor, subject=subject, names=getattr(event, "names", None)
        )
    except LookupError:
        return f"{event.type}: the program that recorded this knows how to tell it; this one does not."


def digest_of(event: Event) -> str:
    """The SHA-256 of the event's canonical bytes, in hex."""
    return hashlib.sha256(bytes(event.content)).hexdigest()


def kind_words(name: str) -> str:
    """A type or an entity in words: Change request approved."""
    _, entity, *rest = name.split(".")
    return " ".join([entity.replace("_", " ").capitalize(), *(part.replace("_", " ") for part in rest)])


def kinds() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """The kinds of events by entity, each with its name, its words with those of its app, and its types."""
    entities: dict[str, list[str]] = {}
    for name in sorted(contributors.event_types()):
        entities.setdefault(name.rpartition(".")[0], []).append(name)
    for entity, names in entities.items():
        app = apps.get_app_config(entity.partition(".")[0]).verbose_name
        types = [(name, name.rpartition(".")[2].replace("_", " ").capitalize()) for name in names]
        yield entity, f"{app}: {kind_words(entity).lower()}", types


def sought_in_words(parameters: Mapping[str, Any]) -> dict[str, str]:
    """
    The filters that somebody used, by name, as they are kept with an export: humans by id, and of words, which could be
    somebody's name, only how many there were, since an event is kept when a name is erased.
    """
    kept = {name: str(parameters[name])[:200] for name in filters.NAMES if parameters.get(name)}
    if "actor" in kept:
        kept["actor"] = ", ".join(str(human) for human in filters.humans_of(kept["actor"])) or "nobody known"
    words = ("text",) if filters.id_of(kept.get("object", "")) else ("text", "object")
    return without_words(kept, *words)


def instant_in(value: datetime, zone: tzinfo) -> str:
    """An instant as a form takes it back, in a zone."""
    return value.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
