"""
Erasing what is known of a human by name: logins here, and copies wherever apps keep some.

The port: an app that keeps names or mails of people outside `foundation_user` registers how they are found, counted and
forgotten. What is not registered is either without names or declared in docs/erasure.md, and a test looks.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from foundation.identity.models import ERASED, User

SHORTEST = 3


@dataclass(frozen=True)
class Known:
    """What is known of a human, as copies are looked for: ids, and `texts` (names, mails, login names)."""

    human_id: uuid.UUID
    login_ids: frozenset[uuid.UUID]
    logins: frozenset[str]
    person_ids: frozenset[uuid.UUID]
    texts: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What finds the texts as whole words, the longest first; None where there are none."""
        found = sorted({text for text in self.texts if len(text) >= SHORTEST}, key=lambda text: (-len(text), text))
        if not found:
            return None
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, found))})(?!\w)", re.IGNORECASE)

    def without(self, value: Any) -> Any:
        """A JSON value with the words of erasure in place of the texts."""
        pattern = self.pattern
        return value if pattern is None else _without(value, pattern)


@dataclass(frozen=True)
class Copies:
    """
    One sort of copies: what people call them, how many there are of a human, and how they are forgotten.

    `forget` runs in the transaction of the erasure, while nothing else is erased yet.
    """

    words: str
    count: Callable[[Known], int]
    forget: Callable[[Known, datetime], int]


_COPIES: dict[str, Copies] = {}


def register_copies(name: str, copies: Copies) -> None:
    """
    Make a sort of copies known.

    :raises ValueError: if the name is another's
    """
    if _COPIES.setdefault(name, copies) != copies:
        raise ValueError(f"Copies {name} are registered already, as something else.")


def registered_copies() -> Mapping[str, Copies]:
    """All sorts of copies, by name."""
    return dict(_COPIES)


def texts_of(logins: Iterable[User]) -> set[str]:
    """By what logins are named in texts: login name, full name, mail."""
    return {text for user in logins for text in (user.get_username(), user.get_full_name(), user.email) if text}


def erase_logins(*, logins: Iterable[User], now: datetime) -> int:
    """
    Empty logins, in the caller's transaction, which has locked them; how many there were.

    They are inactive by then: the database refuses to erase one who can sign in.
    """
    rows = [user for user in logins if user.erased_at is None]
    for user in rows:
        user.username = f"erased-{user.pk}"
        user.first_name, user.last_name, user.email = ERASED, "", ""
        user.password = make_password(None)
        user.erased_at = now
    User.objects.bulk_update(rows, ["username", "first_name", "last_name", "email", "password", "erased_at"])
    return len(rows)


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, Mapping):
        return {key: _without(one, pattern) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, pattern) for one in value]
    return value
