"""
What change control must do, written a second time: plain values, no query, nothing imported from what it judges.

The machine tells it only what it did and whether that succeeded. It answers what must happen next, by the words of
docs/change-requests.md, and what an application must have rested on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

DECIDING = frozenset({"licensing", "product", "legal", "finance", "procurement", "it_operations", "security"})
APPLYING = frozenset({"licensing", "it_operations", "administrator"})
PROPOSING = DECIDING | {"requester", "administrator", "emergency"}
READING = PROPOSING | {"auditor"}
EDITABLE = frozenset({"draft", "in_review", "changes_requested", "approved", "scheduled", "missed", "failed"})
Chain = tuple[tuple[str, int], ...]
"""The role and the quorum of each stage, in order."""


@dataclass
class Login:
    """A login: whose, with which roles, active or not."""

    name: str
    human: int
    roles: set[str]
    active: bool = True

    def may(self, roles: frozenset[str]) -> bool:
        """Whether the login works and holds one of these roles."""
        return self.active and bool(self.roles & roles)


@dataclass(frozen=True)
class Rule:
    """A policy: one comparison, or none; the stages as (position, role, quorum)."""

    name: str
    comparison: tuple[str, str, Any] | None
    stages: tuple[tuple[int, str, int], ...]

    def matches(self, facts: Mapping[str, Any]) -> bool:
        """Whether the comparison holds; what is not known holds."""
        if self.comparison is None:
            return True
        name, operator, value = self.comparison
        fact = facts[name]
        if fact is None:
            return True
        if operator == "more_than":
            return bool(fact > value)
        if operator == "at_most":
            return bool(fact <= value)
        if operator == "any_of":
            return any(one in value for one in fact)
        raise AssertionError(operator)


def chain_of(rules: Iterable[Rule], facts: Mapping[str, Any]) -> Chain:
    """The stages of all rules that match, the larger quorum where two ask the same; two of licensing if none does."""
    asked: dict[tuple[int, str], int] = {}
    for rule in rules:
        if rule.matches(facts):
            for position, role, quorum in rule.stages:
                asked[position, role] = max(quorum, asked.get((position, role), 0))
    if not asked:
        asked[1, "licensing"] = 2
    return tuple((role, asked[position, role]) for position, role in sorted(asked))


def asks_more(fresh: Chain, reviewed: Chain) -> bool:
    """Whether a chain asks for a role that another lacks, or for more of it."""
    most = {role: max(quorum for name, quorum in reviewed if name == role) for role, _ in reviewed}
    return any(quorum > most.get(role, 0) for role, quorum in fresh)


@dataclass
class Record:
    """A governed record: at which version, with how many seats."""

    version: int
    seats: int


@dataclass(frozen=True)
class Said:
    """One decision: by which login, for which stage."""

    login: str
    stage: int


@dataclass
class Revision:
    """What is asked of one record, by whom, on which base, and who approved it."""

    number: int
    human: int | None
    record: int
    base: int
    seats: int
    facts: Mapping[str, Any]
    chain: Chain
    window: tuple[datetime, datetime] | None
    approvals: list[Said] = field(default_factory=list)
    deciders: set[int] = field(default_factory=set)

    def stage(self, logins: Mapping[str, Login]) -> int | None:
        """The first stage that lacks its quorum of different humans, or None."""
        for position, (_role, quorum) in enumerate(self.chain):
            if len({logins[said.login].human for said in self.approvals if said.stage == position}) < quorum:
                return position
        return None


@dataclass
class Request:
    """A change request: its status, its revisions, and the humans who wrote one."""

    author: str
    revisions: list[Revision]
    complete: bool = True
    status: str = "draft"

    @property
    def current(self) -> Revision:
        """The revision that counts."""
        return self.revisions[-1]

    @property
    def writers(self) -> set[int]:
        """The humans who wrote a revision."""
        return {revision.human for revision in self.revisions if revision.human is not None}


@dataclass
class Model:
    """Everything that the oracle knows."""

    now: datetime
    logins: dict[str, Login]
    records: list[Record]
    rules: list[Rule] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def facts(self, record: int, seats: int) -> dict[str, Any]:
        """What a change of seats is, to policies."""
        return {"seats_after": seats, "seats_change": seats - self.records[record].seats, "fields_touched": ["seats"]}

    def revision(
        self, *, writer: str | None, number: int, record: int, seats: int, window: tuple[datetime, datetime] | None
    ) -> Revision:
        """A revision that is planned now."""
        facts = self.facts(record, seats)
        human = self.logins[writer].human if writer else None
        base = self.records[record].version
        return Revision(number, human, record, base, seats, facts, chain_of(self.rules, facts), window)

    # What must be answered: the code of the refusal, or None if it is done.

    def proposing(self, login: str) -> str | None:
        """Whether a login may propose."""
        return None if self.logins[login].may(PROPOSING) else "not_permitted"

    def editing(self, login: str, request: Request, digest_is_current: bool) -> str | None:
        """Whether a login may write the next revision."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if not who.may(PROPOSING):
            return "not_permitted"
        if request.status not in EDITABLE:
            return "wrong_state"
        return None if digest_is_current else "stale_digest"

    def submitting(self, login: str, request: Request) -> str | None:
        """Whether a login may send it to review."""
        refused = self.editing(login, request, True)
        if refused and refused != "wrong_state":
            return refused
        if request.status != "draft":
            return "wrong_state"
        if not request.complete:
            return "incomplete_rationale"
        window = request.current.window
        return "schedule_over" if window is not None and window[1] <= self.now else None

    def deciding(self, login: str, request: Request, digest_is_current: bool) -> str | None:
        """Whether a login may decide on the open stage."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if request.status != "in_review":
            return "wrong_state"
        stage = request.current.stage(self.logins)
        if stage is None:
            return "wrong_state"
        if who.human in request.writers:
            return "self_review"
        if request.current.chain[stage][0] not in who.roles:
            return "not_a_reviewer"
        if not digest_is_current:
            return "stale_digest"
        return "already_decided" if who.human in request.current.deciders else None

    def withdrawing(self, login: str, request: Request) -> str | None:
        """Whether a login may close it."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if not who.may(PROPOSING) or (who.human != self.logins[request.author].human and not who.may(APPLYING)):
            return "not_permitted"
        return None if request.status in EDITABLE else "wrong_state"

    def applying(self, login: str | None, request: Request) -> str | None:
        """Whether a login, or the clock, applies it now."""
        if login is not None:
            if not self.logins[login].may(READING):
                return "not_found"
            if not self.logins[login].may(APPLYING):
                return "not_permitted"
        if request.status not in ("approved", "scheduled"):
            return "wrong_state"
        current = request.current
        if current.window is not None:
            opens, closes = current.window
            if self.now < opens:
                return "not_yet"
            if closes <= self.now:
                return "window_closed"
        if self.records[current.record].version != current.base:
            return "stale_base"
        if not self.has_quorum(request):
            return "quorum_lost"
        return "policy_stricter" if asks_more(chain_of(self.rules, current.facts), current.chain) else None

    def counting(self, request: Request, stage: int) -> set[int]:
        """The humans whose approval of a stage counts now: still active, still of the role, no writer."""
        role = request.current.chain[stage][0]
        deciders = [self.logins[said.login] for said in request.current.approvals if said.stage == stage]
        return {who.human for who in deciders if who.active and role in who.roles and who.human not in request.writers}

    def has_quorum(self, request: Request) -> bool:
        """Whether every stage has its quorum of people eligible now."""
        chain = request.current.chain
        return all(len(self.counting(request, stage)) >= quorum for stage, (_role, quorum) in enumerate(chain))

    # What was done.

    def approve(self, login: str, request: Request) -> None:
        """An approval was given."""
        current = request.current
        stage = current.stage(self.logins)
        assert stage is not None
        current.approvals.append(Said(login, stage))
        current.deciders.add(self.logins[login].human)
        if current.stage(self.logins) is None:
            request.status = "scheduled" if current.window else "approved"

    def edit(self, login: str, request: Request, seats: int, window: tuple[datetime, datetime] | None) -> None:
        """A new revision was written."""
        former = request.current
        request.revisions.append(
            self.revision(writer=login, number=former.number + 1, record=former.record, seats=seats, window=window)
        )
        request.status = "draft"

    def reopen(self, request: Request) -> None:
        """The system wrote a revision of the same items and asks for what the policies ask now."""
        former = request.current
        fresh = chain_of(self.rules, former.facts)
        request.revisions.append(
            Revision(
                former.number + 1,
                None,
                former.record,
                former.base,
                former.seats,
                former.facts,
                fresh,
                former.window,
            )
        )
        request.status = "in_review"

    def apply(self, request: Request) -> None:
        """It was applied."""
        record = self.records[request.current.record]
        record.version += 1
        record.seats = request.current.seats
        request.status = "applied"

    def next_hands(self, request: Request) -> Sequence[str]:
        """The logins that could make the request's next step towards application now."""
        able = {
            "draft": lambda name: self.submitting(name, request) is None,
            "in_review": lambda name: self.deciding(name, request, True) is None,
            "approved": lambda name: self.applying(name, request) is None,
            "scheduled": lambda name: self.applying(name, request) is None,
        }.get(request.status)
        return [name for name in sorted(self.logins) if able and able(name)]
