"""Ticket systems, the tickets that are tied to changes, and what is told to them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.requests.models import ChangeRequest
from approvals.tickets.connectors import Approval
from foundation.secrets.fields import EncryptedText


class TicketSystem(models.Model):
    """
    A ticket system that changes can be tied to; operational, not governed: it changes nothing of what is licensed.

    `secret` signs us in (a password, or a bearer token if `account` is empty) and is never shown. `settings`
    are the product's own. Systems are disabled, never removed: tickets name them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    product = models.CharField(max_length=20)
    base_url = models.CharField(max_length=500)
    account = models.CharField(max_length=200, blank=True, default="")
    secret = EncryptedText()
    settings = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("configure_ticketsystem", "Can set up ticket systems")]
        constraints = [
            # A policy names one system.
            models.UniqueConstraint(fields=["code"], name="ticket_system_code_once"),
            # What policies call it; “any” means every system.
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z][a-z0-9-]{1,39}$") & ~Q(code="any"), name="ticket_system_code_is_word"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    """
    A ticket of another system that stands for a change request.

    `id` is what the other system knows it by (`correlation_id`), so that it is opened once. `status` and `approval` are
    what was read there at `read_at`; nothing is believed for longer than the installation says. `told_revision` is the
    last revision that the ticket was told of. A released ticket stands for nothing any more.
    """

    class Origin(models.TextChoices):
        """How it came to be tied."""

        OPENED = "opened", "Opened from here"
        TIED = "tied", "Tied by its key"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="tickets")
    system = models.ForeignKey(TicketSystem, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    external_id = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=64, blank=True, default="")
    url = models.CharField(max_length=1000, blank=True, default="")
    status = models.CharField(max_length=100, blank=True, default="")
    approval = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Approval])
    read_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField(default=0)
    next_read_at = models.DateTimeField(null=True)
    told_revision = models.PositiveIntegerField(null=True)
    tied_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            # One ticket stands for one change: an approval is not used twice.
            models.UniqueConstraint(
                fields=["system", "external_id"],
                condition=Q(released_at__isnull=True) & ~Q(external_id=""),
                name="ticket_stands_for_one_change",
            ),
            # What is known of a ticket was read at some instant; without one nothing is known.
            models.CheckConstraint(
                condition=Q(approval=Approval.UNKNOWN.value) | Q(read_at__isnull=False), name="ticket_approval_was_read"
            ),
            models.CheckConstraint(
                condition=Q(approval__in=[one.value for one in Approval]), name="ticket_approval_known"
            ),
        ]
        indexes = [
            # What is read next.
            models.Index(fields=["next_read_at", "id"], condition=Q(next_read_at__isnull=False), name="ticket_due"),
        ]

    def __str__(self) -> str:
        return self.key or f"ticket {self.id}"


class TicketUpdate(models.Model):
    """
    One thing to tell a ticket, in the order in which it happened; the first of an opened one opens it.

    At most one of a ticket is in the outbox at a time: the next follows when it was sent. `tried_at` is the first
    attempt, whose answer may have been lost. Deliberately absent: names of
    people, comments and decisions' reasons.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="updates", db_index=False)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            # The order in which a ticket is told.
            models.UniqueConstraint(fields=["ticket", "number"], name="ticket_update_number_once"),
        ]

    def __str__(self) -> str:
        return f"update {self.number}"

    @property
    def opens(self) -> bool:
        """Whether it opens the ticket."""
        return self.number == 1 and self.ticket.origin == Ticket.Origin.OPENED

    @property
    def mark(self) -> str:
        """What stands in the note, so that it is found and not written twice."""
        return f"[tenure {self.ticket_id.hex[:16]}/{self.number}]"
