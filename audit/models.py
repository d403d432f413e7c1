"""Collects the audit app's models."""

from audit.ledger.models import Event

__all__ = ["Event"]
