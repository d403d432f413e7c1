"""Deciding for somebody else: dated, never wider than they could, never for an author, once."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals.authority import services
from approvals.authority.errors import DelegationOver, NotADelegate
from approvals.authority.models import Delegation
from approvals.requests import outlook, review
from approvals.requests import services as requests
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.errors import AlreadyDecided, QuorumLost, SelfReview
from approvals.requests.models import ChangeRequest, Decision
from audit.ledger.models import Event
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_guards import refused
from tests.approvals.world import World, approve, fresh, revision_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def give(delegator: User, delegate: User, **options: Any) -> Delegation:
    """A delegation of ten days from NOW, unless told otherwise."""
    defaults = {
        "role": "",
        "starts_at": given.NOW,
        "ends_at": given.NOW + 10 * DAY,
        "reason": "On leave.",
        "now": given.NOW,
    }
    return services.delegate(delegator=delegator, delegate=delegate, **(defaults | options))


def decide(request: ChangeRequest, user: User, on_behalf_of: User | None = None, **options: Any) -> ChangeRequest:
    defaults: dict[str, Any] = {"digest": revision_of(request).digest, "now": given.NOW}
    key = on_behalf_of.id if on_behalf_of else None
    return review.approve(change_request_id=request.id, reviewer=user, on_behalf_of=key, **(defaults | options))


def waiting(user: User, **options: Any) -> list[ChangeRequest]:
    return list(awaiting_decision_of(ChangeRequest.objects.all(), user=user, **({"now": given.NOW} | options)))


def act_out(world: World) -> None:
    """Give a delegation and revoke it."""
    given_one = give(world.first, given.user("legal"))
    services.revoke(delegation_id=given_one.id, user=world.first, now=given.NOW)


@pytest.fixture
def deputy(db: None) -> User:
    """Somebody who decides, but not as licensing."""
    return given.user("legal")


class TestDelegate:
    def test_records_who_decides_for_whom(self, world: World, deputy: User) -> None:
        delegation = give(world.first, deputy, role="licensing")

        assert (delegation.delegator, delegation.delegate, delegation.role) == (world.first, deputy, "licensing")
        event = Event.objects.get(type="approvals.delegation.given")
        assert event.data["delegate_id"] == str(deputy.id)

    def test_begins_now_if_it_would_have_begun_before(self, world: World, deputy: User) -> None:
        assert give(world.first, deputy, starts_at=given.NOW - DAY).starts_at == given.NOW

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"ends_at": given.NOW}, "end before it starts"),
            ({"starts_at": given.NOW + 9 * DAY, "ends_at": given.NOW + 8 * DAY}, "end before it starts"),
            ({"ends_at": given.NOW + 93 * DAY}, "92 days at most"),
            ({"ends_at": datetime.max.replace(tzinfo=UTC)}, "92 days at most"),
            ({"starts_at": datetime.max.replace(tzinfo=UTC)}, "end before it starts"),
            ({"role": "finance"}, "You do not decide as finance"),
            ({"role": "auditor"}, "You do not decide as auditor"),
            ({"reason": "  "}, "why"),
            ({"reason": "x" * 501}, "why"),
            ({"reason": "a\x00b"}, "why"),
        ],
    )
    def test_refuses_what_is_not_bounded(self, world: World, deputy: User, options: Any, words: str) -> None:
        with pytest.raises(InvalidInput, match=words):
            give(world.first, deputy, **options)

        assert not Delegation.objects.exists()

    def test_refuses_to_delegate_to_oneself_under_another_login(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="This is you"):
            give(world.first, given.user("legal", human_id=world.first.human_id))

    @pytest.mark.parametrize("roles", [[], ["requester"], ["auditor"], ["administrator"]])
    def test_refuses_who_decides_on_nothing(self, world: World, roles: list[str]) -> None:
        with pytest.raises(InvalidInput, match="decides on nothing"):
            give(world.first, given.user(*roles))
        with pytest.raises(NotPermitted):
            give(given.user(*roles), world.first)

    def test_refuses_an_inactive_delegate(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="decides on nothing"):
            give(world.first, given.user("legal", is_active=False))

    def test_does_not_pass_on_what_is_held_by_delegation(self, world: World, deputy: User) -> None:
        give(world.first, deputy)
        with pytest.raises(InvalidInput, match="You do not decide as licensing"):
            give(deputy, given.user("finance"), role="licensing")

    def test_writes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, deputy: User, break_ledger: Callable[..., None]
    ) -> None:
        break_ledger()

        with pytest.raises(LedgerDown):
            give(world.first, deputy)

        assert not Delegation.objects.exists()


class TestRevoke:
    @pytest.mark.parametrize("who", ["delegator", "delegate", "other login"])
    def test_is_for_either_of_the_two(self, world: World, deputy: User, who: str) -> None:
        delegation = give(world.first, deputy)
        other = given.user("requester", human_id=world.first.human_id)
        user = {"delegator": world.first, "delegate": deputy, "other login": other}[who]

        services.revoke(delegation_id=delegation.id, user=user, now=given.NOW + DAY)

        delegation.refresh_from_db()
        assert (delegation.revoked_at, delegation.revoked_by) == (given.NOW + DAY, user)
        assert Event.objects.filter(type="approvals.delegation.revoked").count() == 1

    def test_hides_it_from_everybody_else(self, world: World, deputy: User) -> None:
        with pytest.raises(NotFound):
            services.revoke(delegation_id=give(world.first, deputy).id, user=world.second, now=given.NOW)

    def test_refuses_one_that_is_over_or_revoked(self, world: World, deputy: User) -> None:
        delegation = give(world.first, deputy)
        with pytest.raises(DelegationOver):
            services.revoke(delegation_id=delegation.id, user=world.first, now=given.NOW + 10 * DAY)
        services.revoke(delegation_id=delegation.id, user=world.first, now=given.NOW)

        with pytest.raises(DelegationOver):
            services.revoke(delegation_id=delegation.id, user=world.first, now=given.NOW)


class TestDecideForSomebody:
    def test_counts_towards_the_quorum_of_their_role(self, world: World, deputy: User) -> None:
        delegation = give(world.first, deputy)
        request = world.submit()

        decide(request, deputy, world.first)
        approve(request, world.second)

        assert fresh(request).status == "approved"
        made = Decision.objects.get(decider=deputy)
        assert (made.on_behalf_of, made.delegator_human_id) == (delegation, world.first.human_id)
        event = Event.objects.filter(type="approvals.change_request.approval_given").get(actor_id=deputy.id)
        assert event.data["on_behalf_of"] == str(world.first.id)
        assert event.data["role"] == f"licensing in place of user {world.first.pk}"

    def test_is_refused_without_a_delegation(self, world: World, deputy: User) -> None:
        with pytest.raises(NotADelegate):
            decide(world.submit(), deputy, world.first)

    @pytest.mark.parametrize("days", [-1, 10, 11])
    def test_is_refused_outside_its_period(self, world: World, deputy: User, days: int) -> None:
        give(world.first, deputy, starts_at=given.NOW)
        request = world.submit()

        with pytest.raises(NotADelegate):
            decide(request, deputy, world.first, now=given.NOW + days * DAY)

    def test_is_refused_once_it_is_revoked(self, world: World, deputy: User) -> None:
        services.revoke(delegation_id=give(world.first, deputy).id, user=world.first, now=given.NOW)

        with pytest.raises(NotADelegate):
            decide(world.submit(), deputy, world.first)

    def test_is_refused_to_the_author(self, world: World) -> None:
        author = given.user("requester", "legal")
        request = world.propose(author=author)
        requests.submit(change_request_id=request.id, author=author, now=given.NOW)
        give(world.first, author)

        with pytest.raises(SelfReview, match="You wrote a revision"):
            decide(request, author, world.first)

    def test_is_refused_for_the_author(self, world: World, deputy: User) -> None:
        request = world.propose(author=world.first)
        requests.submit(change_request_id=request.id, author=world.first, now=given.NOW)
        give(world.first, deputy)

        with pytest.raises(SelfReview, match="wrote a revision of this change, so nobody decides on it for them"):
            decide(request, deputy, world.first)

    def test_is_refused_if_the_other_lost_the_role(self, world: World, deputy: User) -> None:
        give(world.first, deputy)
        request = world.submit()
        world.first.groups.clear()

        with pytest.raises(NotADelegate, match="could not decide"):
            decide(request, deputy, world.first)

    def test_is_refused_if_the_other_is_inactive(self, world: World, deputy: User) -> None:
        give(world.first, deputy)
        request = world.submit()
        User.objects.filter(id=world.first.id).update(is_active=False)

        with pytest.raises(NotADelegate, match="could not decide"):
            decide(request, deputy, world.first)

    def test_is_refused_if_the_other_may_not_see_the_request(self, world: World, deputy: User) -> None:
        blind = given.user("licensing", everywhere=False)
        give(blind, deputy)

        with pytest.raises(NotADelegate, match="could not decide"):
            decide(world.submit(), deputy, blind)

    def test_is_hidden_from_a_delegate_who_may_not_see_the_request(self, world: World) -> None:
        blind = given.user("legal", everywhere=False)
        give(world.first, blind)

        with pytest.raises(NotFound):
            decide(world.submit(), blind, world.first)

    def test_is_refused_in_another_role_than_was_passed_on(self, world: World, deputy: User) -> None:
        both = given.user("licensing", "finance")
        give(both, deputy, role="finance")

        with pytest.raises(NotADelegate, match="in another role than licensing"):
            decide(world.submit(), deputy, both)

    def test_is_refused_once_they_decided_themselves(self, world: World, deputy: User) -> None:
        give(world.first, deputy)
        request = world.submit()
        decide(request, world.first)

        with pytest.raises(AlreadyDecided, match="has been used on this revision already"):
            decide(request, deputy, world.first)
        assert Decision.objects.count() == 1

    def test_uses_their_authority_up(self, world: World, deputy: User) -> None:
        third = given.user("finance")
        give(world.first, deputy)
        give(world.first, third)
        request = world.submit()
        decide(request, deputy, world.first)

        for user, other in ((world.first, None), (third, world.first)):
            with pytest.raises(AlreadyDecided):
                decide(request, user, other)
        assert fresh(request).status == "in_review"

    def test_is_the_one_decision_of_the_delegate(self, world: World) -> None:
        give(world.first, world.second)
        request = world.submit()
        decide(request, world.second)

        with pytest.raises(AlreadyDecided, match="You have decided on this revision already"):
            decide(request, world.second, world.first)

    @pytest.mark.parametrize("verdict", [review.ask_for_changes, review.reject])
    def test_goes_for_a_no_too(self, world: World, deputy: User, verdict: Any) -> None:
        give(world.first, deputy)
        request = world.submit()

        verdict(
            change_request_id=request.id,
            digest=revision_of(request).digest,
            reviewer=deputy,
            now=given.NOW,
            comment="Because.",
            on_behalf_of=world.first.id,
        )

        assert Decision.objects.get().delegator_human_id == world.first.human_id


class TestApplyByDelegation:
    def approved(self, world: World, deputy: User) -> tuple[ChangeRequest, Delegation]:
        delegation = give(world.first, deputy)
        request = world.submit()
        decide(request, deputy, world.first)
        approve(request, world.second)
        return request, delegation

    def test_counts_though_the_delegation_ended_since(self, world: World, deputy: User) -> None:
        delegation = give(world.first, deputy, ends_at=given.NOW + DAY)
        request = world.submit()
        decide(request, deputy, world.first)
        approve(request, world.second)

        world.apply(request, days=2)

        assert delegation.ends_at < given.NOW + 2 * DAY
        assert fresh(request).status == "applied"

    def test_does_not_count_once_the_delegation_is_revoked(self, world: World, deputy: User) -> None:
        request, delegation = self.approved(world, deputy)
        services.revoke(delegation_id=delegation.id, user=world.first, now=given.NOW)

        with pytest.raises(QuorumLost, match="licensing needs 2 approvals and has 1"):
            world.apply(request)

        assert fresh(request).status == "in_review"

    @pytest.mark.parametrize("lost", ["delegator's role", "delegator", "delegate", "delegate's right to decide"])
    def test_does_not_count_once_either_is_no_longer_eligible(self, world: World, deputy: User, lost: str) -> None:
        request, _delegation = self.approved(world, deputy)
        person = world.first if lost.startswith("delegator") else deputy
        if lost in {"delegator", "delegate"}:
            User.objects.filter(id=person.id).update(is_active=False)
        else:
            person.groups.clear()

        with pytest.raises(QuorumLost):
            world.apply(request)

    def test_counts_one_human_once_who_turns_out_to_be_two_logins(self, world: World, deputy: User) -> None:
        request, _delegation = self.approved(world, deputy)
        User.objects.filter(id=world.second.id).update(human_id=world.first.human_id)

        with pytest.raises(QuorumLost, match="has 1"):
            world.apply(request)


class TestInbox:
    def test_shows_what_can_be_decided_for_somebody(self, world: World, deputy: User) -> None:
        give(world.first, deputy)
        request = world.submit()

        assert waiting(deputy) == [request]
        assert waiting(deputy, now=given.NOW + 10 * DAY) == []
        decide(request, world.first)
        assert waiting(deputy) == []

    @pytest.mark.parametrize("why", ["role", "author", "blind", "inactive"])
    def test_shows_nothing_that_could_not(self, world: World, deputy: User, why: str) -> None:
        delegator = given.user("licensing", "finance", everywhere=why != "blind")
        give(delegator, deputy, role="finance" if why == "role" else "licensing")
        if why == "inactive":
            User.objects.filter(id=delegator.id).update(is_active=False)
        request = world.propose(author=delegator if why == "author" else world.author)
        requests.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert waiting(deputy) == []

    def test_asks_the_delegate_by_mail(self, world: World, deputy: User) -> None:
        User.objects.filter(id=deputy.id).update(email="deputy@example.com")
        give(world.first, deputy)

        world.submit()

        assert any(str(deputy.id) in str(message.payload) for message in OutboxMessage.objects.all())

    def test_names_deputies_in_the_outlook(self, world: World, deputy: User) -> None:
        give(world.first, deputy)

        [stage] = outlook.of_request(change_request=world.submit(), now=given.NOW).stages

        assert [(one.user, one.delegator) for one in stage.deputies] == [(deputy, world.first)]
        assert deputy not in stage.could


class TestDelegationTable:
    def row(self, delegator: User, delegate: User, **values: Any) -> tuple[str, list[Any]]:
        row = {
            "id": uuid.uuid4(),
            "delegator_id": delegator.id,
            "delegator_human_id": delegator.human_id,
            "delegate_id": delegate.id,
            "delegate_human_id": delegate.human_id,
            "role": "",
            "starts_at": given.NOW,
            "ends_at": given.NOW + DAY,
            "reason": "Away.",
            "created_at": given.NOW,
        } | values
        names = ", ".join(row)
        return f"INSERT INTO approvals_delegation ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"ends_at": given.NOW + 93 * DAY}, "delegation_is_bounded"),
            ({"ends_at": given.NOW}, "delegation_is_bounded"),
            ({"starts_at": given.NOW - DAY, "ends_at": given.NOW}, "delegation_not_backdated"),
            ({"reason": "  "}, "delegation_says_why"),
            ({"delegator_human_id": uuid.uuid4()}, "delegation_names_humans"),
            ({"revoked_at": given.NOW}, "delegation_revoked_by_somebody"),
        ],
    )
    def test_refuses(self, world: World, deputy: User, values: Any, constraint: str) -> None:
        statement, row = self.row(world.first, deputy, **values)
        refused(constraint, statement, *row)

    def test_refuses_one_to_the_same_human(self, world: World) -> None:
        other = given.user("legal", human_id=world.first.human_id)
        statement, row = self.row(world.first, other)
        refused("delegation_is_to_another", statement, *row)

    @pytest.mark.parametrize("change", ["ends_at = ends_at + interval '1 day'", "role = 'legal'", "reason = 'x'"])
    def test_is_not_changed(self, world: World, deputy: User, change: str) -> None:
        delegation = give(world.first, deputy)
        refused("delegation_revoked_once", f"UPDATE approvals_delegation SET {change} WHERE id = %s", delegation.id)

    def test_is_not_removed_nor_revoked_twice(self, world: World, deputy: User) -> None:
        delegation = give(world.first, deputy)
        refused("append_only", "DELETE FROM approvals_delegation WHERE id = %s", delegation.id)
        services.revoke(delegation_id=delegation.id, user=world.first, now=given.NOW)
        refused("delegation_revoked_once", "UPDATE approvals_delegation SET revoked_at = NULL, revoked_by_id = NULL")

    def decision(self, request: ChangeRequest, delegation: Delegation, **values: Any) -> tuple[str, list[Any]]:
        revision = revision_of(request)
        row = {
            "id": uuid.uuid4(),
            "revision_id": revision.id,
            "stage_id": revision.stages.order_by("position")[0].id,
            "digest": revision.digest,
            "decider_id": delegation.delegate_id,
            "decider_human_id": delegation.delegate_human_id,
            "on_behalf_of_id": delegation.id,
            "delegator_human_id": delegation.delegator_human_id,
            "verdict": "approve",
            "comment": "",
            "decided_at": given.NOW,
        } | values
        names = ", ".join(row)
        return f"INSERT INTO approvals_decision ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"delegator_human_id": uuid.uuid4()}, "decision_by_its_delegate"),
            ({"delegator_human_id": None}, "decision_by_its_delegate"),
            ({"on_behalf_of_id": None}, "decision_names_delegator"),
            ({"decided_at": given.NOW + 10 * DAY}, "decision_by_delegation_in_force"),
        ],
    )
    def test_is_named_by_decisions(self, world: World, deputy: User, values: Any, constraint: str) -> None:
        statement, row = self.decision(world.submit(), give(world.first, deputy), **values)
        refused(constraint, statement, *row)

    def test_is_to_who_decides(self, world: World, deputy: User) -> None:
        values = {"decider_id": world.second.id, "decider_human_id": world.second.human_id}
        statement, row = self.decision(world.submit(), give(world.first, deputy), **values)
        refused("decision_by_its_delegate", statement, *row)

    def test_is_not_from_an_author(self, world: World, deputy: User) -> None:
        request = world.propose(author=world.first)
        requests.submit(change_request_id=request.id, author=world.first, now=given.NOW)
        statement, row = self.decision(request, give(world.first, deputy))
        refused("decision_not_for_author", statement, *row)

    def test_is_used_once_on_a_revision(self, world: World, deputy: User) -> None:
        request = world.submit()
        approve(request, world.first)
        statement, row = self.decision(request, give(world.first, deputy))
        refused("decision_authority_once", statement, *row)

    def test_does_not_pass_by_named_people(self, world: World, deputy: User) -> None:
        stage = {"position": 1, "role": "legal", "quorum": 1, "people": [deputy.username]}
        given.record("policy.create", name="Named", stages=[stage])
        request = world.submit()
        named = revision_of(request).stages.exclude(people=[]).get()
        values = {"stage_id": named.id}
        statement, row = self.decision(request, give(world.first, world.second), **values)
        refused("decision_by_named_people", statement, *row)
