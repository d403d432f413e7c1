"""Instants within sentences, for readers: in their zone, with its name."""

import re
from datetime import date, datetime

from django.utils import timezone

from foundation.templatetags.tenure import zone_name

_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00| UTC)(?!\w)")


def instant_text(value: datetime) -> str:
    """An instant as text in the reader's zone: 24 Nov 2026, 14:05 CET."""
    local = timezone.localtime(value)
    return f"{local.day} {local:%b %Y, %H:%M} {zone_name(local)}"


def in_reader_zone(text: str) -> str:
    """A text with every UTC instant within it (2026-11-24T13:05:00Z, 2026-11-24 13:05 UTC) in the reader's zone."""
    return _INSTANT.sub(_rewritten, text)


def _rewritten(found: "re.Match[str]") -> str:
    try:
        return instant_text(datetime.fromisoformat(f"{found[1]}T{found[2]}:00+00:00"))
    except ValueError:
        # It only looked like one.
        return found[0]


def day_text(value: date) -> str:
    """A day as text: 24 Nov 2026."""
    return f"{value.day} {value:%b} {value.year}"


def parsed(value: str | None) -> datetime | None:
    """The instant of a JSON value; None for none."""
    return datetime.fromisoformat(value) if value else None
