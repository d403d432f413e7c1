"""A real worker on each broker hears the doorbell, and runs the task under the late-acknowledgement rules."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings

from config.celery import app
from foundation.outbox.doorbell import DELIVER_TASK
from foundation.tasks import deliver_outbox
from tests.services.environment import forget_queue, own_queue
from tests.support import instance

PATIENCE_SECONDS = 60
BROKERS = {"redis": "redis://127.0.0.1:6379/15", "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//"}


def environment_of(broker: str) -> dict[str, str]:
    """The environment of a process on a broker, whose queue no other test process hears."""
    of_broker = {"CELERY_BROKER_URL": broker, "CELERY_QUEUE": own_queue()}
    return os.environ | of_broker | {"DJANGO_SETTINGS_MODULE": "config.settings"}


@contextmanager
def working(broker: str, *, pool: str) -> Iterator[Callable[[], str]]:
    """Have a worker on a broker; the value answers what it has written so far."""
    command = [sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--concurrency", "1", "--pool", pool]
    command += ["--loglevel", "INFO"]
    # DEBUG is the level at which each task's end is told, also where people read.
    environment = environment_of(broker) | {"LOG_LEVEL": "DEBUG"}
    with tempfile.TemporaryFile("w+") as said:
        worker = subprocess.Popen(command, cwd=instance.CHECKOUT, env=environment, stdout=said, stderr=said)
        try:
            yield lambda: (said.seek(0), said.read())[1]
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def ring(broker: str) -> None:
    """Ring the doorbell from another process, as the web server does."""
    script = "import django; django.setup(); from foundation.outbox.doorbell import ring; ring()"
    subprocess.run(
        [sys.executable, "-c", script], cwd=instance.CHECKOUT, env=environment_of(broker), check=True, timeout=60
    )


def hears(broker: str, *, pool: str) -> None:
    """Assert that a worker runs the task that another process asked for."""
    with working(broker, pool=pool) as written:
        ring(broker)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not re.search(rf"{re.escape(DELIVER_TASK)}\S* .*succeeded|task_succeeded", written()):
            assert time.monotonic() < deadline, written()
            time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
class TestWorker:
    def test_hears_the_doorbell_through_folders(self) -> None:
        for folder in (settings.EMBEDDED_LAYOUT.broker_messages, settings.EMBEDDED_LAYOUT.broker_queues):
            folder.mkdir(parents=True, exist_ok=True)
        hears("filesystem://localhost", pool="threads")

    @pytest.mark.services
    @pytest.mark.parametrize("name", sorted(BROKERS))
    def test_hears_the_doorbell_of_a_production_broker(self, name: str, loopback: None) -> None:
        try:
            hears(BROKERS[name], pool="prefork")
        finally:
            forget_queue(BROKERS[name])


class TestRules:
    def test_no_task_is_lost_with_its_worker(self) -> None:
        assert app.conf.task_acks_late
        assert app.conf.task_reject_on_worker_lost
        assert app.conf.worker_prefetch_multiplier == 1

    def test_no_task_outlives_the_brokers_patience(self) -> None:
        assert app.conf.task_soft_time_limit < app.conf.task_time_limit < settings.BROKER_VISIBILITY_SECONDS

    def test_bells_name_tasks_and_ring_at_least_hourly_in_utc(self) -> None:
        app.loader.import_default_modules()
        assert app.conf.timezone == "UTC"
        for entry in app.conf.beat_schedule.values():
            assert entry["task"] in app.tasks
            assert 0 < entry["schedule"] <= 3600

    def test_the_doorbell_is_rung_under_the_name_that_the_task_has(self) -> None:
        assert deliver_outbox.name == DELIVER_TASK


class TestServices:
    @pytest.mark.services
    def test_run_on_an_older_postgresql(self) -> None:
        with psycopg.connect(instance.given_server()) as connection:
            assert connection.info.server_version < 160_000
