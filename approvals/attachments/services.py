"""Attaching files to change requests, and reading them."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from approvals import events
from approvals.attachments.errors import AlreadyAttached, FileRefused, FileTooLarge, TooManyFiles
from approvals.attachments.models import Attachment, Blob
from approvals.attachments.names import clean, extension_of
from approvals.attachments.types import TYPES
from approvals.discussion.models import Comment
from approvals.discussion.services import check_may_comment, comment
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import current, locked
from audit.reads.collecting import gave
from audit.reads.registry import Sort
from foundation.errors import NotFound, NotPermitted
from foundation.identity.models import User

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file as it was sent: whatever its sender called it, and its bytes."""

    name: str
    content: bytes


@transaction.atomic
def attach(
    *, change_request_id: uuid.UUID, author: User, file: Upload, now: datetime, comment_id: uuid.UUID | None = None
) -> Attachment:
    """
    Keep a file with a request, in whatever state it is; with `comment_id`, as a part of what the author said.

    `now` is timezone-aware and becomes the file's and the event's time.

    :raises NotFound: if there is no such request or comment, or the author may not see it
    :raises NotPermitted: if the author may only read, or somebody else wrote the comment
    :raises FileTooLarge: if it has more bytes than the setting allows
    :raises FileRefused: if it is empty, its type is not allowed, or its content is not what its name says
    :raises AlreadyAttached: if the request has the same bytes under the same name
    :raises TooManyFiles: if the request has as many as the setting allows

    Source: docs/attachments.md
    """
    change_request = locked(change_request_id)
    check_may_comment(user=author, change_request=change_request)
    said = _comment_of(change_request, comment_id, author) if comment_id else None
    return _keep(change_request, author, file, now, said)


@transaction.atomic
def comment_with_file(
    *, change_request_id: uuid.UUID, author: User, text: str, file: Upload | None, now: datetime
) -> Comment:
    """
    Say something about a request and attach a file to it, both or neither.

    :raises DomainError: as `approvals.discussion.services.comment` and `attach`
    """
    said = comment(change_request_id=change_request_id, author=author, text=text, now=now)
    if file is not None:
        attach(change_request_id=change_request_id, author=author, file=file, now=now, comment_id=said.id)
    return said


def attachment_of(change_request: ChangeRequest, attachment_id: uuid.UUID) -> Attachment:
    """
    A file of a request, without its bytes; whoever calls has asked whether the reader sees the request.

    :raises NotFound: if the request has none of that id
    """
    found = (
        Attachment.objects.filter(change_request=change_request, id=attachment_id)
        .select_related("author", "blob", "revision")
        .defer("blob__content", "revision__content", "revision__document")
        .first()
    )
    if found is None:
        raise NotFound("The change has no such file.")
    return found


def visible_attachment(*, user: User, change_request_id: uuid.UUID, attachment_id: uuid.UUID) -> Attachment:
    """
    A file of a request that the user may see, without its bytes.

    :raises NotFound: if there is none, or the user may not see all that the request touches
    """
    change_request = permissions.visible_request(user=user, change_request_id=change_request_id)
    return attachment_of(change_request, attachment_id)


def content_of(attachment: Attachment) -> bytes:
    """The bytes of a file, noted as given to whoever reads them."""
    gave(Sort.FILE, "approvals.attachment", {attachment.id: attachment.name})
    return bytes(Blob.objects.values_list("content", flat=True).get(digest=attachment.blob_id))


def greatest_size() -> int:
    """How many bytes a file may have."""
    return int(settings.ATTACHMENT_MEBIBYTES) * MEBIBYTE


def _comment_of(change_request: ChangeRequest, comment_id: uuid.UUID, author: User) -> Comment:
    found = Comment.objects.filter(change_request=change_request, id=comment_id).select_related("author").first()
    if found is None:
        raise NotFound("The change has no such comment.")
    if found.author.human_id != author.human_id:
        raise NotPermitted("Only who wrote a comment attaches files to it. Attach the file to the change instead.")
    return found


def _keep(change_request: ChangeRequest, author: User, file: Upload, now: datetime, said: Comment | None) -> Attachment:
    name = clean(file.name)
    media_type = _checked(name, file.content)
    digest = hashlib.sha256(file.content).hexdigest()
    # The request is locked: nobody else attaches to it now.
    kept = Attachment.objects.filter(change_request=change_request)
    same = kept.filter(blob_id=digest, name=name).first()
    if same is not None:
        raise AlreadyAttached(
            f"“{name}” is attached already, as file {same.number}. Nothing was added.", attachment_id=str(same.id)
        )
    count = kept.count()
    if count >= settings.ATTACHMENTS_PER_REQUEST:
        raise TooManyFiles(
            f"Change {change_request.number} has {count} files, which is the most. Put several into one document."
        )
    revision = current(change_request)
    # Whoever attaches the same bytes to another request at this moment waits for that transaction, then finds them.
    Blob.objects.bulk_create(
        [Blob(digest=digest, size=len(file.content), content=file.content, created_at=now)], ignore_conflicts=True
    )
    attachment = Attachment.objects.create(
        change_request=change_request,
        number=count + 1,
        revision=revision,
        comment=said,
        author=author,
        blob_id=digest,
        name=name,
        media_type=media_type,
        created_at=now,
    )
    record_step(
        type=events.REQUEST_FILE_ATTACHED,
        change_request=change_request,
        actor=author,
        now=now,
        revision=revision,
        file=attachment.number,
        attachment_id=str(attachment.id),
        name=name,
        size=len(file.content),
        file_digest=digest,
        **({"comment": said.number} if said else {}),
    )
    return attachment


def _checked(name: str, content: bytes) -> str:
    """The media type of a file that may be kept."""
    if not content:
        raise FileRefused(f"“{name}” is empty. Attach a file that says something.")
    greatest = greatest_size()
    if len(content) > greatest:
        raise FileTooLarge(
            f"“{name}” has {len(content) / MEBIBYTE:,.1f} MiB; {greatest // MEBIBYTE} is the most. "
            "Attach a smaller one, or write where it is kept."
        )
    file_type = TYPES.get(extension_of(name))
    if file_type is None:
        raise FileRefused(f"“{name}” is of no type that is kept. Attach one of: {', '.join(TYPES)}.")
    if not file_type.fits(content):
        raise FileRefused(
            f"“{name}” is not what its name says: its content is no {file_type.label} that can be kept. "
            "Save it again in that form."
        )
    return file_type.media_type
