"""Calls made at the same instant, each in a thread with a database connection of its own."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.states import Status
from audit.models import Event
from entitlements.grants.models import Entitlement
from foundation.errors import DomainError
from foundation.integrity import contended
from tests.approvals.world import events_of, fresh

REPETITIONS = int(os.environ.get("TENURE_RACE_REPETITIONS", "8"))
LONGEST_STAGGER_SECONDS = 0.012
PATIENCE_SECONDS = 60

Call = Callable[[], Any]


@dataclass
class Outcome:
    """How one call ended: with a value, or with a refusal."""

    value: Any = None
    refusal: DomainError | None = None

    @property
    def name(self) -> str:
        """`done`, or the refusal's class."""
        return type(self.refusal).__name__ if self.refusal else "done"


def at_once(*calls: Call, seed: int) -> list[Outcome]:
    """
    Answer how calls ended that began together, but for a few milliseconds that the seed decides.

    What is neither a value nor a refusal, a person would meet as an error 500: it is raised here.
    """
    outcomes = [Outcome() for _ in calls]
    failures: list[BaseException] = []
    start = threading.Barrier(len(calls))
    randomness = random.Random(seed)
    delays = [randomness.choice([0.0, randomness.uniform(0, LONGEST_STAGGER_SECONDS)]) for _ in calls]

    def run(position: int) -> None:
        try:
            # Connecting takes longer than many a call.
            connection.ensure_connection()
            start.wait(PATIENCE_SECONDS)
            time.sleep(delays[position])
            outcomes[position].value = calls[position]()
        except DomainError as refusal:
            outcomes[position].refusal = refusal
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[position]) for position in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not [thread for thread in threads if thread.is_alive()], "A call did not return: they wait for each other."
    if failures:
        raise failures[0]
    return outcomes


def each_time() -> Iterator[int]:
    """The seeds of all repetitions."""
    yield from range(REPETITIONS)


def names(outcomes: list[Outcome]) -> list[str]:
    """How the calls ended, in their order."""
    return [outcome.name for outcome in outcomes]


def check_whole(request: ChangeRequest, target: Entitlement, *, version_before: int) -> bool:
    """
    Answer whether a request that amends one entitlement was applied, having checked that everything says the same.

    Record, history, authorization, events and status agree: all of it once, or none of it.
    """
    stored = fresh(request)
    entitlement = Entitlement.objects.get(id=target.id)
    applied = stored.status == Status.APPLIED
    expected = 1 if applied else 0
    assert stored.status != Status.APPLYING
    assert entitlement.version == version_before + expected
    assert entitlement.history.filter(change_request_number=stored.number).count() == expected
    assert Authorization.objects.filter(change_request=stored).count() == expected
    assert events_of(request).count("applied") == expected
    written = Event.objects.filter(change_request_id=stored.id, type__startswith="approvals.record.")
    assert written.count() == expected
    return applied


def told_of_contention(call: Call) -> Call:
    """The call as its outermost layer makes it: a deadlock is told as a refusal that says to try again."""

    def made() -> Any:
        try:
            with transaction.atomic():
                return call()
        except Exception as error:
            refusal = contended(error) if hasattr(error, "__cause__") else None  # type: ignore[arg-type]
            if refusal is None:
                raise
            raise refusal from error

    return made


class Tally:
    """Counts the outcomes of all repetitions, and says which ones no law allows."""

    def __init__(self, *legal: tuple[str, ...]) -> None:
        self.legal = legal
        self.seen: Counter[tuple[str, ...]] = Counter()

    def add(self, outcomes: list[Outcome]) -> None:
        """Count one; refuse one that is not legal."""
        told = tuple(names(outcomes))
        self.seen[told] += 1
        assert told in self.legal, f"{told} is not among {self.legal}: {[str(outcome.refusal) for outcome in outcomes]}"
