"""
The one way out: every outgoing HTTP request of the project goes through `send`.

Targets are typed in by people who may be mistaken or worse. See `addresses.py` for what may be reached and
`transport.py` for why a check cannot be outrun.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx
from django.conf import settings
from django.db import connection

from foundation.http.addresses import Target, check_target
from foundation.http.errors import OutgoingFailed
from foundation.http.transport import Deadline, GuardedTransport, Resolver, resolve

USER_AGENT = "Tenure"
CONNECTION_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


@dataclass(frozen=True)
class Limits:
    """How long the whole request may take, and how many bytes of body its answer may have."""

    seconds: float = 20.0
    answer_bytes: int = 1_048_576


@dataclass(frozen=True)
class Answer:
    """What the target answered. Any status is an answer; redirects are not followed, so 3xx is one too."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300


def check(url: str) -> Target:
    """
    Refuse a URL that could never be sent to; for forms, before it is stored. Names are resolved only when sending.

    :raises OutgoingRefused: if it could not
    """
    return check_target(url, allowed_internal=settings.HTTP_ALLOWED_INTERNAL_HOSTS)


def send(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    limits: Limits | None = None,
    resolver: Resolver = resolve,
) -> Answer:
    """
    Send one request and return the whole answer, within the limits.

    Never call it inside a transaction: write an outbox message, whose sender calls it.

    :raises RuntimeError: if a transaction is open
    :raises OutgoingRefused: if the target, or an address that its name resolves to, may not be reached
    :raises OutgoingFailed: if there is no answer in time, it is too large, or the connection breaks
    """
    _check_outside_transaction()
    limits = limits or Limits()
    target = check(url)
    deadline = Deadline(limits.seconds)
    transport = GuardedTransport(target=target, deadline=deadline, resolver=resolver, ssl_context=_tls())
    # Compression is declined: what is counted is what is kept.
    sent_headers = {"User-Agent": USER_AGENT, **(headers or {}), "Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(
                transport=transport, trust_env=False, follow_redirects=False, timeout=limits.seconds
            ) as client,
            client.stream(method, target.url, headers=sent_headers, content=body) as response,
        ):
            return Answer(response.status_code, response.headers, _read(response, limit=limits.answer_bytes))
    except (httpcore.TimeoutException, httpx.TimeoutException) as error:
        raise OutgoingFailed(f"{target.host} did not answer within {limits.seconds:g} seconds.") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, *CONNECTION_ERRORS) as error:
        raise OutgoingFailed(f"The request to {target.host} failed: {type(error).__name__}.") from error


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates of the authorities takes longer than many requests.
    return httpx.create_ssl_context()


def _check_outside_transaction() -> None:
    # The condition of Django's durable transactions, which also passes over the one that a test case holds open.
    blocks = connection.atomic_blocks
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("An outgoing request would hold a transaction open. Write an outbox message instead.")


def _read(response: httpx.Response, *, limit: int) -> bytes:
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > limit:
            raise OutgoingFailed(f"The answer of {response.url.host} is longer than {limit} bytes.")
    return bytes(body)
