"""Who wants to be told of what is applied, what they were told, and that they have read it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from approvals import roles
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User

GREATEST_HOURS = 720


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Reads of subscriptions."""

    def in_force(self) -> "SubscriptionQuerySet":
        """Those that are not ended."""
        return self.filter(ended_at__isnull=True)

    def of_roles_or(self, user: User) -> "SubscriptionQuerySet":
        """Those of every role, and the user's own."""
        return self.filter(~Q(role="") | Q(owner=user))


class Subscription(models.Model):
    """
    Which applied changes a role or a person is told of.

    `conditions` are rows of field, operator and value over the facts that kinds declare, as those of policies; all must
    hold of one item. `acknowledge_hours` is within how many hours holders of the role are to say that they have read
    it. `default_key` names the default from which a role's subscription was made, so that it is made once. Ended, never
    removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    role = models.CharField(max_length=100, blank=True, default="")
    name = models.CharField(max_length=100)
    conditions = models.JSONField(default=list)
    acknowledge_hours = models.PositiveIntegerField(null=True)
    default_key = models.CharField(max_length=100, null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("configure_subscription", "Can set up what roles are told of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=True) & ~Q(role="") | Q(owner__isnull=False, role=""),
                name="subscription_of_role_or_person",
            ),
            # Nobody demands of themselves to read something.
            models.CheckConstraint(
                condition=Q(acknowledge_hours__isnull=True)
                | (~Q(role="") & Q(acknowledge_hours__range=(1, GREATEST_HOURS))),
                name="subscription_acknowledged_by_role",
            ),
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(ended_at__isnull=True), name="subscription_name_once_of_person"
            ),
            models.UniqueConstraint(
                fields=["role", "name"],
                condition=Q(ended_at__isnull=True) & ~Q(role=""),
                name="subscription_name_once_of_role",
            ),
            # A default that was ended is not made again.
            models.UniqueConstraint(fields=["default_key"], name="subscription_default_once"),
        ]

    def __str__(self) -> str:
        whom = roles.words(self.role)
        return f"{whom[:1].upper()}{whom[1:]}: {self.name}" if whom else self.name


class Following(models.Model):
    """That a person follows a role's subscription without holding the role, or left it although they hold it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="followings", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    follows = models.BooleanField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["subscription", "person"], name="following_once")]

    def __str__(self) -> str:
        return "follows" if self.follows else "left"


class AnnouncedChange(models.Model):
    """The mark that an applied change was announced, to however many; once, and never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="+", db_index=False)
    announced_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # Two workers never announce a change twice; also the index by which the sweep finds what is not announced.
            models.UniqueConstraint(fields=["change_request"], name="change_announced_once"),
        ]

    def __str__(self) -> str:
        return f"announced at {self.announced_at:%Y-%m-%d %H:%M}"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    """Reads of announcements."""

    def visible_to(self, user: User) -> "AnnouncementQuerySet":
        """Those for the user's human of changes that the user may see now."""
        if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
            return self.none()
        seen = ChangeRequest.objects.filter(pk=OuterRef("change_request")).visible_to(user)
        return self.filter(Exists(seen), human_id=user.human_id)

    def unread(self) -> "AnnouncementQuerySet":
        """Those that nobody has acknowledged."""
        return self.filter(acknowledgment__isnull=True)


class Announcement(models.Model):
    """
    One applied change told to one human; never changed, never removed.

    `reader` is the login at which they are told by mail; any login of theirs may read it. `reasons` are the
    subscriptions by name as they were then. `acknowledge_by` is set if somebody wants to know that it was read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="announcements", db_index=False
    )
    human_id = models.UUIDField()
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reasons = models.JSONField()
    acknowledge_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            # Nobody is told twice, whatever subscriptions they have and however often the sweep runs.
            models.UniqueConstraint(fields=["change_request", "human_id"], name="announcement_once"),
        ]
        indexes = [
            # A person's list, and the API's cursor.
            models.Index(fields=["human_id", "-created_at", "id"], name="announcement_newest_first"),
        ]

    def __str__(self) -> str:
        return f"announcement of {self.change_request_id}"


class Acknowledgment(models.Model):
    """
    That a human has read an announcement; once, and never changed.

    A trigger refuses it of anybody but the human for whom the announcement is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    announcement = models.OneToOneField(Announcement, on_delete=models.PROTECT, related_name="acknowledgment")
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    acknowledged_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"read at {self.acknowledged_at:%Y-%m-%d %H:%M}"


class AnnouncementStep(models.Model):
    """
    One step at which somebody was told of an announcement, or at which it was escalated; never changed.

    A mail lists several; `mail_id` is the same for them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    announcement = models.ForeignKey(Announcement, on_delete=models.PROTECT, related_name="steps", db_index=False)
    human_id = models.UUIDField()
    step = models.CharField(max_length=30)
    mail_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["announcement", "step"], name="announcement_step_once")]
        indexes = [
            # Whether a person had today's mail.
            models.Index(fields=["human_id", "-created_at"], name="announcement_step_latest"),
        ]

    def __str__(self) -> str:
        return self.step
