"""
How a step is taken and judged: expected by the oracle, done by hands, compared, and remembered.

Note "One example, one savepoint": every example begins with the same registry and people, made once, and is undone
when it ends.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from approvals.requests.models import ChangeRequest
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests import given
from tests.lifecycle.evidence import check_applied
from tests.lifecycle.hands import REFUSED, Api, Pages, Services, revision_of
from tests.lifecycle.oracle import EDITABLE, Login, Model, Record, Request
from tests.lifecycle.people import PEOPLE, Stage

HOUR = timedelta(hours=1)
COUNTED: Counter[str] = Counter()


class Steps(RuleBasedStateMachine):
    """A machine without rules; after each step the tables say what the oracle says."""

    stage: Stage
    clock: Callable[[datetime], None]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        # As a test case's own: the clock's task demands that no other transaction is open.
        self.savepoint._from_testcase = True  # type: ignore[attr-defined]
        self.savepoint.__enter__()
        self.model = Model(
            now=given.NOW,
            logins={name: Login(name, human, set(roles)) for name, human, roles in PEOPLE},
            records=[Record(1, 100) for _ in self.stage.entitlements],
        )
        self.stored: list[ChangeRequest] = []
        self.digests: list[list[str]] = []
        self.services, self.api, self.pages = Services(), Api(), Pages()
        # Nothing is carried on after a step that went wrong.
        self.failed = False
        type(self).clock(self.model.now)

    def teardown(self) -> None:
        """Take everything that is open as far as it goes, and undo all of it."""
        try:
            if not self.failed:
                for position, request in enumerate(self.model.requests):
                    self._carry(position, request, position)
                self.tables_say_what_the_oracle_says()
        finally:
            self._undo()

    def _undo(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # What must hold after every step.

    @invariant()
    def tables_say_what_the_oracle_says(self) -> None:
        """Every request's status, every record's version and seats; nothing is left half done."""
        COUNTED["steps"] += 1
        self.failed = True
        keys = [one.pk for one in self.stored]
        found = dict(ChangeRequest.objects.filter(pk__in=keys).values_list("pk", "status"))
        told, expected = [found[key] for key in keys], [request.status for request in self.model.requests]
        assert told == expected, (told, expected)
        rows = {row.pk: (row.version, row.seats) for row in Entitlement.objects.all()}
        assert [rows[one.pk] for one in self.stage.entitlements] == [
            (record.version, record.seats) for record in self.model.records
        ]
        self.failed = False

    # How it is done.

    def _carry(self, position: int, request: Request, whom: int, stops: tuple[str, ...] = ()) -> None:
        for _ in range(20):
            able = self.model.next_hands(request)
            if request.status in stops or not able:
                return
            self._advance(able[whom % len(able)], position, request, 0)

    def _advance(self, login: str, position: int, request: Request, surface: int) -> None:
        if request.status == "draft":
            self._submit(login, position, request, surface)
        elif request.status == "in_review":
            self._approve(login, position, request, surface, stale=False)
        else:
            self._apply(login, position, request, surface)

    def _submit(self, login: str, position: int, request: Request, surface: int) -> None:
        expected = self.model.submitting(login, request)
        told = self._hands(surface).submit(self._user(login), self.stored[position], self.model.now)
        self._compare("submit", told, expected)
        if expected is None:
            request.status = "in_review"

    def _approve(
        self, login: str, position: int, request: Request, surface: int, *, stale: bool, whom: str | None = None
    ) -> None:
        digest, current = self._digest(position, stale)
        expected = self.model.deciding(login, request, current, whom)
        other = self._user(whom) if whom else None
        told = self._hands(surface).decide(
            self._user(login), self.stored[position], "approve", digest, self.model.now, other
        )
        self._compare("approve for somebody" if whom else "approve", told, expected)
        if expected is None:
            self.model.approve(login, request, whom)

    def _apply(self, login: str, position: int, request: Request, surface: int) -> None:
        expected = self.model.applying(login, request)
        told = self._hands(surface).apply(self._user(login), self.stored[position], self.model.now)
        self._compare("apply", told, expected)
        if expected is None:
            self._check_applied(position, request, login)
        elif expected in ("quorum_lost", "policy_stricter"):
            self._reopen(position, request)

    def _settle(self, position: int, request: Request) -> None:
        """What the clock must have made of a request that was due."""
        expected = self.model.applying(None, request)
        COUNTED[f"clock: {expected or 'applied'}"] += 1
        if expected is None:
            self._check_applied(position, request, None)
        elif expected == "window_closed":
            request.status = "missed"
        elif expected in ("quorum_lost", "policy_stricter"):
            self._reopen(position, request)
        else:
            request.status = "failed"

    def _check_applied(self, position: int, request: Request, login: str | None) -> None:
        COUNTED["applications"] += 1
        stored = ChangeRequest.objects.select_related("current_revision").get(pk=self.stored[position].pk)
        check_applied(
            model=self.model,
            asked=request,
            stored=stored,
            entitlement=self.stage.entitlements[request.current.record],
        )
        self.model.apply(request, login)

    def _reopen(self, position: int, request: Request) -> None:
        self.model.reopen(request)
        self._note_revision(position)

    def _note_revision(self, position: int) -> None:
        revision = revision_of(self.stored[position])
        assert revision.number == self.model.requests[position].current.number
        self.digests[position].append(revision.digest)

    def _compare(self, what: str, told: str | None, expected: str | None) -> None:
        COUNTED[f"{what}: {expected or 'done'}"] += 1
        self.failed = True
        assert told == expected or (told == REFUSED and expected is not None), (what, told, expected)
        self.failed = False

    def _pick(self, which: int) -> tuple[int, Request]:
        """A request: an open one if there is any, else one that is closed."""
        found = list(enumerate(self.model.requests))
        live = [one for one in found if one[1].status in EDITABLE]
        # Closed ones are tried now and then.
        chosen = live if live and which % 7 else found
        return chosen[which % len(chosen)]

    def _pick_applied(self, which: int) -> tuple[int, Request]:
        """An applied request if there is one, else any."""
        found = list(enumerate(self.model.requests))
        chosen = [one for one in found if one[1].status == "applied"] or found
        return chosen[which % len(chosen)]

    def _digest(self, position: int, stale: bool) -> tuple[str, bool]:
        """The digest that was on the screen, and whether it is the current one."""
        known = self.digests[position]
        shown = known[-2] if stale and len(known) > 1 else known[-1]
        return shown, shown == known[-1]

    def _hands(self, surface: int) -> Any:
        # The services are the fastest, so they are asked most.
        return (self.services, self.services, self.api, self.pages)[surface % 4]

    def _user(self, login: str) -> User:
        return User.objects.get(username=login)

    def _seats(self, record: int, step: int) -> int:
        return max(1, self.model.records[record].seats + step)

    def _window(self, hours: tuple[int, int] | None) -> tuple[datetime, datetime] | None:
        if hours is None:
            return None
        opens = self.model.now + hours[0] * HOUR
        return opens, opens + hours[1] * HOUR
