"""Collects the approvals app's models."""

from approvals.attachments.models import Attachment, Blob
from approvals.discussion.models import Comment
from approvals.policies.models import Policy
from approvals.requests.models import Authorization, ChangeRequest, Decision, Item, ItemScope, Revision, Stage

__all__ = [
    "Attachment",
    "Authorization",
    "Blob",
    "ChangeRequest",
    "Comment",
    "Decision",
    "Item",
    "ItemScope",
    "Policy",
    "Revision",
    "Stage",
]
