"""Whom a stage asks: a role, named people, both; its backup once it is overdue. And since when."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.governed import Draft
from approvals.policies.errors import TooFewEligible
from approvals.policies.models import Policy
from approvals.requests import outlook, review, revisions, services
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.errors import NotAReviewer, PolicyStricter, QuorumLost
from approvals.requests.models import ChangeRequest, Revision, Stage
from foundation.errors import InvalidInput
from foundation.identity.models import User
from tests import given
from tests.approvals.world import Waiver, World, approve, fresh, revision_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_other_policy(world: World) -> None:
    for other in Policy.objects.in_force():
        given.record("policy.retire", target_id=other.id)


LATER = given.NOW + timedelta(hours=24)


def stage(role: str = "", quorum: int = 1, position: int = 1, **more: Any) -> dict[str, Any]:
    return {"position": position, "role": role, "quorum": quorum} | more


def policy(*stages: dict[str, Any], **payload: Any) -> Policy:
    stored: Policy = given.record("policy.create", **({"name": "Everything", "stages": list(stages)} | payload))
    return stored


def draft(*stages: dict[str, Any], **payload: Any) -> Draft:
    return Draft("policy.create", {"name": "Everything", "stages": list(stages)} | payload)


def decide(request: ChangeRequest, user: User) -> ChangeRequest:
    digest = revision_of(request).digest
    return review.approve(change_request_id=request.id, digest=digest, reviewer=user, now=LATER)


def escalate(request: ChangeRequest) -> None:
    revision_of(request).stages.filter(completed_at=None, opened_at__isnull=False).update(escalated_at=LATER)


def waiting(user: User) -> list[ChangeRequest]:
    return list(awaiting_decision_of(ChangeRequest.objects.all(), user=user, now=given.NOW))


class TestNamedPeople:
    def test_alone_decide(self, world: World) -> None:
        policy(stage("licensing", people=[world.first.username]))
        request = world.submit()

        with pytest.raises(NotAReviewer, match=f"asks {world.first}, who must hold the role licensing, not you"):
            decide(request, world.second)
        decide(request, world.first)

        assert fresh(request).status == "approved"

    def test_must_hold_the_role_if_there_is_one(self, world: World) -> None:
        lawyer = given.user("legal")
        policy(stage("finance", people=[lawyer.username, given.user("finance").username]))

        with pytest.raises(NotAReviewer):
            decide(world.submit(), lawyer)

    def test_need_no_role_of_their_own_but_one_that_decides(self, world: World) -> None:
        lawyer, requester = given.user("legal"), given.user("requester")
        policy(stage(people=[lawyer.username, requester.username]))
        request = world.submit()

        with pytest.raises(NotAReviewer):
            decide(request, requester)
        decide(request, lawyer)

    def test_are_stored_as_humans_and_never_by_name(self, world: World) -> None:
        request = world.propose(draft(stage("licensing", people=[world.first.username, str(world.second.human_id)])))

        humans = sorted([str(world.first.human_id), str(world.second.human_id)])
        item = revision_of(request).items.get()
        assert item.after["stages"][0]["people"] == humans
        assert item.payload["stages"][0]["people"] == humans
        assert world.first.username.encode() not in bytes(revision_of(request).content)

    def test_are_part_of_the_digest(self, world: World) -> None:
        policy(stage("licensing", people=[world.first.username], due_hours=48, backup_role="legal"))
        request = world.submit()

        [required] = revisions.stages_of(revision_of(request))
        assert required.people == (str(world.first.human_id),)
        assert (required.backup_role, required.due_hours) == ("legal", 48)
        revisions.check_untouched(revision=revision_of(request))

    def test_decide_under_any_login(self, world: World) -> None:
        policy(stage("licensing", people=[world.first.username]))

        decide(world.submit(), given.user("licensing", human_id=world.first.human_id))

    def test_count_no_longer_when_they_lost_the_role(self, world: World) -> None:
        policy(stage("licensing", people=[world.first.username]))
        request = world.submit()
        decide(request, world.first)
        world.first.groups.clear()

        with pytest.raises(QuorumLost, match="1 named person of licensing needs 1 approvals and has 0"):
            world.apply(request, days=2)

    def test_find_it_in_their_inbox_and_others_do_not(self, world: World) -> None:
        lawyer = given.user("legal")
        policy(stage(people=[lawyer.username]), stage("licensing", position=2, people=[world.first.username]))
        request = world.submit()

        assert (waiting(lawyer), waiting(world.first), waiting(world.second)) == ([request], [], [])
        decide(request, lawyer)
        assert (waiting(lawyer), waiting(world.first), waiting(world.second)) == ([], [request], [])

    def test_are_told_by_name_in_the_outlook(self, world: World) -> None:
        policy(stage("licensing", people=[world.first.username]))

        [shown] = outlook.of_request(change_request=world.submit(), now=given.NOW).stages

        assert shown.could == (world.first,)
        assert shown.names == {str(world.first.human_id): str(world.first)}


class TestPolicy:
    def test_refuses_people_who_do_not_exist(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="Nobody signs in as nobody-here"):
            world.propose(draft(stage("licensing", people=[world.first.username, "nobody-here"])))

    @pytest.mark.parametrize("name", ["a\x00b", "\ud800", "00000000-0000-0000-0000-000000000000"])
    def test_refuses_what_is_no_name(self, world: World, name: str) -> None:
        with pytest.raises(InvalidInput, match="Nobody signs in as"):
            world.propose(draft(stage("licensing", people=[name])))

    def test_refuses_a_stage_that_asks_nobody(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="Stage 1 asks nobody"):
            world.propose(draft(stage()))

    def test_refuses_fewer_named_people_than_it_asks_for(self, world: World) -> None:
        with pytest.raises(TooFewEligible, match="2 of 1 named person of licensing, of whom there are 1"):
            world.propose(draft(stage("licensing", 2, people=[world.first.username])))

    def test_refuses_named_people_who_do_not_hold_the_role(self, world: World) -> None:
        with pytest.raises(TooFewEligible, match="1 of 1 named person of licensing, of whom there are 0"):
            world.propose(draft(stage("licensing", people=[given.user("legal").username])))

    def test_counts_the_people_of_several_stages_once(self, world: World) -> None:
        with pytest.raises(TooFewEligible, match="1 more are needed"):
            world.propose(draft(stage(people=[world.first.username]), stage("licensing", 2, 2)))

    def test_refuses_a_backup_that_does_not_decide(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="The role auditor does not decide"):
            world.propose(draft(stage("licensing", backup_role="auditor", due_hours=4)))

    def test_refuses_a_backup_that_is_never_asked(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="Stage 1 has a backup, so say after how many hours"):
            world.propose(draft(stage("licensing", backup_role="legal")))

    @pytest.mark.parametrize("hours", [0, -1, 9000])
    def test_refuses_hours_that_are_no_time(self, world: World, hours: int) -> None:
        with pytest.raises(InvalidInput, match="due_hours"):
            world.propose(draft(stage("licensing", due_hours=hours)))

    def test_is_amended_in_other_fields_as_it_was_stored_before_stages_named_people(self, world: World) -> None:
        stored = policy(stage("licensing"))
        assert set(stored.stages[0]) >= {"people", "backup_role", "due_hours"}

        request = world.propose(Draft("policy.amend", {"description": "Read it."}, stored.id))

        assert revision_of(request).items.get().after["stages"] == stored.stages


class TestBackup:
    def test_decides_once_the_stage_is_escalated(self, world: World) -> None:
        lawyer = given.user("legal")
        policy(stage("licensing", people=[world.first.username], due_hours=24, backup_role="legal"))
        request = world.submit()

        with pytest.raises(NotAReviewer):
            decide(request, lawyer)
        assert waiting(lawyer) == []
        escalate(request)
        assert waiting(lawyer) == [request]
        decide(request, lawyer)
        world.apply(request, days=2)

        assert fresh(request).status == "applied"

    def test_counts_in_the_outlook_once_the_stage_is_escalated(self, world: World) -> None:
        lawyer = given.user("legal")
        policy(stage("licensing", due_hours=24, backup_role="legal"))
        request = world.submit()

        [before] = outlook.of_request(change_request=request, now=given.NOW).stages
        escalate(request)
        [after] = outlook.of_request(change_request=request, now=given.NOW).stages

        assert lawyer not in before.could
        assert lawyer in after.could

    def test_is_none_if_a_policy_that_asks_the_same_allows_none(self, world: World) -> None:
        policy(stage("licensing", due_hours=24, backup_role="legal"))
        policy(stage("licensing", 2, due_hours=8), name="Without a backup")

        [required] = revisions.stages_of(revision_of(world.submit()))

        assert (required.quorum, required.backup_role, required.due_hours) == (2, "", 8)

    def test_reopens_the_review_if_the_policies_allow_none_any_more(self, world: World) -> None:
        policy(stage("licensing", due_hours=24, backup_role="legal"))
        request = world.submit()
        escalate(request)
        decide(request, given.user("legal"))
        policy(stage("licensing"), name="Without a backup")

        with pytest.raises(PolicyStricter):
            world.apply(request, days=2)


class TestOpenedAt:
    def test_is_set_with_the_review(self, world: World) -> None:
        request = world.propose()
        assert [row.opened_at for row in stages(request)] == [None]

        services.submit(change_request_id=request.id, author=world.author, now=LATER)

        assert [row.opened_at for row in stages(request)] == [LATER]

    def test_is_set_when_the_stage_before_is_passed(self, world: World) -> None:
        request = world.submit(world.grant(days=25), waiver=Waiver("Closed then.", "Head of operations"))
        assert [row.opened_at for row in stages(request)] == [given.NOW, None]

        approve(request, world.first)
        decide(request, world.second)

        assert [row.opened_at for row in stages(request)] == [given.NOW, LATER]

    def test_is_set_when_the_review_is_opened_again(self, world: World) -> None:
        request = world.approved()
        world.first.groups.clear()

        with pytest.raises(QuorumLost):
            world.apply(request, days=1)

        assert [row.opened_at for row in stages(request)] == [given.NOW + timedelta(days=1)]

    def test_tells_until_when_the_stage_is_due(self, world: World) -> None:
        policy(stage("licensing", due_hours=48))

        assert [row.due_at for row in stages(world.submit())] == [given.NOW + timedelta(hours=48)]


class TestStoredBefore:
    def test_a_revision_without_the_later_keys_reads_as_asking_its_role(self, world: World) -> None:
        document = {"policy": [{"position": 1, "role": "licensing", "quorum": 2, "reasons": ["it is so"]}]}

        [required] = revisions.stages_of(Revision(document=document))

        assert (required.people, required.backup_role, required.due_hours) == ((), "", None)


def stages(request: ChangeRequest) -> list[Stage]:
    return list(revision_of(request).stages.order_by("position"))
