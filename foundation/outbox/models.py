"""What must happen outside the database, written in the transaction that decided it."""

import uuid

from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    """Where a message stands; `foundation/outbox/services.py` owns every change of it."""

    PENDING = "pending", "Waiting for its next attempt"
    LEASED = "leased", "Being delivered"
    DONE = "done", "Delivered"
    DEAD = "dead", "Given up; a person decides whether it is sent again"


class OutboxMessage(models.Model):
    """
    One effect outside the database that was decided in the transaction which wrote this row.

    `id` is stable over every attempt and replay: receivers use it as their idempotency key. `kind` names the sender,
    `payload` is what that sender needs. `key` is the writer's own name for the effect: the same key is written once.
    Deliberately absent: names and mail addresses of people (senders read them when they send, so erasure holds) and
    secrets.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=100)
    key = models.CharField(max_length=255, null=True, blank=True)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "outbox message"
        verbose_name_plural = "outbox messages"
        constraints = [
            # The writer's key names one effect; null keys name none and may repeat.
            models.UniqueConstraint(fields=["key"], name="outbox_message_key_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="outbox_message_status_known"),
            # A row is leased exactly while someone holds a token for it: a late token can then be told from a current
            # one.
            models.CheckConstraint(
                condition=Q(status="leased", lease__isnull=False, leased_until__isnull=False)
                | (~Q(status="leased") & Q(lease__isnull=True, leased_until__isnull=True)),
                name="outbox_message_lease_paired",
            ),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | (~Q(status="done") & Q(done_at__isnull=True)),
                name="outbox_message_done_paired",
            ),
            models.CheckConstraint(
                condition=Q(status="dead", dead_at__isnull=False) | (~Q(status="dead") & Q(dead_at__isnull=True)),
                name="outbox_message_dead_paired",
            ),
        ]
        indexes = [
            # Claiming reads due rows only; delivered rows, soon the most, stay out of the index.
            models.Index(fields=["next_attempt_at", "id"], condition=Q(status="pending"), name="outbox_message_due"),
            # The sweep looks for expired leases.
            models.Index(fields=["leased_until"], condition=Q(status="leased"), name="outbox_message_leased"),
            # Purging delivered rows, and the operator's list of dead ones.
            models.Index(fields=["done_at"], condition=Q(status="done"), name="outbox_message_done"),
            models.Index(fields=["dead_at"], condition=Q(status="dead"), name="outbox_message_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
