"""The life of change requests under everything that people do to it, step by step beside the oracle."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from approvals.authority import services as delegations
from approvals.authority.models import Delegation as DelegationRow
from approvals.policies.models import Policy
from approvals.requests import timetable
from approvals.requests.models import ChangeRequest
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests import given
from tests.lifecycle.evidence import check_acted_back
from tests.lifecycle.hands import Api, Services, revision_of
from tests.lifecycle.oracle import Delegation, Request, Rule
from tests.lifecycle.people import NAMES, RULES
from tests.lifecycle.steps import COUNTED, HOUR, Steps

logins = st.sampled_from(NAMES)
numbers = st.integers(0, 1_000)
steps = st.sampled_from([-9, -1, 3, 21, 60])
days = st.integers(1, 5)
surfaces = st.sampled_from(["service", "api", "admin"])
windows = st.one_of(st.none(), st.none(), st.tuples(st.integers(1, 30), st.integers(1, 24)))


class Lifecycle(Steps):
    """Steps of people, of the clock and of administrators."""

    # What people do.

    @initialize(records=st.lists(numbers, min_size=2, max_size=4), step=steps, window=windows)
    def begin(self, records: list[int], step: int, window: Any) -> None:
        """Some requests are there from the beginning, one of them to be applied in a window."""
        for place, record in enumerate(records):
            author = ("ada", "bo", "ops", "fay")[place]
            self.propose(login=author, record=record, step=step, window=None if place else window, surface="service")

    @rule(login=logins, record=numbers, step=steps, window=windows, surface=surfaces)
    def propose(self, login: str, record: int, step: int, window: Any, surface: str) -> None:
        """Somebody asks for other seats, in one of three places."""
        number = record % len(self.model.records)
        seats, asked_window = self._seats(number, step), None if surface == "admin" else self._window(window)
        expected = self.model.proposing(login)
        hands = {"service": self.services, "api": self.api, "admin": self.pages}[surface]
        entitlement = Entitlement.objects.get(pk=self.stage.entitlements[number].pk)
        told = hands.propose(self._user(login), entitlement, seats, asked_window, self.model.now)
        self._compare("propose", told, expected)
        if expected is None:
            revision = self.model.revision(writer=login, number=1, record=number, seats=seats, window=asked_window)
            self.model.requests.append(Request(login, [revision]))
            self.stored.append(ChangeRequest.objects.latest("number"))
            self.digests.append([revision_of(self.stored[-1]).digest])

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, step=steps, window=windows, stale=st.booleans(), through_api=st.booleans())
    def edit(self, login: str, which: int, step: int, window: Any, stale: bool, through_api: bool) -> None:
        """Somebody edits a request, having read this revision or an earlier one."""
        position, request = self._pick(which)
        seats, asked_window = self._seats(request.current.record, step), self._window(window)
        digest, current = self._digest(position, stale)
        expected = self.model.editing(login, request, current)
        entitlement = Entitlement.objects.get(pk=self.stage.entitlements[request.current.record].pk)
        hands: Services | Api = self.api if through_api else self.services
        told = hands.edit(
            self._user(login),
            self.stored[position],
            entitlement,
            seats=seats,
            window=asked_window,
            digest=digest,
            now=self.model.now,
        )
        self._compare("edit", told, expected)
        if expected is None:
            self.model.edit(login, request, seats, asked_window)
            self._note_revision(position)

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, surface=numbers)
    def submit(self, login: str, which: int, surface: int) -> None:
        """Somebody sends a request to review."""
        position, request = self._pick(which)
        self._submit(login, position, request, surface)

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, surface=numbers, stale=st.booleans())
    def approve(self, login: str, which: int, surface: int, stale: bool) -> None:
        """Somebody approves, having read this revision or an earlier one."""
        position, request = self._pick(which)
        self._approve(login, position, request, surface, stale=stale)

    @precondition(lambda self: self.stored and self.model.delegations)
    @rule(which=numbers, surface=numbers, given=numbers)
    def approve_for_somebody(self, which: int, surface: int, given: int) -> None:
        """Somebody approves by a delegation, in force or not."""
        position, request = self._pick(which)
        delegation = self.model.delegations[given % len(self.model.delegations)]
        self._approve(delegation.delegate, position, request, surface, stale=False, whom=delegation.delegator)

    @rule(login=logins, other=logins, role=st.sampled_from(["", "licensing", "finance", "legal"]), days=days)
    def delegate(self, login: str, other: str, role: str, days: int) -> None:
        """Somebody lets another decide in their place."""
        expected = self.model.delegating(login, other, role)
        ends_at = self.model.now + timedelta(days=days)
        told = self.services.delegate(self._user(login), self._user(other), role, ends_at, self.model.now)
        self._compare("delegate", told, expected)
        if expected is None:
            self.model.delegations.append(Delegation(login, other, role, self.model.now, ends_at))

    @precondition(lambda self: self.model.delegations)
    @rule(given=numbers)
    def revoke(self, given: int) -> None:
        """Whoever delegated takes it back."""
        number = given % len(self.model.delegations)
        delegation = self.model.delegations[number]
        if not self.model.logins[delegation.delegator].active or not delegation.holds_at(self.model.now):
            return
        row = (
            DelegationRow.objects.order_by("created_at", "id")
            .filter(delegator__username=delegation.delegator)
            .filter(
                delegate__username=delegation.delegate,
                role=delegation.role,
                starts_at=delegation.starts_at,
                ends_at=delegation.ends_at,
                revoked_at=None,
            )[0]
        )
        delegations.revoke(delegation_id=row.id, user=self._user(delegation.delegator), now=self.model.now)
        delegation.revoked_at = self.model.now
        COUNTED["revoke: done"] += 1

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, surface=numbers, verdict=st.sampled_from(["ask_for_changes", "reject"]))
    def object(self, login: str, which: int, surface: int, verdict: str) -> None:
        """Somebody says no."""
        position, request = self._pick(which)
        expected = self.model.deciding(login, request, True)
        # Most objections would end a request before it gets anywhere: one in four is enough.
        if expected is None and surface % 4:
            return
        told = self._hands(surface).decide(
            self._user(login), self.stored[position], verdict, self.digests[position][-1], self.model.now
        )
        self._compare(verdict, told, expected)
        if expected is None:
            request.status = "changes_requested" if verdict == "ask_for_changes" else "rejected"

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, surface=numbers)
    def withdraw(self, login: str, which: int, surface: int) -> None:
        """Somebody closes a request."""
        position, request = self._pick(which)
        expected = self.model.withdrawing(login, request)
        if expected is None and surface % 8:
            return
        told = self._hands(surface).withdraw(self._user(login), self.stored[position], self.model.now)
        self._compare("withdraw", told, expected)
        if expected is None:
            request.status = "withdrawn"

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers, surface=numbers)
    def apply(self, login: str, which: int, surface: int) -> None:
        """Somebody applies a request."""
        position, request = self._pick(which)
        self._apply(login, position, request, surface)

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers)
    def verify(self, login: str, which: int) -> None:
        """Somebody ticks the only criterion, with which the change closes."""
        position, request = self._pick_applied(which)
        expected = self.model.verifying(login, request)
        if expected is None and which % 3:
            return
        told = self.services.verify(self._user(login), self.stored[position], self.model.now)
        self._compare("verify", told, expected)
        if expected is None:
            request.status = "verified"

    @precondition(lambda self: self.stored)
    @rule(login=logins, which=numbers)
    def act_back(self, login: str, which: int) -> None:
        """Somebody takes an applied change back."""
        position, request = self._pick_applied(which)
        expected = self.model.acting_back(login, request)
        told = self.services.act_back(self._user(login), self.stored[position], self.model.now)
        self._compare("act back", told, expected)
        if expected is None:
            check_acted_back(
                model=self.model,
                asked=request,
                stored=self.stored[position],
                entitlement=self.stage.entitlements[request.current.record],
            )
            self.model.act_back(request)

    @precondition(lambda self: self.stored)
    @rule(which=numbers, surface=numbers, whom=numbers)
    def advance(self, which: int, surface: int, whom: int) -> None:
        """Somebody who may takes a request one step on: nothing legal is refused."""
        position, request = self._pick(which)
        able = self.model.next_hands(request)
        if able:
            self._advance(able[whom % len(able)], position, request, surface)

    @precondition(lambda self: self.stored)
    @rule(which=numbers, whom=numbers, until=st.sampled_from(["approved", "applied", "applied"]))
    def carry_through(self, which: int, whom: int, until: str) -> None:
        """People take a request as far as it goes now, or until it waits to be applied."""
        position, request = self._pick(which)
        stops = ("approved", "scheduled") if until == "approved" else ()
        self._carry(position, request, whom, stops)

    # What time does.

    @rule(hours=st.integers(1, 20))
    def move_clock(self, hours: int) -> None:
        """Hours pass; the clock's task runs afterwards only if somebody starts it."""
        self.model.now += hours * HOUR
        type(self).clock(self.model.now)

    @rule()
    def run_clock(self) -> None:
        """The periodic task takes what is due."""
        due = [
            (position, request)
            for position, request in enumerate(self.model.requests)
            if request.status == "scheduled" and request.current.window and request.current.window[0] <= self.model.now
        ]
        timetable.apply_due(now=self.model.now)
        # In the order in which their windows opened, as the clock takes them.
        for position, request in sorted(due, key=lambda one: (one[1].current.window, self.stored[one[0]].number)):
            self._settle(position, request)

    # What administrators do.

    @rule(login=logins)
    def switch_login(self, login: str) -> None:
        """A login is deactivated, or works again."""
        who = self.model.logins[login]
        who.active = not who.active
        User.objects.filter(username=login).update(is_active=who.active)

    @rule(login=logins, role=st.sampled_from(["licensing", "finance", "legal"]))
    def change_role(self, login: str, role: str) -> None:
        """Somebody joins a role, or leaves it."""
        who, user = self.model.logins[login], self._user(login)
        (who.roles.discard if role in who.roles else who.roles.add)(role)
        user.groups.set(Group.objects.filter(name__in=who.roles))

    @rule()
    def find_out_that_two_are_one(self) -> None:
        """Two logins turn out to be one human's."""
        if self.model.logins["lee"].human != self.model.logins["lia"].human and self.model.now > given.NOW + 30 * HOUR:
            self.model.logins["lee"].human = self.model.logins["lia"].human
            User.objects.filter(username="lee").update(human_id=self._user("lia").human_id)

    @rule(policy=st.sampled_from(RULES))
    def change_policies(self, policy: Rule) -> None:
        """A policy comes into force, or is retired."""
        if policy in self.model.rules:
            self.model.rules.remove(policy)
            row = Policy.objects.in_force().get(name=policy.name)
            given.record("policy.retire", target_id=row.id, now=self.model.now)
            return
        self.model.rules.append(policy)
        comparison = policy.comparison
        given.record(
            "policy.create",
            now=self.model.now,
            name=policy.name,
            conditions=[dict(zip(("field", "operator", "value"), comparison, strict=True))] if comparison else [],
            stages=[{"position": position, "role": role, "quorum": quorum} for position, role, quorum in policy.stages],
        )
