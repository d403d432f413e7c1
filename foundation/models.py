"""Collects the foundation's models."""

from foundation.api.models import IdempotencyRecord
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage

__all__ = ["IdempotencyRecord", "OutboxMessage", "User"]
