"""Why a checkpoint does not leave the house, or nothing is written after an older state was put in place."""

from foundation.errors import Conflict


class CopyFailed(Conflict):
    """A target did not take a checkpoint."""

    code = "checkpoint_not_copied"
    title = "The checkpoint was not copied"


class NotBehind(Conflict):
    """There is nothing to acknowledge."""

    code = "ledger_not_behind"
    title = "The ledger is not behind"


class LedgerBehind(Conflict):
    """The database is older than a head of its log that left the house."""

    code = "ledger_behind"
    title = "The database is older than its ledger"
