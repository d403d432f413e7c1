"""The workers' loop, with real threads."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from foundation.outbox import delivery, doorbell, senders, services
from foundation.outbox.errors import SendFailed, UnknownMessageKind
from foundation.outbox.models import OutboxMessage, Status

KIND = "test.note"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(doorbell.current_app, "send_task", lambda name, **options: None)
    before = dict(senders._senders)
    yield
    senders._senders.clear()
    senders._senders.update(before)


def write(now: datetime, *, count: int = 1) -> list[OutboxMessage]:
    with transaction.atomic():
        return [services.enqueue(kind=KIND, payload={"n": number}, now=now) for number in range(count)]


def run_in_threads(count: int, work: Any) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(run) for _ in range(count)]:
            future.result()


class TestDeliverDue:
    def test_sends_each_message_once_among_eight_workers(self, now: datetime) -> None:
        sent: list[Any] = []
        senders.register(KIND)(lambda attempt: sent.append(attempt.id))
        messages = write(now, count=120)

        run_in_threads(8, lambda: delivery.deliver_due(now=now, limit=1000))

        assert Counter(sent) == Counter(message.id for message in messages)
        assert OutboxMessage.objects.filter(status=Status.DONE, attempts=1).count() == 120

    def test_claims_each_message_once_among_eight_workers(self, now: datetime) -> None:
        senders.register(KIND)(lambda attempt: None)
        messages = write(now, count=200)
        claimed: list[Any] = []

        def work() -> None:
            while batch := services.claim(kinds=[KIND], now=now, limit=7):
                claimed.extend(message.id for message in batch)

        run_in_threads(8, work)

        assert Counter(claimed) == Counter(message.id for message in messages)

    def test_sends_outside_any_transaction(self, now: datetime) -> None:
        open_transactions: list[bool] = []
        senders.register(KIND)(lambda attempt: open_transactions.append(connection.in_atomic_block))
        write(now)

        delivery.deliver_due(now=now)

        assert open_transactions == [False]

    def test_refuses_to_run_inside_a_transaction(self, now: datetime) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            delivery.deliver_due(now=now, kinds=["mail"])

    def test_tells_the_sender_id_and_attempt(self, now: datetime) -> None:
        seen: list[senders.Delivery] = []

        @senders.register(KIND)
        def send(attempt: senders.Delivery) -> None:
            seen.append(attempt)
            if attempt.attempt == 1:
                raise SendFailed("Busy.")

        (message,) = write(now)

        first = delivery.deliver_due(now=now)
        second = delivery.deliver_due(now=now + timedelta(minutes=1))

        assert (first.retried, second.done) == (1, 1)
        assert [(attempt.id, attempt.attempt) for attempt in seen] == [(message.id, 1), (message.id, 2)]

    def test_tries_again_what_broke(self, now: datetime) -> None:
        @senders.register(KIND)
        def send(attempt: senders.Delivery) -> None:
            raise ZeroDivisionError("by zero")

        (message,) = write(now)

        report = delivery.deliver_due(now=now)

        message.refresh_from_db()
        assert (report.retried, message.status) == (1, Status.PENDING)
        assert message.last_error == "ZeroDivisionError: by zero"

    def test_gives_up_what_cannot_succeed(self, now: datetime) -> None:
        @senders.register(KIND)
        def send(attempt: senders.Delivery) -> None:
            raise SendFailed("Gone.", permanent=True)

        write(now)

        assert delivery.deliver_due(now=now).dead == 1

    def test_does_not_finish_what_another_worker_took_over(self, now: datetime) -> None:
        @senders.register(KIND)
        def send(attempt: senders.Delivery) -> None:
            later = now + timedelta(hours=1)
            if attempt.attempt == 1:
                services.sweep(now=later)
                services.claim(kinds=[KIND], now=later, limit=1)

        (message,) = write(now)

        report = delivery.deliver_due(now=now)

        message.refresh_from_db()
        assert (report.lost, message.status, message.attempts) == (1, Status.LEASED, 2)

    def test_stops_at_the_limit(self, now: datetime) -> None:
        senders.register(KIND)(lambda attempt: None)
        write(now, count=5)

        assert delivery.deliver_due(now=now, limit=3).attempts == 3

    def test_refuses_a_kind_without_sender(self, now: datetime) -> None:
        with pytest.raises(UnknownMessageKind):
            delivery.deliver_due(now=now, kinds=["test.unknown"])

    def test_writes_the_time_at_which_an_attempt_ended(self, now: datetime) -> None:
        senders.register(KIND)(lambda attempt: time.sleep(0.05))
        (message,) = write(now)

        delivery.deliver_due(now=now)

        message.refresh_from_db()
        assert message.done_at is not None
        assert message.done_at - now >= timedelta(seconds=0.05)


class TestEnqueueInParallel:
    def test_writes_one_message_for_a_key_among_eight_writers(self, now: datetime) -> None:
        senders.register(KIND)(lambda attempt: None)

        def work() -> None:
            with transaction.atomic():
                services.enqueue(kind=KIND, payload={"n": 1}, now=now, key="once")

        run_in_threads(8, work)

        assert OutboxMessage.objects.count() == 1
