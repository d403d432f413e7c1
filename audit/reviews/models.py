"""Campaigns in which people look at who holds which rights: what was frozen, what was decided, what was told."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from foundation.identity.models import User

LONGEST_REASON = 1000


class AccessReviewQuerySet(models.QuerySet["AccessReview"]):
    """Reads of campaigns."""

    def open(self) -> "AccessReviewQuerySet":
        """Those that are not closed."""
        return self.filter(closed_at__isnull=True)

    def of_reviewer(self, user: User) -> "AccessReviewQuerySet":
        """Those in which the user's human has something to look at."""
        entries = ReviewEntry.objects.filter(review=OuterRef("pk"), reviewer_human_id=user.human_id)
        return self.filter(Exists(entries))


class AccessReview(models.Model):
    """
    One campaign, from its opening to its closing, which are its only changes. Operational.

    `scope` says what is in it: roles by name, accounts and products by id; empty lists: everything. `escalated_at` is
    when whoever opens campaigns was told that it is overdue.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    scope = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True)

    objects = AccessReviewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_access", "Can read who holds which rights"),
            ("open_accessreview", "Can open access reviews, give entries to others and close them"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(due_at__gt=F("opened_at")), name="access_review_due_after_it_opens"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="access_review_closed_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at", "id"], name="access_review_newest_first")]

    def __str__(self) -> str:
        return self.name


class ReviewEntryQuerySet(models.QuerySet["ReviewEntry"]):
    """Reads of entries."""

    def undecided(self) -> "ReviewEntryQuerySet":
        """Those of which nobody has said anything."""
        return self.filter(decision__isnull=True)

    def of_reviewer(self, user: User) -> "ReviewEntryQuerySet":
        """Those that the user's human has to look at."""
        return self.filter(reviewer_human_id=user.human_id)


class ReviewEntry(models.Model):
    """
    One right as it stood when the campaign was opened. Only its reviewer changes; no row is removed. Operational.

    `source` and `key` identify the right for ever, so that it can be seen whether it was granted again. `holder` is the
    login that has it, null where a whole `role` does; `humans` are those whom it served: none of them reviews it.
    `words` and `target_words` hold no name of a person. `target_id` is the account or product, if there is one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="entries", db_index=False)
    position = models.PositiveIntegerField()
    source = models.CharField(max_length=40)
    key = models.CharField(max_length=300)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    humans: "ArrayField[Any, Any]" = ArrayField(models.UUIDField())
    role = models.CharField(max_length=150, blank=True, default="")
    words = models.CharField(max_length=400)
    target_id = models.UUIDField(null=True)
    target_words = models.CharField(max_length=400, blank=True, default="")
    ends_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reviewer_human_id = models.UUIDField()

    objects = ReviewEntryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["review", "source", "key"], name="review_entry_right_once"),
            models.UniqueConstraint(fields=["review", "position"], name="review_entry_position_once"),
            # Nobody reviews what serves themselves, under any login.
            models.CheckConstraint(
                condition=~Q(humans__contains=[F("reviewer_human_id")]), name="review_entry_not_of_own"
            ),
        ]
        indexes = [
            # What waits for somebody, and what of a right was decided before.
            models.Index(fields=["reviewer_human_id", "review"], name="review_entry_of_reviewer"),
            models.Index(fields=["source", "key"], name="review_entry_of_right"),
        ]

    def __str__(self) -> str:
        return self.words


class ReviewDecision(models.Model):
    """
    What the reviewer said of an entry, once; never changed.

    `was_there`: the right was still held when it was revoked, and was taken back then.
    """

    class Verdict(models.TextChoices):
        """What can be said."""

        KEEP = "keep", "Keep"
        REVOKE = "revoke", "Revoke"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.OneToOneField(ReviewEntry, on_delete=models.PROTECT, related_name="decision")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.CharField(max_length=LONGEST_REASON)
    was_there = models.BooleanField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_human_id = models.UUIDField()
    decided_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=["keep", "revoke"]), name="review_decision_verdict_known"),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="review_decision_says_why"),
            models.CheckConstraint(
                condition=Q(verdict="keep", was_there__isnull=True) | Q(verdict="revoke", was_there__isnull=False),
                name="review_decision_says_what_was_done",
            ),
        ]

    def __str__(self) -> str:
        return self.verdict


class ReviewReminder(models.Model):
    """One person was reminded of one campaign at one step; never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="+", db_index=False)
    human_id = models.UUIDField()
    step = models.CharField(max_length=30)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["review", "human_id", "step"], name="review_reminder_step_once")]

    def __str__(self) -> str:
        return self.step
