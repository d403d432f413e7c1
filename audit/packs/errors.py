"""Why a pack is not made, not given out, or not kept."""

from foundation.errors import Conflict, DomainError


class PackNotReady(Conflict):
    """There is nothing to download: it is being made, it failed, or it expired."""

    code = "evidence_pack_not_ready"
    title = "The evidence pack is not ready"


class PackTooLarge(Conflict):
    """What is asked for is beyond the installation's bounds."""

    code = "evidence_pack_too_large"
    title = "The evidence pack would be too large"


class NotSealedInTime(Conflict):
    """The ledger did not seal what the pack needs."""

    code = "not_sealed_in_time"
    title = "The ledger was not sealed in time"


class HoldReleased(Conflict):
    """The hold was released before."""

    code = "hold_released"
    title = "The hold is released already"


class NotThePack(DomainError):
    """The file is no pack of this installation, or not what this ledger gives."""

    code = "not_the_pack"
    title = "The pack is not what this ledger gives"
    status = 422
