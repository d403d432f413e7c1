"""The guarded client, against a server of this machine."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from foundation.http import client
from foundation.http.client import Limits, send
from foundation.http.errors import OutgoingFailed, OutgoingRefused

NAME = "target.test"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        {"/redirect": self.redirect, "/large": self.large, "/slow": self.slow, "/drip": self.drip}.get(
            self.path, self.plain
        )()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, body + b" " + self.headers["Host"].encode())

    def plain(self) -> None:
        self.answer(200, self.headers["Accept-Encoding"].encode())

    def redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def large(self) -> None:
        self.answer(200, b"x" * 5000)

    def slow(self) -> None:
        time.sleep(1)
        self.answer(200, b"late")

    def drip(self) -> None:
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.05)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port(loopback: None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(port: int, settings: Any) -> str:
    settings.HTTP_ALLOWED_INTERNAL_HOSTS = [f"{NAME}:{port}"]
    return f"http://{NAME}:{port}"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record every connection that is asked for, and make none."""
    made: list[Any] = []

    def record(address: Any, *args: Any, **kwargs: Any) -> socket.socket:
        made.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", record)
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: record(address))
    return made


def answering(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Answer a resolver that gives these answers one after the other."""
    remaining = list(answers)
    return lambda host, port: remaining.pop(0) if len(remaining) > 1 else remaining[0]


HERE = answering(["127.0.0.1"])


class TestSend:
    def test_sends_and_returns_the_whole_answer(self, url: str) -> None:
        answer = send(method="POST", url=f"{url}/x", body=b"hello", resolver=HERE)

        assert (answer.status, answer.succeeded) == (201, True)
        assert answer.body == b"hello " + url.removeprefix("http://").encode()

    def test_declines_compression(self, url: str) -> None:
        assert send(method="GET", url=f"{url}/", headers={"Accept-Encoding": "gzip"}, resolver=HERE).body == b"identity"

    def test_does_not_follow_a_redirect(self, url: str) -> None:
        answer = send(method="GET", url=f"{url}/redirect", resolver=HERE)

        assert (answer.status, answer.succeeded) == (302, False)

    def test_refuses_an_answer_beyond_the_limit(self, url: str) -> None:
        with pytest.raises(OutgoingFailed, match="longer than 1000 bytes"):
            send(method="GET", url=f"{url}/large", limits=Limits(answer_bytes=1000), resolver=HERE)

    def test_gives_up_when_the_answer_is_late(self, url: str) -> None:
        with pytest.raises(OutgoingFailed, match="did not answer within"):
            send(method="GET", url=f"{url}/slow", limits=Limits(seconds=0.2), resolver=HERE)

    def test_gives_up_on_an_answer_that_drips(self, url: str) -> None:
        started = time.monotonic()

        with pytest.raises(OutgoingFailed, match="did not answer within"):
            send(method="GET", url=f"{url}/drip", limits=Limits(seconds=0.4), resolver=HERE)

        assert time.monotonic() - started < 2

    def test_gives_up_on_a_resolver_that_is_late(self, url: str) -> None:
        with pytest.raises(OutgoingFailed, match="did not answer within"):
            send(
                method="GET",
                url=url,
                limits=Limits(seconds=0.2),
                resolver=lambda host, port: time.sleep(1) or ["127.0.0.1"],  # type: ignore[func-returns-value]
            )

    def test_tells_that_a_name_does_not_resolve(self, url: str) -> None:
        def unknown(host: str, port: int) -> Sequence[str]:
            raise socket.gaierror

        with pytest.raises(OutgoingFailed):
            send(method="GET", url=url, resolver=unknown)

    def test_tells_that_a_connection_was_refused(self, url: str, connections: list[Any]) -> None:
        with pytest.raises(OutgoingFailed):
            send(method="GET", url=url, resolver=HERE)

        assert len(connections) == 1


class TestWhatIsConnectedTo:
    @pytest.mark.parametrize(
        "answers",
        [
            ["127.0.0.1"],
            ["169.254.169.254"],
            ["10.1.2.3"],
            ["::1"],
            ["fe80::1%eth0"],
            ["64:ff9b::a9fe:a9fe"],
            ["::ffff:10.0.0.1"],
            ["93.184.216.34", "127.0.0.1"],
            ["127.0.0.1", "93.184.216.34"],
            ["not an address"],
        ],
    )
    def test_is_nothing_if_any_answer_points_inward(self, answers: list[str], connections: list[Any]) -> None:
        with pytest.raises(OutgoingRefused):
            send(method="GET", url="https://example.com/", resolver=answering(answers))

        assert connections == []

    def test_is_the_address_that_was_checked_and_never_the_name(self, connections: list[Any]) -> None:
        rebinding = answering(["93.184.216.34"], ["127.0.0.1"])

        with pytest.raises(OutgoingFailed):
            send(method="GET", url="https://example.com/", resolver=rebinding)

        assert connections == [("93.184.216.34", 443)]

    def test_is_resolved_once(self, connections: list[Any]) -> None:
        asked = []

        def resolver(host: str, port: int) -> Sequence[str]:
            asked.append((host, port))
            return ["93.184.216.34", "93.184.216.35"]

        with pytest.raises(OutgoingFailed):
            send(method="GET", url="https://example.com/", resolver=resolver)

        assert asked == [("example.com", 443)]
        assert connections == [("93.184.216.34", 443), ("93.184.216.35", 443)]

    def test_ignores_proxies_of_the_environment(self, monkeypatch: pytest.MonkeyPatch, connections: list[Any]) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")

        with pytest.raises(OutgoingFailed):
            send(method="GET", url="https://example.com/", resolver=answering(["93.184.216.34"]))

        assert connections == [("93.184.216.34", 443)]

    def test_keeps_metadata_out_of_reach_of_allowed_hosts(self, url: str, connections: list[Any]) -> None:
        with pytest.raises(OutgoingRefused):
            send(method="GET", url=url, resolver=answering(["169.254.169.254"]))

        assert connections == []


class TestCheck:
    def test_refuses_before_anything_is_stored(self) -> None:
        with pytest.raises(OutgoingRefused):
            client.check("http://example.com/")
