"""
Everything that people, the clock and administrators do to change requests, beside an oracle written independently.

TENURE_SOAK=1 takes 20,000 steps or more and demands 1,000 applications; an ordinary run is a short seed of it.
"""

import logging
import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from foundation import clock
from tests import given
from tests.lifecycle.machine import Lifecycle
from tests.lifecycle.people import make_stage
from tests.lifecycle.steps import COUNTED

LONG = os.environ.get("TENURE_SOAK") == "1"
EXAMPLES, STEPS = (560, 60) if LONG else (8, 40)


@pytest.mark.soak
@pytest.mark.django_db
class TestLifecycle:
    def test_follows_the_oracle_through_every_step(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.WHITENOISE_AUTOREFRESH = True
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        now = [given.NOW]
        monkeypatch.setattr(clock, "now", lambda: now[0])
        COUNTED.clear()
        # Some ten thousand requests would be kept for the report of a failure.
        monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)

        class Run(Lifecycle):
            """The machine on this test's database."""

            stage = make_stage()
            clock = staticmethod(lambda instant: now.__setitem__(0, instant))

        run_state_machine_as_test(
            Run,
            settings=hypothesis_settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=not LONG,
                database=None,
                # The steps of a failure are told as they were taken: making them fewer would take hours.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )

        if LONG:
            with capsys.disabled():
                sys.stdout.write("\n".join(f"{count:7} {what}" for what, count in sorted(COUNTED.items())) + "\n")
        assert COUNTED["steps"] >= (20_000 if LONG else 200)
        assert COUNTED["applications"] >= (1_000 if LONG else 5)
