"""Which approvals a change needs, and why."""

from django.db import models
from django.db.models import Q

from approvals.records.models import GovernedModel, history


class PolicyQuerySet(models.QuerySet["Policy"]):
    """Reads of policies."""

    def in_force(self) -> "PolicyQuerySet":
        """Those that are not retired, in the order in which their reasons are read."""
        return self.filter(retired_at__isnull=True).order_by("name", "id")


class Policy(GovernedModel):
    """
    One rule of the approval chain.

    `conditions` are rows of field, operator and value over the typed facts that kinds declare, all of which must hold;
    a policy without conditions always holds. `stages` are rows of position, role, quorum and why. `waiver_role` names
    who must approve when the plan opens a gap. `ticket` demands an approved ticket before application: the code of a
    ticket system, “any”, or nothing. `emergency_review_hours` is how long the review of an emergency permit may take,
    the shortest of those that match. A governed record itself: a change of policy passes the policy in force.
    """

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    conditions = models.JSONField(default=list, blank=True)
    stages = models.JSONField(default=list)
    waiver_role = models.CharField(max_length=100, blank=True, default="")
    ticket = models.CharField(max_length=40, blank=True, default="")
    emergency_review_hours = models.PositiveIntegerField(null=True, blank=True)

    history = history()
    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = "policy"
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(retired_at__isnull=True), name="policy_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
