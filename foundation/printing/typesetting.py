"""Blocks set as a PDF: A4, tagged, the same bytes for the same reading. Text is passed as data, never as markup."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import typst

from foundation.web.blocks import Block, Fact, Facts, Passage, Points, Section, Table

TEMPLATE = Path(__file__).with_name("document.typ").read_bytes()
# Characters for which a column makes room, at least and at most.
NARROWEST, WIDEST = 9, 36
HEX = frozenset("0123456789abcdef")
# What a PDF claims to be: to be read by everybody, and, to be kept, by whatever reads PDF then.
ACCESSIBLE, ARCHIVAL = ("ua-1",), ("a-2a", "ua-1")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Document:
    """
    What is printed: `reference` and `digest`, with what it is of, stand on every page. `dated` becomes the file's date,
    so that the same reading gives the same bytes.
    """

    title: str
    author: str
    sentence: str
    reference: str
    digest: str
    head: Sequence[Fact]
    sections: Sequence[Section]
    dated: datetime
    digest_of: str = "SHA-256"


def pdf(document: Document, *, archival: bool = False) -> bytes:
    """
    The document as a PDF that claims PDF/UA-1, and PDF/A-2a to be kept; tagged without the claim where a character has
    no glyph.
    """
    return _set(document, form="pdf", standards=ARCHIVAL if archival else ACCESSIBLE)[0]


def pictures(document: Document, *, dots_per_inch: float = 100) -> list[bytes]:
    """The document's pages as PNG."""
    return _set(document, form="png", dots_per_inch=dots_per_inch)


def _set(
    document: Document,
    *,
    form: str,
    dots_per_inch: float | None = None,
    standards: Sequence[str] = (),
) -> list[bytes]:
    inputs = {"data": json.dumps(_data(document))}
    claims: Any = list(standards) or None
    # A PDF's date has no smaller unit than seconds.
    dated = document.dated.replace(microsecond=0)
    options: dict[str, Any] = {"format": form, "timestamp": dated, "ppi": dots_per_inch}
    try:
        pages = typst.Compiler(TEMPLATE, sys_inputs=inputs).compile(pdf_standards=claims, **options)
    except typst.TypstError as error:
        # A script that no font here has: readable as far as it is, without the claim.
        log.warning("printed_without_claim", reference=document.reference, why=error.message)
        pages = typst.Compiler(TEMPLATE, sys_inputs=inputs).compile(**options)
    assert pages is not None  # noqa: S101  nothing was written to a file
    return pages if isinstance(pages, list) else [pages]


def _data(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "author": document.author,
        "sentence": document.sentence,
        "reference": document.reference,
        "digest": document.digest,
        "digest_of": document.digest_of,
        "head": _facts(document.head),
        "sections": [
            {"title": section.title, "note": section.note, "blocks": [_block(block) for block in section.blocks]}
            for section in document.sections
        ],
    }


def _block(block: Block) -> Mapping[str, Any]:
    told: dict[str, Any] = {"component": block.component, "title": block.title}
    match block:
        case Facts():
            return told | {"rows": _facts(block.rows)}
        case Table():
            return told | _table(block)
        case Points():
            return told | {"rows": [asdict(row) for row in block.rows]}
        case Passage():
            names = ("left_title", "left", "right_title", "right", "state")
            return told | {name: getattr(block, name) for name in names} | {"facts": _facts(block.facts)}


def _table(table: Table) -> dict[str, Any]:
    mono = [index for index in range(len(table.head)) if any(_is_digest(row.cells[index]) for row in table.rows)]
    return {
        "head": list(table.head),
        "rows": [asdict(row) for row in table.rows],
        "numeric": sorted(table.numeric),
        "mono": mono,
        "widths": [_width(table, index) for index in range(len(table.head))],
        "note": table.note,
    }


def _width(table: Table, index: int) -> int:
    """A column's share of the page: by its longest text, neither nothing nor everything."""
    longest = max(len(text) for text in (table.head[index], *(row.cells[index] for row in table.rows)))
    return min(max(longest, NARROWEST), WIDEST)


def _facts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    return [asdict(fact) | {"mono": _is_digest(fact.value)} for fact in facts]


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= HEX
