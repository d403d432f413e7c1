"""
Signed notes, checkpoints and keys as text, in the formats of C2SP. Pure but for new keys.

Source: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint; the form of a private key is that of Go's
golang.org/x/mod/sumdb/note
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.merkle.tree import HASH_BYTES

ED25519 = b"\x01"
MARK = "— "
MOST_SIGNATURES = 100
MOST_BYTES = 100_000
_NAME = re.compile(r"[^\s+]+")


class BadNote(ValueError):
    """The text is no signed note, or no known key signed it."""


class BadKey(ValueError):
    """The text is no key of the form that it should have."""


@dataclass(frozen=True)
class VerifierKey:
    """A public Ed25519 key and its name: `name+id+base64`."""

    name: str
    public: bytes

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """
        Read a key.

        :raises BadKey: if it is none, or its id is not that of its name and bytes
        """
        name, _, rest = text.strip().partition("+")
        told, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if not _NAME.fullmatch(name) or data[:1] != ED25519 or len(data) != HASH_BYTES + 1:
            raise BadKey("A verifier key reads name+id+base64, with an Ed25519 key of 32 bytes.")
        key = cls(name, data[1:])
        if told != key.id.hex():
            raise BadKey(f"The key's id is {told}, and its name and bytes give {key.id.hex()}.")
        return key

    @property
    def id(self) -> bytes:
        """Its four bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether the signature is this key's on the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True)
class SignerKey:
    """A private key; its text is a secret."""

    name: str
    secret: bytes

    @classmethod
    def new(cls, name: str, seed: bytes | None = None) -> "SignerKey":
        """
        A key of a name, random unless a seed of 32 bytes is given.

        :raises BadKey: if the name is empty or has blanks or a plus
        """
        if not _NAME.fullmatch(name):
            raise BadKey("A key's name is not empty and has neither blanks nor a plus.")
        return cls(name, seed or Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def read(cls, text: str) -> "SignerKey":
        """
        Read a key: `PRIVATE+KEY+name+id+base64`.

        :raises BadKey: if it is none; the text is not repeated
        """
        parts = text.strip().split("+", 4)
        data = _decoded(parts[4]) if len(parts) == 5 else b""
        if parts[:2] != ["PRIVATE", "KEY"] or data[:1] != ED25519 or len(data) != HASH_BYTES + 1:
            raise BadKey("A signing key reads PRIVATE+KEY+name+id+base64. “manage.py ledger new-key” makes one.")
        key = cls.new(parts[2], data[1:])
        if parts[3] != key.verifier.id.hex():
            raise BadKey("The signing key's id does not fit its name and bytes: a part of it was lost or changed.")
        return key

    @property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        private = Ed25519PrivateKey.from_private_bytes(self.secret)
        return VerifierKey(self.name, private.public_key().public_bytes_raw())

    def signed(self, text: str) -> str:
        """The line of this key's signature on the text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.secret).sign(text.encode())
        return f"{MARK}{self.name} {base64.b64encode(self.verifier.id + signature).decode()}\n"

    def text(self) -> str:
        """The key as text, which is a secret."""
        return f"PRIVATE+KEY+{self.name}+{self.verifier.id.hex()}+{base64.b64encode(ED25519 + self.secret).decode()}"

    def __repr__(self) -> str:
        return f"<a signing key of {self.name}>"


def sign(text: str, keys: Iterable[SignerKey]) -> str:
    """
    The text as a note signed by the keys.

    :raises BadNote: if the text does not end its last line, or holds what a note may not
    """
    _check_text(text)
    return text + "\n" + "".join(key.signed(text) for key in keys)


def verified(note: str, keys: Iterable[VerifierKey]) -> str:
    """
    The text of a note that at least one of the keys signed, and none of them wrongly.

    :raises BadNote: if it is no note, a known key's signature is false, or no known key signed it
    """
    if len(note.encode(errors="replace")) > MOST_BYTES:
        raise BadNote(f"The note has more than {MOST_BYTES} bytes.")
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise BadNote("A note is a text, an empty line, and lines of signatures.")
    text += "\n"
    _check_text(text)
    known = {(key.name, key.id): key for key in keys}
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MOST_SIGNATURES:
        raise BadNote(f"The note has more than {MOST_SIGNATURES} signatures.")
    found = [(known[name, key_id], signature) for name, key_id, signature in signatures if (name, key_id) in known]
    for key, signature in found:
        if not key.verifies(text, signature):
            raise BadNote(f"The signature of {key.name} is not its: the note was changed or forged.")
    if not found:
        names = ", ".join(sorted({name for name, _id, _signature in signatures}))
        raise BadNote(f"No key that is known signed the note; {names} did.")
    return text


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: whose it is, how many leaves it has, its root. `extensions` are lines of no meaning here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """
        Read a checkpoint's text.

        :raises BadNote: if it is none
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise BadNote("A checkpoint has three lines or more: origin, size, root.")
        size, root = lines[1], _decoded(lines[2])
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or len(root) != HASH_BYTES:
            raise BadNote("A checkpoint's size is a decimal number, and its root has 32 bytes in base64.")
        return cls(lines[0], int(size), root, tuple(lines[3:-1]))

    def text(self) -> str:
        """The checkpoint as it is signed."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions]
        return "\n".join(lines) + "\n"


def read_checkpoint(note: str, *, keys: Iterable[VerifierKey], origins: Collection[str]) -> Checkpoint:
    """
    The checkpoint of a signed note, if a known key signed it for this log, under one of its names.

    :raises BadNote: if it is none, no known key signed it, or it is another log's
    """
    checkpoint = Checkpoint.read(verified(note, keys))
    if checkpoint.origin not in origins:
        raise BadNote(f"The checkpoint is of the log “{checkpoint.origin}”, not of “{'” or “'.join(origins)}”.")
    return checkpoint


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, separator, encoded = line.removeprefix(MARK).partition(" ")
    data = _decoded(encoded)
    if not line.startswith(MARK) or not separator or not _NAME.fullmatch(name) or len(data) < 5:
        raise BadNote("A line of a signature reads “— name base64”.")
    return name, data[:4], data[4:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text.strip("\n") == "" or any(ord(one) < 32 and one != "\n" for one in text):
        raise BadNote("A note's text ends with a line break and has no other control characters.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadNote("A note's text is not Unicode: it holds half a character.") from None


def _decoded(encoded: str) -> bytes:
    """The bytes of canonical base64; nothing for what is not."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if base64.b64encode(data).decode() == encoded else b""
