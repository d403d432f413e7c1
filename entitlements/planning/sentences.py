"""A plan's first lines, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

JSON = Any


def summary(*, counts: Mapping[str, int], interruption: str | None) -> str:
    """The first line: how many entitlements are touched, and whether anybody loses access."""
    told = f"{counts['granted']} granted, {counts['amended']} amended, {counts['retired']} retired"
    if counts["other"]:
        told += f", {counts['other']} other {'record' if counts['other'] == 1 else 'records'} changed"
    return f"{told}; {interruption or 'nobody loses access'}."


def interruption(
    *, losers: Sequence[Mapping[str, JSON]], gaps: Sequence[Mapping[str, JSON]], remaining: Sequence[Mapping[str, JSON]]
) -> str | None:
    """The warning that comes before everything else, or None if nobody loses access by the change."""
    if losers:
        people = len({str(row["person"]) for row in losers})
        first = min(row["at"] for row in losers if row["at"] is not None)
        ends = [row["until"] for row in losers]
        until = "" if None in ends else f" to {_instant(max(ends))}"
        verb = "person loses" if people == 1 else "people lose"
        return f"{people} {verb} access from {_instant(first)}{until}"
    if gaps:
        count = max(gap["count"] for gap in gaps)
        kinds = ", ".join(sorted({str(gap["kind"]) for gap in gaps}))
        return f"a gap opens for {count} from {_instant(min(gap['starts_at'] for gap in gaps))} ({kinds})"
    return None


def _instant(value: JSON) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)
