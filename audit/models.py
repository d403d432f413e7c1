"""Collects the audit app's models."""

from audit.ledger.models import Event
from audit.sealing.models import Checkpoint, Leaf, TreeNode

__all__ = ["Checkpoint", "Event", "Leaf", "TreeNode"]
