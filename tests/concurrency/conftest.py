"""Fixtures of races."""

import pytest

from tests.approvals import world as building
from tests.approvals.world import World


@pytest.fixture
def world(transactional_db: None) -> World:
    """Have an account with a trial, an order for production, and logins, committed so that every thread sees them."""
    return building.make()
