"""From bytes to text: which encoding a file is in, and what cannot be a text file at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

MAX_BYTES = 20_000_000
# Blank lines count: they cost memory although they say nothing. A line that ends in two characters counts twice.
MAX_LINES = 2_000_000

_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
)
_ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_UNDECODED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


class Unreadable(ValueError):
    """The file as a whole cannot be read; the message says why, and what to do, to whoever chose it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the encoding as people call it, and a note if that was a guess. Bytes that did not fit "
    "are lone surrogates."""

    text: str
    encoding: str
    note: str = ""


def decode(data: bytes) -> Decoded:
    """
    Decode a file by its byte order mark, else as UTF-8, else as Windows-1252.

    :raises Unreadable: if it is empty, too large, or not text
    """
    if not data.strip():
        raise Unreadable("The file is empty. Export the inventory again, with its header line.")
    if len(data) > MAX_BYTES:
        raise Unreadable(
            f"The file has {len(data) / 1e6:.1f} MB, and at most {MAX_BYTES / 1e6:.0f} MB are read. Split it and "
            f"import the parts."
        )
    for start, what in _OTHER_FORMATS:
        if data.startswith(start):
            raise Unreadable(f"The file is {what}, not text. Save the sheet as “CSV UTF-8” and import that.")
    if data.count(b"\n") + data.count(b"\r") > MAX_LINES:
        raise Unreadable(f"The file has more than {MAX_LINES:,} lines. Remove blank lines, or split it.")
    if data.startswith(codecs.BOM_UTF8):
        return Decoded(data[len(codecs.BOM_UTF8) :].decode("utf-8", "surrogateescape"), "UTF-8 with byte order mark")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_utf16(data)
    return _decode_unmarked(data)


def _decode_utf16(data: bytes) -> Decoded:
    try:
        return Decoded(data.decode("utf-16", "surrogatepass"), "UTF-16")
    except UnicodeDecodeError as error:
        raise Unreadable(
            "The file breaks off in the middle of a character. Export it again, as “CSV UTF-8”."
        ) from error


def _decode_unmarked(data: bytes) -> Decoded:
    try:
        return Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    undecoded = len(_UNDECODED.findall(text))
    decoded = len(_NOT_ASCII.findall(text)) - undecoded
    if _ENCODED_SURROGATE.search(data) or decoded >= undecoded:
        return Decoded(
            text,
            "UTF-8",
            "Some bytes of the file are not UTF-8, although the rest is; the records they stand in are reported.",
        )
    return Decoded(
        data.decode("cp1252", "surrogateescape"),
        "Windows-1252",
        "The file is not UTF-8 and was read as Windows-1252. Check names with accents.",
    )
