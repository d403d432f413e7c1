"""Senders with tokens, at the instant at which tests happen."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from knox.models import AuthToken
from rest_framework.test import APIClient

from foundation.identity.models import User
from tests import given
from tests.approvals.conftest import world

__all__ = ["world"]

Sender = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def _at_the_fixed_instant(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture(autouse=True)
def _without_collected_files(settings: Any) -> None:
    # whitenoise warns of the folder that only serving makes, unless it looks files up as they are asked for.
    settings.WHITENOISE_AUTOREFRESH = True


def token_of(user: User, days: int = 30) -> str:
    _, secret = AuthToken.objects.create(user=user, expiry=timedelta(days=days))
    return str(secret)


def client_of(user: User) -> APIClient:
    """Answer a client that sends a user's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user)}")
    return client


@pytest.fixture
def sender(db: None) -> Sender:
    """Answer clients of new users with roles, and everything granted unless told otherwise."""

    def with_roles(*roles: str, **fields: Any) -> APIClient:
        return client_of(given.user(*roles, **fields))

    return with_roles
