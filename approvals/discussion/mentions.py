"""Mentions in a text: `@name`. Pure."""

import re
from collections.abc import Collection, Iterator

# As a login may be named; not within a word, so an address is no mention.
_MENTION = re.compile(r"(?<![\w.+@-])@(?P<name>[\w.+@-]{1,150})")
_ENDS = ".+@-"


def candidates(text: str) -> dict[str, None]:
    """
    The names that a text may mention, in their order; a trailing dot may belong to the name or end the sentence, so
    both are.
    """
    found: dict[str, None] = {}
    for match in _MENTION.finditer(text):
        name = match["name"]
        found[name] = None
        while name and name[-1] in _ENDS:
            name = name[:-1]
            if name:
                found[name] = None
    return found


def split(text: str, *, names: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The text in parts, each with whether it is a mention of one of the names."""
    at = 0
    for match in _MENTION.finditer(text):
        name = match["name"]
        while name and name not in names:
            name = name[:-1] if name[-1] in _ENDS else ""
        if name:
            yield text[at : match.start()], False
            at = match.start() + 1 + len(name)
            yield text[match.start() : at], True
    yield text[at:], False
