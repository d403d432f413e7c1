"""Subscriptions: one's own and those of roles; made, changed, ended, followed and left."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.announcements.defaults import DefaultSubscription, register_defaults
from approvals.announcements.errors import MustBeRead, SubscriptionNameTaken
from approvals.announcements.models import Following, Subscription
from approvals.announcements.subscribing import (
    Wanted,
    change,
    end,
    follow,
    follows_now,
    subscribe,
    visible_subscriptions,
)
from audit.models import Event
from entitlements.directory import grants
from entitlements.directory.models import Account
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_announcements import condition, of_role
from tests.approvals.world import World

TRIALS = condition("phase", "is", "trial")
ACCOUNTS = "accounts"


def recorded(what: str) -> int:
    return Event.objects.filter(type=f"approvals.subscription.{what}").count()


def only(user: User, account: Account) -> None:
    grants.grant_access(holder=user, target=Account, ids=[account.id], actor=user, now=given.NOW)


class TestSubscribe:
    def test_makes_ones_own_whatever_the_role(self, world: World) -> None:
        for role in ("auditor", "requester", "emergency"):
            user = given.user(role)
            row = subscribe(user=user, wanted=Wanted("  My   trials ", [TRIALS]), now=given.NOW)
            assert (row.owner, row.role, row.name, row.acknowledge_hours) == (user, "", "My trials", None)

        assert Event.objects.filter(type="approvals.subscription.made", actor_id__isnull=False).count() == 3

    def test_is_refused_to_who_may_not_read_changes(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            subscribe(user=given.user(), wanted=Wanted("Mine"), now=given.NOW)

    def test_of_a_role_takes_an_administrator(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            subscribe(user=given.user("finance"), wanted=Wanted("Ours"), role="finance", now=given.NOW)
        administrator = given.user("administrator")

        row = subscribe(user=administrator, wanted=Wanted("Ours", (), 48), role="finance", now=given.NOW)

        assert (row.owner, row.role, row.acknowledge_hours) == (None, "finance", 48)
        with pytest.raises(InvalidInput, match="no role"):
            subscribe(user=administrator, wanted=Wanted("Ours"), role="kings", now=given.NOW)

    @pytest.mark.parametrize(
        ("wanted", "why"),
        [
            (Wanted(" "), "name"),
            (Wanted("a" * 101), "name"),
            (Wanted("a\x00b"), "name"),
            (Wanted("Mine", [condition("nothing", "is", "x")]), "no kind of change has a fact"),
            (Wanted("Mine", [condition("phase", "at_least", "trial")]), "no comparison"),
            (Wanted("Mine", [condition("phase", "is", "trail")]), "is never trail"),
            (Wanted("Mine", [{}]), "does not say what it must"),
            (Wanted("Mine", [TRIALS] * 21), "are the most"),
            (Wanted("Mine", (), 24), "Only what a role"),
        ],
    )
    def test_refuses_what_does_not_fit(self, world: World, wanted: Wanted, why: str) -> None:
        with pytest.raises(InvalidInput, match=why):
            subscribe(user=world.author, wanted=wanted, now=given.NOW)

        assert not Subscription.objects.filter(owner=world.author).exists()

    @pytest.mark.parametrize("hours", [0, 721])
    def test_refuses_times_that_do_not_fit(self, world: World, hours: int) -> None:
        with pytest.raises(InvalidInput, match="1 to 720"):
            subscribe(user=given.user("administrator"), wanted=Wanted("O", (), hours), role="legal", now=given.NOW)

    def test_names_only_what_its_author_sees(self, world: World) -> None:
        user = given.user("finance", everywhere=False)
        here = Wanted("Here", [condition(ACCOUNTS, "any_of", [str(world.account.id)])])
        with pytest.raises(NotFound):
            subscribe(user=user, wanted=here, now=given.NOW)
        only(user, world.account)

        assert subscribe(user=User.objects.get(id=user.id), wanted=here, now=given.NOW)

    def test_has_one_of_a_name_until_it_is_ended(self, world: World) -> None:
        first = subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)
        with pytest.raises(SubscriptionNameTaken):
            subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)
        subscribe(user=world.first, wanted=Wanted("Mine"), now=given.NOW)
        end(subscription_id=first.id, user=world.author, now=given.NOW)

        assert subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)

    def test_is_not_kept_if_the_event_cannot_be_recorded(self, world: World, break_ledger: Any) -> None:
        break_ledger("approvals.subscription.made")

        with pytest.raises(LedgerDown), transaction.atomic():
            subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)

        assert not Subscription.objects.filter(owner=world.author).exists()

    def test_is_held_by_the_database(self, world: World) -> None:
        for fields in ({}, {"role": "legal", "owner": world.author}, {"owner": world.author, "acknowledge_hours": 4}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Subscription.objects.create(**{"name": "No", "created_at": given.NOW} | fields)


class TestChange:
    def test_is_recorded_once_and_only_if_something_changes(self, world: World) -> None:
        row = subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)
        for _ in range(2):
            change(subscription_id=row.id, user=world.author, wanted=Wanted("Trials", [TRIALS]), now=given.NOW)

        row.refresh_from_db()
        assert (row.name, row.conditions) == ("Trials", [TRIALS])
        event = Event.objects.get(type="approvals.subscription.changed")
        assert event.data["before"] == {"name": "Mine", "conditions": [], "acknowledge_hours": None}
        assert event.data["fields"] == "name, conditions"

    def test_is_of_ones_own_or_by_an_administrator(self, world: World) -> None:
        own = subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)
        shared = of_role("finance")
        administrator = given.user("administrator")
        for write in (
            lambda key, user: change(subscription_id=key, user=user, wanted=Wanted("Other"), now=given.NOW),
            lambda key, user: end(subscription_id=key, user=user, now=given.NOW),
        ):
            with pytest.raises(NotFound):
                write(own.id, administrator)
            with pytest.raises(NotPermitted):
                write(shared.id, given.user("finance"))

        change(subscription_id=shared.id, user=administrator, wanted=Wanted("Other", (), 24), now=given.NOW)
        end(subscription_id=shared.id, user=administrator, now=given.NOW)

        with pytest.raises(NotFound):
            end(subscription_id=shared.id, user=administrator, now=given.NOW)
        assert recorded("ended") == 1

    def test_takes_no_name_of_another(self, world: World) -> None:
        of_role("finance", name="Taken")
        row = of_role("finance", name="Free")

        with pytest.raises(SubscriptionNameTaken):
            change(subscription_id=row.id, user=given.user("administrator"), wanted=Wanted("Taken"), now=given.NOW)


class TestFollow:
    def test_is_by_role_until_somebody_says_otherwise(self, world: World) -> None:
        row, holder, other = of_role("finance"), given.user("finance"), given.user("legal")
        assert [follows_now(user=user, subscription=row) for user in (holder, other)] == [True, False]

        for _ in range(2):
            follow(subscription_id=row.id, user=holder, follows=False, now=given.NOW)
            follow(subscription_id=row.id, user=other, follows=True, now=given.NOW)

        assert [follows_now(user=user, subscription=row) for user in (holder, other)] == [False, True]
        assert recorded("followed") == 2
        follow(subscription_id=row.id, user=holder, follows=True, now=given.NOW)
        assert follows_now(user=holder, subscription=row)

    def test_does_not_end_what_a_role_has_to_read(self, world: World) -> None:
        row, holder, other = of_role("finance", hours=24), given.user("finance"), given.user("legal")
        with pytest.raises(MustBeRead):
            follow(subscription_id=row.id, user=holder, follows=False, now=given.NOW)
        follow(subscription_id=row.id, user=other, follows=True, now=given.NOW)
        follow(subscription_id=row.id, user=other, follows=False, now=given.NOW)

        assert Following.objects.get().follows is False

    def test_is_of_roles_alone(self, world: World) -> None:
        own = subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)

        with pytest.raises(InvalidInput):
            follow(subscription_id=own.id, user=world.author, follows=False, now=given.NOW)
        with pytest.raises(NotFound):
            follow(subscription_id=own.id, user=world.first, follows=True, now=given.NOW)


class TestSeen:
    def test_are_ones_own_and_those_of_roles_that_name_nothing_hidden(self, world: World) -> None:
        Subscription.objects.all().delete()
        of_role("finance")
        hidden = of_role("finance", condition(ACCOUNTS, "any_of", [str(world.account.id)]), name="Here")
        subscribe(user=world.author, wanted=Wanted("Mine"), now=given.NOW)
        blind = given.user("finance", everywhere=False)

        assert [str(row) for row in visible_subscriptions(world.author)] == ["Mine", "Finance: All", "Finance: Here"]
        assert [str(row) for row in visible_subscriptions(blind)] == ["Finance: All"]
        with pytest.raises(NotFound):
            follow(subscription_id=hidden.id, user=blind, follows=True, now=given.NOW)
        assert visible_subscriptions(given.user()) == []


class TestDefaults:
    def test_are_of_roles_that_there_are(self) -> None:
        with pytest.raises(ValueError, match="for no role"):
            register_defaults([DefaultSubscription("kings.all", "kings", "All", [])])
