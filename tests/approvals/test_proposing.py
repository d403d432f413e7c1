"""Filing, editing, sending to review and withdrawing change requests."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from approvals import governed
from approvals.governed import Draft, UnknownKind
from approvals.requests import review, services
from approvals.requests.errors import GapWithoutWaiver, IncompleteRationale, RulesBroken, StaleDigest, WrongState
from approvals.requests.models import stale_decisions
from approvals.requests.states import Status
from entitlements.catalog.models import Product
from entitlements.directory.models import PersonalDetails
from entitlements.directory.services import Details, stage_details
from entitlements.grants.models import Entitlement
from foundation.errors import InvalidInput, NotFound, NotPermitted
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import Rationale, Waiver, World, approve, counted, events_of, fresh, revision_of


class TestPropose:
    def test_files_a_draft_with_its_plan_and_writes_no_governed_record(self, world: World) -> None:
        before = Entitlement.objects.count()

        request = world.propose()

        revision = revision_of(request)
        assert (request.status, revision.number) == (Status.DRAFT, 1)
        assert revision.plan["summary"] == "1 granted, 0 amended, 0 retired; nobody loses access."
        assert Entitlement.objects.count() == before
        assert events_of(request) == ["proposed"]

    def test_numbers_requests_in_their_order(self, world: World) -> None:
        first, second = world.propose(), world.propose()

        assert second.number == first.number + 1

    def test_refuses_a_login_without_the_right(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            world.propose(author=given.user("auditor"))

    def test_refuses_an_inactive_login(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            world.propose(author=given.user("requester", is_active=False))

    def test_hides_what_is_not_granted_to_the_author(self, world: World) -> None:
        stranger = given.user("requester", everywhere=False)
        given.grant_access(stranger, world.account)

        with pytest.raises(NotFound):
            world.propose(author=stranger)

    def test_accepts_an_author_who_is_granted_account_and_product(self, world: World) -> None:
        colleague = given.user("requester", everywhere=False)
        given.grant_access(colleague, world.account, Product.objects.get(skus=world.trial.sku))

        assert world.propose(author=colleague).status == Status.DRAFT

    def test_refuses_an_unknown_kind(self, world: World) -> None:
        before = counted()

        with pytest.raises(UnknownKind):
            world.propose(Draft("entitlement.conjure", {}))

        assert counted() == before

    def test_refuses_a_request_without_items(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="no items"):
            services.propose(title="Nothing", drafts=[], author=world.author, now=given.NOW)

    def test_refuses_two_items_on_one_record(self, world: World) -> None:
        amend = Draft("entitlement.amend", {"seats": 6}, world.trial.id)

        with pytest.raises(InvalidInput, match="in one item"):
            world.propose(amend, amend)

    def test_refuses_two_new_records_of_one_id(self, world: World) -> None:
        key = uuid.uuid4()
        drafts = [Draft("product.create", {"code": f"twice-{n}", "name": "Twice"}, key) for n in (1, 2)]

        with pytest.raises(InvalidInput, match="Two items"):
            world.propose(*drafts)

    def test_refuses_fields_that_the_payload_does_not_know(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="sheets"):
            world.propose(Draft("entitlement.amend", {"sheets": 6}, world.trial.id))

    def test_refuses_a_target_that_does_not_exist(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.propose(Draft("entitlement.amend", {"seats": 6}, uuid.uuid4()))

    def test_refuses_a_change_without_a_target(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="which record"):
            world.propose(Draft("entitlement.amend", {"seats": 6}))

    def test_writes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        before = counted()
        break_ledger()

        with pytest.raises(LedgerDown):
            world.propose()

        assert counted() == before


class TestAmend:
    def test_writes_the_next_revision_and_goes_back_to_draft(self, world: World) -> None:
        request = world.submit()

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=7)])

        revision = revision_of(request)
        assert (fresh(request).status, revision.number) == (Status.DRAFT, 2)
        assert revision.items.get().after["seats"] == 7
        assert events_of(request) == ["amended", "proposed", "submitted"]

    def test_keeps_what_is_not_given(self, world: World) -> None:
        request = world.propose()
        former = revision_of(request).document["rationale"]

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=7)])

        assert revision_of(request).document["rationale"] == former

    def test_plans_the_same_items_again_on_what_stands_now(self, world: World) -> None:
        request = world.propose(Draft("entitlement.amend", {"seats": 9}, world.trial.id))
        given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        item = revision_of(request).items.get()
        assert (item.base_version, item.after["seats"], item.after["grace_seconds"]) == (2, 9, 60)

    def test_makes_decisions_stale_and_keeps_them(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert [decision.decider for decision in stale_decisions(fresh(request))] == [world.first]
        assert not revision_of(request).decisions.exists()

    def test_takes_an_approval_away(self, world: World) -> None:
        request = world.approved()

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert (fresh(request).status, fresh(request).approved_at) == (Status.DRAFT, None)

    def test_refuses_an_editor_who_read_an_earlier_revision(self, world: World) -> None:
        request = world.propose()
        read = revision_of(request).digest
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=7)])

        with pytest.raises(StaleDigest):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW, expected_digest=read)

    @pytest.mark.parametrize("close", ["withdraw", "reject", "apply"])
    def test_refuses_a_closed_request(self, world: World, close: str) -> None:
        request = closed(world, close)

        with pytest.raises(WrongState):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_refuses_a_login_without_the_right(self, world: World) -> None:
        request = world.propose()

        with pytest.raises(NotPermitted):
            services.amend(change_request_id=request.id, author=given.user("auditor"), now=given.NOW)

    def test_hides_the_request_from_who_may_not_see_it(self, world: World) -> None:
        request = world.propose()

        with pytest.raises(NotFound):
            services.amend(
                change_request_id=request.id, author=given.user("requester", everywhere=False), now=given.NOW
            )

    def test_knows_no_request_that_does_not_exist(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.amend(change_request_id=uuid.uuid4(), author=world.author, now=given.NOW)

    def test_writes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        request = world.submit()
        before = counted()
        break_ledger()

        with pytest.raises(LedgerDown):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW)

        assert (counted(), fresh(request).status) == (before, Status.IN_REVIEW)


class TestSubmit:
    def test_sends_the_request_to_review(self, world: World) -> None:
        request = world.submit()

        assert (request.status, request.submitted_at) == (Status.IN_REVIEW, given.NOW)
        assert events_of(request) == ["proposed", "submitted"]

    def test_refuses_a_request_in_review(self, world: World) -> None:
        request = world.submit()

        with pytest.raises(WrongState):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    @pytest.mark.parametrize("missing", ["justification", "impact", "acceptance_criteria", "rollback"])
    def test_refuses_a_rationale_with_a_hole(self, world: World, missing: str) -> None:
        empty = () if missing == "acceptance_criteria" else ""
        request = world.propose(rationale=Rationale(**(vars(given.RATIONALE) | {missing: empty})))

        with pytest.raises(IncompleteRationale) as caught:
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert [error["field"] for error in caught.value.context["errors"]] == [missing]

    def test_refuses_a_plan_that_breaks_a_rule(self, world: World) -> None:
        request = world.propose(world.grant(seats=101))

        with pytest.raises(RulesBroken, match="100 were ordered"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_refuses_a_gap_that_no_waiver_declares(self, world: World) -> None:
        request = world.propose(world.grant(days=25))

        with pytest.raises(GapWithoutWaiver, match="3 people lose access"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_accepts_a_gap_that_a_waiver_declares_with_a_stage_of_legal(self, world: World) -> None:
        request = world.submit(world.grant(days=25), waiver=Waiver("The site is closed then.", "Head of operations"))

        stages = revision_of(request).stages.order_by("position")
        assert [stage.role for stage in stages] == ["licensing", "legal"]

    def test_refuses_a_login_without_the_right(self, world: World) -> None:
        request = world.propose()

        with pytest.raises(NotPermitted):
            services.submit(change_request_id=request.id, author=given.user("auditor"), now=given.NOW)

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        request = world.propose()
        break_ledger()

        with pytest.raises(LedgerDown):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert fresh(request).status == Status.DRAFT


class TestWithdraw:
    @pytest.mark.parametrize("stage", ["propose", "submit", "approved"])
    def test_closes_an_open_request(self, world: World, stage: str) -> None:
        request = getattr(world, stage)()

        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert (fresh(request).status, fresh(request).closed_at) == (Status.WITHDRAWN, given.NOW)
        assert "withdrawn" in events_of(request)

    def test_is_for_every_login_of_the_author(self, world: World) -> None:
        request = world.propose()
        second_login = given.user("requester", human_id=world.author.human_id)

        services.withdraw(change_request_id=request.id, user=second_login, now=given.NOW)

        assert fresh(request).status == Status.WITHDRAWN

    def test_is_for_who_may_apply_changes(self, world: World) -> None:
        request = world.propose()

        services.withdraw(change_request_id=request.id, user=world.operator, now=given.NOW)

        assert fresh(request).status == Status.WITHDRAWN

    def test_refuses_others(self, world: World) -> None:
        request = world.propose()

        with pytest.raises(NotPermitted):
            services.withdraw(change_request_id=request.id, user=given.user("requester"), now=given.NOW)

    @pytest.mark.parametrize("close", ["withdraw", "reject", "apply"])
    def test_refuses_a_closed_request(self, world: World, close: str) -> None:
        request = closed(world, close)

        with pytest.raises(WrongState):
            services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

    def test_removes_details_staged_for_people_who_are_not_registered(self, world: World) -> None:
        draft, person_id = with_newcomer(world)
        request = world.propose(draft)

        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert not PersonalDetails.objects.filter(person_id=person_id).exists()

    def test_keeps_details_of_people_who_are_registered(self, world: World) -> None:
        person = world.people[0]
        row = {"person_id": str(person.id), "human_id": str(person.human_id)}
        request = world.propose(world.grant(people=[row]))

        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert PersonalDetails.objects.filter(person_id=person.id).exists()

    def test_removes_details_staged_for_an_earlier_revision(self, world: World) -> None:
        draft, person_id = with_newcomer(world)
        request = world.propose(draft)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant()])

        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert not PersonalDetails.objects.filter(person_id=person_id).exists()

    def test_keeps_what_another_open_request_staged(self, world: World) -> None:
        draft, person_id = with_newcomer(world)
        request = world.propose(draft)
        world.propose(Draft(draft.kind, dict(draft.payload) | {"reference": "OTHER"}))

        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert PersonalDetails.objects.filter(person_id=person_id).exists()

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        draft, person_id = with_newcomer(world)
        request = world.propose(draft)
        break_ledger()

        with pytest.raises(LedgerDown):
            services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        assert fresh(request).status == Status.DRAFT
        assert PersonalDetails.objects.filter(person_id=person_id).exists()


class TestPreview:
    def test_plans_without_filing_anything(self, world: World) -> None:
        before = counted()

        planned = services.preview(drafts=[world.grant(days=25)], user=world.author, now=given.NOW)

        assert planned.plan.new_gaps
        assert counted() == before

    def test_refuses_who_may_not_propose(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            services.preview(drafts=[world.grant()], user=given.user("auditor"), now=given.NOW)


class TestRegistration:
    def test_refuses_a_second_kind_of_one_name(self) -> None:
        class Impostor:
            name = "entitlement.grant"

        with pytest.raises(ValueError, match="registered already"):
            governed.register_kinds([Impostor()])  # type: ignore[list-item]


def with_newcomer(world: World) -> tuple[Draft, uuid.UUID]:
    """A grant that registers somebody new whose details are staged."""
    person_id = uuid.uuid4()
    stage_details(details=[Details(person_id, "New Person", "new@example.com")], now=given.NOW)
    row = {"person_id": str(person_id), "human_id": str(uuid.uuid4())}
    return world.grant(people=[row], holders=[str(person_id)]), person_id


def closed(world: World, how: str):
    """A request that ended in the named way."""
    request = world.approved() if how == "apply" else world.submit()
    if how == "withdraw":
        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)
    elif how == "reject":
        review.reject(
            change_request_id=request.id,
            digest=revision_of(request).digest,
            reviewer=world.first,
            now=given.NOW + timedelta(hours=1),
            comment="No.",
        )
    else:
        world.apply(request)
    return fresh(request)
