"""Fixtures of the portal's tests."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from foundation import clock
from tests import browser
from tests.browser import Tab
from tests.portal import world
from tests.portal.world import Pilot
from tests.support.sharing import Shelf, shares


@pytest.fixture
@shares(world.pilot)
def pilot(db: None, stopped_clock: datetime, shelf: Shelf) -> Pilot:
    """Have the pilot."""
    return shelf.copy_of(world.pilot)


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> datetime:
    """Let every page be read at the instant at which tests happen."""
    monkeypatch.setattr(clock, "now", lambda: now)
    return now


@pytest.fixture
def tab(
    chromium: str,
    loopback: None,
    transactional_db: None,
    live_server: object,
    monkeypatch: pytest.MonkeyPatch,
    stopped_clock: datetime,
) -> Iterator[Tab]:
    """Have a tab of a real browser on a running server."""
    # Playwright runs an event loop in this thread; the ORM is used beside it, never within.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with browser.opened(chromium=chromium, address=str(live_server)) as opened:
        yield opened
