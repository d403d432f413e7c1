"""
The web server or PostgreSQL is killed at random instants while a request is applied.

TENURE_SOAK_ROUNDS sets how often; the few of an ordinary run are the seed of the two hundred of a long one.
"""

import os
import random
import statistics
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections

from approvals.requests.models import ChangeRequest
from tests.soak import preparing
from tests.soak.checking import check_everything, check_whole
from tests.soak.preparing import Stock
from tests.soak.serving import Attempt, Served, served

ROUNDS = int(os.environ.get("TENURE_SOAK_ROUNDS", "6"))
SEED = 20260302
UNDISTURBED = 2
# Kills are spread over the time until the commit and somewhat beyond: one at random in each of as many equal parts.
BEYOND = 1.2
MOST_TIMES = 3
WITHIN = ("checking", "writing")
PLACES = ("before", *WITHIN, "after")
VICTIMS = ("web", "PostgreSQL")


@dataclass(frozen=True)
class Round:
    """What was killed where, and what was found: applied or not, and whether the sender had an answer."""

    victim: str
    place: str
    applied: bool
    answered: bool


def apply_over_http(serving: Served, of: Stock, request: ChangeRequest, key: str | None) -> Attempt:
    return serving.post(f"/api/v1/change-requests/{request.id}/apply", token=of.token, key=key)


def undisturbed(serving: Served, of: Stock) -> float:
    """Apply one request without a kill; answer the seconds until its commit was seen."""
    request = preparing.approved(of)
    began = time.monotonic()
    attempt = apply_over_http(serving, of, request, None)
    while serving.observe(request.id) != "after" and attempt.thread.is_alive():
        time.sleep(0.001)
    seconds = time.monotonic() - began
    assert attempt.wait().status == 200, (attempt.document, serving.tail_web_log())
    assert check_whole(request.id, key=None)
    return seconds


def interrupted(
    serving: Served, of: Stock, request: ChangeRequest, *, victim: str, delay: float, key: str | None
) -> Round:
    """Kill once while a request is applied, start again, and check what is left of it."""
    connections.close_all()
    attempt = apply_over_http(serving, of, request, key)
    time.sleep(delay)
    place = serving.observe(request.id)
    if victim == "web":
        serving.kill_web()
    else:
        serving.kill_postgresql()
        serving.start_postgresql()
    attempt.wait()
    serving.wait_until_quiet()
    applied = check_whole(request.id, key=key)
    assert applied or place != "after", "What others had seen as applied was lost."
    assert not applied or place != "before", "Something was applied that nobody had begun."
    assert applied or attempt.status != 200, "The sender was told of an application that is lost."
    if victim == "web":
        serving.start_web()
    return Round(victim=victim, place=place, applied=applied, answered=attempt.status is not None)


def check_second_try(serving: Served, of: Stock, request: ChangeRequest, *, applied: bool, key: str | None) -> None:
    """Check that a sender who knows nothing sends it again, and it is done now, or was done and is said to be."""
    attempt = apply_over_http(serving, of, request, key).wait()
    told = (attempt.document, serving.tail_web_log())
    if applied and key is None:
        assert (attempt.status, attempt.document["code"]) == (409, "wrong_state"), told
    else:
        assert attempt.status == 200, told
        assert attempt.document["status"] == "applied", told
        assert (attempt.headers.get("idempotency-replayed") == "true") == applied, told
    assert check_whole(request.id, key=key)


def proves_enough(rounds: list[Round]) -> bool:
    """Whether a third of the planned kills fell within an application, one of them while it wrote."""
    places = [one.place for one in rounds if one.place in WITHIN]
    return len(places) * 3 >= ROUNDS and "writing" in places


def table(rounds: list[Round], typical: float) -> str:
    """The summary, as people read it."""
    counts = Counter((one.victim, one.place, one.applied) for one in rounds)
    lines = [
        f"{len(rounds)} kills; undisturbed, {preparing.ITEMS_COUNT} items are applied in {1000 * typical:.0f} ms",
        f"{'killed':<12}{'at':<10}{'applied':>8}{'not':>6}",
    ]
    for victim in VICTIMS:
        for place in PLACES:
            done, undone = counts[victim, place, True], counts[victim, place, False]
            lines.append(f"{victim:<12}{place:<10}{done:>8}{undone:>6}")
    unknown = sum(not one.answered for one in rounds)
    lines.append(f"{sum(one.applied for one in rounds)} applied, {sum(not one.applied for one in rounds)} not;")
    lines.append(f"{unknown} senders had no answer, {len(rounds) - unknown} had one; partly applied: 0")
    return "\n".join(lines)


@pytest.fixture
def serving(loopback: None, django_db_blocker: Any) -> Any:
    """Have the instance, with this process's services on it."""
    with django_db_blocker.unblock(), served() as running:
        yield running


@pytest.mark.soak
class TestKillDuringApplication:
    def test_leaves_a_change_wholly_applied_or_wholly_not(self, serving: Served, capfd: Any) -> None:
        randomness = random.Random(SEED)
        of = preparing.stock()
        lasted = [undisturbed(serving, of) for _ in range(UNDISTURBED)]
        rounds: list[Round] = []
        request: ChangeRequest | None = None
        parts = randomness.sample(range(ROUNDS), ROUNDS)
        # Where the machine's load changed and too few fell within, as many again, and once more.
        for number, part in enumerate(parts * MOST_TIMES):
            if number >= ROUNDS and proves_enough(rounds):
                break
            if request is None:
                if number % 10 >= 8 or number >= ROUNDS:
                    # The machine's load changes: what counts is how long it took lately.
                    lasted.append(undisturbed(serving, of))
                request = preparing.approved(of)
            key = str(uuid.uuid4()) if randomness.random() < 0.5 else None
            delay = BEYOND * (part + randomness.random()) / ROUNDS * statistics.median(lasted[-5:])
            rounds.append(interrupted(serving, of, request, victim=VICTIMS[number % 2], delay=delay, key=key))
            # A request that is still approved is often left to the next round: whatever hits it, it can be applied.
            if rounds[-1].applied or randomness.random() < 0.25 or number >= ROUNDS - 1:
                check_second_try(serving, of, request, applied=rounds[-1].applied, key=key)
                request = None
        check_everything()
        with capfd.disabled():
            sys.stderr.write(f"\n{table(rounds, statistics.median(lasted))}\n")
        assert proves_enough(rounds), "Too few kills fell within: this proves little."
