"""
The zip: the same bytes for the same files, whoever makes it and when.

Sorted, nothing compressed, all times alike. So a pack has no byte that says nothing, and none that could be changed
unseen: `verify_pack.py` knows what each must be.
"""

import zipfile
from collections.abc import Mapping
from typing import IO

OLDEST = (1980, 1, 1, 0, 0, 0)
MADE_ON_UNIX = 3
READABLE = 0o100644 << 16


def write(files: Mapping[str, bytes], into: IO[bytes]) -> None:
    """Write the files, by their paths, as a zip."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, OLDEST)
            entry.create_system = MADE_ON_UNIX
            entry.external_attr = READABLE
            archive.writestr(entry, files[path])


def read(source: IO[bytes]) -> dict[str, bytes]:
    """The files of a zip that this installation wrote, by their paths."""
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
