"""Collects the audit app's models."""

from audit.copies.models import CheckpointCopy
from audit.ledger.models import Event
from audit.packs.models import EvidencePack, EvidencePackPart, LegalHold
from audit.reviews.models import AccessReview, ReviewDecision, ReviewEntry, ReviewReminder
from audit.sealing.models import Checkpoint, Leaf, TreeNode

__all__ = [
    "AccessReview",
    "Checkpoint",
    "CheckpointCopy",
    "Event",
    "EvidencePack",
    "EvidencePackPart",
    "Leaf",
    "LegalHold",
    "ReviewDecision",
    "ReviewEntry",
    "ReviewReminder",
    "TreeNode",
]
