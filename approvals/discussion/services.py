"""Saying something about a change request."""

import hashlib
import unicodedata
import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction

from approvals import events, roles
from approvals.discussion.mentions import candidates
from approvals.discussion.models import GREATEST_LENGTH, Comment
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import current, locked
from foundation.errors import InvalidInput, NotPermitted
from foundation.identity.models import User
from foundation.mail import services as mail

GREATEST_MENTIONS = 50


def check_may_comment(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse a comment by somebody who only reads.

    :raises NotFound: if the user may not see the request
    :raises NotPermitted: if the user may neither propose, nor decide, nor apply
    """
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if not any(user.has_perm(permission) for permission in (roles.PROPOSE, roles.DECIDE, roles.APPLY)):
        raise NotPermitted("You read changes and write nothing. Ask an administrator for a role that takes part.")


@transaction.atomic
def comment(*, change_request_id: uuid.UUID, author: User, text: str, now: datetime) -> Comment:
    """
    Say something about a request, in whatever state it is, and tell those mentioned and the request's author.

    `now` is timezone-aware and becomes the comment's and the event's time.

    :raises NotFound: if there is no such request, or the author may not see it
    :raises NotPermitted: if the author may only read
    :raises InvalidInput: if the text says nothing, is longer than 10,000 characters, mentions more than 50 people, or
        holds a character that cannot be stored

    Source: docs/discussion.md
    """
    change_request = locked(change_request_id)
    check_may_comment(user=author, change_request=change_request)
    said = _checked(text)
    mentioned = _mentioned(said, change_request, author)
    revision = current(change_request)
    written = Comment.objects.create(
        change_request=change_request,
        # The request is locked: nobody else counts now.
        number=change_request.comments.count() + 1,
        revision=revision,
        author=author,
        text=said,
        mentions=[str(user.id) for user in mentioned],
        created_at=now,
    )
    record_step(
        type=events.REQUEST_COMMENTED,
        change_request=change_request,
        actor=author,
        now=now,
        revision=revision,
        comment=written.number,
        comment_id=str(written.id),
        text_digest=hashlib.sha256(said.encode()).hexdigest(),
    )
    _tell(change_request=change_request, written=written, mentioned=mentioned, now=now)
    return written


def _checked(text: str) -> str:
    said = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    categories = [unicodedata.category(character) for character in said]
    if all(category[0] in "CZ" for category in categories):
        raise InvalidInput("The comment says nothing. Write something, or leave it.")
    if len(said) > GREATEST_LENGTH:
        raise InvalidInput(f"The comment has {len(said):,} characters; {GREATEST_LENGTH:,} is the most. Shorten it.")
    # Control characters and half surrogate pairs are no text; line ends and tabulators are.
    if any(category in ("Cc", "Cs") for category, one in zip(categories, said, strict=True) if one not in "\n\t"):
        raise InvalidInput("The comment holds a control character or half a character. Remove what you pasted last.")
    return said


def _mentioned(text: str, change_request: ChangeRequest, author: User) -> list[User]:
    """
    Those who are named and see the request, each human once and never the author; nobody learns of the others whether
    they exist.
    """
    names = candidates(text)
    if len(names) > 2 * GREATEST_MENTIONS:
        raise InvalidInput(f"The comment mentions too many people; {GREATEST_MENTIONS} is the most.")
    found = User.objects.filter(is_active=True, username__in=names).order_by("id")
    others = found.exclude(human_id=author.human_id)
    humans = {user.human_id: user for user in others if permissions.sees(user=user, change_request=change_request)}
    seeing = list(humans.values())
    if len(seeing) > GREATEST_MENTIONS:
        raise InvalidInput(f"The comment mentions {len(seeing)} people; {GREATEST_MENTIONS} is the most.")
    return seeing


def _tell(*, change_request: ChangeRequest, written: Comment, mentioned: list[User], now: datetime) -> None:
    link = f"{settings.PUBLIC_URL}/changes/{change_request.number}/#comment-{written.id}"
    readers = {user.human_id: (user.id, "mentions you") for user in mentioned}
    proposer = change_request.created_by
    if proposer is not None and permissions.sees(user=proposer, change_request=change_request):
        readers.setdefault(proposer.human_id, (proposer.id, "is about your change"))
    readers.pop(written.author.human_id, None)
    for user_id, why in readers.values():
        mail.send(
            recipients=[user_id],
            subject=f"Change {change_request.number}: a comment {why}",
            text=f"{written.author} wrote about “{change_request.title}”:\n\n{written.text}\n\n{link}\n",
            now=now,
            key=f"comment:{written.id}",
        )
