"""The demo's story, played in a test database."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from rich.console import Console

from approvals.policies.models import Policy
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.states import Status
from audit.ledger.models import Event
from entitlements.grants.models import Entitlement, Seat
from entitlements.story import cast, drafts, play, watching
from entitlements.surfaces.checking import Asked, answer
from entitlements.surfaces.first_data import OWNERS, POLICY_AMONG_OWNERS, write_first_data
from tests import given

pytestmark = pytest.mark.django_db
# In winter, so that the story crosses no change of the clock; the other test does.
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def played(now: datetime, *, owners: bool = False) -> str:
    """What the story prints."""
    out = io.StringIO()
    if owners:
        [former] = Policy.objects.in_force()
        given.record("policy.amend", target_id=former.id, stages=POLICY_AMONG_OWNERS["stages"])
        for policy in OWNERS:
            given.record("policy.create", **policy)
    users, _ = cast.assemble()
    play.play(console=Console(file=out, width=200), cast=users, now=now)
    return out.getvalue()


class TestPlay:
    def test_ends_with_production_in_force_and_nobody_denied(self) -> None:
        told = played(NOW)

        assert "1,800 questions, 0 denied." in told
        production = Entitlement.objects.get(reference=drafts.PRODUCTION_REFERENCE)
        assert production.starts_at < Entitlement.objects.get(reference=drafts.TRIAL_REFERENCE).ends_at
        assert Seat.objects.held().filter(entitlement=production).count() == drafts.PEOPLE

    def test_shows_the_gap_before_it_is_amended_and_refuses_to_send_it_to_review(self) -> None:
        told = played(NOW)

        assert "180 people lose access from 2026-12-14 23:00 UTC to 2026-12-18 23:00 UTC" in told
        assert "Sent to review? Refused" in told
        assert "nobody loses access" in told[told.index("4. It is amended") :]

    def test_is_approved_by_the_owners_and_two_of_licensing_none_of_whom_wrote_it(self) -> None:
        played(NOW, owners=True)

        request = ChangeRequest.objects.get(title__startswith="Atlas for Product Design")
        decisions = Decision.objects.filter(revision=request.current_revision)
        assert request.status == Status.APPLIED
        roles = list(decisions.order_by("stage__position", "decided_at").values_list("stage__role", flat=True))
        assert [role for role in roles if role != "licensing"] == [
            "legal",
            "finance",
            "product",
            "support",
            "it_operations",
        ]
        assert roles.count("licensing") == 2
        assert len({decision.decider_human_id for decision in decisions}) == 7
        assert request.created_by.human_id not in {decision.decider_human_id for decision in decisions}

    def test_leaves_one_event_for_each_seat_and_record(self) -> None:
        played(NOW)

        request = ChangeRequest.objects.get(title__startswith="Atlas for Product Design")
        events = Event.objects.of_change_request(request.id)
        assert events.filter(type="entitlements.seat.taken").count() == drafts.PEOPLE
        assert events.filter(type="approvals.record.created").count() == 2
        assert events.filter(type="approvals.change_request.applied").count() == 1

    def test_asks_a_question_that_can_be_denied(self) -> None:
        played(NOW)
        trial_end = Entitlement.objects.get(reference=drafts.TRIAL_REFERENCE).ends_at
        stranger = cast.assemble()[0]["lin"]

        (denied,) = answer(
            questions=[Asked(account=drafts.TEAM_CODE, product=drafts.PRODUCT_CODE, country="FR", at=trial_end)],
            user=stranger,
            now=NOW,
        )

        assert not denied.allowed

    @pytest.mark.parametrize("now", [datetime(2027, 3, 7, 23, 30, tzinfo=UTC), datetime(2028, 2, 8, 12, 0, tzinfo=UTC)])
    def test_holds_across_a_change_of_the_clock_and_a_leap_day(self, now: datetime) -> None:
        assert "1,800 questions, 0 denied." in played(now)


class TestMomentsAround:
    def test_names_a_second_before_the_instant_itself_and_a_second_after(self) -> None:
        moments = watching.moments_around([("the trial ends", NOW)])

        assert [at - NOW for _, at in moments] == [timedelta(seconds=-1), timedelta(0), timedelta(seconds=1)]


class TestFirstData:
    def test_is_written_once(self) -> None:
        assert write_first_data(now=NOW) is None

    def test_is_written_by_the_command_which_says_so(self) -> None:
        out = io.StringIO()
        call_command("bootstrap", stdout=out)

        assert out.getvalue().strip() == "First data is there already."
