"""Why a log is not sealed, or not believed."""

from foundation.errors import Conflict


class NoSigningKey(Conflict):
    """Nothing can be signed here."""

    code = "no_signing_key"
    title = "No signing key"


class LogDamaged(Conflict):
    """What is stored does not follow from what was signed; nothing more is signed on it."""

    code = "ledger_damaged"
    title = "The ledger does not follow from what was signed"


class NotSealed(Conflict):
    """The event is not in the log yet, or the log never had such a head."""

    code = "not_sealed"
    title = "Not sealed yet"
