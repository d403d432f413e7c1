"""
Which processes run on a data directory, seen from outside.

A postmaster that was killed leaves its file with a process id, which by now may be somebody else's, and for a moment
its children, who hold the shared memory. Every process of a PostgreSQL server has the data directory as its working
directory: that tells them apart. Where there is no `/proc`, nothing is known and PostgreSQL's own checks decide.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")


def find_on(data: Path) -> list[int] | None:
    """Answer the ids of the processes whose working directory is `data`; None where that cannot be known."""
    if not (PROC / "self" / "cwd").exists():
        return None
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(entry / "cwd") == str(data):
                    found.append(int(entry.name))
    return found


def read_postmaster(data: Path) -> int | None:
    """Answer the process id in `postmaster.pid`, whoever has it now; None without one."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def end_all_on(data: Path, *, patience_seconds: float = 5) -> None:
    """End the processes on `data`: asked to quit at once, killed when they do not."""
    deadline = time.monotonic() + patience_seconds
    for sent in (signal.SIGQUIT, signal.SIGKILL):
        for pid in find_on(data) or []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        while find_on(data) and time.monotonic() < deadline:
            time.sleep(0.05)
        deadline += patience_seconds
