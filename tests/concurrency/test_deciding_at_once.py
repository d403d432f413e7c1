"""Decisions and edits at the same instant, from real threads."""

from functools import partial

import pytest

from approvals import events
from approvals.governed import Draft
from approvals.requests import review, services
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.revisions import Rationale
from approvals.requests.states import Status
from audit.models import Event
from foundation.identity.models import User
from tests import given
from tests.approvals.world import World, events_of, fresh, revision_of
from tests.concurrency.racing import Call, Tally, at_once, each_time

pytestmark = pytest.mark.django_db(transaction=True)


def amending(world: World, notes: str) -> Draft:
    """A draft that changes nothing but the trial's notes."""
    return Draft("entitlement.amend", {"notes": notes}, world.trial.id)


def in_review(world: World, seed: int) -> ChangeRequest:
    return world.submit(amending(world, f"Round {seed}"))


def approving(request: ChangeRequest, reviewer: User) -> Call:
    return partial(
        review.approve,
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=reviewer,
        now=given.NOW,
    )


def asking_for_changes(request: ChangeRequest, reviewer: User) -> Call:
    return partial(
        review.ask_for_changes,
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=reviewer,
        now=given.NOW,
        comment="Say since when.",
    )


def editing(world: World, request: ChangeRequest, notes: str) -> Call:
    return partial(
        services.amend,
        change_request_id=request.id,
        author=world.author,
        now=given.NOW,
        drafts=[amending(world, notes)],
    )


def submitting(world: World, request: ChangeRequest) -> Call:
    return partial(services.submit, change_request_id=request.id, author=world.author, now=given.NOW)


class TestTwoApprovalsAtOnce:
    def test_both_count_and_the_request_is_approved_once(self, world: World) -> None:
        tally = Tally(("done", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            tally.add(at_once(approving(request, world.first), approving(request, world.second), seed=seed))
            assert fresh(request).status == Status.APPROVED
            assert events_of(request).count("approval_given") == 2
            assert events_of(request).count("approved") == 1
            assert revision_of(request).stages.get().completed_at == given.NOW

    def test_by_two_logins_of_one_human_count_once(self, world: World) -> None:
        second_login = given.user("licensing", human_id=world.first.human_id)
        tally = Tally(("done", "AlreadyDecided"), ("AlreadyDecided", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            tally.add(at_once(approving(request, world.first), approving(request, second_login), seed=seed))
            assert fresh(request).status == Status.IN_REVIEW
            assert Decision.objects.filter(revision=revision_of(request)).count() == 1
            assert events_of(request).count("approval_given") == 1

    def test_beyond_the_quorum_are_refused(self, world: World) -> None:
        third = given.user("licensing")
        tally = Tally(("done", "done", "WrongState"), ("done", "WrongState", "done"), ("WrongState", "done", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            reviewers = (world.first, world.second, third)
            tally.add(at_once(*(approving(request, reviewer) for reviewer in reviewers), seed=seed))
            assert Decision.objects.filter(revision=revision_of(request)).count() == 2


class TestAnApprovalAndARequestForChangesAtOnce:
    def test_the_request_for_changes_stands(self, world: World) -> None:
        tally = Tally(("done", "done"), ("WrongState", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            tally.add(at_once(approving(request, world.first), asking_for_changes(request, world.second), seed=seed))
            assert fresh(request).status == Status.CHANGES_REQUESTED
            assert events_of(request).count("approved") == 0


class TestTheLastApprovalAndAnEditAtOnce:
    def test_never_approve_what_was_not_read(self, world: World) -> None:
        tally = Tally(("done", "done"), ("WrongState", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            approving(request, world.first)()
            edit = editing(world, request, f"Round {seed}, edited")
            tally.add(at_once(approving(request, world.second), edit, seed=seed))
            assert fresh(request).status == Status.DRAFT
            assert revision_of(request).number == 2
            assert not Decision.objects.filter(revision=revision_of(request)).exists()


class TestTwoEditsAtOnce:
    def test_make_two_revisions(self, world: World) -> None:
        tally = Tally(("done", "done"))
        for seed in each_time():
            request = world.propose(amending(world, f"Round {seed}"))
            tally.add(at_once(editing(world, request, "One"), editing(world, request, "Two"), seed=seed))
            assert list(request.revisions.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
            assert revision_of(request).number == 3

    def test_from_the_same_screen_let_only_the_first_pass(self, world: World) -> None:
        tally = Tally(("done", "StaleDigest"), ("StaleDigest", "done"))
        for seed in each_time():
            request = world.propose(amending(world, f"Round {seed}"))
            edits = [
                partial(
                    services.amend,
                    change_request_id=request.id,
                    author=world.author,
                    now=given.NOW,
                    rationale=Rationale(justification=words),
                    expected_digest=revision_of(request).digest,
                )
                for words in ("One", "Two")
            ]
            tally.add(at_once(*edits, seed=seed))
            assert revision_of(request).number == 2


class TestAnEditAndASubmissionAtOnce:
    def test_send_to_review_what_stands_then(self, world: World) -> None:
        tally = Tally(("done", "done"))
        for seed in each_time():
            request = world.propose(amending(world, f"Round {seed}"))
            tally.add(at_once(editing(world, request, "Edited"), submitting(world, request), seed=seed))
            last = Event.objects.filter(change_request_id=request.id).order_by("position").last()
            assert fresh(request).status == (
                Status.IN_REVIEW if last.type == events.REQUEST_SUBMITTED else Status.DRAFT
            )
            assert revision_of(request).number == 2
