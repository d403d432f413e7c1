"""
Which keys sign and verify the log, and the log's name.

`LEDGER_SIGNING_KEYS` is known to the sealer alone; every key in it signs, so that one takes over from another while
both do. `LEDGER_VERIFIER_KEYS` names every key that is, or was, the log's.
"""

import hashlib

from django.conf import settings

from audit.merkle.notes import SignerKey, VerifierKey
from audit.sealing.errors import NoSigningKey


def origin() -> str:
    """The log's name, pinned by whoever verifies: the first line of its checkpoints, and its keys' name."""
    name: str = settings.LEDGER_ORIGIN
    return name


def signers() -> list[SignerKey]:
    """
    The keys that sign.

    :raises NoSigningKey: if none is set here
    :raises audit.merkle.notes.BadKey: if one is no key
    """
    if settings.LEDGER_SIGNING_KEYS:
        return [SignerKey.read(text) for text in settings.LEDGER_SIGNING_KEYS]
    if settings.EMBEDDED:
        # One machine holds everything: a key of its own would keep nothing from whoever has the machine.
        seed = hashlib.sha256(b"ledger\x00" + settings.SECRET_KEY.encode()).digest()
        return [SignerKey.new(origin(), seed)]
    raise NoSigningKey(
        "Nothing was sealed: LEDGER_SIGNING_KEYS is not set. Make a key with “manage.py ledger new-key”, and set it "
        "where the sealer runs, and there alone."
    )


def verifiers() -> list[VerifierKey]:
    """
    The keys that are believed: those named, and those that sign here.

    :raises audit.merkle.notes.BadKey: if one is no key
    """
    named = [VerifierKey.read(text) for text in settings.LEDGER_VERIFIER_KEYS]
    own = [key.verifier for key in signers()] if settings.LEDGER_SIGNING_KEYS or settings.EMBEDDED else []
    return list(dict.fromkeys(named + own))
