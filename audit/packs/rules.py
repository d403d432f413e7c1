"""The rules of packs: which events show a control, and for how long a pack is kept."""

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

SHIPPED = Path(__file__).with_name("rules.toml")
Days = Annotated[int, Field(ge=1, le=36_525)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Control(_Strict):
    """A control: whose, its id and title, what it asks, and the types of events that show it, `*` for any part."""

    framework: Text
    id: Text
    title: Text
    asks: Text
    events: tuple[Text, ...]

    def rests_on(self, type_name: str) -> bool:
        """Whether an event of this type shows the control."""
        return any(fnmatch.fnmatchcase(type_name, pattern) for pattern in self.events)


class Retention(_Strict):
    """For how many days packs are kept: of some kinds, of the others, and at most."""

    days: Days
    most_days: Days
    by_kind: Mapping[str, Days] = {}

    def days_of(self, kind: str) -> int:
        """How long a pack about such a thing is kept unless somebody says otherwise."""
        return min(self.by_kind.get(kind, self.days), self.most_days)


class Rules(_Strict):
    """The whole file."""

    retention: Retention
    control: tuple[Control, ...] = ()


class BadRules(ValueError):
    """The file of rules can't be used; the message says why."""


@dataclass(frozen=True)
class Shown:
    """A control with the places in the log of the events in a pack that show it."""

    control: Control
    indexes: tuple[int, ...]


def rules() -> Rules:
    """
    The rules of this installation.

    :raises BadRules: if their file can't be used
    """
    return read(Path(settings.EVIDENCE_RULES) if settings.EVIDENCE_RULES else SHIPPED)


@cache
def read(path: Path) -> Rules:
    """
    The rules of a file.

    :raises BadRules: if it can't be read, or says something else than it must
    """
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text())
        return Rules.model_validate(told)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRules(f"EVIDENCE_RULES names {path}, which can't be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRules(f"EVIDENCE_RULES names {path}, where {where} is wrong: {first['msg']}.") from error


def shown(events: Iterable[tuple[int, str]], controls: Iterable[Control]) -> list[Shown]:
    """Each control with the events, by place and type, that show it."""
    known = list(events)
    return [
        Shown(control, tuple(index for index, type_name in known if control.rests_on(type_name)))
        for control in controls
    ]
