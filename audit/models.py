"""Collects the audit app's models."""

from audit.copies.models import CheckpointCopy
from audit.ledger.models import Event
from audit.packs.models import EvidencePack, EvidencePackPart, LegalHold
from audit.sealing.models import Checkpoint, Leaf, TreeNode

__all__ = [
    "Checkpoint",
    "CheckpointCopy",
    "Event",
    "EvidencePack",
    "EvidencePackPart",
    "Leaf",
    "LegalHold",
    "TreeNode",
]
