"""Files attached to change requests: their bytes once, and each occasion on which somebody attached them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from approvals.attachments.names import GREATEST_LENGTH
from approvals.discussion.models import Comment
from approvals.requests.models import ChangeRequest, Revision

# What one value of PostgreSQL can hold and a process can read in one piece; the setting allows less.
GREATEST_SIZE = 100 * 1024 * 1024


class Blob(models.Model):
    """
    The bytes of a file, stored once however often they are attached; never changed, never removed.

    `digest` is their SHA-256 in hex. Deliberately absent: name, type and owner, which belong to the occasion.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # The digest is that of the bytes, whoever wrote the row.
            models.CheckConstraint(
                condition=Q(
                    digest=Func(
                        Func(F("content"), function="sha256", output_field=models.BinaryField()),
                        Value("hex"),
                        function="encode",
                        output_field=models.TextField(),
                    )
                ),
                name="blob_digest_is_of_content",
            ),
            models.CheckConstraint(
                condition=Q(
                    size=Func(F("content"), function="octet_length", output_field=models.IntegerField()),
                    size__range=(1, GREATEST_SIZE),
                ),
                name="blob_size_is_of_content",
            ),
        ]

    def __str__(self) -> str:
        return self.digest


class Attachment(models.Model):
    """
    A file that somebody attached to a request; never changed, never removed, no part of any digest of a revision.

    `number` counts the request's files from 1, `revision` is the one that was current then. `comment` is set if the
    file belongs to something that was said. `name` is clean and `media_type` one of those that are allowed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="attachments", db_index=False
    )
    number = models.PositiveIntegerField()
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    comment = models.ForeignKey(
        Comment, null=True, on_delete=models.PROTECT, related_name="attachments", db_index=False
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="attachments", db_index=False)
    name = models.CharField(max_length=GREATEST_LENGTH)
    media_type = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # The order in which they were attached; also the index of a request's files and the API's cursor.
            models.UniqueConstraint(fields=["change_request", "number"], name="attachment_number_once"),
            # The same bytes under the same name are one file of a request.
            models.UniqueConstraint(fields=["change_request", "blob", "name"], name="attachment_file_once"),
            # A name that can be shown and saved: no path, no control character.
            models.CheckConstraint(
                condition=Q(name__regex=r"^[^/\\[:cntrl:]]+$") & Q(LessThanOrEqual(Length("name"), GREATEST_LENGTH)),
                name="attachment_has_clean_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name
