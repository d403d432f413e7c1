"""Reminders: one mail for all that waits, each step once, held back by snooze and acknowledgment; then escalation."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from approvals.policies.models import Policy
from approvals.reminders import digests, stages
from approvals.reminders.models import Attention, Reminder, ReminderPreference
from approvals.reminders.services import NothingWaits, acknowledge, choose_frequency, snooze
from approvals.reminders.waiting import waiting_for
from approvals.requests import review, services
from approvals.requests.models import ChangeRequest, Stage
from audit.models import Event
from foundation.errors import InvalidInput, NotFound
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals import world as building
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_delegations import give
from tests.approvals.world import World, approve, fresh, revision_of

HOURS = 120


def after(**span: float) -> datetime:
    return given.NOW + timedelta(**span)


def due_policy(**more: Any) -> None:
    for other in Policy.objects.in_force():
        given.record("policy.retire", target_id=other.id)
    stage = {"position": 1, "role": "licensing", "quorum": 2, "due_hours": HOURS} | more
    given.record("policy.create", name="In time", stages=[stage])


def mails(subject: str = "for you") -> list[dict[str, Any]]:
    rows = OutboxMessage.objects.filter(kind="mail").order_by("created_at", "id")
    return [row.payload for row in rows if subject in row.payload["subject"]]


def told(subject: str = "for you") -> list[str]:
    return sorted(str(mail["user_id"]) for mail in mails(subject))


def at_once(*users: User) -> None:
    for user in users:
        choose_frequency(user=user, frequency="immediate")


def stage_of(request: ChangeRequest) -> Stage:
    return revision_of(request).stages.get()


@pytest.fixture
def timed(db: None) -> World:
    """Have a world whose policy gives five days."""
    world = building.make()
    given.user("finance")
    due_policy(backup_role="finance")
    return world


@pytest.mark.django_db(transaction=True)
class TestRemind:
    @pytest.fixture
    def timed(self, transactional_db: None) -> World:
        world = building.make()
        due_policy()
        return world

    def test_writes_at_each_step_once(self, timed: World) -> None:
        timed.submit()
        at_once(timed.first, timed.second)
        counts = []
        for hours in (1, 59, 60, 61, 95, 96, 119, 120, 143, 144, 168, 192, 300):
            digests.remind(now=after(hours=hours))
            counts.append(len([one for one in told() if one == str(timed.first.id)]))

        # Half, a day before, due, and three days in a row.
        assert counts == [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6]

    def test_writes_one_mail_with_all_that_waits(self, timed: World) -> None:
        first, second = timed.submit(), timed.submit(title="Another one")

        digests.remind(now=after(hours=61))

        assert told() == sorted([str(timed.first.id), str(timed.second.id)])
        mail = mails()[0]
        assert mail["subject"] == "2 changes wait for you"
        for request in (first, second):
            assert f"/changes/{request.number}/" in mail["text"]
        assert "due 7 Mar 2026, 10:00 UTC" in mail["text"]
        assert Reminder.objects.count() == 4

    def test_writes_once_after_a_week_in_which_nothing_ran(self, timed: World) -> None:
        timed.submit()

        digests.remind(now=after(days=7, hours=1))
        digests.remind(now=after(days=7, hours=1, minutes=5))

        assert len(mails()) == 2
        assert mails()[0]["subject"] == "1 change waits for you, 1 overdue"
        assert set(Reminder.objects.values_list("step", flat=True)) == {"overdue_2"}

    def test_writes_daily_at_eight_in_the_zone_of_the_person(self, timed: World) -> None:
        # NOW is Monday, 11:00 in Berlin; half of the time is over on Wednesday, 23:00.
        User.objects.filter(id=timed.first.id).update(time_zone="Europe/Berlin")
        early, late = timed.submit(), timed.submit(title="Later")
        digests.remind(now=after(hours=60))
        assert str(timed.first.id) in told()
        services.withdraw(change_request_id=early.id, user=timed.author, now=after(hours=60))

        # On Friday at 11:00 the next step is reached, on Friday at 08:00 was the last morning.
        digests.remind(now=after(hours=92, minutes=59))
        assert told().count(str(timed.first.id)) == 1
        digests.remind(now=after(hours=96))
        assert told().count(str(timed.first.id)) == 2
        # Due on Saturday at 11:00, and there was a mail since Friday at 08:00; the next morning is Saturday's.
        digests.remind(now=after(hours=117))
        digests.remind(now=after(hours=120))
        assert told().count(str(timed.first.id)) == 3
        assert fresh(late).status == "in_review"

    def test_does_not_leave_to_the_morning_what_is_due_before(self, timed: World) -> None:
        due_policy(due_hours=4)
        timed.submit()
        counts = []
        # NOW is 10:00; the next morning is 08:00.
        for hours in (1, 2, 3, 4, 5, 8, 12, 21, 22):
            digests.remind(now=after(hours=hours))
            counts.append(told().count(str(timed.first.id)))

        assert counts == [0, 1, 1, 2, 2, 2, 2, 2, 3]

    def test_reminds_deputies_too(self, timed: World) -> None:
        deputy = given.user("legal")
        give(timed.first, deputy, role="licensing")
        timed.submit()

        digests.remind(now=after(hours=61))

        assert str(deputy.id) in told()

    def test_reminds_nobody_who_has_decided(self, timed: World) -> None:
        request = timed.submit()
        approve(request, timed.first)

        digests.remind(now=after(hours=61))

        assert told() == [str(timed.second.id)]

    def test_reminds_nobody_who_may_not_see_it(self, timed: World) -> None:
        blind = given.user("licensing", everywhere=False)
        timed.submit()

        digests.remind(now=after(hours=61))

        assert str(blind.id) not in told()

    def test_reminds_one_human_once(self, timed: World) -> None:
        given.user("licensing", human_id=timed.first.human_id)
        timed.submit()

        digests.remind(now=after(hours=61))

        assert len(mails()) == 2

    def test_reminds_the_author_of_what_came_back(self, timed: World) -> None:
        request = timed.submit()
        review.ask_for_changes(
            change_request_id=request.id,
            digest=revision_of(request).digest,
            reviewer=timed.first,
            now=given.NOW,
            comment="Why?",
        )

        for hours in (23, 24, 25, 72, 96):
            digests.remind(now=after(hours=hours))

        assert told() == [str(timed.author.id)] * 2
        assert "Came back to you:" in mails()[0]["text"]

    def test_reminds_who_may_apply_of_what_nobody_applies(self, timed: World) -> None:
        timed.approved()

        digests.remind(now=after(hours=25))

        assert str(timed.operator.id) in told()
        assert all("Approved, and nobody has applied it:" in mail["text"] for mail in mails())

    def test_is_done_once_by_two_workers(self, timed: World) -> None:
        timed.submit()
        barrier = threading.Barrier(2)

        def work() -> None:
            try:
                barrier.wait()
                digests.remind(now=after(hours=61))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        digests.remind(now=after(hours=61))

        assert len(mails()) == 2
        assert Reminder.objects.count() == 2

    def test_of_others_goes_on_if_one_breaks(self, timed: World, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
        timed.submit()
        whole = digests.waiting_for

        def broken(user: User, now: datetime) -> Any:
            if user.id == timed.first.id:
                raise RuntimeError("broken")
            return whole(user, now)

        monkeypatch.setattr(digests, "waiting_for", broken)

        assert digests.remind(now=after(hours=61)) == 1
        assert told() == [str(timed.second.id)]


@pytest.mark.django_db
class TestReminderTable:
    def test_only_grows_and_holds_each_step_once(self, world: World) -> None:
        request = world.propose()
        row = {
            "human_id": world.first.human_id,
            "change_request": request,
            "occasion": "stage:1",
            "step": "half",
            "mail_id": request.id,
            "created_at": given.NOW,
        }
        Reminder.objects.create(**row)

        with pytest.raises(DatabaseError, match="reminder_step_once"), transaction.atomic():
            Reminder.objects.create(**row)
        for statement in ("UPDATE approvals_reminder SET step = 'due'", "DELETE FROM approvals_reminder"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


class TestSnooze:
    def test_holds_back_reminders_until_its_instant(self, timed: World) -> None:
        request = timed.submit()

        snooze(change_request_id=request.id, user=timed.first, until=after(hours=70), now=given.NOW)

        (waiting,) = waiting_for(timed.first, given.NOW)
        assert waiting.rung(after(hours=69)) is None
        assert waiting.rung(after(hours=70)).step == "half"  # type: ignore[union-attr]
        assert Event.objects.filter(type="approvals.change_request.snoozed").count() == 1

    def test_leaves_the_change_with_the_person(self, timed: World) -> None:
        request = timed.submit()
        snooze(change_request_id=request.id, user=timed.first, until=after(hours=70), now=given.NOW)

        approve(request, timed.first)

        assert revision_of(request).decisions.count() == 1

    @pytest.mark.parametrize(("hours", "why"), [(-1, "is over"), (0, "is over"), (121, "It is due"), (400, "Fourteen")])
    def test_is_refused_beyond_its_bounds(self, timed: World, hours: float, why: str) -> None:
        request = timed.submit()

        with pytest.raises(InvalidInput, match=why):
            snooze(change_request_id=request.id, user=timed.first, until=after(hours=hours), now=given.NOW)

        assert not Attention.objects.exists()

    def test_is_refused_once_it_is_due(self, timed: World) -> None:
        request = timed.submit()

        with pytest.raises(InvalidInput, match="It is due"):
            snooze(change_request_id=request.id, user=timed.first, until=after(hours=122), now=after(hours=121))

    def test_is_refused_where_nothing_waits(self, timed: World) -> None:
        with pytest.raises(NothingWaits):
            snooze(change_request_id=timed.submit().id, user=timed.author, until=after(hours=1), now=given.NOW)

    def test_is_hidden_with_the_request(self, timed: World) -> None:
        user = given.user("licensing", everywhere=False)

        with pytest.raises(NotFound):
            snooze(change_request_id=timed.submit().id, user=user, until=after(hours=1), now=given.NOW)

    def test_ends_with_the_revision(self, timed: World) -> None:
        request = timed.submit()
        snooze(change_request_id=request.id, user=timed.first, until=after(hours=70), now=given.NOW)
        services.amend(change_request_id=request.id, author=timed.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=timed.author, now=given.NOW)

        (waiting,) = waiting_for(timed.first, given.NOW)
        assert not waiting.snoozed(given.NOW)


class TestAcknowledge:
    def test_holds_back_reminders_until_it_is_due(self, timed: World) -> None:
        request = timed.submit()

        acknowledge(change_request_id=request.id, user=timed.first, now=given.NOW)

        (waiting,) = waiting_for(timed.first, given.NOW)
        assert waiting.rung(after(hours=119)) is None
        assert waiting.rung(after(hours=120)).step == "due"  # type: ignore[union-attr]

    def test_is_kept_once(self, timed: World) -> None:
        request = timed.submit()

        for _ in range(2):
            acknowledge(change_request_id=request.id, user=timed.first, now=given.NOW)

        assert Event.objects.filter(type="approvals.change_request.seen").count() == 1

    def test_is_not_kept_if_the_event_cannot_be_recorded(self, timed: World, break_ledger: Any) -> None:
        request = timed.submit()
        break_ledger("approvals.change_request.seen")

        with pytest.raises(LedgerDown), transaction.atomic():
            acknowledge(change_request_id=request.id, user=timed.first, now=given.NOW)

        assert not Attention.objects.exists()


@pytest.mark.django_db
class TestPreference:
    def test_is_one_of_two(self, world: World) -> None:
        choose_frequency(user=world.first, frequency="immediate")
        assert ReminderPreference.objects.get().frequency == "immediate"

        with pytest.raises(InvalidInput):
            choose_frequency(user=world.first, frequency="never")


@pytest.mark.django_db(transaction=True)
class TestEscalation:
    @pytest.fixture
    def timed(self, transactional_db: None) -> World:
        world = building.make()
        self.backup = given.user("finance")
        due_policy(backup_role="finance")
        return world

    def test_lets_the_backup_decide_and_tells_it(self, timed: World) -> None:
        request = timed.submit()

        assert stages.escalate_overdue(now=after(hours=HOURS + 95)) == 0
        assert stages.escalate_overdue(now=after(hours=HOURS + 96)) == 1
        assert stages.escalate_overdue(now=after(hours=HOURS + 97)) == 0

        assert stage_of(request).escalated_at == after(hours=HOURS + 96)
        assert told("is overdue") == [str(self.backup.id)]
        approve(request, self.backup)
        assert revision_of(request).decisions.count() == 1
        assert Event.objects.filter(type="approvals.change_request.escalated").count() == 1

    def test_tells_administrators_where_there_is_no_backup(self, timed: World) -> None:
        due_policy()
        administrator = given.user("administrator")
        timed.submit()

        stages.escalate_overdue(now=after(hours=HOURS + 96))

        assert told("is overdue") == [str(administrator.id)]
        assert "names no backup" in mails("is overdue")[0]["text"]

    def test_is_of_open_stages_alone(self, timed: World) -> None:
        withdrawn = timed.submit()
        services.withdraw(change_request_id=withdrawn.id, user=timed.author, now=given.NOW)
        timed.approved()
        timed.propose()

        assert stages.escalate_overdue(now=after(days=60)) == 0

    def test_is_undone_if_the_event_cannot_be_recorded(self, timed: World, break_ledger: Any) -> None:
        request = timed.submit()
        break_ledger("approvals.change_request.escalated")

        assert stages.escalate_overdue(now=after(days=60)) == 0

        assert stage_of(request).escalated_at is None
        assert told("is overdue") == []

    def test_happens_once_by_two_workers(self, timed: World) -> None:
        timed.submit()
        barrier, counts = threading.Barrier(2), []

        def work() -> None:
            try:
                barrier.wait()
                counts.append(stages.escalate_overdue(now=after(days=60)))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(counts) == [0, 1]
        assert len(mails("is overdue")) == 1
