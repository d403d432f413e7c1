"""Changes, people and rules of a plan as pages and printed documents show them: names for ids, bearable lengths."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals import governed
from approvals.governed import UnknownKind
from foundation.web.instants import in_reader_zone

JSON = Any
CHANGES_SHOWN = 25
PEOPLE_SHOWN = 24
PEOPLE_FOLDED = 1_000
LOSES: Mapping[str, str] = {
    "dark": "no access at all",
    "short": "no free seat",
    "lost": "part of it is lost",
    "grace": "only by grace",
    "no_seat": "no seat in the successor",
}
GAINS: Mapping[str, str] = {
    "dark": "would otherwise have no access",
    "short": "would otherwise have no free seat",
    "lost": "would otherwise lose part of it",
    "grace": "would otherwise go on by grace only",
    "seat": "a new seat",
}


@dataclass(frozen=True)
class ShownLine:
    """One field of an item, whole values; `old` is None for a new record."""

    label: str
    old: str | None
    new: str
    unit: str

    @property
    def before(self) -> str:
        """The former value with its unit; what is absent has none."""
        return _with_unit(self.old or "–", self.unit)

    @property
    def after(self) -> str:
        """The new value with its unit."""
        return _with_unit(self.new, self.unit)


@dataclass(frozen=True)
class ShownChange:
    """One item: what is done to which record, and how its values change."""

    title: str
    label: str
    lines: Sequence[ShownLine]


@dataclass(frozen=True)
class Group:
    """People to whom the same happens: what, to which product of which account, from when, until when; by name."""

    kind: str
    account: str
    product: str
    at: datetime | None
    until: datetime | None
    count: int
    names: Sequence[str]
    folded: Sequence[str]

    @property
    def left_out(self) -> int:
        """How many are neither shown nor folded."""
        return self.count - len(self.names) - len(self.folded)


@dataclass(frozen=True)
class People:
    """People who lose, or who gain: how many, and in groups of the same fate."""

    count: int
    groups: Sequence[Group]


def shown_change(change: Mapping[str, JSON]) -> ShownChange:
    """One change of a plan's document in words."""
    return ShownChange(
        title=_title(change["kind"]),
        label=change["label"],
        lines=[
            ShownLine(
                label=field_label(str(line["label"])),
                old=None if line["old"] is None else in_reader_zone(str(line["old"])),
                new=in_reader_zone(str(line["new"])),
                unit=line.get("unit", ""),
            )
            for line in change.get("lines", ())
        ],
    )


def kinds_counted(changes: Sequence[Mapping[str, JSON]]) -> list[tuple[str, int]]:
    """How many changes there are of each kind, most first."""
    return Counter(_title(change["kind"]) for change in changes).most_common()


def field_label(text: str) -> str:
    """A field's name as it begins a line."""
    words = text.removesuffix(" at").replace("sku", "SKU")
    return words[:1].upper() + words[1:]


def _title(kind: str) -> str:
    try:
        return governed.kind(kind).title
    except UnknownKind:
        # A revision is kept for ever; its kind may be gone.
        return kind


def people_named(*lists: Iterable[Mapping[str, JSON]]) -> set[uuid.UUID]:
    """The people whom rows name, as far as they are shown."""
    return {
        uuid.UUID(row["person"])
        for rows in lists
        for row in list(rows)[: PEOPLE_SHOWN + PEOPLE_FOLDED]
        if row.get("person")
    }


def shown_people(
    rows: Sequence[Mapping[str, JSON]],
    names: Mapping[uuid.UUID, str],
    labels: Mapping[str, str],
    words: Mapping[str, str],
) -> People:
    """People in groups of the same fate, largest first."""
    alike: dict[tuple[Any, ...], list[uuid.UUID]] = {}
    for row in rows:
        key = (row["at"], row["until"], row["kind"], row["account"], row["product"])
        alike.setdefault(key, []).append(uuid.UUID(row["person"]))
    groups = []
    for (at, until, kind, account, product), people in alike.items():
        known = sorted(names[person] for person in people if person in names)
        groups.append(
            Group(
                kind=words.get(kind, str(kind)),
                account=labels.get(account, ""),
                product=labels.get(product, ""),
                at=_instant(at),
                until=_instant(until),
                count=len(people),
                names=known[:PEOPLE_SHOWN],
                folded=known[PEOPLE_SHOWN:],
            )
        )
    groups.sort(key=lambda group: -group.count)
    return People(len({row["person"] for row in rows}), groups)


def rules_passed(rules: Sequence[Mapping[str, JSON]]) -> list[tuple[str, int]]:
    """The rules that hold, and on how many records."""
    return list(Counter(row["sentence"] for row in rules if row["passed"]).items())


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _required(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _with_unit(value: str, unit: str) -> str:
    return value if value == "–" or not unit else f"{value} {unit}"
