"""
The types of files that may be attached, told by their content and not by their name alone. Pure.

None of them runs in a browser: neither HTML nor SVG is among them, and a document that carries macros is refused.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser

_OFFICE = "application/vnd.openxmlformats-officedocument."
_MIMETYPE = "mimetype"
GREATEST_JSON_READ = 1024 * 1024
_UNREADABLE = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError)
_HEADER = re.compile(rb"[!-9;-~]+:")


@dataclass(frozen=True)
class FileType:
    """A type: how it is served, what people call it, and whether content is of it."""

    media_type: str
    label: str
    fits: Callable[[bytes], bool]


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-")


def _is_png(content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR"


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff")


def _is_text(content: bytes) -> bool:
    """Whether content is UTF-8 without control characters other than those of lines, tabulators and pages."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text) is None


def _is_json(content: bytes) -> bool:
    """Whether content is JSON; of a large one whether it is text that begins and ends as JSON does."""
    if len(content) > GREATEST_JSON_READ:
        # Reading many small values takes thirty times their length in memory.
        return _is_text(content) and (content.strip()[:1] + content.strip()[-1:]) in (b"{}", b"[]")
    try:
        json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _is_mail(content: bytes) -> bool:
    if not _HEADER.match(content) or b"\x00" in content:
        return False
    headers = BytesHeaderParser().parsebytes(content[: 256 * 1024])
    return "From" in headers and ("Date" in headers or "Received" in headers)


def _is_office(part: str) -> Callable[[bytes], bool]:
    """Whether content is a package of Office Open XML with that part, and without macros."""

    def fits(content: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                names = {name.lower() for name in package.namelist()}
        except _UNREADABLE:
            return False
        return {"[content_types].xml", part} <= names and not any(name.endswith("vbaproject.bin") for name in names)

    return fits


def _is_open_document(content: bytes) -> bool:
    """Whether content is an OpenDocument text: its type stands uncompressed as its first entry."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if not entries or entries[0].filename != _MIMETYPE or entries[0].compress_type != zipfile.ZIP_STORED:
                return False
            told = package.open(entries[0]).read(100)
            names = {entry.filename.lower() for entry in entries}
    except _UNREADABLE:
        return False
    return told == OPEN_DOCUMENT.encode() and not any(name.startswith(("basic/", "scripts/")) for name in names)


OPEN_DOCUMENT = "application/vnd.oasis.opendocument.text"

# By the name's extension.
TYPES: Mapping[str, FileType] = {
    "pdf": FileType("application/pdf", "PDF", _is_pdf),
    "png": FileType("image/png", "PNG image", _is_png),
    "jpg": FileType("image/jpeg", "JPEG image", _is_jpeg),
    "jpeg": FileType("image/jpeg", "JPEG image", _is_jpeg),
    "txt": FileType("text/plain; charset=utf-8", "text in UTF-8", _is_text),
    "csv": FileType("text/csv; charset=utf-8", "CSV in UTF-8", _is_text),
    "json": FileType("application/json", "JSON", _is_json),
    "eml": FileType("message/rfc822", "mail message", _is_mail),
    "docx": FileType(f"{_OFFICE}wordprocessingml.document", "Word document", _is_office("word/document.xml")),
    "xlsx": FileType(f"{_OFFICE}spreadsheetml.sheet", "Excel workbook", _is_office("xl/workbook.xml")),
    "odt": FileType(OPEN_DOCUMENT, "OpenDocument text", _is_open_document),
}
