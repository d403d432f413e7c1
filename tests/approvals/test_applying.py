"""Applying: whole or not at all, on what was approved, by those who still may."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from approvals.governed import Draft
from approvals.requests import application, services
from approvals.requests.errors import QuorumLost, StaleBase, WrongState
from approvals.requests.models import Authorization, ChangeRequest, stale_decisions
from approvals.requests.states import Status
from audit.models import Event
from entitlements.grants import events as grant_events
from entitlements.grants.changes import Grant
from entitlements.grants.models import Entitlement, Seat
from foundation.errors import ConstraintViolated, NotFound, NotPermitted
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_proposing import closed
from tests.approvals.world import World, approve, events_of, fresh, revision_of


class TestApply:
    def test_writes_every_item_by_the_authority_of_the_decisions(self, world: World) -> None:
        request = world.approved(
            world.grant(reference="PROD"), Draft("entitlement.amend", {"seats": 9}, world.trial.id)
        )

        world.apply(request)

        stored = fresh(request)
        assert (stored.status, stored.applied_at, stored.applied_by) == (Status.APPLIED, given.NOW, world.operator)
        assert Entitlement.objects.get(id=world.trial.id).seats == 9
        assert Entitlement.objects.get(reference="PROD").pool.used == 3
        authority = Authorization.objects.get(change_request=request)
        revision = revision_of(request)
        assert (authority.digest, authority.basis) == (revision.digest, "quorum")
        assert set(authority.decisions) == {str(decision.id) for decision in revision.decisions.all()}

    def test_records_one_event_for_the_step_each_record_and_each_seat(self, world: World) -> None:
        request = world.approved(world.grant(reference="PROD"))
        before = set(Event.objects.values_list("id", flat=True))

        world.apply(request)

        types = sorted(Event.objects.exclude(id__in=before).values_list("type", flat=True))
        assert types == [
            "approvals.change_request.applied",
            "approvals.record.created",
            *[grant_events.SEAT_TAKEN] * 3,
        ]

    def test_leaves_no_setting_behind(self, world: World) -> None:
        world.apply(world.approved())

        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('tenure.change_request', true)")
            assert cursor.fetchone() == ("",)

    @pytest.mark.parametrize("state", ["propose", "submit"])
    def test_refuses_a_request_that_is_not_approved(self, world: World, state: str) -> None:
        request = getattr(world, state)()

        with pytest.raises(WrongState):
            world.apply(request)

    @pytest.mark.parametrize("close", ["withdraw", "reject", "apply"])
    def test_refuses_a_closed_request(self, world: World, close: str) -> None:
        request = closed(world, close)

        with pytest.raises(WrongState):
            world.apply(request)

    @pytest.mark.parametrize("role", ["requester", "legal", "auditor", "emergency"])
    def test_refuses_roles_that_do_not_apply(self, world: World, role: str) -> None:
        request = world.approved()

        with pytest.raises(NotPermitted):
            application.apply(change_request_id=request.id, user=given.user(role), now=given.NOW)

    def test_hides_the_request_from_who_may_not_see_it(self, world: World) -> None:
        request = world.approved()
        elsewhere = given.user("it_operations", everywhere=False)

        with pytest.raises(NotFound):
            application.apply(change_request_id=request.id, user=elsewhere, now=given.NOW)

    def test_knows_no_request_that_does_not_exist(self, world: World) -> None:
        with pytest.raises(NotFound):
            application.apply(change_request_id=uuid.uuid4(), user=world.operator, now=given.NOW)

    def test_refuses_a_base_that_moved_and_stays_approved(self, world: World) -> None:
        request = world.approved(Draft("entitlement.amend", {"seats": 9}, world.trial.id))
        given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)

        with pytest.raises(StaleBase, match=world.trial.reference):
            world.apply(request)

        assert (fresh(request).status, Entitlement.objects.get(id=world.trial.id).seats) == (Status.APPROVED, 5)

    def test_writes_nothing_if_the_database_refuses_one_item(self, world: World) -> None:
        drafts = [
            world.grant(reference=name, replaces_id=None, phase=phase)
            for name, phase in (("A", "production"), ("B", "bridge"))
        ]
        request = world.approved(*drafts)
        given.entitlement(world.line, reference="B", seats=1, phase="trial")

        with pytest.raises(ConstraintViolated, match="entitlement_reference_once"):
            world.apply(request)

        assert not Entitlement.objects.filter(reference="A").exists()
        assert fresh(request).status == Status.APPROVED
        assert not Authorization.objects.filter(change_request=request).exists()

    @pytest.mark.parametrize(
        "event_type",
        ["approvals.change_request.applied", "approvals.record.created", grant_events.SEAT_TAKEN],
    )
    def test_writes_nothing_if_an_event_cannot_be_recorded(
        self, world: World, event_type: str, break_ledger: Callable[..., None]
    ) -> None:
        request = world.approved(world.grant(reference="PROD"))
        break_ledger(event_type)

        with pytest.raises(LedgerDown):
            world.apply(request)

        assert fresh(request).status == Status.APPROVED
        assert not Entitlement.objects.filter(reference="PROD").exists()
        assert not Seat.objects.exclude(entitlement=world.trial).exists()

    def test_writes_nothing_if_a_kind_fails_half_way(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        request = world.approved(world.grant(reference="PROD"))

        def fail(*_args: Any, **_options: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Grant, "carry_out", fail)

        with pytest.raises(ZeroDivisionError):
            world.apply(request)

        assert not Entitlement.objects.filter(reference="PROD").exists()
        assert fresh(request).status == Status.APPROVED

    def test_applies_after_a_refused_attempt(self, world: World) -> None:
        request = world.approved()
        with pytest.raises(NotPermitted):
            application.apply(change_request_id=request.id, user=world.author, now=given.NOW)

        world.apply(request)

        assert fresh(request).status == Status.APPLIED

    def test_allows_the_author_to_apply_what_others_approved(self, world: World) -> None:
        author = given.user("licensing")
        request = world.propose(author=author)
        services.submit(change_request_id=request.id, author=author, now=given.NOW)
        approve(request, world.first, world.second)

        application.apply(change_request_id=request.id, user=author, now=given.NOW)

        assert fresh(request).status == Status.APPLIED


def deactivate(world: World) -> None:
    world.first.is_active = False
    world.first.save()


def take_role_away(world: World) -> None:
    world.first.groups.clear()


def turn_out_to_be_one_human(world: World) -> None:
    world.first.human_id = world.second.human_id
    world.first.save()


def turn_out_to_be_the_author(world: World) -> None:
    world.first.human_id = world.author.human_id
    world.first.save()


class TestApplyWithDeciders:
    @pytest.mark.parametrize("lose", [deactivate, take_role_away, turn_out_to_be_one_human, turn_out_to_be_the_author])
    def test_refuses_and_reopens_if_one_no_longer_counts(self, world: World, lose: Callable[[World], None]) -> None:
        request = world.approved(world.grant(reference="PROD"))
        lose(world)

        with pytest.raises(QuorumLost):
            world.apply(request)

        assert_reopened(request)
        assert not Entitlement.objects.filter(reference="PROD").exists()

    def test_does_not_mind_a_role_that_the_decision_did_not_need(self, world: World) -> None:
        world.first.groups.add(Group.objects.get(name="legal"))
        request = world.approved()
        world.first.groups.remove(Group.objects.get(name="legal"))

        world.apply(request)

        assert fresh(request).status == Status.APPLIED

    def test_applies_once_the_review_was_given_again(self, world: World) -> None:
        request = world.approved()
        deactivate(world)
        with pytest.raises(QuorumLost):
            world.apply(request)

        approve(request, world.second, given.user("licensing"))
        world.apply(request, days=1)

        assert fresh(request).status == Status.APPLIED


def assert_reopened(request: ChangeRequest) -> None:
    """The request is in review on a fresh revision that nobody wrote, and its decisions are stale."""
    stored, revision = fresh(request), revision_of(request)
    assert (stored.status, stored.approved_at) == (Status.IN_REVIEW, None)
    assert (revision.number, revision.author, revision.decisions.count()) == (2, None, 0)
    assert stale_decisions(stored).count() == 2
    assert "reopened" in events_of(request)
    assert not Authorization.objects.filter(change_request=request).exists()
    assert revision.created_at <= given.NOW + timedelta(days=60)
