"""What an event holds besides its sentence, as a table for people."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.ledger.models import Event
from foundation.web.instants import instant_text

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
NOTHING = "–"


@dataclass(frozen=True)
class Difference:
    """One field of a record that changed, whole values before and after."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Data:
    """Values by name, and what changed if the event is of a record's change."""

    values: Sequence[tuple[str, str]]
    differences: Sequence[Difference]
    is_new: bool


def data_of(event: Event) -> Data:
    """The event's data: of a change of a record the fields that differ, everything else as it is."""
    data: Mapping[str, Any] = event.data
    before, after = data.get("before"), data.get("after")
    is_change = isinstance(after, dict) and (before is None or isinstance(before, dict))
    old: Mapping[str, Any] = before if is_change and before else {}
    new: Mapping[str, Any] = after if is_change and after else {}
    differing = [name for name in new if old.get(name) != new[name]]
    return Data(
        values=[
            (_words(name), _text(value))
            for name, value in sorted(data.items())
            if not (is_change and name in ("before", "after"))
        ],
        differences=[Difference(_words(name), _text(old.get(name)), _text(new[name])) for name in sorted(differing)],
        is_new=is_change and before is None,
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return instant_text(datetime.fromisoformat(value)) if _INSTANT.fullmatch(value) else value
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else str(value)
