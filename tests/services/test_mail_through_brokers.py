"""A mail of the outbox, delivered by a real worker process that a broker has told: through each broker we support."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foundation.embedded import cluster
from foundation.management.commands import serve
from foundation.outbox.models import OutboxMessage, Status
from tests import given
from tests.services import environment
from tests.services.mailbox import Mailbox
from tests.support import instance

PATIENCE_SECONDS = 60
# As docs/operations.md has it, without beat: only the broker can have told the worker.
WORKER = [*serve.CELERY, "worker", "--concurrency", "1"]
WRITE = """
from django.db import transaction
from foundation import clock
from foundation.mail import services
with transaction.atomic():
    services.send(recipients=["{user_id}"], subject="Your seat", text="It is there.", now=clock.now())
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(loopback: None) -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@contextlib.contextmanager
def working(command: list[str], variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a worker process; it is asked to end, and must."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=instance.CHECKOUT, env=variables, stdout=out, stderr=out)
    try:
        yield process
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0, log.read_text(errors="replace")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def deliver(variables: dict[str, str], command: list[str], mailbox: Mailbox, log: Path) -> None:
    """Write a mail in one process, and see it delivered by another."""
    user = given.user(email="ada@example.com")
    variables = variables | {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mailbox.port)}
    variables["EMAIL_BACKEND"] = "django.core.mail.backends.smtp.EmailBackend"
    with working(command, variables, log) as worker:
        written = subprocess.run(
            [sys.executable, "manage.py", "shell", "--command", WRITE.format(user_id=user.id)],
            cwd=instance.CHECKOUT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert written.returncode == 0, written.stderr
        message = OutboxMessage.objects.get()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while message.status != Status.DONE:
            told = log.read_text(errors="replace") + written.stderr
            assert worker.poll() is None, told
            assert time.monotonic() < deadline, f"{message.status}: {message.last_error}\n{told}"
            time.sleep(0.1)
            message.refresh_from_db()
    assert message.attempts == 1
    [mail] = mailbox.messages
    assert (mail["To"], mail["Subject"]) == ("ada@example.com", "Your seat")
    assert mail["Message-ID"].startswith(f"<{message.id}@")


class TestMail:
    def test_is_delivered_through_the_filesystem(self, mailbox: Mailbox, tmp_path: Path) -> None:
        of = instance.layout_of(f"run-{os.getpid()}-broker")
        variables = environment.embedded(database=environment.database_of_tests(), home=of.home)
        cluster.prepare(of, fleeting=True)
        try:
            deliver(variables, serve.worker(), mailbox, tmp_path / "worker.log")
        finally:
            instance.remove_instance(of)

    @pytest.mark.services
    @pytest.mark.parametrize("name", ["Redis", "RabbitMQ"])
    def test_is_delivered_in_production_through(self, name: str, mailbox: Mailbox, tmp_path: Path) -> None:
        broker = {"Redis": environment.REDIS_URL, "RabbitMQ": environment.RABBITMQ_URL}[name]
        if not environment.answers(broker):
            pytest.skip(f"{name} does not answer on this machine, so nothing was tried with it.")
        variables = environment.production(database=environment.database_of_tests(), broker=broker)
        try:
            deliver(variables, WORKER, mailbox, tmp_path / "worker.log")
        finally:
            environment.forget_queue(broker)

    @pytest.mark.services
    def test_waits_in_the_database_while_the_broker_is_away(self, mailbox: Mailbox, tmp_path: Path) -> None:
        variables: dict[str, Any] = environment.production(
            database=environment.database_of_tests(), broker="redis://127.0.0.1:1/0"
        )
        user = given.user(email="ada@example.com")
        written = subprocess.run(
            [sys.executable, "manage.py", "shell", "--command", WRITE.format(user_id=user.id)],
            cwd=instance.CHECKOUT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert written.returncode == 0, written.stderr
        assert "The broker could not be reached; the periodic task will deliver." in written.stdout + written.stderr
        assert OutboxMessage.objects.get().status == Status.PENDING
