"""
Which user PostgreSQL runs as.

An ordinary user's server runs as that user. PostgreSQL refuses root; there the server runs as a user id without a
name, used by nothing else on the machine, so that no other daemon reads its data. `initdb` alone insists on a name:
it runs as `nobody`, in a directory made for it, and what it made is then given to the server's id. No user is added
to the machine.

Source: docs/decisions/0010-embedded-postgresql.md
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation.embedded.errors import EmbeddedError

# Between the ranges that systemd documents for its own use; below 65536, so that it exists in a user namespace too.
FREE_IDS = range(60578, 61184)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user and group id; `is_other` when they are not the caller's own, and processes must drop to them."""

    uid: int
    gid: int
    is_other: bool

    def popen_options(self) -> dict[str, Any]:
        """Answer the arguments of `subprocess.Popen` with which a child runs as this account."""
        if not self.is_other:
            return {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LD_"))}
        return {
            "user": self.uid,
            "group": self.gid,
            "extra_groups": [],
            "umask": 0o077,
            "env": environment | {"HOME": "/"},
        }

    def give(self, path: Path) -> None:
        """Make this account the owner of a path and of everything in it."""
        if not self.is_other:
            return
        os.lchown(path, self.uid, self.gid)
        for directory, directories, files in os.walk(path):
            for name in (*directories, *files):
                os.lchown(os.path.join(directory, name), self.uid, self.gid)

    def make_private(self, path: Path) -> None:
        """
        Make a directory that this account owns and only it can enter, unless it is there.

        :raises EmbeddedError: if the directory is there and somebody else's, or open to others
        """
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            status = os.lstat(path)
            if status.st_uid not in {self.uid, os.geteuid()} or status.st_mode & 0o077 or not path.is_dir():
                raise EmbeddedError(
                    f"{path} is there, but it is not a directory that only user {self.uid} may enter. "
                    "Remove it, or set TENURE_HOME to a directory of your own."
                ) from None
        if self.is_other:
            os.lchown(path, self.uid, self.gid)


def choose(server: Path) -> Account:
    """Answer who runs the server whose files are, or will be, under `server`: the files' owner where they are there."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), is_other=False)
    if server.exists() and (owner := server.stat()).st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid, is_other=True)
    offset = sum(os.fsencode(server))
    for step in range(len(FREE_IDS)):
        uid = FREE_IDS[(offset + step) % len(FREE_IDS)]
        if not has_name(uid):
            return Account(uid=uid, gid=uid, is_other=True)
    raise EmbeddedError(
        f"No user id from {FREE_IDS.start} to {FREE_IDS.stop - 1} is free on this machine, "
        "so PostgreSQL cannot drop root. Run Tenure as an ordinary user."
    )


def has_name(uid: int) -> bool:
    """Answer whether the machine gives this user id a name."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def find_initdb_account(account: Account) -> Account:
    """
    Answer the account that `initdb` runs as: the server's own where it has a name, else `nobody`.

    :raises EmbeddedError: if neither has one
    """
    if has_name(account.uid):
        return account
    if not account.is_other:
        raise EmbeddedError(
            f"initdb refuses to run as user id {account.uid}, which has no name on this machine. "
            "Give it an entry in /etc/passwd, run Tenure as another user, "
            "or set DATABASE_URL to a server that runs already."
        )
    for entry in pwd.getpwall():
        if entry.pw_name == "nobody" and entry.pw_uid != 0:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)
    raise EmbeddedError(
        "initdb needs a user with a name other than root, and this machine has no “nobody”. "
        "Run Tenure as an ordinary user."
    )
