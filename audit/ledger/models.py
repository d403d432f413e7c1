"""The append-only record of what was decided and done."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import CharField, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from audit import subjects
from foundation.identity.models import User

NEWEST_FIRST = ("-recorded_at", "-position")


def granted_to(user: User, granted: Collection[uuid.UUID] | None) -> Q:
    """The condition of `visible_to`, by the accounts and products granted to the user; None if all are."""
    return Q() if granted is None else Q(scope__contained_by=list(granted)) | Q(actor_human_id=user.human_id)


class EventQuerySet(models.QuerySet["Event"]):
    """Reads of the ledger."""

    def in_order(self) -> "EventQuerySet":
        """Oldest first; within one transaction in the order in which they were recorded."""
        return self.order_by("recorded_at", "transaction_id", "position")

    def sealed_after(self, transaction_id: int, position: int) -> "EventQuerySet":
        """Events that come after one in the order in which they are sealed."""
        later = Q(transaction_id=transaction_id, position__gt=position)
        return self.filter(Q(transaction_id__gt=transaction_id) | later, transaction_id__gte=transaction_id)

    def of_change_request(self, change_request_id: uuid.UUID) -> "EventQuerySet":
        """Events of one change request."""
        return self.filter(change_request_id=change_request_id)

    def of_subject(self, subject_id: uuid.UUID) -> "EventQuerySet":
        """Events about one record."""
        return self.filter(subject_id=subject_id)

    def newest_first(self) -> "EventQuerySet":
        """Newest first; within one transaction the last one recorded first."""
        return self.order_by(*NEWEST_FIRST)

    def visible_to(self, user: User) -> "EventQuerySet":
        """
        Those whose every account and product is granted to a user, and what the user did under any login (INV-12).

        What belongs to nobody known is for those who are granted everything.
        """
        if not user.is_active:
            return self.none()
        return self.filter(granted_to(user, subjects.directory().granted(user)))

    def with_actors(self) -> "EventQuerySet":
        """With the name of who acted as `named`, in the same query; null if it was the system."""
        name = Trim(Concat("first_name", Value(" "), "last_name"), output_field=CharField())
        actors = User.objects.filter(id=OuterRef("actor_id")).values(
            name=Coalesce(NullIf(name, Value("")), F("username"))
        )
        return self.annotate(named=Subquery(actors))


class Words(models.GeneratedField):
    """What can be searched, made by PostgreSQL; not read back when a row is written."""

    db_returning = False  # type: ignore[assignment]  # Django reads it as a flag


class Event(models.Model):
    """
    One thing that happened, written in the transaction in which it happened.

    `content` holds the canonical bytes (RFC 8785) that will be hashed; every other column repeats a part of them so
    that it can be found. `scope` and `records` are ids of what it concerns (docs/explorer.md), an index and no part of
    the evidence; `words` is generated from what can be searched. `transaction_id` lets a sealer number only what is
    committed; `position` keeps the order within one transaction and says nothing across transactions. Deliberately
    absent: a foreign key, because an event outlives what it speaks of, and names of people, because they can be erased.
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
    scope: "ArrayField[Any, Any]" = ArrayField(models.UUIDField(), null=True, editable=False)
    records: "ArrayField[Any, Any]" = ArrayField(
        models.UUIDField(), db_default=RawSQL("'{}'::uuid[]", ()), editable=False
    )
    words = Words(
        expression=Func(F("type"), F("subject_label"), F("data"), function="audit_event_words"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
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
            # The explorer reads newest first, all or those of one human or type.
            models.Index(fields=["-recorded_at", "-position"], name="event_newest_first"),
            models.Index(fields=["actor_human_id", "-recorded_at", "-position"], name="event_of_actor"),
            models.Index(fields=["type", "-recorded_at", "-position"], name="event_of_type"),
            # By account or product, which is also who may see it; by object; by words.
            GinIndex(fields=["scope"], name="event_scope"),
            GinIndex(fields=["records"], name="event_records"),
            GinIndex(fields=["words"], name="event_words"),
            # The sealer takes what is below the snapshot's xmin, in this order.
            models.Index(fields=["transaction_id", "position"], name="event_in_sealing_order"),
        ]

    def __str__(self) -> str:
        return f"{self.type} at {self.recorded_at:%Y-%m-%d %H:%M:%S %Z}"
