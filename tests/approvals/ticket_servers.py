"""
Ticket systems on this machine that answer over HTTP as the products' documentation says.

Sources: ServiceNow REST API reference, Table API; Atlassian, Jira Service Management Cloud REST API (request, comment,
approval); Jira Cloud platform REST API (search, issue, transitions, comments).
"""

import base64
import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT, SECRET = "tenure@example.com", "correct horse"


@dataclass
class Answer:
    """What is answered: a status, a JSON value or bytes, and headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


class TicketServer:
    """A system with its records; `interrupt` answers instead of it, or breaks off after it did what was asked."""

    product: str

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.interruptions: list[Callable[[Asked], Answer | None]] = []
        self.lose_next_answer = False
        self.bearer = ""
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_PATCH = do_PUT = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Host and port, as HTTP_ALLOWED_INTERNAL_HOSTS names them."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}"

    def interrupt(self, *answers: Answer) -> None:
        """Answer the next requests like this, whatever they ask."""
        self.interruptions += [lambda _asked, answer=answer: answer for answer in answers]

    def writes(self) -> list[Asked]:
        """The requests that change something, in their order."""
        return [one for one in self.asked if one.method != "GET" and "search" not in one.path]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        parts = urlsplit(handler.path)
        asked = Asked(
            handler.command,
            unquote(parts.path),
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            json.loads(raw) if raw else None,
            dict(handler.headers),
        )
        with self._lock:
            self.asked.append(asked)
            answer = self.interruptions.pop(0)(asked) if self.interruptions else None
            if answer is None:
                answer = self.answer(asked) if self._signed_in(asked) else self.unauthorized()
            lost = self.lose_next_answer and asked.method != "GET" and "search" not in asked.path
            if lost:
                self.lose_next_answer = False
        if lost:
            # It was done; the connection breaks before the answer arrives.
            handler.connection.close()
            return
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not isinstance(answer.body, bytes):
            body = json.dumps(answer.body).encode()
        with contextlib.suppress(OSError):
            handler.send_response(answer.status)
            for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

    def _signed_in(self, asked: Asked) -> bool:
        basic = "Basic " + base64.b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
        given = asked.headers.get("Authorization")
        return given == (f"Bearer {self.bearer}" if self.bearer else basic)

    # What each product says.

    def answer(self, asked: Asked) -> Answer:
        """What the product answers."""
        raise NotImplementedError

    def unauthorized(self) -> Answer:
        """Wrong credentials."""
        raise NotImplementedError

    def failure(self, status: int) -> Answer:
        """The product's error body for a status."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """A connection's settings."""
        raise NotImplementedError

    def make(self) -> str:
        """Make a ticket by hand, and answer its key."""
        raise NotImplementedError

    def decide(self, key: str, approval: str) -> None:
        """Set a ticket's approval to one of Tenure's words."""
        raise NotImplementedError

    def count(self) -> int:
        """How many tickets there are."""
        raise NotImplementedError

    def notes(self, key: str) -> list[str]:
        """What was written on a ticket, oldest first."""
        raise NotImplementedError

    def status(self, key: str) -> str:
        """Where a ticket stands."""
        raise NotImplementedError

    def remove(self, key: str) -> None:
        """Remove a ticket."""
        raise NotImplementedError
