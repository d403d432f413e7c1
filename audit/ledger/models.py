"""The append-only record of what was decided and done."""

import uuid

from django.db import models
from django.db.models.expressions import RawSQL


class EventQuerySet(models.QuerySet["Event"]):
    """Reads of the ledger."""

    def in_order(self) -> "EventQuerySet":
        """Oldest first; within one transaction in the order in which they were recorded."""
        return self.order_by("recorded_at", "transaction_id", "position")

    def of_change_request(self, change_request_id: uuid.UUID) -> "EventQuerySet":
        """Events of one change request."""
        return self.filter(change_request_id=change_request_id)

    def of_subject(self, subject_id: uuid.UUID) -> "EventQuerySet":
        """Events about one record."""
        return self.filter(subject_id=subject_id)


class Event(models.Model):
    """
    One thing that happened, written in the transaction in which it happened.

    `content` holds the canonical bytes (RFC 8785) that will be hashed; every other column repeats a part of them so
    that it can be found. `transaction_id` lets a sealer number only what is committed; `position` keeps the order
    within one transaction and says nothing across transactions. Deliberately absent: a foreign key, because an event
    outlives what it speaks of, and names of people, because they can be erased.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=100)
    recorded_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    actor_human_id = models.UUIDField(null=True)
    change_request_id = models.UUIDField(null=True)
    subject_type = models.CharField(max_length=100, blank=True, default="")
    subject_id = models.UUIDField(null=True)
    subject_label = models.CharField(max_length=300, blank=True, default="")
    data = models.JSONField()
    content = models.BinaryField()
    transaction_id = models.BigIntegerField(
        db_default=RawSQL("pg_current_xact_id()::text::bigint", ()),
        editable=False,
    )
    position = models.BigIntegerField(
        db_default=RawSQL("nextval('audit_event_position')", ()),
        editable=False,
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # The change request's page lists its events.
            models.Index(fields=["change_request_id", "recorded_at"], name="event_of_change_request"),
            # A record's page lists the events about it.
            models.Index(fields=["subject_id", "recorded_at"], name="event_of_subject"),
            # The explorer reads newest first.
            models.Index(fields=["-recorded_at", "id"], name="event_newest_first"),
            # The sealer takes what is below the snapshot's xmin.
            models.Index(fields=["transaction_id"], name="event_transaction"),
        ]

    def __str__(self) -> str:
        return f"{self.type} at {self.recorded_at:%Y-%m-%d %H:%M:%S %Z}"
