"""Mail by way of the outbox."""

import smtplib
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.core.mail.message import EmailMessage
from django.db import transaction

from foundation.identity.models import User
from foundation.mail import sender, services
from foundation.outbox.errors import SendFailed
from foundation.outbox.models import OutboxMessage
from foundation.outbox.senders import Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    return User.objects.create_user(username="reader", email="reader@example.com")


def attempt(now: datetime, user_id: uuid.UUID, **content: str) -> Delivery:
    payload = {"user_id": str(user_id), "subject": "Trial ends", "text": "Soon.", "html": ""} | content
    return Delivery(id=uuid.UUID(int=7), kind="mail", payload=payload, attempt=1, created_at=now, now=now)


def failing(error: Exception) -> Callable[..., int]:
    def fail(*args: Any, **kwargs: Any) -> int:
        raise error

    return fail


class TestServicesSend:
    def test_writes_one_message_for_each_person_without_an_address(self, now: datetime, reader: User) -> None:
        other = uuid.uuid4()
        with transaction.atomic():
            services.send(recipients=[reader.id, other, reader.id], subject="S", text="T", now=now, key="k")

        messages = OutboxMessage.objects.order_by("key")
        assert {message.key for message in messages} == {f"mail:k:{reader.id}", f"mail:k:{other}"}
        assert "example.com" not in str([message.payload for message in messages])


class TestSenderSend:
    def test_sends_under_a_stable_message_id(self, now: datetime, reader: User) -> None:
        sender.send(attempt(now, reader.id, html="<p>Soon.</p>"))
        sender.send(attempt(now, reader.id))

        first, second = mail.outbox
        assert first.to == ["reader@example.com"]
        assert first.message()["Message-ID"] == second.message()["Message-ID"] == f"<{uuid.UUID(int=7)}@testserver>"
        assert isinstance(first, mail.EmailMultiAlternatives)
        assert first.alternatives[0][0] == "<p>Soon.</p>"

    def test_gives_up_on_people_who_are_gone(self, now: datetime, reader: User) -> None:
        reader.is_active = False
        reader.save()

        for user_id in (reader.id, uuid.uuid4()):
            with pytest.raises(SendFailed) as refusal:
                sender.send(attempt(now, user_id))
            assert refusal.value.permanent

    def test_gives_up_on_people_without_an_address(self, now: datetime) -> None:
        user = User.objects.create_user(username="none")

        with pytest.raises(SendFailed, match="no mail address"):
            sender.send(attempt(now, user.id))

    @pytest.mark.parametrize(
        ("error", "permanent"),
        [
            (smtplib.SMTPRecipientsRefused({"reader@example.com": (550, b"unknown")}), True),
            (smtplib.SMTPRecipientsRefused({"reader@example.com": (450, b"greylisted")}), False),
            (smtplib.SMTPDataError(554, b"refused"), True),
            (smtplib.SMTPDataError(451, b"later"), False),
            (smtplib.SMTPServerDisconnected(), False),
            (ConnectionRefusedError(), False),
        ],
    )
    def test_tells_what_may_succeed_later(
        self, now: datetime, reader: User, monkeypatch: pytest.MonkeyPatch, error: Exception, permanent: bool
    ) -> None:
        monkeypatch.setattr(EmailMessage, "send", failing(error))

        with pytest.raises(SendFailed) as failure:
            sender.send(attempt(now, reader.id))

        assert failure.value.permanent is permanent
        assert "example.com" not in str(failure.value)

    def test_gives_up_on_a_subject_that_cannot_be_sent(self, now: datetime, reader: User) -> None:
        with pytest.raises(SendFailed) as failure:
            sender.send(attempt(now, reader.id, subject="a\nBcc: b@example.com"))

        assert failure.value.permanent
