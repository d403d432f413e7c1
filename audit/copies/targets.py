"""
Where heads of the log are kept outside the database, each named by one URL of `LEDGER_COPIES`.

| URL | what happens |
|---|---|
| `file:///a/directory` | the sealer writes `latest` after each round, and a file for each copy |
| `s3://bucket/prefix`, `gs://…`, `az://…` | an object a copy, and `latest`; credentials as its tools read them |
| `https://host/path` | the note is POSTed as text |
| `mailto:auditor@example.com` | the note is mailed |

The first two can be read again, so that a database that is older than they are is recognized.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core import mail

from audit.copies.errors import CopyFailed
from foundation.http import client
from foundation.http.errors import OutgoingFailed, OutgoingRefused

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

LATEST = "latest"
OBJECT_STORES = ("s3", "gs", "az", "abfs", "abfss")


class Target(Protocol):
    """One place outside."""

    @property
    def name(self) -> str:
        """Its URL, without credentials or query."""
        ...

    def write(self, *, note: str, size: int) -> None:
        """
        Keep a checkpoint there.

        :raises CopyFailed: if it was not taken
        """
        ...

    def latest(self) -> str | None:
        """
        The newest checkpoint there; None if there is none, or the target cannot be read.

        :raises CopyFailed: if it does not answer
        """
        ...


@dataclass(frozen=True)
class FileTarget:
    """A directory, best of another machine."""

    name: str
    directory: Path

    def write(self, *, note: str, size: int) -> None:
        """Write a file of its own and `latest`, each whole or not at all."""
        self.write_latest(note)
        self._put(f"checkpoint-{size:012d}", note)

    def write_latest(self, note: str) -> None:
        """Write `latest` alone."""
        self._put(LATEST, note)

    def latest(self) -> str | None:
        """Read `latest`."""
        try:
            return (self.directory / LATEST).read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CopyFailed(f"{self.name} cannot be read: {error}.") from error

    def _put(self, name: str, note: str) -> None:
        try:
            self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self.directory, prefix=".", delete=False) as draft:
                draft.write(note)
                draft.flush()
                os.fsync(draft.fileno())
                os.fchmod(draft.fileno(), 0o644)
            Path(draft.name).replace(self.directory / name)
        except OSError as error:
            raise CopyFailed(f"{self.name} cannot be written: {error}.") from error


@dataclass(frozen=True)
class StoreTarget:
    """A path of an object store."""

    name: str
    url: str

    def write(self, *, note: str, size: int) -> None:
        """Put an object of its own, and `latest`."""
        import obstore  # noqa: PLC0415  a process that copies nothing need not load it

        try:
            store = self._store()
            for key in (f"checkpoint-{size:012d}", LATEST):
                obstore.put(store, key, note.encode())
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise CopyFailed(f"{self.name} did not take the checkpoint: {_told(error)}") from error

    def latest(self) -> str | None:
        """Read `latest`."""
        import obstore  # noqa: PLC0415

        try:
            return bytes(obstore.get(self._store(), LATEST).bytes()).decode()
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise CopyFailed(f"{self.name} cannot be read: {_told(error)}") from error

    def _store(self) -> "ObjectStore":
        from obstore.store import from_url  # noqa: PLC0415

        # Within the time of a bell; what failed is tried again by the next.
        retries: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=20)}
        # Whether the store's own address, as its tools are told it, has no TLS.
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        return from_url(self.url, client_options={"timeout": "20s", "allow_http": plain}, retry_config=retries)


@dataclass(frozen=True)
class WebhookTarget:
    """A URL that takes the note as text."""

    name: str
    url: str

    def write(self, *, note: str, size: int) -> None:
        """POST it; anything but 2xx is a failure."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "Tenure-Checkpoint-Size": str(size)}
        try:
            answer = client.send(method="POST", url=self.url, headers=headers, body=note.encode())
        except (OutgoingFailed, OutgoingRefused) as error:
            raise CopyFailed(f"{self.name} did not take the checkpoint: {error}") from error
        if not answer.succeeded:
            raise CopyFailed(f"{self.name} did not take the checkpoint: it answered {answer.status}.")

    def latest(self) -> str | None:
        """It cannot be read."""
        return None


@dataclass(frozen=True)
class MailTarget:
    """A mailbox."""

    name: str
    address: str

    def write(self, *, note: str, size: int) -> None:
        """Send it; the text begins with the note."""
        try:
            mail.send_mail(f"Checkpoint of {size} events", note, settings.DEFAULT_FROM_EMAIL, [self.address])
        except OSError as error:
            raise CopyFailed(f"{self.name} was not mailed: {error}.") from error

    def latest(self) -> str | None:
        """It cannot be read."""
        return None


def targets() -> list[Target]:
    """
    The places that the settings name.

    :raises ValueError: if one is of no known form
    """
    return [target_of(url) for url in settings.LEDGER_COPIES]


def target_of(url: str) -> Target:
    """
    The place of a URL.

    :raises ValueError: if it is of no known form
    """
    parts = urlsplit(url)
    name = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return FileTarget(name, Path(unquote(parts.path)))
    if parts.scheme in OBJECT_STORES and parts.netloc:
        return StoreTarget(name, url)
    if parts.scheme in ("https", "http") and parts.hostname:
        return WebhookTarget(name, url)
    if parts.scheme == "mailto" and "@" in parts.path:
        return MailTarget(f"mailto:{parts.path}", parts.path)
    raise ValueError(
        f"LEDGER_COPIES names “{name}”, which is none of file:///directory, s3://bucket/path, https://host/path and "
        "mailto:address."
    )


def _told(error: Exception) -> str:
    """The first line of what a library says, without the trace of its own parts."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
