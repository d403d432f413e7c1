"""The outbox: written with the decision, delivered at least once, given up before a person's eyes."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from foundation.errors import NotFound
from foundation.outbox import doorbell, senders, services
from foundation.outbox.backoff import GREATEST_ATTEMPTS, GREATEST_DELAY, delay_after
from foundation.outbox.errors import KeyTaken, LeaseLost, NotDead, OutsideTransaction, UnknownMessageKind
from foundation.outbox.models import OutboxMessage, Status

KIND = "test.note"


@pytest.fixture(autouse=True)
def sent() -> Iterator[list[senders.Delivery]]:
    deliveries: list[senders.Delivery] = []
    before = dict(senders._senders)
    senders.register(KIND)(deliveries.append)
    yield deliveries
    senders._senders.clear()
    senders._senders.update(before)


@pytest.fixture(autouse=True)
def rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tasks: list[str] = []
    monkeypatch.setattr(doorbell.current_app, "send_task", lambda name, **options: tasks.append(name))
    return tasks


def write(now: datetime, **kwargs: Any) -> OutboxMessage:
    with transaction.atomic():
        return services.enqueue(**({"kind": KIND, "payload": {"n": 1}, "now": now} | kwargs))


def claim_one(now: datetime) -> OutboxMessage:
    (message,) = services.claim(kinds=[KIND], now=now, limit=1)
    return message


def lease_of(message: OutboxMessage) -> uuid.UUID:
    assert message.lease is not None
    return message.lease


@pytest.mark.django_db(transaction=True)
class TestEnqueueAndTransactions:
    def test_refuses_to_write_outside_a_transaction(self, now: datetime) -> None:
        with pytest.raises(OutsideTransaction):
            services.enqueue(kind=KIND, payload={}, now=now)

        assert not OutboxMessage.objects.exists()

    def test_leaves_nothing_of_a_decision_that_was_rolled_back(self, now: datetime, rings: list[str]) -> None:
        with transaction.atomic():
            services.enqueue(kind=KIND, payload={}, now=now)
            transaction.set_rollback(True)

        assert not OutboxMessage.objects.exists()
        assert rings == []

    def test_rings_once_for_many_messages(self, now: datetime, rings: list[str]) -> None:
        with transaction.atomic():
            for number in range(3):
                services.enqueue(kind=KIND, payload={"n": number}, now=now)
            assert rings == []

        assert rings == ["foundation.tasks.deliver_outbox"]

    def test_loses_nothing_with_the_broker(self, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: str, **options: Any) -> None:
            raise ConnectionError

        monkeypatch.setattr(doorbell.current_app, "send_task", broken)

        message = write(now)

        assert OutboxMessage.objects.get(id=message.id).status == Status.PENDING

    def test_refuses_to_claim_inside_a_transaction(self, now: datetime) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            services.claim(kinds=[KIND], now=now, limit=1)


@pytest.mark.django_db
class TestEnqueue:
    def test_refuses_a_kind_that_nothing_can_send(self, now: datetime) -> None:
        with pytest.raises(UnknownMessageKind):
            write(now, kind="test.unknown")

    def test_writes_one_message_for_a_key(self, now: datetime) -> None:
        first = write(now, key="invoice-1", payload={"ends_at": now})
        second = write(now, key="invoice-1", payload={"ends_at": now})

        assert first.id == second.id
        assert OutboxMessage.objects.count() == 1

    @pytest.mark.parametrize("other", [{"payload": {"n": 2}}, {"kind": "test.other"}])
    def test_refuses_other_content_under_the_same_key(self, now: datetime, other: dict[str, Any]) -> None:
        senders.register("test.other")(lambda delivery: None)
        write(now, key="invoice-1")

        with pytest.raises(KeyTaken):
            write(now, key="invoice-1", **other)

    def test_stores_values_in_their_json_form(self, now: datetime) -> None:
        message = write(now, payload={"id": uuid.UUID(int=1), "at": now})

        message.refresh_from_db()
        assert message.payload == {"id": str(uuid.UUID(int=1)), "at": "2026-03-02T10:00:00Z"}


@pytest.mark.django_db
class TestClaim:
    def test_leases_due_messages_oldest_first(self, now: datetime) -> None:
        late = write(now)
        early = write(now - timedelta(hours=1))
        write(now + timedelta(seconds=1))

        claimed = services.claim(kinds=[KIND], now=now, limit=10, lease_seconds=60)

        assert [message.id for message in claimed] == [early.id, late.id]
        early.refresh_from_db()
        assert (early.status, early.attempts) == (Status.LEASED, 1)
        assert early.leased_until == now + timedelta(seconds=60)
        assert early.lease == claimed[0].lease

    def test_claims_only_the_kinds_asked_for(self, now: datetime) -> None:
        write(now)

        assert services.claim(kinds=["mail"], now=now, limit=10) == []

    def test_does_not_claim_twice(self, now: datetime) -> None:
        write(now)
        claim_one(now)

        assert services.claim(kinds=[KIND], now=now, limit=10) == []


@pytest.mark.django_db
class TestComplete:
    def test_ends_the_message(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)

        services.complete(id=message.id, lease=lease_of(message), now=now)

        message.refresh_from_db()
        assert (message.status, message.done_at, message.lease) == (Status.DONE, now, None)

    def test_refuses_a_late_holder(self, now: datetime) -> None:
        write(now)
        late = claim_one(now)
        services.sweep(now=now + timedelta(hours=1))
        current = claim_one(now + timedelta(hours=1))

        with pytest.raises(LeaseLost):
            services.complete(id=late.id, lease=lease_of(late), now=now)
        with pytest.raises(LeaseLost):
            services.fail(id=late.id, lease=lease_of(late), now=now, error="Too late.")

        services.complete(id=current.id, lease=lease_of(current), now=now)

    def test_refuses_a_second_completion(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)
        services.complete(id=message.id, lease=lease_of(message), now=now)

        with pytest.raises(LeaseLost):
            services.complete(id=message.id, lease=lease_of(message), now=now)


@pytest.mark.django_db
class TestFail:
    def test_tries_again_after_the_back_off(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)

        status = services.fail(id=message.id, lease=lease_of(message), now=now, error="Busy.")

        message.refresh_from_db()
        assert (status, message.status, message.last_error) == (Status.PENDING, Status.PENDING, "Busy.")
        assert message.next_attempt_at == now + delay_after(attempts=1, message_id=message.id)

    def test_waits_as_long_as_the_receiver_asks(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)

        services.fail(id=message.id, lease=lease_of(message), now=now, error="Busy.", retry_after=timedelta(hours=2))

        message.refresh_from_db()
        assert message.next_attempt_at == now + timedelta(hours=2)

    def test_gives_up_at_once_if_it_is_permanent(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)

        services.fail(id=message.id, lease=lease_of(message), now=now, error="Gone.", permanent=True)

        message.refresh_from_db()
        assert (message.status, message.dead_at) == (Status.DEAD, now)

    def test_gives_up_after_the_last_attempt(self, now: datetime) -> None:
        write(now)
        statuses = []
        for _ in range(GREATEST_ATTEMPTS):
            message = claim_one(now)
            statuses.append(services.fail(id=message.id, lease=lease_of(message), now=now, error="Busy\x00."))
            now += timedelta(days=2)

        assert statuses == [Status.PENDING] * (GREATEST_ATTEMPTS - 1) + [Status.DEAD]
        assert services.claim(kinds=[KIND], now=now, limit=10) == []


@pytest.mark.django_db
class TestSweep:
    def test_takes_back_expired_leases_only(self, now: datetime) -> None:
        write(now)
        services.claim(kinds=[KIND], now=now, limit=1, lease_seconds=60)

        assert services.sweep(now=now + timedelta(seconds=60)) == 0
        assert services.sweep(now=now + timedelta(seconds=61)) == 1

        message = claim_one(now + timedelta(seconds=61))
        assert message.attempts == 2

    def test_gives_up_a_message_that_kills_its_workers(self, now: datetime) -> None:
        message = write(now)
        for _ in range(GREATEST_ATTEMPTS):
            claim_one(now)
            now += timedelta(hours=1)
            services.sweep(now=now)

        message.refresh_from_db()
        assert message.status == Status.DEAD


@pytest.mark.django_db
class TestReplay:
    def test_sends_a_dead_message_again_under_its_id(self, now: datetime) -> None:
        write(now)
        message = claim_one(now)
        services.fail(id=message.id, lease=lease_of(message), now=now, error="Gone.", permanent=True)

        services.replay(id=message.id, now=now)

        again = claim_one(now)
        assert (again.id, again.attempts) == (message.id, 1)

    def test_refuses_a_message_that_was_not_given_up(self, now: datetime) -> None:
        message = write(now)

        with pytest.raises(NotDead):
            services.replay(id=message.id, now=now)

    def test_refuses_an_unknown_message(self, now: datetime) -> None:
        with pytest.raises(NotFound):
            services.replay(id=uuid.uuid4(), now=now)


@pytest.mark.django_db
class TestPurge:
    def test_deletes_what_was_delivered_long_ago(self, now: datetime) -> None:
        waiting = write(now + timedelta(seconds=1))
        write(now)
        message = claim_one(now)
        services.complete(id=message.id, lease=lease_of(message), now=now)

        assert services.purge(now=now + timedelta(days=30)) == 0
        assert services.purge(now=now + timedelta(days=31)) == 1
        assert OutboxMessage.objects.get().id == waiting.id


class TestDelayAfter:
    def test_grows_by_a_factor_with_a_quarter_of_jitter(self) -> None:
        for attempts in range(1, GREATEST_ATTEMPTS):
            plain = min(timedelta(seconds=5) * 5 ** (attempts - 1), GREATEST_DELAY)
            for number in range(50):
                delay = delay_after(attempts=attempts, message_id=uuid.UUID(int=number))
                assert plain * 0.75 <= delay <= plain * 1.25

    def test_spreads_messages_that_failed_together(self) -> None:
        delays = {delay_after(attempts=3, message_id=uuid.UUID(int=number)) for number in range(100)}

        assert len(delays) > 90


@pytest.mark.django_db
class TestConstraints:
    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"status": "other"}, "outbox_message_status_known"),
            ({"status": "leased"}, "outbox_message_lease_paired"),
            ({"lease": uuid.UUID(int=1)}, "outbox_message_lease_paired"),
            ({"status": "done"}, "outbox_message_done_paired"),
            ({"status": "dead"}, "outbox_message_dead_paired"),
        ],
    )
    def test_hold_status_and_instants_together(self, now: datetime, change: dict[str, Any], name: str) -> None:
        message = write(now)

        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            OutboxMessage.objects.filter(id=message.id).update(**change)

    @pytest.mark.parametrize("index", ["outbox_message_due", "outbox_message_leased"])
    def test_due_and_leased_rows_have_partial_indexes(self, index: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
            (definition,) = cursor.fetchone()

        assert "WHERE" in definition
