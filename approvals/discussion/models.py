"""What people say about change requests."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from approvals.requests.models import ChangeRequest, Revision

GREATEST_LENGTH = 10_000


class Comment(models.Model):
    """
    One thing that somebody said about a request; never changed, never removed, no part of any digest.

    `number` counts the request's comments from 1. `revision` is the one that was current when it was said. `mentions`
    lists the ids of the logins that the text names and that were told. Deliberately absent: an edit, a deletion, a
    thread.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="comments", db_index=False)
    number = models.PositiveIntegerField()
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    text = models.TextField()
    mentions = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # The order in which it was said; also the index of a request's discussion and the API's cursor.
            models.UniqueConstraint(fields=["change_request", "number"], name="comment_number_once"),
            # A comment says something, and no more than somebody will read.
            models.CheckConstraint(
                condition=Q(text__regex=r"\S") & Q(LessThanOrEqual(Length("text"), GREATEST_LENGTH)),
                name="comment_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.number}"
