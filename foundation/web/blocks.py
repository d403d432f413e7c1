"""
What a reading consists of, apart from how it is set: sections of blocks that pages and printed documents both show.

Every value is text for people already. `component` names the block for templates and typesetting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Fact:
    """A value with its name; `absent` says where to record a value that the registry does not have."""

    label: str
    value: str
    absent: str = ""


@dataclass(frozen=True)
class Facts:
    """Values by name."""

    component: ClassVar[str] = "facts"
    rows: Sequence[Fact]
    title: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table: its cells, the first of which names it; `tone` marks what needs attention."""

    cells: Sequence[str]
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `numeric` are the columns that are set flush right."""

    component: ClassVar[str] = "table"
    title: str
    head: Sequence[str]
    rows: Sequence[Row]
    numeric: frozenset[int] = frozenset()
    note: str = ""

    @property
    def lines(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Each row: its tone, and its cells with their column's heading and whether they are numbers."""
        return [
            (row.tone, [(cell, self.head[index], index in self.numeric) for index, cell in enumerate(row.cells)])
            for row in self.rows
        ]

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Each heading, and whether its column holds numbers."""
        return [(name, index in self.numeric) for index, name in enumerate(self.head)]


@dataclass(frozen=True)
class Point:
    """A sentence of a list, in a tone: success and danger have a mark as well."""

    text: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    component: ClassVar[str] = "points"
    rows: Sequence[Point]
    title: str = ""


@dataclass(frozen=True)
class Passage:
    """Two texts side by side: what is written, and how it is read; `facts` say where each comes from."""

    component: ClassVar[str] = "passage"
    title: str
    left_title: str
    left: str
    right_title: str
    right: str
    facts: Sequence[Fact] = ()
    tone: str = ""
    state: str = ""


Block = Facts | Table | Points | Passage


@dataclass(frozen=True)
class Section:
    """A part of a reading: its name in addresses, its title, and what stands in it."""

    name: str
    title: str
    note: str = ""
    blocks: Sequence[Block] = field(default_factory=tuple)
