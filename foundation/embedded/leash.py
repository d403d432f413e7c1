"""
Runs a program that ends when its parent ends, however that ends; as another user where asked.

A file of its own, run as a script: changing the user takes the wish to be told of the parent's end away again, so
both happen here, in that order, between fork and exec, without Python code in a forked copy of a threaded process.
Outside Linux the program is not tied to its parent.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def wrap(
    command: list[str], *, on_parents_end: signal.Signals, uid: int | None = None, gid: int | None = None
) -> list[str]:
    """
    Answer the command line that runs `command` on a leash held by this process.

    The thread that starts it must be one that lives as long as the process does.
    """
    identity = "-" if uid is None or gid is None else f"{uid}:{gid}"
    return [sys.executable, "-I", __file__, str(os.getpid()), str(int(on_parents_end)), identity, *command]


def main(parent: str, on_parents_end: str, identity: str, *command: str) -> None:
    """Drop to the identity, ask for the signal, become the command."""
    if identity != "-":
        uid, gid = map(int, identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(on_parents_end), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("The process that started this one has ended already.")
    os.execv(command[0], command)  # noqa: S606 - the caller's own command line, no shell


if __name__ == "__main__":
    main(*sys.argv[1:])
