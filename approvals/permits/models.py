"""Emergency permits, and what people said of them afterwards."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.requests.models import ChangeRequest, Revision, Stage

# The most that a permit lasts; a setting may say less.
LONGEST = timedelta(hours=4)


class PermitQuerySet(models.QuerySet["Permit"]):
    """Reads of permits."""

    def to_review(self) -> "PermitQuerySet":
        """Those that were used and whose review is not complete."""
        return self.filter(used_at__isnull=False, reviewed_at__isnull=True)

    def overdue(self, now: datetime) -> "PermitQuerySet":
        """Those whose review should be complete by now."""
        return self.to_review().filter(review_due_at__lte=now)

    def long_overdue(self, now: datetime) -> "PermitQuerySet":
        """Those whose review has taken twice the time that it had."""
        had = models.ExpressionWrapper(F("review_due_at") - F("used_at"), output_field=models.DurationField())
        late = models.ExpressionWrapper(F("review_due_at") + had, output_field=models.DateTimeField())
        return self.to_review().annotate(late_at=late).filter(late_at__lte=now)


class Permit(models.Model):
    """
    What lets one holder of the emergency role apply one revision without its approvals, once and soon.

    `digest` is that of the revision. `used_at` and `review_due_at` are set when it is used, `reviewed_at` and `outcome`
    when every stage that its policies asked for has reviewed it; `escalation` counts the steps of the ladder that were
    told. All else is fixed, and rows are never removed (triggers).
    """

    class Outcome(models.TextChoices):
        """What the review found; one voice against is enough."""

        JUSTIFIED = "justified", "Justified"
        NOT_JUSTIFIED = "not_justified", "Not justified"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="permits")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    human_id = models.UUIDField()
    reason = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True, default="")
    escalation = models.PositiveIntegerField(default=0)

    objects = PermitQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("use_emergency_permit", "Can take and use an emergency permit")]
        constraints = [
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="permit_says_why"),
            # Short, whatever a program reads as its setting.
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at")) & Q(expires_at__lte=F("issued_at") + LONGEST),
                name="permit_is_short",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, review_due_at__isnull=True)
                | Q(used_at__gte=F("issued_at"), used_at__lt=F("expires_at"), review_due_at__gt=F("used_at")),
                name="permit_used_in_time",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, outcome="")
                | Q(reviewed_at__isnull=False, used_at__isnull=False, outcome__in=["justified", "not_justified"]),
                name="permit_reviewed_has_outcome",
            ),
        ]
        indexes = [
            # What is to be reviewed, the most urgent first; also whether anybody is blocked.
            models.Index(
                fields=["review_due_at", "id"],
                name="permit_to_review",
                condition=Q(used_at__isnull=False, reviewed_at__isnull=True),
            ),
            # The API's cursor.
            models.Index(fields=["-issued_at", "id"], name="permit_newest_first"),
        ]

    def __str__(self) -> str:
        return f"emergency permit of {self.issued_at:%Y-%m-%d %H:%M}"

    def is_overdue(self, now: datetime) -> bool:
        """Whether its review should be complete by now."""
        return self.review_due_at is not None and self.reviewed_at is None and self.review_due_at <= now


class PermitReview(models.Model):
    """
    What one human said of a used permit, for one stage; never changed, never removed.

    A trigger refuses who wrote a revision of the request, who used the permit, and another digest than the permit's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    permit = models.ForeignKey(Permit, on_delete=models.PROTECT, related_name="reviews")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reviewer_human_id = models.UUIDField()
    verdict = models.CharField(max_length=20, choices=Permit.Outcome.choices)
    comment = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # INV-3: one review per human, under whatever login.
            models.UniqueConstraint(fields=["permit", "reviewer_human_id"], name="permit_review_once_per_human"),
            models.CheckConstraint(
                condition=Q(verdict="justified") | Q(verdict="not_justified", comment__regex=r"\S"),
                name="permit_review_against_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} at {self.decided_at:%Y-%m-%d %H:%M}"

    @property
    def verdict_label(self) -> str:
        """The verdict in words."""
        return Permit.Outcome(self.verdict).label
