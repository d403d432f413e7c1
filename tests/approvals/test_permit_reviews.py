"""The review after an emergency: who says what, when it is complete, and what an overdue one does."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals import events
from approvals.permits import escalation, queries, services
from approvals.permits.errors import (
    AlreadyReviewed,
    NoReviewer,
    NothingToReview,
    PermitBlocked,
)
from approvals.permits.models import Permit, PermitReview
from approvals.requests.errors import (
    CommentRequired,
    SelfReview,
    StaleDigest,
)
from foundation.errors import InvalidInput, NotFound
from foundation.identity.models import User
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_permits import HOUR, mail, say, seats, take, used
from tests.approvals.world import World, events_of

pytestmark = pytest.mark.django_db


class TestReviewPermit:
    def test_is_complete_once_every_stage_has_its_quorum(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        assert say(permit, world.first).reviewed_at is None
        done = say(permit, world.second)

        assert (done.outcome, done.reviewed_at) == ("justified", given.NOW + HOUR)
        told = events_of(permit.change_request)
        assert (told.count("review_given"), told.count("reviewed")) == (2, 1)
        assert mail(f"permit-reviewed:{permit.id}") == {str(holder.id), str(world.author.id)}

    def test_is_given_by_all_stages_in_any_order(self, world: World, holder: User) -> None:
        legal = given.user("legal")
        stages = [{"position": 1, "role": "licensing", "quorum": 1}, {"position": 2, "role": "legal", "quorum": 1}]
        given.record("policy.create", name="Two", stages=stages)
        permit = used(world, holder)

        # First data ask for two people of licensing anyway.
        for reviewer in (legal, world.first):
            assert say(permit, reviewer).reviewed_at is None
        assert say(permit, world.second).reviewed_at is not None

    def test_tells_administrators_and_the_author_at_once_that_it_was_not_justified(
        self, world: World, holder: User
    ) -> None:
        administrator = given.user("administrator")
        permit = used(world, holder)

        say(permit, world.first, "not_justified", comment="It could have waited for Monday.")

        said = PermitReview.objects.get()
        assert mail(f"permit-not-justified:{said.id}") == {
            str(user.id) for user in (administrator, world.author, holder)
        }
        assert say(permit, world.second).outcome == "not_justified"

    def test_refuses_who_used_it_under_any_login(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        for user in (holder, given.user("licensing", human_id=holder.human_id)):
            with pytest.raises(NoReviewer, match="You used this permit"):
                say(permit, user)

    def test_refuses_an_author_under_any_login(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        with pytest.raises(SelfReview):
            say(permit, given.user("licensing", human_id=world.author.human_id))

    def test_refuses_another_role(self, world: World, holder: User) -> None:
        with pytest.raises(NoReviewer, match="asks licensing, and not you"):
            say(used(world, holder), given.user("legal"))

    def test_hides_what_is_not_granted(self, world: World, holder: User) -> None:
        with pytest.raises(NotFound):
            say(used(world, holder), given.user("licensing", everywhere=False))

    def test_refuses_a_second_review_of_one_human(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        say(permit, world.first)

        with pytest.raises(AlreadyReviewed):
            say(permit, given.user("licensing", human_id=world.first.human_id))

    def test_refuses_one_that_was_not_used_or_is_complete(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)
        with pytest.raises(NothingToReview):
            say(permit, world.first)
        services.use(permit_id=permit.id, user=holder, now=given.NOW)
        say(permit, world.first)
        say(permit, world.second)

        with pytest.raises(NothingToReview):
            say(permit, given.user("licensing"))

    def test_refuses_another_digest_an_unknown_verdict_and_a_no_without_a_reason(
        self, world: World, holder: User
    ) -> None:
        permit = used(world, holder)

        with pytest.raises(StaleDigest):
            say(permit, world.first, digest="0" * 64)
        with pytest.raises(InvalidInput):
            say(permit, world.first, "whatever")
        with pytest.raises(CommentRequired):
            say(permit, world.first, "not_justified", comment=" ")
        with pytest.raises(InvalidInput, match="5,000 is the most"):
            say(permit, world.first, comment="So. " * 1_300)

    def test_waits_for_those_who_are_asked(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        say(permit, world.first)

        asked = {
            user: [one.id for one in queries.awaiting_review_of(user=user, now=given.NOW)]
            for user in (world.first, world.second, holder, world.author)
        }

        assert asked == {world.first: [], world.second: [permit.id], holder: [], world.author: []}

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, holder: User, break_ledger: Any
    ) -> None:
        permit = used(world, holder)
        break_ledger(events.PERMIT_REVIEW_GIVEN)

        with pytest.raises(LedgerDown), transaction.atomic():
            say(permit, world.first)

        assert not PermitReview.objects.exists()


class TestReviewThatNobodyAskedCanGive:
    """Those who were asked may have left; the review would block everybody for ever."""

    def test_is_given_by_the_role_once_it_is_overdue(self, world: World, holder: User) -> None:
        named = given.user("legal")
        stages = [{"position": 2, "role": "legal", "quorum": 1, "people": [str(named.human_id)]}]
        given.record("policy.create", name="One of legal", stages=stages)
        permit, other = used(world, holder), given.user("legal")
        User.objects.filter(id=named.id).update(is_active=False)

        with pytest.raises(NoReviewer):
            say(permit, other)

        assert say(permit, other, now=permit.review_due_at).reviews.get().reviewer == other

    def test_is_given_by_the_backup_once_it_is_overdue(self, world: World, holder: User) -> None:
        given.user("legal")
        backup = given.user("security")
        stages = [{"position": 2, "role": "legal", "quorum": 1, "backup_role": "security", "due_hours": 4}]
        given.record("policy.create", name="Legal, or security", stages=stages)
        permit = used(world, holder)

        with pytest.raises(NoReviewer):
            say(permit, backup)

        assert say(permit, backup, now=permit.review_due_at)

    def test_is_never_given_by_who_wrote_or_caused_it(self, world: World) -> None:
        both = given.user("emergency", "licensing")
        author = given.user("requester", "licensing")
        permit = used(world, both, world.propose(seats(world), author=author))

        for user, refusal in ((both, NoReviewer), (author, SelfReview)):
            with pytest.raises(refusal):
                say(permit, user, now=permit.review_due_at)


class TestOverdueReview:
    def test_blocks_the_next_permit_of_the_same_human_at_once(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        late = permit.review_due_at
        request = world.propose(seats(world, 11))

        with pytest.raises(PermitBlocked, match="overdue since 2026-03-04 10:00 UTC"):
            take(request, given.user("emergency", human_id=holder.human_id), now=late)

        assert take(request, given.user("emergency"), now=late)

    def test_blocks_everybody_once_it_took_twice_its_time(self, world: World, holder: User) -> None:
        used(world, holder)
        request = world.propose(seats(world, 11))
        other = given.user("emergency")
        take(request, other, now=given.NOW + timedelta(hours=95))

        with pytest.raises(PermitBlocked, match="nobody takes another"):
            take(request, given.user("emergency"), now=given.NOW + timedelta(hours=96))
        with pytest.raises(PermitBlocked):
            services.use(permit_id=Permit.objects.get(user=other).id, user=other, now=given.NOW + timedelta(hours=96))

    def test_blocks_nobody_once_it_was_reviewed(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        say(permit, world.first)
        say(permit, world.second)

        assert take(world.propose(seats(world, 11)), holder, now=given.NOW + timedelta(days=30))


@pytest.mark.django_db(transaction=True)
class TestEscalation:
    def test_tells_each_step_once(self, world: World, holder: User) -> None:
        administrator = given.user("administrator")
        permit = used(world, holder)

        told = [escalation.escalate_overdue(now=given.NOW + timedelta(hours=h)) for h in (47, 48, 49, 72, 96, 500)]

        assert told == [0, 1, 0, 1, 1, 0]
        assert events_of(permit.change_request).count("review_overdue") == 3
        assert mail(f"permit-overdue:{permit.id}:1") == {
            str(user.id) for user in (world.first, world.second, administrator)
        }

    def test_tells_the_highest_step_after_downtime(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        assert escalation.escalate_overdue(now=given.NOW + timedelta(days=30)) == 1
        assert Permit.objects.get(id=permit.id).escalation == 3

    def test_leaves_the_step_to_the_next_run_if_it_cannot_be_recorded(
        self, world: World, holder: User, break_ledger: Any
    ) -> None:
        permit = used(world, holder)
        break_ledger(events.PERMIT_REVIEW_OVERDUE)

        assert escalation.escalate_overdue(now=given.NOW + timedelta(days=2)) == 0
        assert Permit.objects.get(id=permit.id).escalation == 0
