"""
How people are named where nothing but their id is kept.

A text that must outlive an erasure, such as an event's, says `user <id>`; whoever shows it puts the name there that the
login has by then. The name of who was erased is the words below, stored where the name was, so that every reader shows
the same.
"""

import re
import uuid
from collections.abc import Iterable, Mapping

from foundation.identity.models import ERASED, User

__all__ = ["ERASED", "mention", "mentioned", "named", "names_of"]

_MENTION = re.compile(r"\buser ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


def mention(user: User) -> str:
    """A login in a text that is kept: by id, since names can be erased."""
    return f"user {user.pk}"


def mentioned(texts: Iterable[str]) -> set[uuid.UUID]:
    """The logins that texts mention."""
    return {uuid.UUID(key) for text in texts for key in _MENTION.findall(text)}


def names_of(login_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What logins are called now, by id."""
    keys = list(set(login_ids))
    return {key: str(user) for key, user in User.objects.in_bulk(keys).items()} if keys else {}


def named(text: str, *, names: Mapping[uuid.UUID, str] | None = None) -> str:
    """The text with names in place of the logins that it mentions; `names` were read already, or are read now."""
    keys = mentioned([text])
    if not keys:
        return text
    known = names_of(keys) if names is None else names
    return _MENTION.sub(lambda match: known.get(uuid.UUID(match[1]), match[0]), text)
