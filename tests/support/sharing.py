"""
What consecutive tests begin with, made once.

The records are made in a transaction that stays open around the tests' own, which are savepoints of it, and is never
committed; each test has a copy of the objects. A test that begins with something else, or that commits, ends it.
"""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import time_machine
from django.db import connection, transaction

from tests import given

T = TypeVar("T")
MAKES = "_makes"


def shares(make: Callable[[], Any]) -> Callable[[T], T]:
    """Mark a fixture that answers `shelf.copy_of(make)`."""

    def marked(fixture: T) -> T:
        setattr(fixture, MAKES, make)
        return fixture

    return marked


def shared_by(request: pytest.FixtureRequest) -> Callable[[], Any] | None:
    """What the test's fixtures share; nothing where a test commits, for others would see it."""
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and any((*marker.args[:1], marker.kwargs.get("transaction")))
    if commits or {"transactional_db", "live_server"} & set(request.fixturenames):
        return None
    definitions = request.node._fixtureinfo.name2fixturedefs
    makers = [getattr(found[-1].func, MAKES, None) for found in definitions.values()]
    return next((make for make in makers if make), None)


class Shelf:
    """One thing that was made, and the transaction that holds its records."""

    def __init__(self) -> None:
        self.make: Callable[[], Any] | None = None
        self._made: Any = None
        self._transaction: transaction.Atomic | None = None

    def prepare(self, make: Callable[[], Any] | None) -> None:
        """Hold what the next test begins with, and nothing else."""
        if make is not self.make:
            self.clear()
            if make:
                self._hold(make)

    def clear(self) -> None:
        """Undo it."""
        if self._transaction:
            transaction.set_rollback(True)
            self._transaction.__exit__(None, None, None)
        self.make = self._made = self._transaction = None

    def copy_of(self, make: Callable[[], T]) -> T:
        """A copy of what is held; made anew for a test that commits, or that begins with something else as well."""
        made: T = copy.deepcopy(self._made) if make is self.make else make()
        return made

    def _hold(self, make: Callable[[], Any]) -> None:
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        try:
            with time_machine.travel(given.NOW, tick=False):
                self._made = make()
            _check_now()
        except BaseException:
            self.clear()
            raise
        self.make = make


def _check_now() -> None:
    """Check what waits for the end of the transaction, so that no test pays for it; what is checked late stays so."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT string_agg(DISTINCT quote_ident(conname), ', ') FROM pg_constraint WHERE condeferred")
        (names,) = cursor.fetchone()
        cursor.execute(f"SET CONSTRAINTS {names} DEFERRED")
