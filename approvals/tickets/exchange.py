"""One JSON request to a ticket system through the guarded client; every failure is one TicketFailed."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from approvals.tickets.connectors import Connection
from approvals.tickets.errors import TicketFailed
from foundation.http import client
from foundation.http.client import Answer, Limits
from foundation.http.errors import OutgoingFailed, OutgoingRefused

JSON = Any
GREATEST_WAIT = timedelta(hours=24)
GREATEST_SAID = 300
# Statuses that pass by themselves, besides 5xx.
PASSING = frozenset({408, 409, 423, 425, 429})


def ask(
    connection: Connection,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: JSON = None,
) -> JSON:
    """
    Send one request and return the answer's JSON value; None if the answer is empty.

    :raises TicketFailed: if the answer is no success, or is not JSON
    """
    url = connection.base_url.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
    headers = {"Accept": "application/json", "Authorization": _credentials(connection)}
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    try:
        answer = client.send(
            method=method, url=url, headers=headers, body=content, limits=Limits(seconds=connection.seconds)
        )
    except OutgoingRefused as error:
        raise TicketFailed(f"{error.message} Correct the system's address.", permanent=True) from error
    except OutgoingFailed as error:
        raise TicketFailed(error.message) from error
    if not answer.succeeded:
        raise refusal(answer)
    return _parsed(answer)


def _credentials(connection: Connection) -> str:
    secret = connection.secret.reveal()
    if not connection.account:
        return f"Bearer {secret}"
    return "Basic " + base64.b64encode(f"{connection.account}:{secret}".encode()).decode("ascii")


def _parsed(answer: Answer) -> JSON:
    if not answer.body.strip():
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise TicketFailed(
            f"The system answers {answer.status} with something that is not JSON. Is its address right, is it awake?"
        ) from error


def refusal(answer: Answer) -> TicketFailed:
    """What an answer that is no success means."""
    status, said = answer.status, _said(answer)
    if 300 <= status < 400:
        return TicketFailed(
            f"The system answers {status} and sends us elsewhere, where we do not follow. Correct its address.",
            permanent=True,
        )
    if status == 401:
        return TicketFailed(
            f"The system does not accept our credentials (401{said}). Enter the account and secret again.",
            permanent=True,
        )
    if status == 403:
        return TicketFailed(
            f"The system forbids this to our account (403{said}). Give the account the rights that it needs.",
            permanent=True,
        )
    if status == 404:
        return TicketFailed(
            f"The system has no such ticket, or hides it from our account (404{said}).", permanent=True, missing=True
        )
    if status in PASSING or status >= 500:
        return TicketFailed(f"The system answers {status}{said}.", retry_after=_retry_after(answer))
    return TicketFailed(f"The system refuses this ({status}{said}). Mend what it names.", permanent=True)


def _retry_after(answer: Answer) -> timedelta | None:
    """How long the system asks us to wait: seconds, or a date; at most a day."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return min(timedelta(seconds=min(int(value[:9]), 86_400)), GREATEST_WAIT)
    try:
        wait = parsedate_to_datetime(value) - _date_of(answer)
    except (ValueError, TypeError, IndexError):
        return None
    return min(max(wait, timedelta()), GREATEST_WAIT)


def _date_of(answer: Answer) -> datetime:
    # By the system's own clock, so that ours need not agree with it.
    return parsedate_to_datetime(answer.headers.get("Date", "")).replace(tzinfo=UTC)


def _said(answer: Answer) -> str:
    """What the answer says went wrong, in the shapes of the products' error bodies; empty if it says nothing."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, Mapping):
        return ""
    parts: list[str] = []
    error = body.get("error")
    if isinstance(error, Mapping):
        parts += [str(error.get(name) or "") for name in ("message", "detail")]
    parts.append(str(body.get("errorMessage") or ""))
    if isinstance(body.get("errorMessages"), list):
        parts += map(str, body["errorMessages"])
    if isinstance(body.get("errors"), Mapping):
        parts += [f"{name}: {text}" for name, text in body["errors"].items()]
    said = " ".join(" ".join(part.split()) for part in parts if part)
    said = "".join(character for character in said if character.isprintable())[:GREATEST_SAID].strip().rstrip(".")
    return f": {said}" if said else ""


def mapping(value: JSON, *names: str) -> Mapping[str, JSON]:
    """
    The object at a path of an answer.

    :raises TicketFailed: if there is none
    """
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        raise malformed()
    return value


def text(value: JSON, *, pattern: str) -> str:
    """
    A text of an answer that fits a pattern.

    :raises TicketFailed: if it does not
    """
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise malformed()
    return value


def malformed() -> TicketFailed:
    """The answer is JSON of another shape than the product documents."""
    return TicketFailed("The system answers in a shape that its documentation does not have. Is its address right?")
