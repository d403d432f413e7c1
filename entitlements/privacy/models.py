"""Who must not be erased, and why."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class PersonHoldQuerySet(models.QuerySet["PersonHold"]):
    """Reads of holds."""

    def standing(self) -> "PersonHoldQuerySet":
        """Those that are not lifted."""
        return self.filter(lifted_at__isnull=True)


class PersonHold(models.Model):
    """
    One hold on a human: what is known of them by name is not erased before it is lifted. Operational.

    It is lifted once, and stays. Its reasons are texts of people, which can name somebody: here, not in events.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    human_id = models.UUIDField()
    reason = models.CharField(max_length=500)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    lift_reason = models.CharField(max_length=500, blank=True, default="")
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    lifted_at = models.DateTimeField(null=True)

    objects = PersonHoldQuerySet.as_manager()

    class Meta:
        verbose_name = "hold on a person"
        verbose_name_plural = "holds on people"
        default_permissions = ()
        permissions = [
            ("erase_person", "Can erase what is known of people by name"),
            ("hold_person", "Can hold people against erasure, and lift holds"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="person_hold_says_why"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | Q(lifted_at__isnull=False, lifted_by__isnull=False, lift_reason__regex=r"\S"),
                name="person_hold_lifted_by_somebody",
            ),
        ]
        indexes = [
            # What stands in the way of an erasure.
            models.Index(fields=["human_id"], condition=Q(lifted_at__isnull=True), name="person_hold_standing"),
        ]

    def __str__(self) -> str:
        return f"hold since {self.placed_at:%Y-%m-%d}"
