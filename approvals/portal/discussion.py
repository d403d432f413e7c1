"""The discussion on the page of a change request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from approvals.attachments.models import Attachment
from approvals.discussion.mentions import split
from approvals.discussion.models import Comment
from approvals.discussion.services import check_may_comment
from approvals.requests.models import ChangeRequest
from foundation.errors import DomainError
from foundation.identity.models import User


@dataclass(frozen=True)
class ShownComment:
    """A comment as readers meet it: its text in parts, each with whether it is a mention."""

    id: UUID
    author: User
    created_at: datetime
    revision: int
    replaced: bool
    parts: Sequence[tuple[str, bool]]
    files: Sequence[Attachment] = field(default_factory=tuple)


@dataclass(frozen=True)
class Discussion:
    """All comments, oldest first, and why the reader can't add one, if so."""

    comments: Sequence[ShownComment]
    why_not: str


def read(
    *, change_request: ChangeRequest, user: User, files: Mapping[UUID, Sequence[Attachment]] | None = None
) -> Discussion:
    """
    The discussion of a request that the reader sees, in as many queries however long it is; `files` are those of its
    comments.
    """
    rows = list(
        Comment.objects.filter(change_request=change_request)
        .select_related("author", "revision")
        .defer("revision__content", "revision__document")
        .order_by("number")
    )
    ids = {key for row in rows for key in row.mentions}
    names = {str(key): name for key, name in User.objects.filter(id__in=ids).values_list("id", "username")}
    return Discussion(
        [
            ShownComment(
                id=row.id,
                author=row.author,
                created_at=row.created_at,
                revision=row.revision.number,
                replaced=row.revision_id != change_request.current_revision_id,
                parts=_parts(row, names),
                files=(files or {}).get(row.id, ()),
            )
            for row in rows
        ],
        _why_not(change_request, user),
    )


def _parts(row: Comment, names: Mapping[str, str]) -> list[tuple[str, bool]]:
    told = {names[key] for key in row.mentions if key in names}
    return [part for part in split(row.text, names=told) if part[0]]


def _why_not(change_request: ChangeRequest, user: User) -> str:
    try:
        check_may_comment(user=user, change_request=change_request)
    except DomainError as refusal:
        return refusal.message
    return ""
