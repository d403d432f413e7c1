"""
What packs hold of change requests: revisions byte by byte, decisions with the statements signed, comments, files,
tickets and what they were told, by what authority it was applied, what was verified.

Rows that only grow are given as far as events of the selection tell of them, so that nothing is ahead of the ledger.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from approvals import events
from approvals.announcements.models import Announcement
from approvals.attachments.models import Attachment
from approvals.attachments.names import extension_of
from approvals.attachments.services import content_of
from approvals.discussion.models import Comment
from approvals.packing import told
from approvals.packing.stories import Story
from approvals.permits.models import Permit
from approvals.printing.documents import document_of
from approvals.requests.authorizations import Authorization
from approvals.requests.models import ChangeRequest, Decision, Revision
from approvals.requests.statements import signer_of, statement
from approvals.tickets.models import Ticket
from approvals.verification.models import CriterionTick
from audit.packs.building import pretty
from audit.packs.port import Counted, File, Part, Selection, Sheet, Step
from foundation.printing.typesetting import pdf

MOST_PRINTED = 50
Row = dict[str, Any]


def contribute(selection: Selection) -> Iterator[Part]:
    """All change requests of a selection."""
    found = ChangeRequest.objects.filter(id__in=selection.requests).select_related(
        "current_revision", "created_by", "applied_by", "reverts"
    )
    requests = list(found.order_by("number"))
    stories, decisions = [], []
    for change_request in requests:
        story = _story(change_request, selection)
        stories.append(story)
        decisions += story.document["decisions"]
        yield from _files(story, selection, printed=len(requests) <= MOST_PRINTED)
        for _ in range(9):
            yield Step()
    yield from _counted(stories)
    yield from told.sections(stories)
    yield told.sheet(stories)
    yield _decision_sheet(stories)


def _counted(stories: Sequence[Story]) -> Iterator[Counted]:
    yield Counted("change requests", len(stories), "Those with an event in the selection, each whole.")
    for what, name in (("revisions", "revisions"), ("decisions", "decisions"), ("comments", "comments"),
                       ("files", "files"), ("tickets", "tickets")):  # fmt: skip
        count = sum(len(story.document[name]) for story in stories)
        yield Counted(what, count, "All of these change requests.")


def _story(change_request: ChangeRequest, selection: Selection) -> Story:
    own = [event for event in selection.events if event.document["change_request"] == str(change_request.id)]
    digests = {event.data["digest"] for event in own if "digest" in event.data}
    revisions = list(change_request.revisions.filter(digest__in=digests).select_related("author").order_by("number"))
    authorization = Authorization.objects.filter(change_request=change_request).first()
    if not any(event.type == events.REQUEST_APPLIED for event in own):
        authorization = None
    document = {
        "id": change_request.id,
        "number": change_request.number,
        "title": change_request.title,
        "status": change_request.status,
        "source": change_request.source,
        "system": change_request.system,
        "created_by": _login(change_request.created_by),
        "created_at": change_request.created_at,
        "submitted_at": change_request.submitted_at,
        "approved_at": change_request.approved_at,
        "applied_at": change_request.applied_at,
        "applied_by": _login(change_request.applied_by),
        "closed_at": change_request.closed_at,
        "reverts": change_request.reverts.number if change_request.reverts else None,
        "revisions": [_revision(one) for one in revisions],
        "decisions": _decisions(change_request, own),
        "comments": _comments(change_request, own),
        "files": _attachments(change_request, own),
        "tickets": _tickets(change_request),
        "announcements": _announcements(change_request),
        "authorization": _authorization(authorization),
        "permits": [_permit(one) for one in Permit.objects.filter(change_request=change_request).order_by("issued_at")],
        "verification": _ticks(change_request, own),
    }
    return Story(change_request, revisions, document, authorization, own)


def _files(story: Story, selection: Selection, *, printed: bool) -> Iterator[File]:
    folder, number = f"changes/{story.change_request.number}", story.change_request.number
    yield File(f"{folder}/request.json", pretty(story.document), f"Change {number}: all but its revisions.")
    for revision in story.revisions:
        yield File(
            f"{folder}/revision-{revision.number}.json",
            bytes(revision.content),
            f"Change {number}, revision {revision.number}: the exact bytes that were decided on.",
        )
    kept = {one["id"]: one for one in story.document["files"]}
    for attachment in Attachment.objects.filter(id__in=kept).order_by("number"):
        path = kept[attachment.id]["path"]
        yield File(path, content_of(attachment), f"Change {number}: the file “{attachment.name}”.")
    if printed and story.revisions:
        document = document_of(
            change_request=story.change_request, user=selection.asker, now=selection.now, named=False
        )
        content = pdf(document, archival=True)
        yield File(f"{folder}/plan.pdf", content, f"Change {number} as printed for people.")


def _revision(revision: Revision) -> Row:
    return {
        "number": revision.number,
        "digest": revision.digest,
        "author": _login(revision.author),
        "created_at": revision.created_at,
        "rationale": revision.rationale,
        "stages": [
            {
                "position": stage.position,
                "asked": stage.whom,
                "quorum": stage.quorum,
                "because": stage.reasons,
                "opened_at": stage.opened_at,
                "escalated_at": stage.escalated_at,
                "completed_at": stage.completed_at,
            }
            for stage in revision.stages.order_by("position")
        ],
    }


def _decisions(change_request: ChangeRequest, own: Sequence[Any]) -> list[Row]:
    known = {(str(event.document["actor"]), event.data.get("digest")) for event in own}
    given = Decision.objects.filter(revision__change_request=change_request).select_related(
        "revision", "stage", "decider", "on_behalf_of__delegator"
    )
    return [
        {
            "verdict": one.verdict,
            "decider": one.decider_id,
            "decider_name": str(one.decider),
            "in_place_of": str(one.on_behalf_of.delegator) if one.on_behalf_of else None,
            "asked": one.stage.whom,
            "stage": one.stage.position,
            "revision": one.revision.number,
            "stale": one.revision_id != change_request.current_revision_id,
            "digest": one.digest,
            "decided_at": one.decided_at,
            "comment": one.comment,
            "statement": statement(
                change_request=change_request, revision=one.revision, role=one.stage.whom, name=signer_of(one)
            ),
        }
        for one in given.order_by("decided_at", "id")
        if (str(one.decider_id), one.digest) in known
    ]


def _comments(change_request: ChangeRequest, own: Sequence[Any]) -> list[Row]:
    known = [event.data["comment_id"] for event in own if event.type == events.REQUEST_COMMENTED]
    found = Comment.objects.filter(change_request=change_request, id__in=known).select_related("author", "revision")
    return [
        {
            "number": one.number,
            "author": _login(one.author),
            "revision": one.revision.number,
            "text": one.text,
            "created_at": one.created_at,
        }
        for one in found.order_by("number")
    ]


def _attachments(change_request: ChangeRequest, own: Sequence[Any]) -> list[Row]:
    known = [event.data["attachment_id"] for event in own if event.type == events.REQUEST_FILE_ATTACHED]
    found = Attachment.objects.filter(change_request=change_request, id__in=known).select_related("author", "revision")
    return [
        {
            "id": one.id,
            "number": one.number,
            "name": one.name,
            "path": f"changes/{change_request.number}/files/{one.number}.{extension_of(one.name)}",
            "media_type": one.media_type,
            "digest": one.blob_id,
            "author": _login(one.author),
            "revision": one.revision.number,
            "created_at": one.created_at,
        }
        for one in found.order_by("number")
    ]


def _tickets(change_request: ChangeRequest) -> list[Row]:
    found = Ticket.objects.filter(change_request=change_request).select_related("system", "tied_by")
    return [
        {
            "system": one.system.code,
            "key": one.key,
            "url": one.url,
            "origin": one.origin,
            "status": one.status,
            "approval": one.approval,
            "read_at": one.read_at,
            "tied_by": _login(one.tied_by),
            "created_at": one.created_at,
            "released_at": one.released_at,
            "deliveries": list(
                one.updates.order_by("number").values(
                    "number", "status", "revision", "text", "created_at", "tried_at", "sent_at"
                )
            ),
        }
        for one in found.order_by("created_at", "id")
    ]


def _announcements(change_request: ChangeRequest) -> list[Row]:
    """Whom the applied change was told to, why, and who said that they have read it."""
    found = Announcement.objects.filter(change_request=change_request).select_related("reader", "acknowledgment")
    return [
        {
            "reader": _login(one.reader),
            "reasons": one.reasons,
            "created_at": one.created_at,
            "acknowledge_by": one.acknowledge_by,
            "acknowledged_at": one.acknowledgment.acknowledged_at if hasattr(one, "acknowledgment") else None,
        }
        for one in found.order_by("created_at", "id")
    ]


def _authorization(authorization: Authorization | None) -> Row | None:
    if authorization is None:
        return None
    return {
        "id": authorization.id,
        "basis": authorization.basis,
        "in_words": str(authorization),
        "digest": authorization.digest,
        "decisions": authorization.decisions,
        "template": authorization.template_id,
        "template_version": authorization.template_version,
        "permit": authorization.permit_id,
        "cites": authorization.cites_id,
        "created_at": authorization.created_at,
    }


def _permit(permit: Permit) -> Row:
    return {
        "id": permit.id,
        "holder": str(permit.user),
        "reason": permit.reason,
        "digest": permit.digest,
        "issued_at": permit.issued_at,
        "expires_at": permit.expires_at,
        "used_at": permit.used_at,
        "review_due_at": permit.review_due_at,
        "reviewed_at": permit.reviewed_at,
        "outcome": permit.outcome,
        "reviews": [
            {
                "reviewer": _login(one.reviewer),
                "asked": one.stage.whom,
                "verdict": one.verdict,
                "comment": one.comment,
                "decided_at": one.decided_at,
            }
            for one in permit.reviews.select_related("reviewer", "stage").order_by("decided_at", "id")
        ],
    }


def _ticks(change_request: ChangeRequest, own: Sequence[Any]) -> list[Row]:
    count = sum(event.type in (events.REQUEST_CRITERION_MET, events.REQUEST_CRITERION_UNMET) for event in own)
    found = CriterionTick.objects.filter(change_request=change_request, number__lte=count)
    return [
        {
            "number": one.number,
            "criterion": one.criterion,
            "met": one.met,
            "result": one.result,
            "link": one.link,
            "file": one.file.number if one.file else None,
            "checked_by": _login(one.checked_by),
            "checked_at": one.checked_at,
        }
        for one in found.select_related("checked_by", "file").order_by("number")
    ]


def _login(user: Any) -> Mapping[str, Any] | None:
    """A login by id and name."""
    return None if user is None else {"id": user.id, "name": str(user)}


def _decision_sheet(stories: Sequence[Story]) -> Sheet:
    names = ("decided_at", "verdict", "decider_name", "in_place_of", "asked", "revision", "stale", "digest", "comment",
             "statement")  # fmt: skip
    rows = [
        (story.change_request.number, *(_cell(one[name]) for name in names))
        for story in stories
        for one in story.document["decisions"]
    ]
    head = ("Change", "Decided at", "Verdict", "By", "In place of", "Asked", "Revision", "Stale", "Digest", "Comment",
            "Statement signed")  # fmt: skip
    return Sheet("decisions", head, rows)


def _cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
