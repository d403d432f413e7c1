"""
A transport that connects to the very address it has checked.

A name is resolved once, every address of the answer is checked, and the socket is opened to one of those addresses
and never to the name: an answer that changes between check and use (rebinding) has nothing to change. TLS and the
Host header still carry the name.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import httpcore
import httpx

from foundation.http.addresses import Address, Target, check_address, read_address
from foundation.http.errors import OutgoingRefused

# host, port → the textual addresses of one answer
Resolver = Callable[[str, int], Sequence[str]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline:
    """An end that every step of one request shares, however slowly the other side sends."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def remaining(self) -> float:
        """
        Return the seconds left.

        :raises httpcore.ReadTimeout: if there are none
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The time for the whole request is over.")
        return left


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a host as the system's resolver answers it."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


class GuardedTransport(httpx.BaseTransport):
    """Sends one request to one checked target, over a connection of its own."""

    def __init__(self, *, target: Target, deadline: Deadline, resolver: Resolver, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            retries=0,
            network_backend=GuardedBackend(target=target, deadline=deadline, resolver=resolver),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; the response's body is read by whoever closes it."""
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("The guarded transport sends synchronous bodies only.")
        core_request = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        response = self._pool.handle_request(core_request)
        if not isinstance(response.stream, Iterable):
            raise TypeError("The connection answered with an asynchronous stream.")
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream, close=response.close),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class GuardedBackend(httpcore.NetworkBackend):
    """Opens sockets to checked addresses of the target, and to nothing else."""

    def __init__(self, *, target: Target, deadline: Deadline, resolver: Resolver) -> None:
        self._target = target
        self._deadline = deadline
        self._resolver = resolver
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """
        Connect to the first address of the target that answers.

        :raises OutgoingRefused: if one of its addresses may not be reached, or another target is asked for
        """
        if (host.lower().removesuffix("."), port) != (self._target.host, self._target.port):
            raise OutgoingRefused("The connection would go to another host than the one that was checked.")
        failure: Exception | None = None
        for address in self._addresses():
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, timeout=self._deadline.remaining(), socket_options=socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
            else:
                return DeadlineStream(stream, deadline=self._deadline)
        raise failure or httpcore.ConnectError("The name has no address.")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore.NetworkStream:
        """Refuse: no target is a socket of this machine."""
        raise OutgoingRefused("Sockets of this machine are not reached.")

    def _addresses(self) -> list[Address]:
        texts = _resolve_within(
            self._resolver, self._target.host, self._target.port, seconds=self._deadline.remaining()
        )
        addresses = [read_address(text) for text in texts]
        for address in addresses:
            # One inward address among public ones is an attempt, not an accident: all are refused.
            check_address(address, internal=self._target.internal)
        return addresses


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step ends when the whole request must."""

    def __init__(self, stream: httpcore.NetworkStream, *, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read some bytes in the time that is left."""
        return self._stream.read(max_bytes, timeout=self._deadline.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the bytes in the time that is left."""
        self._stream.write(buffer, timeout=self._deadline.remaining())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS under the target's name in the time that is left."""
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=self._deadline.remaining())
        return DeadlineStream(stream, deadline=self._deadline)

    def get_extra_info(self, info: str) -> object:
        """Return what the connection knows about itself."""
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes], *, close: Callable[[], None]) -> None:
        self._stream = stream
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._close()


def _resolve_within(resolver: Resolver, host: str, port: int, *, seconds: float) -> Sequence[str]:
    # The system's resolver takes no time limit: it is asked in a thread that may be left behind.
    answer: queue.Queue[Sequence[str] | OSError] = queue.Queue(maxsize=1)

    def ask() -> None:
        try:
            answer.put(resolver(host, port))
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        result = answer.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("The name was not resolved in time.") from None
    if isinstance(result, OSError):
        raise httpcore.ConnectError("The name does not resolve.") from result
    return result
