"""
Applying one-item changes with the ledger and without it, by 16 writers at once.

`python -m benchmarks.applying` prints the rate of both in changes a second, and their ratio, which is to be 0.9 or
more. It exits 1 if it is less. Both rates come from one run, in turns, on requests of the same kind that were approved
beforehand, each on an entitlement of its own. “With” records every event and has a sealer at work beside it; “without”
records nothing and seals nothing. Writers are processes, as web workers are.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from unittest import mock

from benchmarks import _database

WRITERS, ROUNDS, EACH = 16, 4, 2
BOUND = 0.9


def main() -> int:
    """Measure, print, and answer 1 if the bound is missed."""
    with _database.running():
        return measure()


def measure() -> int:
    """Measure on the running database."""
    approved, operator = prepare(WRITERS * EACH * ROUNDS * 2)
    rates: dict[bool, list[float]] = {True: [], False: []}
    share = WRITERS * EACH
    for number in range(ROUNDS * 2):
        recorded = number % 2 == 0
        mine = approved[number * share : (number + 1) * share]
        with sealing() if recorded else contextlib.nullcontext():
            rates[recorded].append(share / apply_all(mine, operator, recorded=recorded))
    with_it, without = (statistics.median(rates[recorded]) for recorded in (True, False))
    ratios = [one / other for one, other in zip(rates[True], rates[False], strict=True)]
    ratio = statistics.median(ratios)
    told = ", ".join(f"{one:.2f}" for one in ratios)
    print(f"{WRITERS} writers apply {with_it:.1f} changes a second with the ledger, {without:.1f} without")
    print(f"ratio {ratio:.2f} (at least {BOUND}); in turns: {told}")
    return 0 if ratio >= BOUND else 1


def prepare(count: int) -> tuple[list[uuid.UUID], uuid.UUID]:
    """So many approved requests, and who applies them."""
    from approvals.governed import Draft
    from tests import given
    from tests.approvals import world as building

    world = building.make()
    ids = []
    for _ in range(count):
        entitlement = given.entitlement(given.order_line(world.line.agreement, world.line.sku_revision, 5), seats=1)
        request = world.approved(Draft("entitlement.amend", {"notes": "Read."}, entitlement.id))
        ids.append(request.id)
    return ids, world.operator.id


def apply_all(requests: list[uuid.UUID], operator: uuid.UUID, *, recorded: bool) -> float:
    """Seconds from the moment that every writer is ready until the last one has applied its share."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(WRITERS + 1)
    writers = [
        context.Process(target=write, args=(requests[number::WRITERS], operator, recorded, gate))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    gate.wait()
    began = time.perf_counter()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    return time.perf_counter() - began


def write(requests: list[uuid.UUID], operator: uuid.UUID, recorded: bool, gate: object) -> None:
    """Apply a share of the requests, once everybody is ready."""
    from django.db import connections

    from approvals.requests import application
    from audit import services
    from foundation.identity.models import User
    from tests import given

    user = User.objects.get(id=operator)
    silent = (
        contextlib.nullcontext() if recorded else mock.patch.object(services.Event.objects, "bulk_create", _nothing)
    )
    with silent:
        gate.wait()  # type: ignore[attr-defined]
        for request in requests:
            application.apply(change_request_id=request, user=user, now=given.NOW)
    connections.close_all()
    os._exit(0)


def _nothing(rows: list[object], **_: object) -> list[object]:
    return rows


@contextlib.contextmanager
def sealing() -> Iterator[None]:
    """Have the sealer run beside the writers, as `serve` has it."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "seal"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_seals()
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_seals() -> None:
    from audit.models import Event
    from audit.sealing.models import Leaf

    for _ in range(600):
        if Leaf.objects.count() == Event.objects.count():
            return
        time.sleep(0.1)
    raise RuntimeError("The sealer did not begin.")


if __name__ == "__main__":
    sys.exit(main())
