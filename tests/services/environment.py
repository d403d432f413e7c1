"""Environments of processes as production has them, and the services of the machine that they need."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import kombu
from cryptography.fernet import Fernet

from foundation.database import provision
from foundation.embedded import cluster
from tests.support import instance

REDIS_URL = os.environ.get("TENURE_TEST_REDIS_URL", "redis://127.0.0.1:6379/13")
RABBITMQ_URL = os.environ.get("TENURE_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def answers(url: str) -> bool:
    """Whether anything listens where the URL points."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2):
            return True
    except OSError:
        return False


def inherited() -> dict[str, str]:
    """This process's environment without what configures the project."""
    ours = ("TENURE_", "DATABASE_", "CELERY_", "EMAIL_", "SECRET", "PUBLIC_URL", "ALLOWED_HOSTS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "DJANGO_SETTINGS_MODULE": "config.settings"
    }


def production(*, database: str, broker: str) -> dict[str, str]:
    """A production environment on a database and a broker."""
    return inherited() | {
        "TENURE_PROFILE": "production",
        "SECRET_KEY": "only-for-these-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
        "SECRETS_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": "https://tenure.example",
        "ALLOWED_HOSTS": "127.0.0.1,tenure.example",
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": broker,
        "CELERY_QUEUE": own_queue(),
    }


def own_queue() -> str:
    """The queue of this test process. The broker is the machine's: another process's worker must not hear it."""
    return f"tenure_test_{os.getpid()}"


def forget_queue(broker: str) -> None:
    """Remove this test process's queue and exchange from a broker."""
    with kombu.Connection(broker) as connection:
        connection.default_channel.queue_delete(own_queue())
        if broker.startswith("amqp"):
            connection.default_channel.exchange_delete(own_queue())


def embedded(*, database: str, home: Path) -> dict[str, str]:
    """An embedded environment with its filesystem broker in `home`, on a database that runs already."""
    return inherited() | {"TENURE_PROFILE": "embedded", "TENURE_HOME": str(home), "DATABASE_URL": database}


def database_of_tests(role: str = provision.APP) -> str:
    """The URL of this process's test database, for another process."""
    if given := instance.given_server():
        return instance.on_server(given, role=role, database=f"{instance.RUN_PREFIX}{os.getpid()}")
    sockets = instance.layout_of(f"run-{os.getpid()}").sockets
    return f"postgres://{role}@{str(sockets).replace('/', '%2F')}:{cluster.PORT}/{cluster.DATABASE}"
