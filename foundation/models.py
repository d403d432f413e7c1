"""Collects the foundation's models."""

from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage

__all__ = ["OutboxMessage", "User"]
