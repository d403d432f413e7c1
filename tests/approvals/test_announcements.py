"""Every applied change is announced once, to those whose business it is and who see it; it is read, or escalated."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from approvals.announcements import distributing, escalation, telling
from approvals.announcements.defaults import write_defaults
from approvals.announcements.models import (
    Acknowledgment,
    AnnouncedChange,
    Announcement,
    AnnouncementStep,
    Subscription,
)
from approvals.announcements.rules import Wish, acknowledge_by, matches, named_ids, readable
from approvals.announcements.services import acknowledge
from approvals.announcements.subscribing import Wanted, change, end, follow, subscribe
from approvals.governed import Draft
from approvals.reminders.services import choose_frequency
from approvals.requests.models import ChangeRequest
from audit.models import Event
from entitlements.directory import grants
from entitlements.directory.models import Account
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals import test_permits, test_standard_changes
from tests.approvals import world as building
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import World, events_of

NOTED = "approvals.change_request"


def after(**span: float) -> datetime:
    return given.NOW + timedelta(**span)


def condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


ABOUT_TRIALS = condition("phase", "is", "trial")


def of_role(role: str, *conditions: dict[str, Any], hours: int | None = None, name: str = "All") -> Subscription:
    return Subscription.objects.create(
        role=role, name=name, conditions=list(conditions), acknowledge_hours=hours, created_at=given.NOW
    )


def applied(world: World, *drafts: Draft) -> ChangeRequest:
    drafts = drafts or (Draft("entitlement.amend", {"seats": 9}, world.trial.id),)
    return world.apply(world.approved(*drafts))


def told(request: ChangeRequest) -> set[User]:
    return {one.reader for one in Announcement.objects.filter(change_request=request).select_related("reader")}


def mails(word: str = "announced to you") -> list[dict[str, Any]]:
    rows = OutboxMessage.objects.filter(kind="mail").order_by("created_at", "id")
    return [row.payload for row in rows if word in row.payload["subject"]]


@pytest.fixture
def bare(world: World) -> World:
    """Have a world in which nobody is subscribed to anything."""
    write_defaults(now=given.NOW)
    Subscription.objects.in_force().update(ended_at=given.NOW)
    return world


def act_out(world: World) -> None:
    """What is announced is read by one and not by another; subscriptions are made, changed, left and ended."""
    row = of_role("finance", hours=24, name="To be read")
    reader = given.user("finance")
    given.user("finance")
    applied(world, Draft("account.create", {"code": "told-unit", "name": "Told unit"}))
    distributing.announce(now=given.NOW)
    acknowledge(announcement_id=Announcement.objects.filter(reader=reader)[0].id, user=reader, now=given.NOW)
    escalation.escalate(now=after(days=60))
    own = subscribe(user=reader, wanted=Wanted("Mine"), now=given.NOW)
    change(subscription_id=own.id, user=reader, wanted=Wanted("Mine", [ABOUT_TRIALS]), now=given.NOW)
    end(subscription_id=own.id, user=reader, now=given.NOW)
    follow(subscription_id=row.id, user=world.author, follows=True, now=given.NOW)


class TestRules:
    def test_match_if_all_conditions_hold_of_one_item(self) -> None:
        declared = distributing.governed.declared_facts()
        facts = [
            {"kind": "entitlement.amend", "phase": "trial", "aspects_touched": ["seats"]},
            {"kind": "entitlement.amend", "phase": "production", "aspects_touched": ["term"]},
        ]
        found = readable(facts=facts, declared=declared)
        trial, seats = condition("phase", "is", "trial"), condition("aspects_touched", "any_of", ["seats"])
        term = condition("aspects_touched", "any_of", ["term"])

        assert matches(conditions=[], change=found)
        assert matches(conditions=[trial, seats], change=found)
        assert not matches(conditions=[trial, term], change=found)

    def test_tell_too_much_where_nothing_can_be_evaluated(self) -> None:
        declared = distributing.governed.declared_facts()
        known = readable(facts=[{"kind": "entitlement.amend", "phase": "trial"}], declared=declared)
        unknown = readable(facts=[{"kind": "gone.amend"}], declared=declared)

        assert matches(conditions=[condition("gone", "is", "x")], change=known)
        assert matches(conditions=[condition("phase", "is", "production")], change=unknown)
        assert not matches(conditions=[condition("phase", "is", "production")], change=known)

    def test_let_the_shortest_time_count(self) -> None:
        wishes = [Wish("a", None), Wish("b", 48), Wish("c", 24)]

        assert acknowledge_by(wishes=wishes, now=given.NOW) == after(hours=24)
        assert acknowledge_by(wishes=wishes[:1], now=given.NOW) is None

    def test_find_what_conditions_name(self) -> None:
        key = "6f1c5f3e-1111-4111-8111-111111111111"
        named = [condition("accounts", "any_of", [key, "nonsense"]), condition("phase", "is", key)]

        assert {str(one) for one in named_ids(named, "accounts")} == {key}
        assert named_ids(named, "phase") == frozenset()


class TestAnnounce:
    def test_tells_each_role_what_it_owns_without_configuration(self, world: World) -> None:
        finance, product = given.user("finance"), given.user("product")
        request = applied(world)

        assert distributing.announce(now=after(hours=1)) == 1

        assert told(request) == {product}
        assert finance not in told(request)
        announcement = Announcement.objects.get(reader=product)
        assert announcement.reasons == ["Product: Seats, features and support"]
        assert events_of(request).count("announced") == 1

    def test_tells_each_change_once_however_often_it_runs(self, bare: World) -> None:
        of_role("finance")
        of_role("finance", name="Again")
        finance = given.user("finance")
        given.user("finance", human_id=finance.human_id)
        request = applied(bare)

        counts = [distributing.announce(now=after(hours=hours)) for hours in (1, 2)]

        assert counts == [1, 0]
        announcement = Announcement.objects.get(change_request=request)
        assert announcement.reasons == ["Finance: Again", "Finance: All"]
        assert Event.objects.filter(type=f"{NOTED}.announced").count() == 1

    def test_tells_nobody_who_may_not_see_all_of_it(self, bare: World) -> None:
        of_role("finance")
        seeing, blind = given.user("finance"), given.user("finance", everywhere=False)
        half = given.user("finance", everywhere=False)
        grants.grant_access(holder=half, target=Account, ids=[bare.account.id], actor=bare.operator, now=given.NOW)
        stranger = given.user("auditor", everywhere=False)
        for user in (blind, stranger):
            subscribe(user=user, wanted=Wanted("Mine"), now=given.NOW)
        request = applied(bare)

        distributing.announce(now=after(hours=1))

        assert told(request) == {seeing}

    def test_tells_followers_and_not_those_who_left(self, bare: World) -> None:
        row = of_role("finance")
        stays, left, other = given.user("finance"), given.user("finance"), given.user("procurement")
        follow(subscription_id=row.id, user=left, follows=False, now=given.NOW)
        follow(subscription_id=row.id, user=other, follows=True, now=given.NOW)
        request = applied(bare)

        distributing.announce(now=after(hours=1))

        assert told(request) == {stays, other}

    def test_tells_of_what_a_role_acknowledges_also_those_who_left_before(self, bare: World) -> None:
        row = of_role("finance")
        left, other = given.user("finance"), given.user("procurement")
        follow(subscription_id=row.id, user=left, follows=False, now=given.NOW)
        follow(subscription_id=row.id, user=other, follows=True, now=given.NOW)
        Subscription.objects.filter(id=row.id).update(acknowledge_hours=48)
        applied(bare)

        distributing.announce(now=after(hours=1))

        assert Announcement.objects.get(reader=left).acknowledge_by == after(hours=49)
        # A follower of another role is asked for nothing.
        assert Announcement.objects.get(reader=other).acknowledge_by is None

    def test_narrows_by_account_and_what_is_touched(self, bare: World) -> None:
        mine, other = given.user("finance"), given.account()
        here = condition("accounts", "any_of", [str(bare.account.id)])
        seats = condition("aspects_touched", "any_of", ["seats"])
        subscribe(user=mine, wanted=Wanted("Here", [here, seats]), now=given.NOW)
        elsewhere = condition("accounts", "any_of", [str(other.id)])
        stranger = given.user("finance")
        subscribe(user=stranger, wanted=Wanted("Elsewhere", [elsewhere]), now=given.NOW)
        request = applied(bare)
        noted = applied(bare, Draft("entitlement.amend", {"notes": "Soon."}, bare.trial.id))

        distributing.announce(now=after(hours=1))

        assert told(request) == {mine}
        assert told(noted) == set()

    def test_tells_nothing_by_what_was_ended_or_of_who_is_gone(self, bare: World) -> None:
        gone, ended = given.user("finance"), given.user("finance")
        for user in (gone, ended):
            row = subscribe(user=user, wanted=Wanted("Mine"), now=given.NOW)
        end(subscription_id=row.id, user=ended, now=given.NOW)
        User.objects.filter(id=gone.id).update(is_active=False)
        request = applied(bare)

        distributing.announce(now=after(hours=1))

        assert told(request) == set()
        assert events_of(request).count("announced") == 1
        # What the system wrote is not marked either, though there is nobody whom it could be told.
        assert [mark.change_request for mark in AnnouncedChange.objects.all()] == [request]

    def test_tells_of_every_way_to_apply_and_of_nothing_else(self, bare: World) -> None:
        of_role("finance")
        given.user("finance")
        bare.approved()
        standard = test_standard_changes.submitted(bare, test_standard_changes.template())
        bare.apply(standard)
        test_permits.act_out(bare)

        distributing.announce(now=after(days=60))

        bases = set(Announcement.objects.values_list("change_request__authorization__basis", flat=True))
        assert {"standard", "emergency"} <= bases
        assert "bootstrap" not in bases
        done = ChangeRequest.objects.filter(status__in=("applied", "verified", "reverted"), system=False)
        assert set(AnnouncedChange.objects.values_list("change_request", flat=True)) == set(
            done.values_list("id", flat=True)
        )

    def test_is_undone_if_the_event_cannot_be_recorded(self, bare: World, break_ledger: Any) -> None:
        of_role("finance")
        given.user("finance")
        applied(bare)
        break_ledger(f"{NOTED}.announced")

        assert distributing.announce(now=after(hours=1)) == 0

        assert not Announcement.objects.exists()
        assert not AnnouncedChange.objects.exists()

    def test_of_others_goes_on_if_one_breaks(
        self, bare: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        of_role("finance")
        given.user("finance")
        broken, whole = applied(bare), applied(bare, Draft("entitlement.amend", {"seats": 8}, bare.trial.id))
        facts_of = distributing.facts_of

        def read(revision: Any) -> Any:
            if revision.change_request_id == broken.id:
                raise RuntimeError("broken")
            return facts_of(revision)

        monkeypatch.setattr(distributing, "facts_of", read)

        assert distributing.announce(now=after(hours=1)) == 1
        assert told(whole)
        assert not told(broken)


class TestDefaults:
    def test_are_written_once_and_not_again_once_ended(self, world: World) -> None:
        assert write_defaults(now=given.NOW) in {0, 5}
        rows = Subscription.objects.in_force()
        assert set(rows.values_list("role", flat=True)) == {"finance", "security", "it_operations", "product"}
        administrator = given.user("administrator")
        for row in rows:
            end(subscription_id=row.id, user=administrator, now=given.NOW)

        assert write_defaults(now=given.NOW) == 0
        assert not Subscription.objects.in_force().exists()

    def test_leave_a_name_that_somebody_took(self, world: World) -> None:
        Subscription.objects.all().delete()
        of_role("finance", name="Price, term and cost")

        assert write_defaults(now=given.NOW) == 4


class TestAcknowledge:
    def announced(self, world: World, **more: Any) -> tuple[User, Announcement]:
        of_role("finance", **more)
        reader = given.user("finance")
        applied(world)
        distributing.announce(now=given.NOW)
        return reader, Announcement.objects.get(reader=reader)

    def test_is_kept_once_under_whatever_login(self, bare: World) -> None:
        reader, announcement = self.announced(bare)
        second = given.user("finance", human_id=reader.human_id)

        for user in (second, reader):
            acknowledge(announcement_id=announcement.id, user=user, now=after(hours=1))

        read = Acknowledgment.objects.get()
        assert (read.acknowledged_by, read.acknowledged_at) == (second, after(hours=1))
        assert Event.objects.filter(type=f"{NOTED}.announcement_read").count() == 1

    def test_is_refused_to_others_and_to_who_sees_it_no_longer(self, bare: World) -> None:
        reader, announcement = self.announced(bare)
        with pytest.raises(NotFound):
            acknowledge(announcement_id=announcement.id, user=given.user("finance"), now=given.NOW)
        reader.user_permissions.clear()
        blind = User.objects.get(id=reader.id)
        with pytest.raises(NotFound):
            acknowledge(announcement_id=announcement.id, user=blind, now=given.NOW)

        assert not Acknowledgment.objects.exists()
        assert not Announcement.objects.visible_to(blind).exists()

    def test_is_not_kept_if_the_event_cannot_be_recorded(self, bare: World, break_ledger: Any) -> None:
        reader, announcement = self.announced(bare)
        break_ledger(f"{NOTED}.announcement_read")

        with pytest.raises(LedgerDown), transaction.atomic():
            acknowledge(announcement_id=announcement.id, user=reader, now=given.NOW)

        assert not Acknowledgment.objects.exists()

    def test_is_held_by_the_database(self, bare: World) -> None:
        _reader, announcement = self.announced(bare)
        with pytest.raises(DatabaseError, match="for whom it is"), transaction.atomic():
            Acknowledgment.objects.create(
                announcement=announcement, acknowledged_by=given.user("finance"), acknowledged_at=given.NOW
            )
        draft = bare.propose()
        row = {"reasons": [], "created_at": given.NOW, "reader": bare.first, "human_id": bare.first.human_id}
        with pytest.raises(DatabaseError, match="applied is announced"), transaction.atomic():
            Announcement.objects.create(change_request=draft, **row)
        with pytest.raises(DatabaseError, match="another human"), transaction.atomic():
            Announcement.objects.create(
                change_request=announcement.change_request, **row | {"human_id": bare.second.human_id}
            )


class TestTell:
    def prepared(self, world: World, hours: int | None = None, frequency: str = "daily") -> User:
        of_role("finance", hours=hours)
        reader = given.user("finance")
        choose_frequency(user=reader, frequency=frequency)
        applied(world)
        return reader

    def test_writes_one_mail_in_the_zone_of_the_reader(self, bare: World) -> None:
        reader = self.prepared(bare)
        User.objects.filter(id=reader.id).update(time_zone="Europe/Berlin")
        request = applied(bare, Draft("entitlement.amend", {"seats": 8}, bare.trial.id))
        distributing.announce(now=given.NOW)

        assert [telling.tell(now=after(minutes=minutes)) for minutes in (1, 6)] == [1, 0]

        (mail,) = mails()
        assert (mail["subject"], mail["user_id"]) == ("2 applied changes announced to you", str(reader.id))
        assert f"/changes/{request.number}/" in mail["text"]
        assert "Applied 2 Mar 2026, 11:00 CET. You are told because of: Finance: All." in mail["text"]

    def test_waits_for_the_next_morning_unless_it_is_wanted_at_once(self, bare: World) -> None:
        daily, hasty = self.prepared(bare), given.user("finance")
        choose_frequency(user=hasty, frequency="immediate")
        distributing.announce(now=given.NOW)
        telling.tell(now=given.NOW)
        applied(bare, Draft("entitlement.amend", {"seats": 8}, bare.trial.id))
        distributing.announce(now=after(hours=1))
        counts = []
        for hours in (1, 21, 22):
            telling.tell(now=after(hours=hours))
            counts.append([sum(mail["user_id"] == str(user.id) for mail in mails()) for user in (daily, hasty)])

        # NOW is 10:00, the next morning is 08:00.
        assert counts == [[1, 2], [1, 2], [2, 2]]

    def test_says_nothing_of_what_was_read_or_may_not_be_seen_any_more(self, bare: World) -> None:
        reader = self.prepared(bare, frequency="immediate")
        blind = given.user("finance")
        distributing.announce(now=given.NOW)
        acknowledge(announcement_id=Announcement.objects.get(reader=reader).id, user=reader, now=given.NOW)
        blind.user_permissions.clear()

        assert telling.tell(now=after(minutes=1)) == 0

    def test_lists_only_what_is_not_read(self, bare: World) -> None:
        reader = self.prepared(bare, hours=120, frequency="immediate")
        unread = applied(bare, Draft("entitlement.amend", {"seats": 8}, bare.trial.id))
        distributing.announce(now=given.NOW)
        read = Announcement.objects.exclude(change_request=unread).get()
        acknowledge(announcement_id=read.id, user=reader, now=given.NOW)

        telling.tell(now=after(minutes=1))

        (mail,) = mails()
        assert mail["subject"] == "1 applied change announced to you"
        assert f"/changes/{read.change_request.number}/" not in mail["text"]
        assert not read.steps.exists()

    def test_climbs_the_ladder_until_it_is_read(self, bare: World) -> None:
        reader = self.prepared(bare, hours=120, frequency="immediate")
        given.user("administrator")
        distributing.announce(now=given.NOW)
        counts = []
        for hours in (0, 59, 60, 96, 119, 120, 144, 168, 192, 300):
            telling.tell(now=after(hours=hours))
            counts.append(len(mails()))

        # At once, half, a day before, due, and three days in a row.
        assert counts == [1, 1, 2, 3, 3, 4, 5, 6, 7, 7]
        assert mails()[-1]["subject"] == "1 applied change announced to you, 1 overdue to be read"
        acknowledge(announcement_id=Announcement.objects.get().id, user=reader, now=after(hours=301))
        assert escalation.escalate(now=after(days=60)) == 0

    def test_does_not_leave_to_the_morning_what_is_to_be_read_before(self, bare: World) -> None:
        self.prepared(bare, hours=4)
        distributing.announce(now=given.NOW)
        counts = []
        for hours in (0, 1, 2, 3, 4, 5, 8, 21, 22):
            telling.tell(now=after(hours=hours))
            counts.append(len(mails()))

        assert counts == [1, 1, 2, 2, 3, 3, 3, 3, 4]

    def test_writes_once_after_a_week_in_which_nothing_ran(self, bare: World) -> None:
        self.prepared(bare, hours=24)
        distributing.announce(now=given.NOW)

        assert [telling.tell(now=after(days=7, minutes=minutes)) for minutes in (0, 5)] == [1, 0]


class TestEscalation:
    def test_tells_administrators_once_who_has_not_read_it(self, bare: World) -> None:
        of_role("finance", hours=24)
        of_role("legal", hours=720)
        late, read, in_time = given.user("finance"), given.user("finance"), given.user("legal")
        administrator, blind = given.user("administrator"), given.user("administrator", everywhere=False)
        request = applied(bare)
        distributing.announce(now=given.NOW)
        acknowledge(announcement_id=Announcement.objects.get(reader=read).id, user=read, now=given.NOW)

        counts = [escalation.escalate(now=after(hours=hours)) for hours in (24, 119, 120, 121)]

        assert counts == [0, 0, 1, 0]
        (mail,) = mails("not read by everybody")
        assert mail["user_id"] == str(administrator.id)
        assert str(late) in mail["text"]
        assert str(read) not in mail["text"]
        assert str(in_time) not in mail["text"]
        assert str(blind.id) != mail["user_id"]
        assert events_of(request).count("announcement_escalated") == 1

    def test_is_undone_if_the_event_cannot_be_recorded(self, bare: World, break_ledger: Any) -> None:
        of_role("finance", hours=24)
        given.user("finance")
        applied(bare)
        distributing.announce(now=given.NOW)
        break_ledger(f"{NOTED}.announcement_escalated")

        assert escalation.escalate(now=after(days=9)) == 0

        assert not AnnouncementStep.objects.filter(step="escalation").exists()


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_announce_and_tell_once(self) -> None:
        world = building.make()
        of_role("finance")
        reader = given.user("finance")
        applied(world)
        barrier, counts = threading.Barrier(2), []

        def work() -> None:
            try:
                barrier.wait()
                counts.append(distributing.announce(now=given.NOW))
                barrier.wait()
                telling.tell(now=given.NOW)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(counts) == [0, 1]
        assert Announcement.objects.filter(reader=reader).count() == 1
        assert len([mail for mail in mails() if mail["user_id"] == str(reader.id)]) == 1
