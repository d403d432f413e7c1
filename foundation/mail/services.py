"""Mail to people, by way of the outbox."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from foundation.mail import sender
from foundation.outbox import services as outbox
from foundation.outbox.models import OutboxMessage


def send(
    *, recipients: Iterable[UUID], subject: str, text: str, now: datetime, html: str = "", key: str | None = None
) -> list[OutboxMessage]:
    """
    Write one message for each recipient, in the current transaction; each is sent, and tried again, on its own.

    `recipients` are ids of logins: their addresses are read when the mail is sent, so that none stays behind here.
    `key` names the occasion: the same person gets one mail for it.

    :raises OutsideTransaction: if there is no transaction
    :raises KeyTaken: if the key already names other mail to the same person
    """
    content = {"subject": subject, "text": text, "html": html}
    return [
        outbox.enqueue(
            kind=sender.KIND,
            payload={"user_id": user_id, **content},
            now=now,
            key=f"mail:{key}:{user_id}" if key else None,
        )
        for user_id in dict.fromkeys(recipients)
    ]
