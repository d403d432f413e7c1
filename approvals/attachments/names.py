"""Names of files as they are kept: text that can be shown, saved and put into a header. Pure."""

import unicodedata

GREATEST_LENGTH = 150
_NOTHING = "file"


def clean(name: str) -> str:
    """
    The last part of a path, without control, formatting and unassigned characters, on one line, with a small-letter
    extension; shortened in the middle if it is long.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Formatting characters turn “fdp.exe” into “exe.pdf” on a screen; lone surrogates are no characters.
    shown = "".join(one for one in last if one.isspace() or unicodedata.category(one)[0] != "C")
    stem, dot, extension = " ".join(shown.split()).rstrip(". ").rpartition(".")
    if not dot:
        stem, extension = extension, ""
    stem = stem.strip(". ") or _NOTHING
    ending = f".{extension.strip().lower()}" if extension else ""
    return stem[: GREATEST_LENGTH - len(ending)].rstrip(". ") + ending[:GREATEST_LENGTH]


def extension_of(name: str) -> str:
    """What stands behind the last dot of a clean name; empty without one."""
    _stem, dot, extension = name.rpartition(".")
    return extension if dot else ""
