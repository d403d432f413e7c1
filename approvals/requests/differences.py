"""
What changed between two revisions of a request, whole values old → new. Pure: documents in, values out.

Fields are told in the words of the plans (`approvals.governed.Presenter.lines`); what differs and has no words there is
told as it was asked for, so that nothing that the digest covers changes unseen.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from approvals.governed import FieldLine
from approvals.requests import schedules

JSON = Any
Lines = Mapping[int, Sequence[FieldLine]]
NOTHING = "–"
# Comparing word by word costs more than the product of the lengths; what is longer is told whole, old and new.
GREATEST_PRODUCT = 2_000_000
# With the space behind it: single spaces are in every place of both texts, and comparing those takes minutes.
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_TEXTS = (("justification", "Justification"), ("impact", "Expected impact"), ("rollback", "Rollback"))


class Part(StrEnum):
    """What became of a part of a text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class TextPart:
    """A stretch of a text."""

    part: Part
    text: str


@dataclass(frozen=True)
class TextChange:
    """A text that changed, in parts."""

    label: str
    parts: Sequence[TextPart]


@dataclass(frozen=True)
class ValueChange:
    """A value that changed; `old` is None if there was none, `new` if there is none any more."""

    label: str
    old: str | None
    new: str | None
    unit: str = ""


@dataclass(frozen=True)
class ItemChange:
    """One record's change that was added to the request, removed from it, or asks for something else."""

    change: str
    kind: str
    label: str
    lines: Sequence[ValueChange]


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two revisions."""

    values: Sequence[ValueChange]
    texts: Sequence[TextChange]
    items: Sequence[ItemChange]
    stages: Sequence[ValueChange]

    @property
    def nothing(self) -> bool:
        """Whether they ask for the same, for the same reasons."""
        return not (self.values or self.texts or self.items or self.stages)

    def as_document(self) -> dict[str, JSON]:
        """The difference as JSON values."""
        return asdict(self)


def between(*, old: Mapping[str, JSON], new: Mapping[str, JSON], old_lines: Lines, new_lines: Lines) -> Difference:
    """
    What differs from one revision's document to another's; the lines are the fields of each item in words, by its
    position.
    """
    return Difference(
        values=_values(old, new),
        texts=_texts(old["rationale"], new["rationale"]),
        items=_items(old["items"], new["items"], old_lines, new_lines),
        stages=_stages(old["policy"], new["policy"]),
    )


def words(old: str, new: str) -> tuple[TextPart, ...]:
    """The parts of two texts, compared word by word; joined, the parts that are not added are the old text."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    begin = _alike(before, after)
    end = _alike(before[begin:][::-1], after[begin:][::-1])
    middle = before[begin : len(before) - end], after[begin : len(after) - end]
    if len(middle[0]) * len(middle[1]) > GREATEST_PRODUCT:
        middle = ["".join(middle[0])], ["".join(middle[1])]
    parts = [
        TextPart(Part.SAME, "".join(before[:begin])),
        *_compared(*middle),
        TextPart(Part.SAME, "".join(before[len(before) - end :])),
    ]
    joined: list[TextPart] = []
    for part in parts:
        if joined and joined[-1].part == part.part:
            part = TextPart(part.part, joined.pop().text + part.text)
        if part.text:
            joined.append(part)
    return tuple(joined)


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words two texts begin with alike."""
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def _compared(before: Sequence[str], after: Sequence[str]) -> list[TextPart]:
    found: list[TextPart] = []
    # Words that are everywhere begin no stretch that is alike (autojunk): otherwise a rewritten page takes minutes.
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            found.append(TextPart(Part.SAME, "".join(before[i1:i2])))
            continue
        if i2 > i1:
            found.append(TextPart(Part.REMOVED, "".join(before[i1:i2])))
        if j2 > j1:
            found.append(TextPart(Part.ADDED, "".join(after[j1:j2])))
    return found


def _values(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> tuple[ValueChange, ...]:
    plans = old["plan"]["document"], new["plan"]["document"]
    pairs: tuple[tuple[str, str | None, str | None], ...] = (
        ("Title", old["title"], new["title"]),
        ("What it does", plans[0].get("summary"), plans[1].get("summary")),
        ("Warning", plans[0].get("interruption"), plans[1].get("interruption")),
        ("When", _when(old), _when(new)),
        ("Waiver", _waiver(old["waiver"]), _waiver(new["waiver"])),
        ("Standard template", _template(old), _template(new)),
    )
    return tuple(ValueChange(label, before or None, after or None) for label, before, after in pairs if before != after)


def _when(document: Mapping[str, JSON]) -> str:
    schedule = schedules.of(document)
    return schedule.local if schedule else "when somebody applies it"


def _waiver(waiver: Mapping[str, str] | None) -> str | None:
    return f"{waiver['reason']} Risk borne by: {waiver['risk_owner']}" if waiver else None


def _template(document: Mapping[str, JSON]) -> str | None:
    cited = document.get("standard")
    return f"{cited['name']}, version {cited['version']}" if cited else None


def _texts(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> tuple[TextChange, ...]:
    pairs = [(label, old[name], new[name]) for name, label in _TEXTS]
    criteria = ["\n".join(one["acceptance_criteria"]) for one in (old, new)]
    pairs.insert(2, ("It worked if", criteria[0], criteria[1]))
    return tuple(TextChange(label, words(before, after)) for label, before, after in pairs if before != after)


def _items(
    old: Sequence[Mapping[str, JSON]], new: Sequence[Mapping[str, JSON]], old_lines: Lines, new_lines: Lines
) -> tuple[ItemChange, ...]:
    before = {(item["table"], item["record_id"]): position for position, item in enumerate(old)}
    after = {(item["table"], item["record_id"]): position for position, item in enumerate(new)}
    found = []
    for key, position in after.items():
        item = new[position]
        if key not in before:
            lines = [ValueChange(one.label, one.old, one.new, one.unit) for one in new_lines.get(position, ())]
            found.append(ItemChange("added", item["kind"], item["label"], lines or _asked({}, item)))
            continue
        former = old[before[key]]
        if former == item:
            continue
        lines = _lines(old_lines.get(before[key], ()), new_lines.get(position, ()))
        # What has no words: asked for otherwise, based on another version of the record, or with other effects.
        lines = [*lines, *([] if lines else _asked(former, item)), *_base(former, item)]
        found.append(ItemChange("changed", item["kind"], item["label"], lines))
    for key, position in before.items():
        if key not in after:
            item = old[position]
            gone = [ValueChange(one.label, one.new, one.old, one.unit) for one in old_lines.get(position, ())]
            found.append(ItemChange("removed", item["kind"], item["label"], gone or _asked(item, {})))
    return tuple(found)


def _lines(old: Sequence[FieldLine], new: Sequence[FieldLine]) -> list[ValueChange]:
    """What a record would become: by the former revision and by the later one; an untouched field keeps its value."""
    before, after = {line.field: line for line in old}, {line.field: line for line in new}
    found = []
    for name in dict.fromkeys((*after, *before)):
        one, other = before.get(name), after.get(name)
        told = other or one
        assert told is not None  # noqa: S101  it is in one of them
        was = one.new if one else told.old
        becomes = other.new if other else told.old
        if was != becomes:
            found.append(ValueChange(told.label, was, becomes, told.unit))
    return found


def _asked(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> list[ValueChange]:
    before, after = (_told(one) for one in (old, new))
    names = [name for name in dict.fromkeys((*after, *before)) if before.get(name) != after.get(name)]
    return [ValueChange(name, before.get(name), after.get(name)) for name in names]


def _told(item: Mapping[str, JSON]) -> dict[str, str]:
    values = {
        **(item.get("payload") or {}),
        **{f"effects: {key}": one for key, one in (item.get("effects") or {}).items()},
    }
    return {
        name.replace("_", " "): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }


def _base(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> list[ValueChange]:
    before, after = old["base_version"], new["base_version"]
    if before == after:
        return []
    was, becomes = (None if one is None else str(one) for one in (before, after))
    return [ValueChange("planned on version", was, becomes)]


def _stages(old: Sequence[Mapping[str, JSON]], new: Sequence[Mapping[str, JSON]]) -> tuple[ValueChange, ...]:
    before, after = ({stage["position"]: _stage(stage) for stage in chain} for chain in (old, new))
    return tuple(
        ValueChange(f"Stage {position}", before.get(position), after.get(position))
        for position in sorted({*before, *after})
        if before.get(position) != after.get(position)
    )


def _stage(stage: Mapping[str, JSON]) -> str:
    asked = stage.get("role") or "named people"
    return f"{stage['quorum']} of {str(asked).replace('_', ' ')}, because {'; '.join(stage['reasons'])}"
