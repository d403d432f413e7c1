"""Change requests: what was asked, what it would do, who decided, by what authority it was applied."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from approvals import governed
from approvals.authority.models import Delegation
from approvals.policies.eligibility import deciders
from approvals.policies.rules import whom
from approvals.requests.authorizations import Authorization as Authorization
from approvals.requests.querysets import DecisionQuerySet, StageQuerySet
from approvals.requests.states import OPEN, Status
from foundation.identity.models import User

_DONE = Q(status__in=[Status.APPLIED, Status.VERIFIED, Status.REVERTED])
_AWAITS = Q(status=Status.APPLIED, system=False)


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    """Reads of change requests."""

    def visible_to(self, user: User) -> "ChangeRequestQuerySet":
        """Those whose every account and product the user may see, in one query (INV-12)."""
        scopes = ItemScope.objects.filter(item__revision__change_request=OuterRef("pk"))
        visible = governed.access().visible(scopes=ItemScope.objects.all(), user=user)
        return self.filter(~Exists(scopes.exclude(pk__in=visible.values("pk"))))

    def due(self, now: datetime) -> "ChangeRequestQuerySet":
        """The scheduled ones whose window has opened, over or not, in the order in which they opened."""
        return self.filter(status=Status.SCHEDULED, due_at__lte=now).order_by("due_at", "number")

    def open(self) -> "ChangeRequestQuerySet":
        """Those that may still be applied."""
        return self.filter(status__in=OPEN)

    def written_by(self, user: User) -> "ChangeRequestQuerySet":
        """Those that any login of the user's human proposed."""
        return self.filter(created_by__human_id=user.human_id)


class ChangeRequest(models.Model):
    """
    One request to change governed records, from draft to its end.

    `number` is what people call it. `status` moves only along approvals.requests.states.TRANSITIONS (trigger);
    `applying` exists only inside the transaction that applies it. `due_at` is when the window of a scheduled request
    opens, for the clock to find it by; of any other status it says nothing. `reverts` names the request of which this
    is the inverse; `closed_at` is when nothing more can become of it. Deliberately absent: what is asked, which is in
    the revisions.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(
        unique=True,
        editable=False,
        db_default=RawSQL("nextval('approvals_changerequest_number')", ()),
    )
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    source = models.CharField(max_length=20, default="portal")
    system = models.BooleanField(default=False)
    current_revision = models.ForeignKey(
        "approvals.Revision", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True)
    expiry_announced_at = models.DateTimeField(null=True)
    reverts = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="inverses")

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            # INV-2: what is applied says when; it is closed once it is verified or acted back, first data at once.
            models.CheckConstraint(condition=~_DONE | Q(applied_at__isnull=False), name="request_applied_has_instant"),
            models.CheckConstraint(
                condition=~_DONE | (_AWAITS & Q(closed_at__isnull=True)) | (~_AWAITS & Q(closed_at__isnull=False)),
                name="request_closed_once_verified",
            ),
            # The clock finds what is scheduled by its instant.
            models.CheckConstraint(
                condition=~Q(status=Status.SCHEDULED) | Q(due_at__isnull=False), name="request_scheduled_has_instant"
            ),
            # Only the system acts without an author.
            models.CheckConstraint(
                condition=Q(system=True) | Q(created_by__isnull=False), name="request_has_author_or_is_system"
            ),
        ]
        indexes = [
            # The inbox lists by status, newest first.
            models.Index(fields=["status", "-created_at", "id"], name="request_by_status"),
            # What the clock applies next.
            models.Index(fields=["due_at", "number"], name="request_due", condition=Q(status=Status.SCHEDULED)),
            # "My requests".
            models.Index(fields=["created_by", "-created_at", "id"], name="request_by_author"),
            # The API's cursor.
            models.Index(fields=["-created_at", "id"], name="request_newest_first"),
        ]
        permissions = [
            ("propose_changerequest", "Can propose changes"),
            ("decide_changerequest", "Can decide on changes in review"),
            ("apply_changerequest", "Can apply approved changes"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def status_label(self) -> str:
        """The status in words."""
        return Status(self.status).label


class Revision(models.Model):
    """
    One version of what is asked, with its plan; never changed, never removed.

    `content` holds the canonical bytes that the digest covers: items, bases, rationale, schedule, waiver, plan, policy
    snapshot. `document` repeats them as JSON for reading; a check constraint is not possible, so application and a test
    compare them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    author_human_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    document = models.JSONField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["change_request", "number"], name="revision_number_once"),
            # Hex SHA-256.
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="revision_digest_is_sha256"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def rationale(self) -> dict[str, Any]:
        """Justification, impact, acceptance criteria, rollback."""
        rationale: dict[str, Any] = self.document["rationale"]
        return rationale

    @property
    def plan(self) -> dict[str, Any]:
        """The plan that people read."""
        plan: dict[str, Any] = self.document["plan"]["document"]
        return plan


class Item(models.Model):
    """
    One record's change within a revision: what the governed trigger looks up.

    Written with its revision and never changed. `record_id` is text-free on purpose: every governed key is a UUID.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=100)
    table_name = models.CharField(max_length=63)
    record_id = models.UUIDField()
    operation = models.CharField(max_length=6, choices=[(op.value, op.value) for op in governed.Operation])
    base_version = models.PositiveIntegerField(null=True)
    label = models.CharField(max_length=300)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    payload = models.JSONField()
    effects = models.JSONField()
    facts = models.JSONField()

    class Meta:
        default_permissions = ()
        constraints = [
            # One item per record touched; also the trigger's index.
            models.UniqueConstraint(fields=["revision", "table_name", "record_id"], name="item_record_once"),
            models.UniqueConstraint(fields=["revision", "position"], name="item_position_once"),
            # An insertion has no base; anything else has one.
            models.CheckConstraint(
                condition=Q(operation="insert", base_version__isnull=True)
                | (~Q(operation="insert") & Q(base_version__isnull=False)),
                name="item_base_fits_operation",
            ),
        ]
        indexes = [
            # Other open changes on the same record.
            models.Index(fields=["record_id"], name="item_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.label}"


class ItemScope(models.Model):
    """An account or a product that an item touches; visibility of requests is decided on these in one query."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="scopes")
    account_id = models.UUIDField(null=True)
    product_id = models.UUIDField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(account_id__isnull=False, product_id__isnull=True)
                | Q(account_id__isnull=True, product_id__isnull=False),
                name="item_scope_is_account_or_product",
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id}" if self.account_id else f"product {self.product_id}"


class Stage(models.Model):
    """
    One step of the approval chain that the policy asked of a revision, with the reasons.

    The chain is part of the revision's digest; these rows are found by the inbox. `people` are humans by id, as text:
    if there are any, only they decide. `opened_at` is set once, when the stage is asked; `escalated_at` once, when it
    is overdue, and lets `backup_role` decide as well; `completed_at` once, by the decision that fills the quorum.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="stages")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=100, blank=True)
    quorum = models.PositiveIntegerField()
    reasons = models.JSONField()
    people = models.JSONField(default=list)
    backup_role = models.CharField(max_length=100, blank=True, default="")
    due_hours = models.PositiveIntegerField(null=True)
    within_limit = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = StageQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["revision", "position"], name="stage_position_once"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="stage_quorum_at_least_one"),
            # A stage that asks nobody would never be passed, or by anybody.
            models.CheckConstraint(condition=~Q(role="") | ~Q(people=[]), name="stage_asks_somebody"),
            # Overdue at once is no time to decide.
            models.CheckConstraint(
                condition=Q(due_hours__isnull=True) | Q(due_hours__gte=1), name="stage_due_after_an_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quorum} of {self.whom}"

    @property
    def whom(self) -> str:
        """Who is asked, in words without a name."""
        return whom(role=self.role, people=self.people)

    @property
    def due_at(self) -> datetime | None:
        """When the stage is overdue; None if it is not open, or may stay open."""
        if self.opened_at is None or self.due_hours is None:
            return None
        return self.opened_at + timedelta(hours=self.due_hours)

    def role_of(self, user: User) -> str | None:
        """In which role a user is asked now: `""` if by name alone; None if not."""
        if not self.deciders().filter(id=user.id).exists():
            return None
        own = deciders(role=self.role, people=self.people)
        return self.role if own.filter(id=user.id).exists() else self.backup_role

    def deciders(self) -> "models.QuerySet[User]":
        """Active users whom the stage asks now: with its backup once it is escalated."""
        backup_role = self.backup_role if self.escalated_at else ""
        return deciders(role=self.role, people=self.people, backup_role=backup_role)


class Decision(models.Model):
    """
    What one human said of one revision, and the digest that was on their screen; never changed, never removed.

    A later revision makes it stale (it names an earlier one). `on_behalf_of` is the delegation by which the decider
    used somebody else's authority, which is used once on a revision like one's own. Triggers refuse a decision on a
    digest that is not the current revision's, outside review, or by or for anybody who wrote a revision.
    """

    class Verdict(models.TextChoices):
        """What can be said."""

        APPROVE = "approve", "Approved"
        ASK_FOR_CHANGES = "ask_for_changes", "Asked for changes"
        REJECT = "reject", "Rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="decisions")
    digest = models.CharField(max_length=64)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    decider_human_id = models.UUIDField()
    on_behalf_of = models.ForeignKey(
        Delegation, null=True, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    delegator_human_id = models.UUIDField(null=True)
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    comment = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            # INV-3: a human's authority counts once on a revision, whoever uses it.
            models.UniqueConstraint(
                "revision", Coalesce("delegator_human_id", "decider_human_id"), name="decision_authority_once"
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True, delegator_human_id__isnull=True)
                | Q(on_behalf_of__isnull=False, delegator_human_id__isnull=False),
                name="decision_names_delegator",
            ),
            # INV-3: one decision per human and revision, under whatever login.
            models.UniqueConstraint(fields=["revision", "decider_human_id"], name="decision_once_per_human"),
            # A no without a reason helps nobody.
            models.CheckConstraint(
                condition=Q(verdict="approve") | ~Q(comment=""), name="decision_against_has_comment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} at {self.decided_at:%Y-%m-%d %H:%M}"


def stale_decisions(change_request: ChangeRequest) -> "models.QuerySet[Decision]":
    """Decisions on earlier revisions: kept and shown, but they count no longer."""
    return Decision.objects.filter(revision__change_request=change_request).exclude(
        revision=change_request.current_revision
    )
