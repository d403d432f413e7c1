"""
One effect for one Idempotency-Key, however often the request is sent.

The record of an answer is written in the transaction of its effect: both exist, or neither. While that transaction
runs, an advisory lock that ends with it says that the request is in flight; nothing has to be cleaned up after a
crash.

Source: IETF draft-ietf-httpapi-idempotency-key-header
"""

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api.models import IdempotencyRecord
from foundation.errors import Conflict, DomainError, InvalidInput

HEADER = "Idempotency-Key"
GREATEST_KEY_LENGTH = 255
KEEP = timedelta(hours=24)
REPLAYED_HEADERS = ("ETag", "Location")
PARAMETER = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    required=False,
    type={"type": "string", "minLength": 1, "maxLength": GREATEST_KEY_LENGTH, "pattern": "^[!-~]+$"},
    description="Names this request: sent again within 24 hours it is answered as the first time, and done once.",
)

Handler = Callable[..., Response]
# Refusals: the handler has decided, and nothing of it is half done.
REFUSALS = (DomainError, APIException, Http404, PermissionDenied)


class KeyReused(DomainError):
    """The key already names a request with another body or address."""

    code = "idempotency_key_reused"
    title = "The key names another request"
    status = 422


class RequestInFlight(Conflict):
    """The first request with this key is still being worked on."""

    code = "request_in_flight"
    title = "The first request is still in flight"


def idempotent(handler: Handler) -> Handler:
    """
    Let a view's handler (`post`, `create`, an action) honor the Idempotency-Key header, if the request has one.

    The handler runs in one transaction with the record of its answer. Only success is kept and answered again: a
    refusal changed nothing, so the same key may be sent again once the reason is gone. Not for handlers that answer
    with a secret, because answers are kept as they are for 24 hours.
    """

    @functools.wraps(handler)
    def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        call = functools.partial(handler, view, request, *args, **kwargs)
        return _answer_once(call, request=request, key=_checked(key), now=clock.now())

    answered.header_parameters = [PARAMETER]  # type: ignore[attr-defined]
    return answered


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete the answers that are no longer given again, and return how many."""
    deleted, _ = IdempotencyRecord.objects.filter(expires_at__lte=now).delete()
    return deleted


def _answer_once(call: Callable[[], Response], *, request: Request, key: str, now: datetime) -> Response:
    principal_id = request.user.pk
    if not isinstance(principal_id, UUID):
        raise InvalidInput(f"{HEADER} needs a signed-in sender. Send credentials, or leave the header out.")
    asked = fingerprint(request)
    refusal: Exception | None = None
    with transaction.atomic():
        _lock(principal_id=principal_id, key=key)
        kept = IdempotencyRecord.objects.filter(principal_id=principal_id, key=key).first()
        if kept and kept.expires_at > now:
            return _replay(kept, fingerprint=asked)
        if kept:
            kept.delete()
        try:
            response = call()
        except REFUSALS as error:
            # Raised again after the commit: what the handler chose to keep, it keeps, as it would without the header.
            refusal = error
        else:
            if response.status_code < 300:
                _keep(response, request=request, principal_id=principal_id, key=key, fingerprint=asked, now=now)
    if refusal is not None:
        raise refusal
    return response


def fingerprint(request: Request) -> str:
    """Return the SHA-256, in hex, of what the request asks: method, address with query, and body."""
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request._request.body).hexdigest()


def _checked(key: str) -> str:
    if not 1 <= len(key) <= GREATEST_KEY_LENGTH or not all("!" <= character <= "~" for character in key):
        raise InvalidInput(
            f"{HEADER} must be 1 to {GREATEST_KEY_LENGTH} visible ASCII characters, such as a UUID.",
            errors=[{"header": HEADER, "code": "invalid", "detail": "The header's value cannot be used as a key."}],
        )
    return key


def _lock(*, principal_id: UUID, key: str) -> None:
    name = hashlib.sha256(b"idempotency\x00" + principal_id.bytes + key.encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(name, "big", signed=True)])
        (locked,) = cursor.fetchone()
    if not locked:
        raise RequestInFlight("The first request with this key is still in flight. Wait, then send it again.")


def _replay(kept: IdempotencyRecord, *, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise KeyReused("This key was sent before with another request. Use a new key for a new request.")
    data = json.loads(kept.body) if kept.body else None
    return Response(data, status=kept.status_code, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _keep(
    response: Response, *, request: Request, principal_id: UUID, key: str, fingerprint: str, now: datetime
) -> None:
    body = JSONRenderer().render(response.data) if response.data is not None else b""
    IdempotencyRecord.objects.create(
        principal_id=principal_id,
        key=key,
        fingerprint=fingerprint,
        status_code=response.status_code,
        headers={name: response[name] for name in REPLAYED_HEADERS if name in response},
        body=body.decode(),
        created_at=now,
        expires_at=now + KEEP,
    )
