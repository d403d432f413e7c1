"""Deciding: who may, on what, once; and what each decision does."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from approvals.requests import review, services
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.errors import AlreadyDecided, CommentRequired, NotAReviewer, SelfReview, StaleDigest, WrongState
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.stages import open_stage
from approvals.requests.states import Status
from entitlements.directory.models import PersonalDetails
from foundation.errors import NotFound
from foundation.identity.models import User
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_proposing import closed, with_newcomer
from tests.approvals.world import Waiver, World, approve, counted, events_of, fresh, revision_of

VERDICTS = [review.approve, review.ask_for_changes, review.reject]


def decide(verdict: Callable[..., ChangeRequest], request: ChangeRequest, **options: Any) -> ChangeRequest:
    """A verdict with a comment on the current digest."""
    defaults = {"digest": revision_of(request).digest, "now": given.NOW, "comment": "Because."}
    return verdict(change_request_id=request.id, **(defaults | options))


class TestApprove:
    def test_counts_towards_the_quorum(self, world: World) -> None:
        request = world.submit()

        decide(review.approve, request, reviewer=world.first)

        assert fresh(request).status == Status.IN_REVIEW
        assert events_of(request) == ["approval_given", "proposed", "submitted"]

    def test_approves_the_request_with_the_last_one_needed(self, world: World) -> None:
        request = world.submit()

        approve(request, world.first, world.second)

        assert (fresh(request).status, fresh(request).approved_at) == (Status.APPROVED, given.NOW)
        assert events_of(request) == ["approval_given", "approval_given", "approved", "proposed", "submitted"]

    def test_opens_the_next_stage_with_the_last_one_of_a_stage(self, world: World) -> None:
        request = world.submit(world.grant(days=25), waiver=Waiver("Closed then.", "Head of operations"))

        approve(request, world.first, world.second)

        stage = open_stage(revision_of(request))
        assert stage is not None
        assert (fresh(request).status, stage.role) == (Status.IN_REVIEW, "legal")

    def test_keeps_the_digest_that_was_on_the_screen(self, world: World) -> None:
        request = world.submit()

        approve(request, world.first)

        assert Decision.objects.get().digest == revision_of(request).digest

    def test_needs_no_comment(self, world: World) -> None:
        request = world.submit()

        decide(review.approve, request, reviewer=world.first, comment="")

        assert Decision.objects.get().comment == ""


@pytest.mark.parametrize("verdict", VERDICTS)
class TestDecide:
    def test_refuses_the_author(self, world: World, verdict: Any) -> None:
        author = given.user("requester", "licensing")
        request = services.submit(change_request_id=world.propose(author=author).id, author=author, now=given.NOW)
        before = counted()

        with pytest.raises(SelfReview):
            decide(verdict, request, reviewer=author)

        assert counted() == before

    def test_refuses_the_author_under_a_second_login(self, world: World, verdict: Any) -> None:
        request = world.submit()

        with pytest.raises(SelfReview):
            decide(verdict, request, reviewer=given.user("licensing", human_id=world.author.human_id))

    def test_refuses_the_author_of_an_earlier_revision(self, world: World, verdict: Any) -> None:
        early = given.user("licensing")
        request = world.propose(author=early)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        with pytest.raises(SelfReview):
            decide(verdict, request, reviewer=early)

    def test_refuses_a_superuser_without_the_role(self, world: World, verdict: Any) -> None:
        request = world.submit()

        with pytest.raises(NotAReviewer):
            decide(verdict, request, reviewer=given.user(is_superuser=True, is_staff=True))

    def test_refuses_another_role(self, world: World, verdict: Any) -> None:
        request = world.submit()

        with pytest.raises(NotAReviewer):
            decide(verdict, request, reviewer=given.user("legal"))

    def test_refuses_an_inactive_login(self, world: World, verdict: Any) -> None:
        request = world.submit()
        reviewer = given.user("licensing", is_active=False)

        with pytest.raises(NotFound):
            decide(verdict, request, reviewer=reviewer)

    def test_hides_the_request_from_a_reviewer_elsewhere(self, world: World, verdict: Any) -> None:
        request = world.submit()

        with pytest.raises(NotFound):
            decide(verdict, request, reviewer=given.user("licensing", everywhere=False))

    def test_refuses_the_digest_of_an_earlier_revision(self, world: World, verdict: Any) -> None:
        request = world.submit()
        read = revision_of(request).digest
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=4)])
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        before = counted()

        with pytest.raises(StaleDigest):
            decide(verdict, request, reviewer=world.first, digest=read)

        assert counted() == before

    def test_refuses_a_second_decision_by_the_same_reviewer(self, world: World, verdict: Any) -> None:
        request = world.submit()
        approve(request, world.first)

        with pytest.raises(AlreadyDecided):
            decide(verdict, request, reviewer=world.first)

    def test_refuses_a_second_decision_under_another_login(self, world: World, verdict: Any) -> None:
        request = world.submit()
        approve(request, world.first)

        with pytest.raises(AlreadyDecided):
            decide(verdict, request, reviewer=given.user("licensing", human_id=world.first.human_id))

    @pytest.mark.parametrize("state", ["draft", "approved", "withdraw", "reject", "apply"])
    def test_refuses_a_request_that_is_not_in_review(self, world: World, verdict: Any, state: str) -> None:
        states = {"draft": world.propose, "approved": world.approved}
        request = states[state]() if state in states else closed(world, state)

        with pytest.raises(WrongState):
            decide(verdict, request, reviewer=given.user("licensing"))

    def test_knows_no_request_that_does_not_exist(self, world: World, verdict: Any) -> None:
        with pytest.raises(NotFound):
            verdict(change_request_id=uuid.uuid4(), digest="0" * 64, reviewer=world.first, now=given.NOW, comment="x")

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, verdict: Any, break_ledger: Callable[..., None]
    ) -> None:
        request = world.submit()
        break_ledger()

        with pytest.raises(LedgerDown):
            decide(verdict, request, reviewer=world.first)

        assert fresh(request).status == Status.IN_REVIEW
        assert not Decision.objects.exists()


class TestAskForChanges:
    def test_sends_the_request_back(self, world: World) -> None:
        request = world.submit()

        decide(review.ask_for_changes, request, reviewer=world.first)

        assert fresh(request).status == Status.CHANGES_REQUESTED
        assert "changes_asked" in events_of(request)

    @pytest.mark.parametrize("comment", ["", "   "])
    def test_needs_a_comment(self, world: World, comment: str) -> None:
        request = world.submit()

        with pytest.raises(CommentRequired):
            decide(review.ask_for_changes, request, reviewer=world.first, comment=comment)


class TestReject:
    def test_closes_the_request(self, world: World) -> None:
        request = world.submit()

        decide(review.reject, request, reviewer=world.first)

        assert (fresh(request).status, fresh(request).closed_at) == (Status.REJECTED, given.NOW)
        assert "rejected" in events_of(request)

    @pytest.mark.parametrize("comment", ["", "   "])
    def test_needs_a_comment(self, world: World, comment: str) -> None:
        request = world.submit()

        with pytest.raises(CommentRequired):
            decide(review.reject, request, reviewer=world.first, comment=comment)

    def test_removes_details_staged_for_people_who_are_not_registered(self, world: World) -> None:
        draft, person_id = with_newcomer(world)
        request = world.submit(draft)

        decide(review.reject, request, reviewer=world.first)

        assert not PersonalDetails.objects.filter(person_id=person_id).exists()


class TestAwaitingDecisionOf:
    def test_lists_for_reviewers_what_they_neither_wrote_nor_decided(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)

        def asked(user: User) -> Any:
            return awaiting_decision_of(ChangeRequest.objects.all(), user=user, now=given.NOW)

        assert list(asked(world.second)) == [request]
        assert list(asked(world.first)) == []
        assert list(asked(given.user("legal"))) == []
        assert list(asked(given.user("licensing", human_id=world.author.human_id))) == []
