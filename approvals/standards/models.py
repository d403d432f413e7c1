"""Pre-approved templates of standard changes."""

from django.db import models
from django.db.models import Q

from approvals.records.models import GovernedModel, history


class StandardTemplateQuerySet(models.QuerySet["StandardTemplate"]):
    """Reads of templates."""

    def in_force(self) -> "StandardTemplateQuerySet":
        """Those that are not retired, by name; whether one has expired depends on the instant that is asked about."""
        return self.filter(retired_at__isnull=True).order_by("name", "id")


class StandardTemplate(GovernedModel):
    """
    A change that was approved before anybody asks for it: which kinds, within which bounds, by whom, until when.

    `conditions` are rows of field, operator and value over the typed facts that kinds declare; all of them must hold of
    every item, and what is unknown does not hold. `daily_limit` and `monthly_limit` bound how often it is applied in 24
    hours and in 30 days. `accumulations` are rows of fact and at_most: how much of a fact may be moved for one account
    in 30 days. The rationale fields stand where a request leaves its own empty. A governed record itself: approving a
    template is a change under the policies in force.
    """

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    kinds = models.JSONField(default=list)
    conditions = models.JSONField(default=list)
    proposer_roles = models.JSONField(default=list)
    daily_limit = models.PositiveIntegerField(null=True, blank=True)
    monthly_limit = models.PositiveIntegerField(null=True, blank=True)
    accumulations = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField()
    justification = models.TextField(blank=True, default="")
    impact = models.TextField(blank=True, default="")
    acceptance_criteria = models.JSONField(default=list, blank=True)
    rollback = models.TextField(blank=True, default="")

    history = history()
    objects = StandardTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "standard template"
        verbose_name_plural = "standard templates"
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at__isnull=True), name="standard_template_name_once"
            ),
            # Without bounds it would approve everything of its kinds.
            models.CheckConstraint(
                condition=~Q(conditions=[]) & ~Q(kinds=[]) & ~Q(proposer_roles=[]),
                name="standard_template_has_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name
