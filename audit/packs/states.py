"""The states of an evidence pack."""

from collections.abc import Mapping

from django.db import models


class Status(models.TextChoices):
    """How far a pack is."""

    REQUESTED = "requested", "Being made"
    BUILT = "built", "Being sealed"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.BUILT, Status.FAILED}),
    Status.BUILT: frozenset({Status.READY, Status.FAILED}),
    Status.READY: frozenset({Status.EXPIRED}),
    Status.FAILED: frozenset(),
    Status.EXPIRED: frozenset(),
}

# What a worker goes on with.
UNFINISHED = frozenset({Status.REQUESTED, Status.BUILT})
TONES: Mapping[Status, str] = {
    Status.REQUESTED: "info",
    Status.BUILT: "info",
    Status.READY: "success",
    Status.FAILED: "danger",
    Status.EXPIRED: "neutral",
}
