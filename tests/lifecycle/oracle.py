"""
What change control must do, written a second time: plain values, no query, nothing imported from what it judges.

The machine tells it only what it did and whether that succeeded. It answers what must happen next, by the words of
docs/change-requests.md, and what an application must have rested on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
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


@dataclass
class Delegation:
    """That one login lets another decide in its place: in one role or in all, for a while, until it is revoked."""

    delegator: str
    delegate: str
    role: str
    starts_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Whether it is in force."""
        return self.starts_at <= instant < self.ends_at and self.revoked_at is None


@dataclass(frozen=True)
class Said:
    """One decision: by which login, for which stage, by which delegation."""

    login: str
    stage: int
    delegation: int | None = None


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
    authorities: set[int] = field(default_factory=set)

    passed: int = 0

    def stage(self) -> int | None:
        """The first stage that was not passed, or None; what was passed stays so until the change is applied."""
        return self.passed if self.passed < len(self.chain) else None


@dataclass
class Request:
    """A change request: its status, its revisions, and the humans who wrote one."""

    author: str
    revisions: list[Revision]
    complete: bool = True
    status: str = "draft"
    applier: str | None = None

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
    delegations: list[Delegation] = field(default_factory=list)

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

    def deciding(self, login: str, request: Request, digest_is_current: bool, whom: str | None = None) -> str | None:
        """Whether a login may decide on the open stage, for itself or for somebody who delegated."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if request.status != "in_review":
            return "wrong_state"
        stage = request.current.stage()
        if stage is None:
            return "wrong_state"
        if who.human in request.writers:
            return "self_review"
        role = request.current.chain[stage][0]
        refused = self._lacks_role(who, role) if whom is None else self._delegating(who, whom, role, request)
        if refused:
            return refused
        if not digest_is_current:
            return "stale_digest"
        person = who if whom is None else self.logins[whom]
        current = request.current
        return "already_decided" if who.human in current.deciders or person.human in self.spoken_for(request) else None

    def _lacks_role(self, who: Login, role: str) -> str | None:
        return None if role in who.roles else "not_a_reviewer"

    def _delegating(self, who: Login, whom: str, role: str, request: Request) -> str | None:
        given = [one for one in self.delegations_to(who.human) if one.delegator == whom and one.holds_at(self.now)]
        if not given or not who.may(DECIDING):
            return "not_a_delegate"
        person = self.logins[whom]
        if person.human in request.writers:
            return "self_review"
        if not person.active or role not in person.roles:
            return "not_a_delegate"
        return None if any(one.role in ("", role) for one in given) else "not_a_delegate"

    def delegations_to(self, human: int) -> list[Delegation]:
        """What was given to a human, under any login."""
        return [one for one in self.delegations if self.logins[one.delegate].human == human]

    def covering(self, login: str, whom: str, role: str) -> int:
        """The delegation by which a login decides for somebody: the first that covers the role."""
        human = self.logins[login].human
        return next(
            number
            for number, one in enumerate(self.delegations)
            if self.logins[one.delegate].human == human
            and one.delegator == whom
            and one.holds_at(self.now)
            and one.role in ("", role)
        )

    def authority(self, said: Said) -> Login:
        """By whose authority a decision was made."""
        return self.logins[said.login if said.delegation is None else self.delegations[said.delegation].delegator]

    def spoken_for(self, request: Request) -> set[int]:
        """The humans whose authority was used on the current revision, as logins belonged to humans then."""
        return request.current.authorities

    def delegating(self, login: str, delegate: str, role: str) -> str | None:
        """Whether a login may let another decide in its place."""
        who, other = self.logins[login], self.logins[delegate]
        if not who.may(DECIDING):
            return "not_permitted"
        if who.human == other.human or not other.may(DECIDING) or (role and role not in who.roles & DECIDING):
            return "invalid_input"
        return None

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

    def verifying(self, login: str, request: Request) -> str | None:
        """Whether a login may tick a criterion."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if not who.may(DECIDING | APPLYING):
            return "not_permitted"
        applier = self.logins[request.applier].human if request.applier else None
        if who.human in request.writers or who.human == applier:
            return "self_verification"
        return None if request.status == "applied" else "not_verifiable"

    def acting_back(self, login: str, request: Request) -> str | None:
        """Whether one click of a login takes an applied change back: while nobody changed the same since."""
        who = self.logins[login]
        if not who.may(READING):
            return "not_found"
        if not who.may(APPLYING):
            return "not_permitted"
        if request.status != "applied":
            return "nothing_to_act_back"
        return None if self.records[request.current.record].seats == request.current.seats else "not_in_one_click"

    def counting(self, request: Request, stage: int) -> int:
        """
        How many approvals of a stage count now: different humans by different authorities, each still eligible.

        Few decisions are made on a stage, so every way to choose among them is tried.
        """
        role = request.current.chain[stage][0]
        pairs = {
            (self.logins[said.login].human, self.authority(said).human)
            for said in request.current.approvals
            if said.stage == stage and self._counts(said, role, request)
        }
        for size in range(len(pairs), 0, -1):
            for chosen in combinations(sorted(pairs), size):
                if len({human for human, _ in chosen}) == len({authority for _, authority in chosen}) == size:
                    return size
        return 0

    def _counts(self, said: Said, role: str, request: Request) -> bool:
        who, person = self.logins[said.login], self.authority(said)
        if not who.active or not who.may(DECIDING) or who.human in request.writers:
            return False
        if not person.active or role not in person.roles or person.human in request.writers:
            return False
        return said.delegation is None or self.delegations[said.delegation].revoked_at is None

    def has_quorum(self, request: Request) -> bool:
        """Whether every stage has its quorum of people eligible now."""
        chain = request.current.chain
        return all(self.counting(request, stage) >= quorum for stage, (_role, quorum) in enumerate(chain))

    # What was done.

    def approve(self, login: str, request: Request, whom: str | None = None) -> None:
        """An approval was given."""
        current = request.current
        stage = current.stage()
        assert stage is not None
        role, quorum = current.chain[stage]
        said = Said(login, stage, None if whom is None else self.covering(login, whom, role))
        current.approvals.append(said)
        current.deciders.add(self.logins[login].human)
        current.authorities.add(self.authority(said).human)
        if self.counting(request, stage) >= quorum:
            current.passed += 1
        if current.stage() is None:
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

    def apply(self, request: Request, login: str | None) -> None:
        """It was applied, by a login or by the clock."""
        record = self.records[request.current.record]
        record.version += 1
        record.seats = request.current.seats
        request.status, request.applier = "applied", login

    def act_back(self, request: Request) -> None:
        """Its inverse was applied."""
        record = self.records[request.current.record]
        record.version += 1
        record.seats -= request.current.facts["seats_change"]
        request.status = "reverted"

    def next_hands(self, request: Request) -> Sequence[str]:
        """The logins that could make the request's next step towards application now."""
        able = {
            "draft": lambda name: self.submitting(name, request) is None,
            "in_review": lambda name: self.deciding(name, request, True) is None,
            "approved": lambda name: self.applying(name, request) is None,
            "scheduled": lambda name: self.applying(name, request) is None,
        }.get(request.status)
        return [name for name in sorted(self.logins) if able and able(name)]
