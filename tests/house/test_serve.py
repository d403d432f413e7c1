"""`manage.py serve` with its real processes: they answer, they come back, they go together."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foundation.embedded import cluster, processes
from tests.house.conftest import Arrange
from tests.support import instance

PATIENCE_SECONDS = 60
CHILDREN = ("postgres", "web", "worker", "beat", "sealer")


class Serving:
    """A running `manage.py serve` and what it has written so far."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.port = port
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=instance.CHECKOUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.lines.extend(lines)

    def wait_for(self, pattern: str, *, count: int = 1) -> list[str]:
        """Answer the first groups of the pattern once it stands in as many lines."""
        found: list[str] = []

        def enough() -> bool:
            matches = [re.search(pattern, line) for line in list(self.lines)]
            found[:] = [match.group(1) if match.groups() else match.group() for match in matches if match]
            return len(found) >= count

        self.wait_until(enough, f"{pattern} was not said {count} times")
        return found

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what}:\n{''.join(self.lines)}"
            time.sleep(0.05)

    def process_of(self, name: str) -> int:
        """Answer the id of the process that was last started under a name."""
        return int(self.wait_for(rf"\| {name} runs as process (\d+)")[-1])

    def answers(self) -> bool:
        """Answer whether the web server says that it lives."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(timeout=20)


@pytest.fixture
def environment(arrange: Arrange) -> dict[str, str]:
    """Answer the environment of an embedded instance with a migrated database."""
    of = arrange()
    own = cluster.prepare(of, fleeting=True)
    with instance.locked():
        instance.copy_state(instance.keep_state(), to=own)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "CELERY_"))}
    return kept | {
        "TENURE_PROFILE": "embedded",
        "TENURE_HOME": str(of.home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@pytest.fixture
def serving(environment: dict[str, str], loopback: None) -> Iterator[Serving]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Serving(environment, port)
    yield running
    running.end()


def lives(pid: int) -> bool:
    """Answer whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestServe:
    def test_answers_restarts_the_dead_and_stops_all_at_once(self, serving: Serving) -> None:
        serving.wait_until(serving.answers, "/livez did not answer")
        for name in ("web", "worker", "postgres"):
            os.kill(serving.process_of(name), signal.SIGKILL)
            serving.wait_for(rf"serve +\| {name} was ended by SIGKILL; it starts again in 0\.5 s\.")
            serving.wait_for(rf"\| {name} runs as process", count=2)
        serving.wait_until(serving.answers, "/livez did not answer again")
        children = [serving.process_of(name) for name in CHILDREN]
        asked_at = time.monotonic()
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(timeout=20) == 0, "".join(serving.lines)
        assert time.monotonic() - asked_at < 10
        assert not [pid for pid in children if lives(pid)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", serving.port))
        serving.reader.join(timeout=5)
        unnamed = [
            line for line in serving.lines if not re.match(r"(serve|postgres|web|worker|beat|sealer) +\| ", line)
        ]
        assert unnamed == []

    def test_leaves_no_orphans_when_it_is_killed(self, serving: Serving, environment: dict[str, str]) -> None:
        serving.wait_until(serving.answers, "/livez did not answer")
        children = [serving.process_of(name) for name in CHILDREN]
        serving.process.kill()
        serving.wait_until(lambda: not any(map(lives, children)), "an orphan lives")
        serving.wait_until(lambda: not serving.answers(), "somebody still serves")
        data = Path(environment["TENURE_HOME"]) / "postgresql" / "data"
        serving.wait_until(lambda: not processes.find_on(data), "PostgreSQL lives")

    def test_refuses_a_second_time(self, serving: Serving, environment: dict[str, str]) -> None:
        serving.wait_until(serving.answers, "/livez did not answer")
        second = serve_once(environment, "--port", "0")
        assert f"process {serving.process.pid} serves this checkout already" in second


class TestRefusal:
    def test_of_a_port_that_is_taken(self, environment: dict[str, str], loopback: None) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            said = serve_once(environment, "--port", str(other.getsockname()[1]))
        assert "cannot be listened on (Address already in use). Choose another --port." in said

    def test_outside_the_embedded_profile(self, environment: dict[str, str]) -> None:
        production = {
            "TENURE_PROFILE": "production",
            "SECRET_KEY": "correct-horse-battery-staple-correct-horse-battery-staple",
            "SECRETS_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "DATABASE_URL": "postgres://tenure_app:x@db.example/tenure",
            "PUBLIC_URL": "https://tenure.example",
            "CELERY_BROKER_URL": "redis://broker.example/0",
        }
        assert "In production the web server, the worker, beat and the sealer run apart" in serve_once(
            environment | production
        )


def serve_once(environment: dict[str, str], *arguments: str) -> str:
    """Answer what a `manage.py serve` says that is expected to refuse."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=instance.CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode != 0
    return done.stderr
