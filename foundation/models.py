"""Collects the foundation's models."""

from foundation.api.models import IdempotencyRecord, TokenUse
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage

__all__ = ["IdempotencyRecord", "OutboxMessage", "TokenUse", "User"]
