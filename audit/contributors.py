"""
The port through which the apps above tell audit what it may be asked to record.

Audit imports none of them: each registers its event types, with a sentence template per type, when it starts.
"""

import string
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.identity.naming import named

# Told what does not fit: a stable word for its kind, and a sentence.
Find = Callable[[str, str], None]
# Compares an app's tables with the events, and answers how many rows it looked at.
Prover = Callable[[Find], int]
_EVENT_TYPES: dict[str, "EventType"] = {}
_PROVERS: dict[str, Prover] = {}


class UnknownEventType(LookupError):
    """No app registered this type; nothing is recorded under a name that nobody can explain."""


@dataclass(frozen=True)
class EventType:
    """
    One kind of event: `app.entity.past_tense`, and the sentence in which people read it.

    `template` is a `str.format` template over the event's data, the actor's name as `{actor}` and the subject's label
    as `{subject}`. Every field that it names must be in the data of each event of the type. Other people than the actor
    stand in the data by id, as `foundation.identity.naming.mention` writes them; a sentence names them.
    """

    name: str
    template: str

    @property
    def fields(self) -> frozenset[str]:
        """The data fields that the sentence needs."""
        names = (name for _, name, _, _ in string.Formatter().parse(self.template) if name)
        return frozenset(names) - {"actor", "subject"}


def register_event_types(event_types: Iterable[EventType]) -> None:
    """
    Make event types known.

    :raises ValueError: if a name is taken by another template
    """
    for event_type in event_types:
        known = _EVENT_TYPES.get(event_type.name)
        if known is not None and known != event_type:
            raise ValueError(f"The event type {event_type.name} is registered already, with another sentence.")
        _EVENT_TYPES[event_type.name] = event_type


def event_type(name: str) -> EventType:
    """
    The registered type of this name.

    :raises UnknownEventType: if no app registered it
    """
    try:
        return _EVENT_TYPES[name]
    except KeyError:
        raise UnknownEventType(
            f"No event type “{name}” is registered. Register it with its sentence in the app's events module."
        ) from None


def event_types() -> Mapping[str, EventType]:
    """All registered types, by name."""
    return dict(_EVENT_TYPES)


def sentence(
    *, type_name: str, data: Mapping[str, Any], actor: str, subject: str, names: Mapping[uuid.UUID, str] | None = None
) -> str:
    """
    The event told to a person; `names` are those of the logins that it mentions, if they were read already.

    :raises UnknownEventType: if no app registered the type
    :raises KeyError: if the data lacks a field that the sentence names
    """
    told = event_type(type_name).template.format(**(dict(data) | {"actor": actor, "subject": subject}))
    return named(told, names=names)


def register_prover(name: str, prover: Prover) -> None:
    """
    Have verification compare an app's rows with the events that tell of them; `name` says which, to people.

    :raises ValueError: if the name is taken by another prover
    """
    if _PROVERS.setdefault(name, prover) is not prover:
        raise ValueError(f"A prover of {name} is registered already.")


def provers() -> Mapping[str, Prover]:
    """All registered provers, by name."""
    return dict(_PROVERS)
