"""Sends a mail message of the outbox through Django's mail."""

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives

from foundation.identity.models import User
from foundation.outbox.errors import SendFailed
from foundation.outbox.senders import Delivery, register

KIND = "mail"


@register(KIND)
def send(delivery: Delivery) -> None:
    """
    Send one mail. Its Message-ID follows from the message's id: a mail server that sees it twice can tell.

    :raises SendFailed: permanently, if the person cannot be written to or the server refuses the mail for good
    """
    message = EmailMultiAlternatives(
        subject=delivery.payload["subject"],
        body=delivery.payload["text"],
        to=[_address(delivery.payload["user_id"])],
        headers={"Message-ID": message_id(delivery), "Auto-Submitted": "auto-generated"},
    )
    if delivery.payload.get("html"):
        message.attach_alternative(delivery.payload["html"], "text/html")
    try:
        message.send()
    except BadHeaderError as error:
        raise SendFailed(f"The mail has a header that cannot be sent: {error}", permanent=True) from error
    except smtplib.SMTPRecipientsRefused as error:
        # Codes only: the error's own text holds the address.
        codes = [code for code, _ in error.recipients.values()]
        raise SendFailed(f"The mail server refuses the recipient ({codes}).", permanent=_for_good(codes)) from error
    except smtplib.SMTPResponseException as error:
        raise SendFailed(
            f"The mail server answers {error.smtp_code}.", permanent=_for_good([error.smtp_code])
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise SendFailed(f"The mail server cannot be reached: {type(error).__name__}.") from error


def message_id(delivery: Delivery) -> str:
    """Return the Message-ID of every attempt to send this message."""
    return f"<{delivery.id}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def _address(user_id: str) -> str:
    user = User.objects.filter(id=user_id, is_active=True).only("email").first()
    if user is None:
        raise SendFailed(f"The login {user_id} is gone or not active any more.", permanent=True)
    if not user.email:
        raise SendFailed(f"The login {user_id} has no mail address.", permanent=True)
    return user.email


def _for_good(codes: list[int]) -> bool:
    return bool(codes) and all(500 <= code < 600 for code in codes)
