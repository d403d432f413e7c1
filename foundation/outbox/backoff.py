"""When a failed message is tried again. Pure."""

import hashlib
from datetime import timedelta
from uuid import UUID

FIRST_DELAY = timedelta(seconds=5)
FACTOR = 5
GREATEST_DELAY = timedelta(hours=24)
# Together about three days: 5 s, 25 s, 2 min, 10 min, 52 min, 4 h, 22 h, 24 h, 24 h.
GREATEST_ATTEMPTS = 10


def delay_after(*, attempts: int, message_id: UUID) -> timedelta:
    """
    Return how long to wait after so many failed attempts: exponential, with a quarter of jitter either way.

    The jitter follows from the message and the attempt, so that messages that failed together do not return together
    and the same call always answers the same.
    """
    exponent = min(max(attempts, 1) - 1, GREATEST_ATTEMPTS)
    plain = min(FIRST_DELAY * int(FACTOR**exponent), GREATEST_DELAY)
    drawn = int.from_bytes(hashlib.sha256(message_id.bytes + attempts.to_bytes(4, "big")).digest()[:4], "big") / 2**32
    return plain * (0.75 + drawn / 2)
