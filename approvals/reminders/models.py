"""Reminders sent, what people put off, and how they want to be reminded."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.requests.models import ChangeRequest


class Reminder(models.Model):
    """
    One person was reminded of one thing at one step of its ladder; never changed, never removed.

    `occasion` names what waits: a stage to decide on, a request to mend or to apply, by the id of its row and since
    when. A mail lists several; `mail_id` is the same for them. Deliberately absent: the login, because whoever has
    several is reminded once.
    """

    id = models.BigAutoField(primary_key=True)
    human_id = models.UUIDField()
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="+", db_index=False)
    occasion = models.CharField(max_length=150)
    step = models.CharField(max_length=30)
    mail_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # Two workers never remind anybody twice; also the index by which a person's reminders are found.
            models.UniqueConstraint(fields=["human_id", "occasion", "step"], name="reminder_step_once"),
        ]
        indexes = [
            # Whether a person had today's digest.
            models.Index(fields=["human_id", "-created_at"], name="reminder_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.occasion}"


class Attention(models.Model):
    """
    What one person said of one thing that waits for them: not before an instant, or seen.

    It moves no state and hides nothing: it only holds back reminders.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    human_id = models.UUIDField()
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="+", db_index=False)
    occasion = models.CharField(max_length=150)
    snoozed_until = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["human_id", "occasion"], name="attention_once"),
            models.CheckConstraint(
                condition=Q(snoozed_until__isnull=False) | Q(acknowledged_at__isnull=False),
                name="attention_says_something",
            ),
        ]

    def __str__(self) -> str:
        return self.occasion


class ReminderPreference(models.Model):
    """How a person is reminded; without a row, by a daily digest."""

    class Frequency(models.TextChoices):
        """How often."""

        DAILY = "daily", "One mail a day, at 08:00"
        IMMEDIATE = "immediate", "At once, all that is new in one mail"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="reminder_preference"
    )
    frequency = models.CharField(max_length=10, choices=Frequency.choices, default=Frequency.DAILY)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.frequency
