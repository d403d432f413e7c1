"""Emergency permits: what a permit lets through and what it does not, its review, and the guards below the services."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals import events
from approvals.governed import Draft
from approvals.permits import escalation, review, services
from approvals.permits.errors import (
    NoEmergencyRole,
    PermitExpired,
    PermitHeld,
    PermitNeedsReason,
    PermitUsed,
    PlanMoved,
)
from approvals.permits.models import Permit
from approvals.requests import gates
from approvals.requests import services as requests
from approvals.requests.errors import (
    GapWithoutWaiver,
    GateClosed,
    IncompleteRationale,
    NotYet,
    StaleBase,
    StaleDigest,
    WrongState,
)
from approvals.requests.gates import Asked, Obstacle, Step
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.revisions import Rationale, Waiver
from approvals.requests.schedules import Schedule
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_fresh_plan import end_trial
from tests.approvals.world import World, counted, events_of, fresh, revision_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
REASON = "The line stands still and the vendor is closed."


def seats(world: World, number: int = 9) -> Draft:
    return Draft("entitlement.amend", {"seats": number}, world.trial.id)


def take(request: ChangeRequest, user: User, **options: Any) -> Permit:
    values = {"digest": revision_of(request).digest, "reason": REASON, "now": given.NOW} | options
    return services.take(change_request_id=request.id, user=user, **values)


def used(world: World, user: User, request: ChangeRequest | None = None) -> Permit:
    """A permit that was used, to be reviewed."""
    permit = take(request or world.propose(seats(world)), user)
    services.use(permit_id=permit.id, user=user, now=given.NOW)
    return Permit.objects.get(id=permit.id)


def say(permit: Permit, reviewer: User, verdict: str = "justified", **options: Any) -> Permit:
    values = {"digest": permit.digest, "now": given.NOW + HOUR, "comment": ""} | options
    return review.review(permit_id=permit.id, reviewer=reviewer, verdict=verdict, **values)


def mail(key: str) -> set[str]:
    """The logins that were told."""
    return {message.payload["user_id"] for message in OutboxMessage.objects.filter(key__startswith=f"mail:{key}")}


def act_out(world: World) -> None:
    """Every step of a permit that is recorded, once."""
    draft = Draft("entitlement.amend", {"notes": "Soon."}, given.entitlement().id)
    permit = used(world, given.user("emergency"), world.propose(draft))
    escalation._escalate(permit.id, given.NOW + timedelta(days=2))
    say(permit, world.first)
    say(permit, world.second)


class TestTakePermit:
    def test_names_who_why_what_and_until_when_and_applies_nothing(self, world: World, holder: User) -> None:
        request = world.propose(seats(world))

        permit = take(request, holder)

        assert (permit.user, permit.human_id, permit.reason) == (holder, holder.human_id, REASON)
        assert permit.digest == revision_of(request).digest
        assert permit.expires_at == given.NOW + timedelta(hours=4)
        assert fresh(request).status == Status.DRAFT
        assert events_of(request) == ["proposed", "taken"]

    @pytest.mark.parametrize("role", ["licensing", "administrator", "requester", "it_operations", "auditor"])
    def test_refuses_who_does_not_hold_the_role(self, world: World, role: str) -> None:
        with pytest.raises(NoEmergencyRole):
            take(world.propose(seats(world)), given.user(role))

    def test_hides_what_is_not_granted(self, world: World) -> None:
        with pytest.raises(NotFound):
            take(world.propose(seats(world)), given.user("emergency", everywhere=False))

    @pytest.mark.parametrize("reason", ["", "   ", "now!", "........................"])
    def test_refuses_one_without_a_reason(self, world: World, holder: User, reason: str) -> None:
        with pytest.raises(PermitNeedsReason):
            take(world.propose(seats(world)), holder, reason=reason)

    def test_refuses_a_reason_that_nobody_reads(self, world: World, holder: User) -> None:
        with pytest.raises(PermitNeedsReason, match="5,000 is the most"):
            take(world.propose(seats(world)), holder, reason="So. " * 1_300)

    def test_refuses_an_incomplete_rationale(self, world: World, holder: User) -> None:
        with pytest.raises(IncompleteRationale):
            take(world.propose(seats(world), rationale=Rationale()), holder)

    def test_refuses_a_gap_without_a_waiver(self, world: World, holder: User) -> None:
        with pytest.raises(GapWithoutWaiver):
            take(world.propose(world.grant(days=26)), holder)

        waiver = Waiver("They are on leave.", "The head of sales")
        assert take(world.propose(world.grant(days=26), waiver=waiver), holder)

    def test_refuses_another_digest_than_the_current(self, world: World, holder: User) -> None:
        with pytest.raises(StaleDigest):
            take(world.propose(seats(world)), holder, digest="0" * 64)

    def test_refuses_a_second_one_for_the_same(self, world: World, holder: User) -> None:
        request = world.propose(seats(world))
        take(request, holder)

        with pytest.raises(PermitHeld):
            take(request, given.user("emergency", human_id=holder.human_id))

    def test_refuses_a_closed_request(self, world: World, holder: User) -> None:
        request = world.propose(seats(world))
        requests.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        with pytest.raises(WrongState):
            take(request, holder)

    def test_refuses_to_leave_the_window_of_a_schedule(self, world: World, holder: User) -> None:
        window = Schedule(given.NOW + HOUR, given.NOW + 2 * HOUR, "UTC")

        with pytest.raises(NotYet):
            take(world.propose(seats(world), schedule=window), holder)

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, holder: User, break_ledger: Any
    ) -> None:
        request = world.propose(seats(world))
        break_ledger(events.PERMIT_TAKEN)

        with pytest.raises(LedgerDown), transaction.atomic():
            take(request, holder)

        assert not Permit.objects.exists()


class TestUsePermit:
    def test_applies_a_draft_at_once_with_every_step_on_record(self, world: World, holder: User) -> None:
        request = world.propose(seats(world))

        permit = used(world, holder, request)

        stored = fresh(request)
        assert (stored.status, stored.applied_by) == (Status.APPLIED, holder)
        assert Entitlement.objects.get(id=world.trial.id).seats == 9
        assert events_of(request) == ["applied", "proposed", "submitted", "taken", "used"]
        cited = Authorization.objects.get(change_request=request)
        assert (cited.basis, cited.permit, cited.digest) == ("emergency", permit, permit.digest)
        assert permit.review_due_at == given.NOW + timedelta(hours=48)

    @pytest.mark.parametrize("how", ["submit", "approved"])
    def test_applies_what_is_in_review_or_approved(self, world: World, holder: User, how: str) -> None:
        request = getattr(world, how)(seats(world))

        used(world, holder, request)

        assert fresh(request).status == Status.APPLIED

    def test_may_be_used_for_ones_own_change(self, world: World, holder: User) -> None:
        used(world, holder, world.propose(seats(world), author=holder))

        assert Entitlement.objects.get(id=world.trial.id).seats == 9

    def test_asks_everybody_to_review_and_tells_the_author(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        assert mail(f"permit-review:{permit.id}") == {str(world.first.id), str(world.second.id)}
        assert mail(f"permit-used:{permit.id}") == {str(world.author.id)}

    def test_refuses_once_it_has_expired(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)

        with pytest.raises(PermitExpired):
            services.use(permit_id=permit.id, user=holder, now=permit.expires_at)

    def test_refuses_a_second_use(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        with pytest.raises(PermitUsed):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

    def test_refuses_somebody_else(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)

        with pytest.raises(NotFound):
            services.use(permit_id=permit.id, user=given.user("emergency"), now=given.NOW)

    def test_refuses_once_the_role_is_lost(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)
        holder.groups.clear()

        with pytest.raises(NotFound):
            services.use(permit_id=permit.id, user=User.objects.get(id=holder.id), now=given.NOW)

    def test_refuses_what_was_edited_since(self, world: World, holder: User) -> None:
        request = world.propose(seats(world))
        permit = take(request, holder)
        requests.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[seats(world, 99)])

        with pytest.raises(StaleDigest):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

    def test_refuses_a_stale_base(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)
        given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)

        with pytest.raises(StaleBase):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

    def test_refuses_a_gap_that_opened_since_and_changes_nothing(self, world: World, holder: User) -> None:
        request = world.propose()
        permit = take(request, holder)
        end_trial(world, days=10)
        before = counted()

        with pytest.raises(PlanMoved, match=r"a gap opened.*take another permit"):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

        assert (fresh(request).status, counted()) == (Status.DRAFT, before)
        assert Permit.objects.get().used_at is None

    def test_refuses_a_revision_whose_stages_ask_for_less_than_the_policies(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)
        given.user("legal")
        given.record("policy.create", name="Legal", stages=[{"position": 1, "role": "legal", "quorum": 1}])

        with pytest.raises(PlanMoved, match="legal must approve"):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

    def test_has_its_review_due_in_the_shortest_time_of_the_matching_policies(self, world: World, holder: User) -> None:
        stages = [{"position": 1, "role": "licensing", "quorum": 1}]
        for name, hours, value in (("a", 24, 5), ("b", 6, 5), ("c", 1, 5_000)):
            conditions = [{"field": "seats_after", "operator": "more_than", "value": value}]
            given.record("policy.create", name=name, stages=stages, conditions=conditions, emergency_review_hours=hours)

        assert used(world, holder).review_due_at == given.NOW + timedelta(hours=6)

    def test_leaves_everything_if_an_event_cannot_be_recorded(
        self, world: World, holder: User, break_ledger: Any
    ) -> None:
        request = world.propose(seats(world))
        permit = take(request, holder)
        break_ledger(events.REQUEST_APPLIED)

        with pytest.raises(LedgerDown), transaction.atomic():
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

        assert fresh(request).status == Status.DRAFT
        assert Permit.objects.get().used_at is None
        assert not Authorization.objects.filter(change_request=request).exists()


class Frozen:
    """A gate that stops everything, or lets emergencies pass."""

    def __init__(self, *, passes: bool) -> None:
        self.passes = passes

    def obstacles(self, asked: Asked) -> list[Obstacle]:
        return [
            Obstacle("Freeze", "Year end: nothing changes.", frozenset(Step), passes_emergency=self.passes),
        ]


@pytest.fixture
def gate() -> Iterator[list[Any]]:
    """Have the registered gates, to add one to."""
    before = list(gates._GATES)
    yield gates._GATES
    gates._GATES[:] = before


class TestGates:
    def test_stop_an_emergency_too(self, world: World, holder: User, gate: list[Any]) -> None:
        permit = take(world.propose(seats(world)), holder)
        gate.append(Frozen(passes=False))

        with pytest.raises(GateClosed, match="Year end"):
            services.use(permit_id=permit.id, user=holder, now=given.NOW)

    def test_let_an_emergency_pass_where_they_say_so_and_nothing_else(
        self, world: World, holder: User, gate: list[Any]
    ) -> None:
        approved = world.approved(seats(world))
        gate.append(Frozen(passes=True))

        with pytest.raises(GateClosed):
            world.apply(approved)
        used(world, holder, approved)

        assert fresh(approved).status == Status.APPLIED
