"""
A change request as a printed document: complete, the same for every role, and without live data.

What it shows is the revision under its digest, the decisions and comments as they were given, and what happened. What
other open changes do meanwhile stands on the page alone, so that the same state gives the same bytes at any time.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from approvals import governed
from approvals.discussion.models import Comment
from approvals.governed import Occasion
from approvals.printing.evidence import verification
from approvals.requests import given_out, permissions, schedules
from approvals.requests.models import ChangeRequest, Decision, Revision, stale_decisions
from approvals.requests.services import current
from approvals.requests.statements import signer_of, statement
from approvals.roles import words
from audit import contributors
from audit.ledger.models import Event
from audit.reads.collecting import gave_export
from foundation.identity.models import User
from foundation.printing.typesetting import Document, pdf
from foundation.web.blocks import Block, Fact, Facts, Point, Points, Row, Section, Table
from foundation.web.instants import in_reader_zone, instant_text, parsed

EVENTS_PRINTED = 200
COMMENTS_PRINTED = 200


def printed(*, change_request: ChangeRequest, user: User, now: datetime) -> bytes:
    """
    The request as a PDF, with instants in the user's zone.

    :raises NotFound: if the user may not see all that it touches
    """
    permissions.visible_request(user=user, change_request_id=change_request.id)
    given_out.note(change_request, current(change_request).document)
    gave_export(f"change {change_request.number}", "PDF", number=change_request.number)
    with timezone.override(user.time_zone or "UTC"):
        return pdf(document_of(change_request=change_request, user=user, now=now))


def document_of(*, change_request: ChangeRequest, user: User, now: datetime, named: bool = True) -> Document:
    """
    Everything that is printed of a request; instants are in the zone that is active.

    Without names those who hold seats are told by their ids: what is kept elsewhere can't be erased there.
    """
    revision = current(change_request)
    events = list(
        Event.objects.of_change_request(change_request.id)
        .filter(subject_id=change_request.id)
        .order_by("recorded_at", "transaction_id", "position")
    )
    plan = revision.plan
    occasion = Occasion(user=user, now=now, live=False, named=named)
    return Document(
        title=change_request.title,
        author=str(change_request.created_by or "The system"),
        sentence=in_reader_zone(str(plan.get("sentence") or plan.get("summary") or "This change has no plan.")),
        reference=f"Change {change_request.number}, revision {revision.number}",
        digest=revision.digest,
        head=_head(change_request, revision),
        sections=[
            _why(change_request, revision),
            *governed.presenter().sections(document=plan, occasion=occasion),
            _approvals(revision),
            _decisions(change_request, revision),
            _signed(change_request, revision),
            *verification(change_request, revision),
            *_discussion(change_request),
            _events(events),
        ],
        dated=events[-1].recorded_at if events else revision.created_at,
    )


def _head(change_request: ChangeRequest, revision: Revision) -> list[Fact]:
    by = f" by {revision.author}" if revision.author else ""
    as_of = parsed(revision.plan.get("as_of")) or revision.created_at
    warning = revision.plan.get("interruption")
    return [
        Fact("State", change_request.status_label),
        Fact("Access", in_reader_zone(str(warning)) if warning else "Nobody loses access."),
        Fact("Proposed", f"{instant_text(change_request.created_at)} by {change_request.created_by or 'the system'}"),
        Fact("Revision", f"{revision.number}, written {instant_text(revision.created_at)}{by}"),
        Fact("Data as of", instant_text(as_of)),
    ]


def _why(change_request: ChangeRequest, revision: Revision) -> Section:
    told, waiver = revision.rationale, revision.document["waiver"]
    facts = [
        Fact("Justification", told["justification"] or "Not said yet."),
        Fact("Expected impact", told["impact"] or "Not said yet."),
        Fact("It worked if", "; ".join(told["acceptance_criteria"]) or "Not said yet."),
        Fact("Rollback", told["rollback"] or "Not said yet."),
        Fact("When", _when(change_request, revision)),
    ]
    if waiver:
        facts.append(Fact("Waiver", f"The gap is declared as accepted. {waiver['reason']}"))
        facts.append(Fact("Risk borne by", waiver["risk_owner"]))
    permanent = revision.plan.get("permanent")
    points = [Point(_capital(in_reader_zone(text)) + ".", "warning") for text in permanent or ()]
    if not points:
        not_computed = "Not computed when this revision was planned."
        points = [Point(not_computed if permanent is None else "Nothing that the plan knows of.")]
    return Section("why", "Why, and how to undo it", "", [Facts(facts), Points(points, title="What cannot be undone")])


def _when(change_request: ChangeRequest, revision: Revision) -> str:
    schedule = schedules.of(revision.document)
    if change_request.applied_at is not None:
        return f"Applied {instant_text(change_request.applied_at)} by {change_request.applied_by or 'the system'}"
    return f"Applied {schedule.local}" if schedule else "When somebody applies it, after the last approval"


def _approvals(revision: Revision) -> Section:
    rows = []
    for stage in revision.stages.order_by("position"):
        approvals = stage.decisions.filter(verdict=Decision.Verdict.APPROVE)
        given = approvals.select_related("decider", "on_behalf_of__delegator")
        names = ", ".join(_by(decision) for decision in given.order_by("decided_at", "id"))
        state = "passed" if stage.completed_at else "open"
        why = "; ".join(stage.reasons)
        rows.append(Row([f"{stage.position}. {words(stage.whom)}", f"{stage.quorum}", names or "–", state, why]))
    head = ("Stage", "Needs", "Given by", "State", "Because")
    blocks: list[Block] = [Table("Approvals needed and given", head, rows)] if rows else []
    return Section("approvals", "Approvals", "", blocks or [Points([Point("No stage is asked for.")])])


def _decisions(change_request: ChangeRequest, revision: Revision) -> Section:
    counting = revision.decisions.select_related("decider", "stage", "revision", "on_behalf_of__delegator")
    stale = stale_decisions(change_request).select_related("decider", "stage", "revision", "on_behalf_of__delegator")
    rows = [_decision(one, stale=False) for one in counting.order_by("decided_at", "id")]
    rows += [
        _decision(one, stale=True)
        for one in stale.defer("revision__content", "revision__document").order_by("decided_at", "id")
    ]
    head = ("Who", "For", "What", "When", "Comment")
    blocks: list[Block] = [Table("Each decision", head, rows)] if rows else [Points([Point("Nobody has decided yet.")])]
    return Section("decisions", "Decisions", "", blocks)


def _decision(decision: Decision, *, stale: bool) -> Row:
    verdict = Decision.Verdict(decision.verdict).label
    told = f"{verdict}, stale: on revision {decision.revision.number}" if stale else verdict
    cells = [_by(decision), words(decision.stage.whom), told, instant_text(decision.decided_at)]
    return Row([*cells, decision.comment or "–"])


def _by(decision: Decision) -> str:
    """Who decided, in whose place."""
    delegation = decision.on_behalf_of
    return f"{person(decision.decider)} for {person(delegation.delegator)}" if delegation else person(decision.decider)


def _signed(change_request: ChangeRequest, revision: Revision) -> Section:
    """The statement that each approval signed; before the first one, that which it would sign."""
    given = revision.decisions.filter(verdict=Decision.Verdict.APPROVE)
    approvals = given.select_related("decider", "stage", "on_behalf_of__delegator")
    told = [
        statement(change_request=change_request, revision=revision, role=one.stage.whom, name=signer_of(one))
        for one in approvals.order_by("decided_at", "id")
    ]
    if not told:
        roles = list(dict.fromkeys(stage.whom for stage in revision.stages.order_by("position")))
        told = [
            statement(change_request=change_request, revision=revision, role=role, name="Whoever approves")
            for role in roles
        ]
    return Section("statement", "What a decision signs", "", [Points([Point(text) for text in told])])


def _discussion(change_request: ChangeRequest) -> list[Section]:
    comments = Comment.objects.filter(change_request=change_request).select_related("author").order_by("number")
    count = comments.count()
    rows = [Fact(f"{one.author}, {instant_text(one.created_at)}", one.text) for one in comments[:COMMENTS_PRINTED]]
    note = f"The first {COMMENTS_PRINTED} of {count:,}." if count > COMMENTS_PRINTED else ""
    return [Section("discussion", "Discussion", note, [Facts(rows)])] if rows else []


def _events(events: Sequence[Event]) -> Section:
    shown = events[-EVENTS_PRINTED:]
    actors = {
        user.id: str(user) for user in User.objects.filter(id__in={one.actor_id for one in shown if one.actor_id})
    }
    rows = [
        Fact(
            instant_text(one.recorded_at),
            contributors.sentence(
                type_name=one.type,
                data=one.data,
                actor=actors.get(one.actor_id, "Somebody") if one.actor_id else "The system",
                subject=one.subject_label,
            ),
        )
        for one in shown
    ]
    return Section("events", "What happened", "From the ledger", [Facts(rows)])


def person(user: User) -> str:
    """A login by the human's name, with the login where they differ."""
    name = user.get_full_name()
    # Who was erased has the words of erasure for a name, and no login name that tells anything.
    if user.erased_at is not None:
        return name
    return f"{name} ({user.get_username()})" if name else user.get_username()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
