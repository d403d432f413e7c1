"""The files of a change request on its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from approvals.attachments.models import Attachment
from approvals.attachments.services import MEBIBYTE, Upload, greatest_size
from approvals.attachments.types import TYPES
from approvals.discussion.services import check_may_comment
from approvals.portal.actions import refusal
from approvals.requests.models import ChangeRequest
from foundation.errors import InvalidInput
from foundation.identity.models import User


@dataclass(frozen=True)
class Files:
    """All files, in the order in which they were attached, what may be added, and why the reader can't, if so."""

    files: Sequence[Attachment]
    why_not: str
    mebibytes: int
    most: int
    accepted: str
    current_revision_id: UUID | None

    @property
    def full(self) -> bool:
        """Whether no file can be added."""
        return len(self.files) >= self.most

    @property
    def of_comments(self) -> Mapping[UUID, Sequence[Attachment]]:
        """Files by the comment that they belong to."""
        found: dict[UUID, list[Attachment]] = {}
        for file in self.files:
            if file.comment_id:
                found.setdefault(file.comment_id, []).append(file)
        return found


def read(*, change_request: ChangeRequest, user: User) -> Files:
    """The files of a request that the reader sees, in as many queries however many there are."""
    files = list(
        Attachment.objects.filter(change_request=change_request)
        .select_related("author", "blob", "revision", "comment")
        .defer("blob__content", "revision__content", "revision__document", "comment__text")
        .order_by("number")
    )
    return Files(
        files=files,
        why_not=refusal(lambda: check_may_comment(user=user, change_request=change_request)),
        mebibytes=greatest_size() // MEBIBYTE,
        most=settings.ATTACHMENTS_PER_REQUEST,
        accepted=",".join(f".{extension}" for extension in TYPES),
        current_revision_id=change_request.current_revision_id,
    )


def posted(request: HttpRequest) -> Upload | None:
    """
    The file that a form sends, or None if it was left empty.

    :raises InvalidInput: if the form sends several
    """
    sent = request.FILES.getlist("file")
    if len(sent) > 1:
        raise InvalidInput("Attach one file at a time.")
    return upload_of(sent[0]) if sent else None


def upload_of(file: "UploadedFile[bytes]") -> Upload:
    """A sent file as a value."""
    return Upload(name=file.name or "", content=file.read())
