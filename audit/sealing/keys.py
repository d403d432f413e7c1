"""
Which keys sign and verify the log, and the log's name.

`LEDGER_SIGNING_KEYS` is known to the sealer alone; every key in it signs, so that one takes over from another while
both do. `LEDGER_VERIFIER_KEYS` names every key that is, or was, the log's.
"""

import hashlib

from django.conf import settings

from audit import events
from audit.ledger.models import Event
from audit.merkle.notes import SignerKey, VerifierKey
from audit.sealing.errors import NoSigningKey


def origin() -> str:
    """
    The log's name now, the first line of its checkpoints: that of the settings, pinned by whoever verifies, and a
    number after it once an older state of the database was put in place.
    """
    return origins()[-1]


def origins(base: str = "") -> list[str]:
    """Every name that the log has had, in order; the first is that of the settings unless another is given."""
    base = base or settings.LEDGER_ORIGIN
    restarts = Event.objects.filter(type=events.LEDGER_RESTARTED).count()
    return [base, *(f"{base}/{number}" for number in range(2, restarts + 2))]


def kept_sizes() -> list[int]:
    """How many events were kept at each restart, in order: of a former name no more than that is here."""
    restarts = Event.objects.filter(type=events.LEDGER_RESTARTED).in_order()
    return [int(data["kept_size"]) for data in restarts.values_list("data", flat=True)]


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
        return [SignerKey.new(settings.LEDGER_ORIGIN, seed)]
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
