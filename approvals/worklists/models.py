"""What readers keep for their work: filters of the list of changes, and which revisions they opened."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.requests.models import Revision
from foundation.identity.models import User


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Reads of saved filters."""

    def usable_by(self, user: User) -> "SavedFilterQuerySet":
        """The user's own ones, and those shared with a role of theirs."""
        return self.filter(Q(owner=user) | Q(role__in=user.groups.values("name")))


class SavedFilter(models.Model):
    """
    A filter of the list of changes under a name; `slug` is its address, `query` its parameters as in an address.

    `role` names whom it is shared with; empty: nobody. It is a convenience of its owner and no evidence: it filters
    what each reader may see anyway.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=120)
    query = models.CharField(max_length=2000)
    role = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            # An address leads to one filter.
            models.UniqueConstraint(fields=["slug"], name="saved_filter_slug_once"),
            models.UniqueConstraint(fields=["owner", "name"], name="saved_filter_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Opened(models.Model):
    """
    That a reader who could decide was shown a revision; once, and never changed.

    A decision on several requests at once counts only for those that the reader opened at their current digest.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["reader", "revision"], name="opened_once")]

    def __str__(self) -> str:
        return f"opened at {self.opened_at:%Y-%m-%d %H:%M}"
