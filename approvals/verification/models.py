"""What somebody saw of an applied change's acceptance criteria, and which reminders of it were sent."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from approvals.attachments.models import Attachment
from approvals.requests.models import ChangeRequest, Revision

GREATEST_LENGTH = 10_000
LONGEST_LINK = 2_000


class CriterionTick(models.Model):
    """
    What one human saw of one acceptance criterion; never changed, never removed. The latest of a criterion counts.

    `number` counts the ticks of the request from 1, `criterion` names the criterion of its revision by its place, from
    1. `result` is what was checked and seen, or why the criterion is not met; `link` leads to evidence elsewhere;
    `file` is evidence that is kept with the request and, like this row, can't be removed. A trigger refuses a tick on a
    request that does not await it, by anybody who wrote a revision of it or applied it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="ticks", db_index=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    criterion = models.PositiveIntegerField()
    met = models.BooleanField()
    result = models.TextField(blank=True, default="")
    link = models.TextField(blank=True, default="")
    file = models.ForeignKey(Attachment, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    checked_by_human_id = models.UUIDField()
    checked_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # The order in which they were given; also the index of a request's ticks.
            models.UniqueConstraint(fields=["change_request", "number"], name="tick_number_once"),
            models.CheckConstraint(condition=Q(criterion__gte=1), name="tick_criterion_from_one"),
            # A tick without evidence is a claim; a "not met" without a reason helps nobody.
            models.CheckConstraint(
                condition=Q(result__regex=r"\S") | (Q(met=True) & (~Q(link="") | Q(file__isnull=False))),
                name="tick_has_evidence",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("result"), GREATEST_LENGTH)
                & LessThanOrEqual(Length("link"), LONGEST_LINK)
                & (Q(link="") | Q(link__regex=r"^https?://[^\s]+$")),
                name="tick_evidence_fits",
            ),
        ]

    def __str__(self) -> str:
        return f"criterion {self.criterion} {'met' if self.met else 'not met'}"


class VerificationReminder(models.Model):
    """One step of the ladder on which a change that is not verified is escalated; each is climbed once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="verification_reminders", db_index=False
    )
    step = models.PositiveIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["change_request", "step"], name="verification_reminder_step_once"),
            models.CheckConstraint(condition=Q(step__gte=1), name="verification_reminder_step_from_one"),
        ]

    def __str__(self) -> str:
        return f"reminder {self.step}"
