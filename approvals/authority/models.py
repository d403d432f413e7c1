"""Who may decide for whom, and up to what."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.records.models import GovernedModel, history
from foundation.identity.models import User

LONGEST = timedelta(days=92)


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reads of delegations."""

    def in_force_at(self, instant: datetime) -> "DelegationQuerySet":
        """Those that are not revoked, and whose period holds the instant."""
        return self.filter(revoked_at__isnull=True, starts_at__lte=instant, ends_at__gt=instant)

    def given_by(self, user: User) -> "DelegationQuerySet":
        """Those that any login of the user's human gave."""
        return self.filter(delegator_human_id=user.human_id)

    def given_to(self, user: User) -> "DelegationQuerySet":
        """Those that the user's human received, under whatever login."""
        return self.filter(delegate_human_id=user.human_id)

    def of_either(self, user: User) -> "DelegationQuerySet":
        """Those that the user's human gave or received."""
        return self.filter(Q(delegator_human_id=user.human_id) | Q(delegate_human_id=user.human_id))


class Delegation(models.Model):
    """
    One human decides for another, for a while: `[starts_at, ends_at)`, at most 92 days.

    It passes on what `delegator` may decide themselves, as holder of `role`, or of every deciding role of theirs if it
    is empty; never what they hold by delegation. `revoked_at` is set once; nothing else changes, and no row is removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delegator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    delegator_human_id = models.UUIDField()
    delegate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    delegate_human_id = models.UUIDField()
    role = models.CharField(max_length=100, blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = DelegationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            # A deputy is for a while; nothing is passed on for good.
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")) & Q(ends_at__lte=F("starts_at") + LONGEST),
                name="delegation_is_bounded",
            ),
            # Nobody decides tomorrow by a right that is said to have been given yesterday.
            models.CheckConstraint(condition=Q(starts_at__gte=F("created_at")), name="delegation_not_backdated"),
            models.CheckConstraint(
                condition=~Q(delegator_human_id=F("delegate_human_id")), name="delegation_is_to_another"
            ),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="delegation_says_why"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="delegation_revoked_by_somebody",
            ),
        ]
        indexes = [
            # What somebody may decide for others: asked with every page of the portal.
            models.Index(fields=["delegate_human_id", "ends_at"], name="delegation_by_delegate"),
            models.Index(fields=["delegator_human_id", "ends_at"], name="delegation_by_delegator"),
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.delegator}"

    def covers(self, role: str) -> bool:
        """Whether it passes on what the delegator decides in this role; `""` is a stage that asks for no role."""
        return self.role in {"", role}

    def was_in_force_at(self, instant: datetime) -> bool:
        """Whether its period holds the instant, and nobody has revoked it, then or since."""
        return self.revoked_at is None and self.starts_at <= instant < self.ends_at

    def is_open_at(self, instant: datetime) -> bool:
        """Whether it is in force, or will be."""
        return self.revoked_at is None and instant < self.ends_at


class AuthorityLimitQuerySet(models.QuerySet["AuthorityLimit"]):
    """Reads of authority limits."""

    def in_force_at(self, instant: datetime) -> "AuthorityLimitQuerySet":
        """Those that are not retired, and whose period holds the instant."""
        return self.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=instant), retired_at__isnull=True, starts_at__lte=instant
        )

    def of(self, *, human_id: uuid.UUID, role: str) -> "AuthorityLimitQuerySet":
        """Those of a human in a role; in every role for `""`."""
        found = self.filter(human=human_id)
        return found.filter(role=role) if role else found


class AuthorityLimit(GovernedModel):
    """
    Up to what a human decides in a role: seats that a change adds, money that it commits in one currency, or both.

    A governed record: nobody raises their own authority without the approvals of the policy in force. Several rows of
    one human and role hold together. `[starts_at, ends_at)`; without an end it holds until it is retired.
    """

    human = models.UUIDField(db_index=True)
    role = models.CharField(max_length=100)
    seats = models.PositiveBigIntegerField(null=True, blank=True)
    money = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    history = history()
    objects = AuthorityLimitQuerySet.as_manager()

    class Meta:
        verbose_name = "authority limit"
        verbose_name_plural = "authority limits"
        constraints = [
            models.CheckConstraint(
                condition=Q(seats__isnull=False) | Q(money__isnull=False), name="authority_limit_says_what"
            ),
            # An amount without its currency is no amount.
            models.CheckConstraint(
                condition=Q(money__isnull=True, currency="")
                | (Q(money__isnull=False, money__gte=0) & Q(currency__regex=r"^[A-Z]{3}$")),
                name="authority_limit_money_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="authority_limit_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.words}"

    @property
    def words(self) -> str:
        """What it says, for people: `40 seats, 10000.00 EUR`."""
        said = [] if self.seats is None else [f"{self.seats} seats"]
        return ", ".join([*said, *([] if self.money is None else [f"{self.money} {self.currency}"])])
