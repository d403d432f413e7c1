"""
Acting back on an applied change: every governed field and every seat that the change moved, as before, as a change of
its own; what was taken since stays, and what is past is told.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import given as example
from hypothesis import strategies as st

from approvals import events, governed
from approvals.governed import Draft, Operation, PreparedItem
from approvals.records.kinds import RecordKind
from approvals.records.rows import row_of
from approvals.records.undoing import RestoreKind
from approvals.requests import review, stages
from approvals.requests.models import Authorization, ChangeRequest, Item
from approvals.requests.revisions import Waiver
from approvals.requests.states import Status
from approvals.verification import acting_back
from approvals.verification.acting_back import Outlook
from approvals.verification.errors import NothingToActBack, NotInOneClick, SelfVerification
from approvals.verification.services import verify
from entitlements.grants import services as seats
from entitlements.grants.models import Entitlement, Seat, SeatPool
from foundation.errors import InvalidInput, NotFound, NotPermitted
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import World, events_of, fresh, revision_of

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LATER = given.NOW + timedelta(hours=1)
WAIVER = Waiver("They have other seats.", "The product owner")
# What a restored row has that the row before had not, and what the change of a trial may set.
OWN = {"version"}


def applied(world: World, *drafts: Draft, **options: Any) -> ChangeRequest:
    """A request with the drafts, approved by whoever its stages ask for, and applied by the operator at NOW."""
    request = world.submit(*drafts, **options)
    while (stage := stages.open_stage(revision_of(request))) is not None:
        digest = revision_of(request).digest
        reviewer = given.user(stage.role)
        review.approve(change_request_id=request.id, digest=digest, reviewer=reviewer, now=given.NOW)
    return world.apply(fresh(request))


def amended(world: World, **payload: Any) -> ChangeRequest:
    return applied(world, Draft("entitlement.amend", payload, world.trial.id), waiver=WAIVER)


def look(world: World, request: ChangeRequest, **options: Any) -> Outlook:
    return acting_back.look(change_request=fresh(request), **({"user": world.operator, "now": LATER} | options))


def act_back(world: World, request: ChangeRequest, **options: Any) -> ChangeRequest:
    return acting_back.act_back(change_request_id=request.id, **({"user": world.operator, "now": LATER} | options))


def row(entitlement: Entitlement) -> dict[str, Any]:
    found = row_of(Entitlement.objects.get(id=entitlement.id))
    return {name: value for name, value in found.items() if name not in OWN}


def holders(entitlement: Entitlement) -> set[uuid.UUID | None]:
    return set(Seat.objects.held().filter(entitlement=entitlement).values_list("person_id", flat=True))


class TestActingBackOnAnAmendedEntitlement:
    """Must show: every governed field, the seats that the change moved, those taken since, its own history."""

    def test_restores_fields_and_moved_seats_keeps_those_taken_since_and_is_a_change_of_its_own(
        self, world: World
    ) -> None:
        before = row(world.trial)
        first, second, third = world.people
        given_one, taken_since = given.people(2, of=world.account)
        request = amended(
            world,
            seats=9,
            support_level="none",
            environments=["trial"],
            grace_seconds=600,
            enforcement="soft",
            notes="For a while",
            feature_overrides={},
            ends_at=(given.NOW + timedelta(days=40)).isoformat(),
            updates_until=(given.NOW + timedelta(days=30)).isoformat(),
            holders=[str(given_one.id)],
            release=[str(first.id)],
        )
        assert holders(world.trial) == {second.id, third.id, given_one.id}
        seats.take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + MINUTE, person_id=taken_since.id)
        since = Seat.objects.held().get(entitlement=world.trial, person=taken_since)

        outlook = look(world, request)
        assert outlook.why_not == ()
        inverse = act_back(world, request, seen=outlook.digest)

        assert row(world.trial) == before
        assert holders(world.trial) == {first.id, second.id, third.id, taken_since.id}
        since.refresh_from_db()
        assert since.released_at is None
        pool = SeatPool.objects.get(entitlement=world.trial)
        assert (pool.granted, pool.used, pool.hard) == (5, 4, True)
        assert any("1 seat taken since stay" in sentence for sentence in outlook.lost)

        history = Entitlement.history.filter(id=world.trial.id).order_by("-version")  # type: ignore[attr-defined]
        assert [entry.change_request_number for entry in history[:2]] == [inverse.number, request.number]
        assert inverse.number != request.number
        assert (inverse.status, inverse.source, inverse.reverts_id) == (Status.APPLIED, "acting_back", request.id)
        assert (fresh(request).status, fresh(request).closed_at) == (Status.REVERTED, LATER)
        assert events_of(inverse) == ["applied", "proposed"]
        assert "reverted" in events_of(request)

    def test_says_what_of_a_past_period_is_not_restored(self, world: World) -> None:
        request = amended(world, ends_at=(given.NOW + timedelta(days=2)).isoformat())
        ended = given.NOW + timedelta(days=3)

        outlook = look(world, request, now=ended)

        assert not outlook.in_one_click
        assert any("ended on 2026-03-04" in sentence and "bridges" in sentence for sentence in outlook.conflicts)
        with pytest.raises(NotInOneClick, match="what has ended is not reopened"):
            act_back(world, request, now=ended)
        assert fresh(request).status == Status.APPLIED

    def test_ends_now_what_was_to_end_meanwhile(self, world: World) -> None:
        world_end = given.NOW + timedelta(days=21)
        request = amended(world, ends_at=(given.NOW + timedelta(days=60)).isoformat())
        now = world_end + timedelta(days=1)

        outlook = look(world, request, now=now)
        assert any("which is past: it ends as soon as" in sentence for sentence in outlook.lost)
        act_back(world, request, now=now)

        assert Entitlement.objects.get(id=world.trial.id).ends_at == now

    def test_keeps_what_another_change_touched_since_and_names_it(self, world: World) -> None:
        request = amended(world, seats=9, notes="For a while")
        other = amended(world, seats=12)

        outlook = look(world, request)

        assert outlook.conflicts == (f"{world.trial.reference}: seats was changed since, by change {other.number}.",)
        with pytest.raises(NotInOneClick, match="seats was changed since"):
            act_back(world, request)
        filed = acting_back.file_inverse(change_request_id=request.id, user=world.author, now=LATER)
        item = revision_of(filed).items.get()
        assert item.after is not None
        assert (filed.status, item.after["notes"], item.after["seats"]) == (Status.DRAFT, "", 12)

    def test_refuses_one_click_below_use_and_says_so(self, world: World) -> None:
        request = amended(world, seats=9)
        for person in given.people(3, of=world.account):
            seats.take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + MINUTE, person_id=person.id)

        with pytest.raises(NotInOneClick, match="6 seats are held, 1 more than the 5"):
            act_back(world, request)

    def test_gives_back_no_seat_that_somebody_took_since(self, world: World) -> None:
        first = world.people[0]
        request = amended(world, release=[str(first.id)])
        for person in given.people(3, of=world.account):
            seats.take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + MINUTE, person_id=person.id)

        outlook = look(world, request)

        assert any("1 person do not get their seat back" in sentence for sentence in outlook.lost)
        assert outlook.drafts == []

    def test_does_not_take_a_seat_twice_from_whoever_came_back(self, world: World) -> None:
        new = given.people(1, of=world.account)[0]
        request = amended(world, seats=9, holders=[str(new.id)])
        seats.release_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + MINUTE, person_id=new.id)
        seats.take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + 2 * MINUTE, person_id=new.id)

        act_back(world, request)

        assert new.id in holders(world.trial)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "seats": st.integers(4, 30),
        "grace_seconds": st.integers(0, 86_400),
        "enforcement": st.sampled_from(["hard", "soft"]),
        "support_level": st.sampled_from(["none", "community", "business_hours"]),
        "environments": st.sampled_from([["trial"], ["trial", "staging"], ["production"]]),
        "notes": st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8),
        "regions": st.sampled_from([["DE"], ["US"], ["US", "DE"]]),
        "ends_at": st.integers(1, 90).map(lambda days: (given.NOW + timedelta(days=days)).isoformat()),
        "updates_until": st.integers(1, 90).map(lambda days: (given.NOW + timedelta(days=days)).isoformat()),
        "release": st.just([0]),
        "holders": st.just([0]),
    },
).filter(bool)


class TestProperty:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(changes=st.lists(CHANGES, min_size=1, max_size=2))
    def test_any_amendments_acted_back_in_turn_leave_the_entitlement_as_it_was(
        self, world: World, changes: list[dict[str, Any]]
    ) -> None:
        """Random amendments, taken back the last one first, restore every field and every holder."""
        with transaction.atomic():
            before, held = row(world.trial), holders(world.trial)
            requests = []
            for position, change in enumerate(changes):
                payload = dict(change)
                people = {"release": world.people[position : position + 1], "holders": []}
                if "holders" in payload:
                    people["holders"] = given.people(1, of=world.account)
                payload |= {name: [str(one.id) for one in people[name]] for name in people if name in payload}
                requests.append(amended(world, **payload))
            for request in reversed(requests):
                outlook = look(world, request)
                assert outlook.conflicts == ()
                if outlook.in_one_click:
                    act_back(world, request, seen=outlook.digest)
                else:
                    assert outlook.why_not == ("Nothing of the change is left that could be restored.",)
            assert row(world.trial) == before
            assert holders(world.trial) == held
            transaction.set_rollback(True)


class TestGrant:
    def test_is_taken_back_before_it_starts(self, world: World) -> None:
        request = applied(world, world.grant())
        granted = Entitlement.objects.get(replaces=world.trial)
        assert len(holders(granted)) == 3

        outlook = look(world, request)
        assert outlook.why_not == ()
        act_back(world, request)

        granted.refresh_from_db()
        assert granted.withdrawn_at == LATER
        assert holders(granted) == set()
        assert len(holders(world.trial)) == 3

    def test_ends_now_once_it_started_and_its_past_stands(self, world: World) -> None:
        request = applied(world, world.grant(days=0))
        granted = Entitlement.objects.get(replaces=world.trial)
        outlook = look(world, request)

        assert any("until then: that stands" in sentence for sentence in outlook.lost)
        act_back(world, request)

        granted.refresh_from_db()
        assert (granted.starts_at, granted.ends_at, granted.withdrawn_at) == (given.NOW, LATER, None)


class TestActBack:
    def test_is_for_those_who_may_apply_and_see_it(self, world: World) -> None:
        request = amended(world, seats=9)

        with pytest.raises(NotPermitted):
            act_back(world, request, user=world.author)
        with pytest.raises(NotFound):
            act_back(world, request, user=given.user("it_operations", everywhere=False))

    def test_is_possible_until_the_change_is_closed(self, world: World) -> None:
        request = amended(world, seats=9)
        verify(change_request_id=request.id, criterion=1, met=True, user=world.first, now=LATER, result="Seen.")

        with pytest.raises(NothingToActBack):
            act_back(world, request)

    def test_happens_once(self, world: World) -> None:
        request = amended(world, seats=9)
        act_back(world, request)

        with pytest.raises(NothingToActBack, match="acted back"):
            act_back(world, request)

    def test_does_what_was_on_the_screen_or_nothing(self, world: World) -> None:
        request = amended(world, seats=9)
        seen = look(world, request).digest
        new = given.people(1, of=world.account)[0]
        seats.take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW + MINUTE, person_id=new.id)

        with pytest.raises(NotInOneClick, match="not what you read"):
            act_back(world, request, seen=seen)

    def test_reads_the_same_at_another_instant(self, world: World) -> None:
        request = amended(world, seats=9)

        assert look(world, request).digest == look(world, request, now=LATER + MINUTE).digest

    def test_is_verified_by_somebody_else_and_acted_back_only_by_approval(self, world: World) -> None:
        inverse = act_back(world, amended(world, seats=9))

        with pytest.raises(SelfVerification):
            verify(change_request_id=inverse.id, criterion=1, met=True, user=world.operator, now=LATER, result="Seen.")
        with pytest.raises(NotInOneClick, match="nobody approved its inverse"):
            act_back(world, inverse, now=LATER + MINUTE)
        assert acting_back.file_inverse(
            change_request_id=inverse.id, user=world.author, now=LATER + MINUTE
        ).reverts == (inverse)

    def test_rests_on_the_approval_of_the_change(self, world: World) -> None:
        request = amended(world, seats=9)
        inverse = act_back(world, request)

        authorization = Authorization.objects.get(change_request=inverse)
        assert (authorization.basis, authorization.cites) == ("rollback", request.authorization)
        assert authorization.digest == revision_of(inverse).digest

    def test_is_done_though_people_lose_what_only_the_change_gave_them(self, world: World) -> None:
        request = amended(world, ends_at=(given.NOW + timedelta(days=300)).isoformat())

        assert look(world, request).why_not == ()

        later = applied(world, world.grant(days=0))
        assert look(world, later).why_not == ()

    def test_files_an_inverse_once(self, world: World) -> None:
        request = amended(world, seats=9)
        filed = acting_back.file_inverse(change_request_id=request.id, user=world.author, now=LATER)

        with pytest.raises(NothingToActBack, match=f"filed already: change {filed.number}"):
            acting_back.file_inverse(change_request_id=request.id, user=world.author, now=LATER)

    @pytest.mark.parametrize("event", [events.REQUEST_REVERTED, events.REQUEST_PROPOSED, events.RECORD_CHANGED])
    def test_writes_nothing_if_an_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None], event: str
    ) -> None:
        request = amended(world, seats=9)
        before, count = row(world.trial), ChangeRequest.objects.count()
        break_ledger(event)

        with pytest.raises(LedgerDown):
            act_back(world, request)

        assert fresh(request).status == Status.APPLIED
        assert row(world.trial) == before
        assert ChangeRequest.objects.count() == count

    def test_is_told_before_it_is_approved(self, world: World) -> None:
        request = world.propose()

        assert any(
            sentence.endswith("the time that it was in force stands; it would end then")
            for sentence in revision_of(request).plan["permanent"]
        )


class TestGuards:
    def test_hold_what_a_rollback_rests_on(self, world: World) -> None:
        request = amended(world, seats=9)
        draft = acting_back.file_inverse(change_request_id=request.id, user=world.author, now=LATER)
        other = amended(world, notes="Else")
        ordinary = world.propose(Draft("entitlement.amend", {"seats": 7}, world.trial.id), reverts=request)
        for one in (draft, ordinary):
            ChangeRequest.objects.filter(id=one.id).update(status="in_review")
            ChangeRequest.objects.filter(id=one.id).update(status="approved")

        def refused(inverse: ChangeRequest, cites: Authorization | None) -> str:
            with pytest.raises(DatabaseError) as caught, transaction.atomic():
                Authorization.objects.create(
                    change_request=inverse,
                    revision_id=inverse.current_revision_id,
                    digest=revision_of(inverse).digest,
                    basis="rollback",
                    decisions=[],
                    cites=cites,
                    created_at=LATER,
                )
            return str(caught.value)

        assert "rests on the approval" in refused(draft, None)
        assert "rests on the approval" in refused(draft, other.authorization)
        assert "does nothing else" in refused(ordinary, request.authorization)
        verify(change_request_id=request.id, criterion=1, met=True, user=world.first, now=LATER, result="Seen.")
        assert "applied and not closed" in refused(draft, request.authorization)


class TestTotality:
    """Every governed kind states its inverse, and what of it can't be undone."""

    @pytest.mark.parametrize("name", sorted(governed.kinds()))
    def test_has_an_inverse(self, name: str) -> None:
        kind = governed.kind(name)

        restoring = governed.kind(f"{name.partition('.')[0]}.restore")

        assert isinstance(restoring, RestoreKind), "add a RestoreKind of the model to the concept's KINDS"
        assert (restoring.model, restoring.operation) == (kind.model, Operation.UPDATE)
        assert isinstance(kind, RecordKind)
        assert callable(kind.inverse)
        if kind.operation is Operation.INSERT:
            after = {field.attname: None for field in kind.model._meta.concrete_fields} | {"starts_at": "x"}
            item = PreparedItem(
                kind=name, table="", record_id=uuid.uuid4(), operation=kind.operation, base_version=None, before=None,
                after=after, label="It", payload={},
            )  # fmt: skip
            assert kind.lasting(item=item)

    @pytest.mark.parametrize(
        ("make", "change"),
        [
            ("product", {"product.amend": {"name": "Other", "category": "maps"}}),
            ("product", {"product.retire": {}}),
            ("feature", {"feature.amend": {"name": "Other"}}),
            ("feature", {"feature.retire": {}}),
            ("sku", {"sku.amend": {"name": "Other", "edition": "Gold"}}),
            ("sku", {"sku.retire": {}}),
            ("sku_revision", {"skurevision.retire": {}}),
            ("account", {"account.amend": {"name": "Other", "country": "DE"}}),
            ("account", {"account.retire": {}}),
            ("deployment", {"deployment.amend": {"environment": "trial"}}),
            ("deployment", {"deployment.retire": {}}),
            ("agreement", {"agreement.amend": {"title": "Other", "notice_served_on": "2026-03-01"}}),
            ("agreement", {"agreement.retire": {}}),
            ("order_line", {"orderline.amend": {"cost_center": "4711", "gl_code": "6"}}),
            ("order_line", {"orderline.retire": {}}),
            ("release", {"release.amend": {"version_name": "2.0"}}),
            ("policy", {"policy.amend": {"description": "Other"}}),
            ("policy", {"policy.retire": {}}),
        ],
    )
    def test_restores_every_field_of_every_sort_of_record(
        self, world: World, make: str, change: dict[str, dict[str, Any]]
    ) -> None:
        record = RECORDS[make](world)
        before = row_of(type(record).objects.get(id=record.id))
        (kind, payload), *_ = change.items()
        request = applied(world, Draft(kind, payload, record.id))
        assert row_of(type(record).objects.get(id=record.id)) != before

        outlook = look(world, request)
        assert outlook.why_not == ()
        inverse = act_back(world, request)

        after = row_of(type(record).objects.get(id=record.id))
        assert {**after, "version": 0} == {**before, "version": 0}
        assert Item.objects.get(revision=inverse.current_revision).kind.endswith(".restore")

    def test_retires_what_was_created(self, world: World) -> None:
        request = applied(
            world,
            Draft("account.create", {"code": "below", "name": "Below", "parent_id": str(world.account.id)}),
        )
        account = type(world.account).objects.get(code="below")

        act_back(world, request)

        account.refresh_from_db()
        assert account.retired_at == LATER

    def test_raises_the_revision_of_a_region_group_also_on_the_way_back(self, world: World) -> None:
        group = given.region_group("NEAR", ["DE"])
        request = applied(world, Draft("regiongroup.amend", {"countries": ["DE", "FR"]}, group.id))

        act_back(world, request)

        group.refresh_from_db()
        assert (group.countries, group.revision) == (["DE"], 3)

    def test_names_orders_and_notices(self, world: World) -> None:
        agreement = world.line.agreement
        served = applied(world, Draft("agreement.amend", {"notice_served_on": "2026-03-01"}, agreement.id))
        ordered = applied(world, Draft("orderline.amend", {"cost_center": "1"}, world.line.id))

        assert any("notice served on 2026-03-01 is not unsaid" in sentence for sentence in look(world, served).lost)
        assert any("stands with its supplier" in sentence for sentence in look(world, ordered).lost)

    def test_restores_nothing_by_an_item_of_another_record(self, world: World) -> None:
        item = Item.objects.get(revision=amended(world, seats=9).current_revision)
        other = given.entitlement(world.line)

        for undoes in (item.id, uuid.uuid4()):
            with pytest.raises(InvalidInput, match="nothing to restore"):
                world.propose(Draft("entitlement.restore", {"undoes": str(undoes)}, other.id))


RECORDS: dict[str, Callable[[World], Any]] = {
    "product": lambda world: given.product(),
    "feature": lambda world: given.feature(world.trial.sku.product),
    "sku": lambda world: given.sku(world.trial.sku.product),
    "sku_revision": lambda world: given.sku_revision(world.trial.sku),
    "account": lambda world: given.account(),
    "deployment": lambda world: given.deployment(world.account, world.trial.sku.product),
    "agreement": lambda world: given.agreement(world.account),
    "order_line": lambda world: given.order_line(world.line.agreement, world.trial.sku_revision),
    "release": lambda world: given.record("release.create", product_id=world.trial.sku.product_id, version_name="1.0"),
    "policy": lambda world: given.record(
        "policy.create",
        name="Extra",
        conditions=[{"field": "kind", "operator": "is", "value": "product.retire"}],
        stages=[{"position": 1, "role": "licensing", "quorum": 1}],
    ),
}
