"""Collects the approvals app's models."""

from approvals.announcements.models import (
    Acknowledgment,
    AnnouncedChange,
    Announcement,
    AnnouncementStep,
    Following,
    Subscription,
)
from approvals.attachments.models import Attachment, Blob
from approvals.authority.models import AuthorityLimit, Delegation
from approvals.discussion.models import Comment
from approvals.freezes.models import AccountingPeriod, Freeze
from approvals.permits.models import Permit, PermitReview
from approvals.policies.models import Policy
from approvals.reminders.models import Attention, Reminder, ReminderPreference
from approvals.requests.models import Authorization, ChangeRequest, Decision, Item, ItemScope, Revision, Stage
from approvals.standards.models import StandardTemplate
from approvals.tickets.models import Ticket, TicketSystem, TicketUpdate
from approvals.verification.models import CriterionTick, VerificationReminder
from approvals.worklists.models import Opened, SavedFilter

__all__ = [
    "AccountingPeriod",
    "Acknowledgment",
    "AnnouncedChange",
    "Announcement",
    "AnnouncementStep",
    "Attachment",
    "Attention",
    "AuthorityLimit",
    "Authorization",
    "Blob",
    "ChangeRequest",
    "Comment",
    "CriterionTick",
    "Decision",
    "Delegation",
    "Following",
    "Freeze",
    "Item",
    "ItemScope",
    "Opened",
    "Permit",
    "PermitReview",
    "Policy",
    "Reminder",
    "ReminderPreference",
    "Revision",
    "SavedFilter",
    "Stage",
    "StandardTemplate",
    "Subscription",
    "Ticket",
    "TicketSystem",
    "TicketUpdate",
    "VerificationReminder",
]
