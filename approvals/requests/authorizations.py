"""By what authority a request was applied."""

import uuid

from django.db import models
from django.db.models import Q


class Authorization(models.Model):
    """
    By what authority a request was applied: one row for each application, bound to the digest (INV-2).

    `decisions` lists the decisions of a quorum; `template` and its version are those of a standard change, `permit` is
    that of an emergency; a rollback `cites` the authorization of the change that it acts back on, with which its
    inverse was approved. Written inside the applying transaction, before the status is set.
    """

    class Basis(models.TextChoices):
        """The kinds of authority."""

        QUORUM = "quorum", "the quorum of its stages"
        STANDARD = "standard", "a standard template"
        EMERGENCY = "emergency", "an emergency permit"
        BOOTSTRAP = "bootstrap", "a system bootstrap"
        ROLLBACK = "rollback", "the inverse approved with the change that it acts back on"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.OneToOneField(
        "approvals.ChangeRequest", on_delete=models.PROTECT, related_name="authorization"
    )
    revision = models.ForeignKey("approvals.Revision", on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    basis = models.CharField(max_length=20, choices=Basis.choices)
    decisions = models.JSONField()
    cites = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    template = models.ForeignKey("approvals.StandardTemplate", null=True, on_delete=models.PROTECT, related_name="+")
    template_version = models.PositiveIntegerField(null=True)
    permit = models.ForeignKey(
        "approvals.Permit", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # INV-2: a rollback rests on another authorization, and nothing else does.
            models.CheckConstraint(
                condition=Q(basis="rollback", cites__isnull=False) | (~Q(basis="rollback") & Q(cites__isnull=True)),
                name="authorization_rollback_cites",
            ),
            # What a basis rests on is named, and nothing else is.
            models.CheckConstraint(
                condition=Q(basis="standard", template__isnull=False, template_version__isnull=False)
                | (~Q(basis="standard") & Q(template__isnull=True, template_version__isnull=True)),
                name="authorization_cites_its_template",
            ),
            models.CheckConstraint(
                condition=Q(basis="emergency", permit__isnull=False) | (~Q(basis="emergency") & Q(permit__isnull=True)),
                name="authorization_cites_its_permit",
            ),
            # A permit is used once.
            models.UniqueConstraint(fields=["permit"], name="authorization_permit_once"),
        ]

    def __str__(self) -> str:
        return str(self.get_basis_display())
