"""Nothing is left out: every status, event type, domain error and role has what the others have."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from approvals import events, roles
from approvals.api import tokens
from approvals.attachments.services import Upload, content_of
from approvals.attachments.services import attach as attach_file
from approvals.discussion import services as discussion
from approvals.governed import Draft
from approvals.policies.rules import DEFAULT_CHAIN, DEFAULT_WAIVER_ROLE
from approvals.reminders import services as reminders
from approvals.reminders import stages as overdue
from approvals.requests import errors
from approvals.requests.states import DONE, OPEN, PRESENTATIONS, TRANSITIONS, Action, Status
from audit import contributors
from audit.models import Event
from audit.reads.collecting import collecting, gave, gave_export
from audit.reads.registry import Sort
from audit.reads.services import record_reads
from entitlements.directory import grants
from entitlements.directory.models import Account
from entitlements.grants import services as seats
from foundation.errors import DomainError
from tests import given
from tests.approvals import (
    test_announcements,
    test_deciding,
    test_delegations,
    test_expiry,
    test_freezes,
    test_fresh_plan,
    test_permits,
    test_proposing,
    test_schedule_lifecycle,
    test_standard_changes,
    test_ticket_sentences,
    test_verification,
)
from tests.approvals.files import PDF
from tests.approvals.world import World, revision_of
from tests.audit import test_reviews
from tests.privacy import test_erasure

# Acted out in tests/admin, where pages record by themselves, and in tests/audit/test_copies.py.
# Evidence packs need a ledger that is sealed: tests/audit/test_packs.py acts them out.
PACKS = {f"audit.evidence_pack.{step}" for step in "requested built finished failed downloaded expired".split()}
HOLDS = {"audit.legal_hold.placed", "audit.legal_hold.released"}
ELSEWHERE = {"entitlements.login.added", "entitlements.login.changed", "audit.ledger.restarted"} | PACKS | HOLDS
ROOT = Path(__file__).resolve().parents[2]


class TestStatuses:
    @pytest.mark.parametrize("status", Status)
    def test_have_transitions_a_label_an_owner_and_a_tone(self, status: Status) -> None:
        assert status in TRANSITIONS
        assert status.label
        assert PRESENTATIONS[status].owner
        assert PRESENTATIONS[status].tone in {"neutral", "info", "warning", "success", "danger"}

    def test_can_all_be_reached(self) -> None:
        reached, found = set(), {Status.DRAFT}
        while found:
            status = found.pop()
            reached.add(status)
            found |= set(TRANSITIONS[status].values()) - reached

        assert reached == set(Status)

    def test_are_open_until_they_are_applied_or_closed(self) -> None:
        assert set(Status) - OPEN == DONE | {Status.REJECTED, Status.WITHDRAWN, Status.EXPIRED}

    @pytest.mark.parametrize("action", Action)
    def test_are_moved_by_every_action(self, action: Action) -> None:
        assert any(action in actions for actions in TRANSITIONS.values())


class TestErrors:
    def test_have_codes_of_their_own(self) -> None:
        found = [error for error in subclasses(DomainError) if not error.__module__.startswith("tests.")]
        codes = [error.code for error in found]

        assert len(found) > 20
        assert sorted(codes) == sorted(set(codes))
        assert all(error.title and 400 <= error.status < 500 for error in found)

    def test_of_change_control_are_all_raised_by_some_code(self) -> None:
        sources = source()
        names = [
            name
            for name, value in vars(errors).items()
            if isinstance(value, type) and value.__module__ == errors.__name__
        ]

        assert [name for name in names if len(re.findall(rf"\b{name}\b", sources)) < 3] == []


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def source() -> str:
    """The text of every module of the program."""
    paths = [
        path for app in ("foundation", "audit", "approvals", "entitlements") for path in (ROOT / app).rglob("*.py")
    ]
    return "\n".join(path.read_text() for path in paths)


class TestRoles:
    def test_are_known_where_the_default_chain_names_them(self) -> None:
        assert {DEFAULT_CHAIN.role, DEFAULT_WAIVER_ROLE} <= roles.ROLE_NAMES


class TestEventTypes:
    def test_are_all_recorded_by_some_code(self) -> None:
        sources = source()
        named = {value: name for name, value in vars(events).items() if isinstance(value, str) and name.isupper()}
        for name, value in re.findall(r"^([A-Z_]+) = \"([a-z_]+\.[a-z_]+\.[a-z_]+)\"$", sources, re.MULTILINE):
            named.setdefault(value, name)

        unused = [
            name for name in contributors.event_types() if len(re.findall(rf"\b{named.get(name, '?')}\b", sources)) < 3
        ]

        assert unused == []

    def test_are_named_app_entity_past_tense(self) -> None:
        assert all(re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z_]+", name) for name in contributors.event_types())

    def test_are_all_registered_with_a_sentence(self) -> None:
        named = re.findall(r"^[A-Z_]+ = \"([a-z]+\.[a-z_]+\.[a-z_]+)\"$", event_sources(), re.MULTILINE)

        assert len(named) > 50
        assert set(named) == set(contributors.event_types())
        for event_type in contributors.event_types().values():
            assert re.fullmatch(r"\S.*\S", event_type.template), event_type.name
            assert event_type.template.endswith((".", "}")), event_type.name

    def test_read_as_sentences_of_what_was_recorded(self, world: World) -> None:
        act_out(world)

        recorded = {event.type: event for event in Event.objects.all()}

        expected = set(contributors.event_types()) - ELSEWHERE
        assert expected - set(recorded) == set()
        for name in expected:
            event = recorded[name]
            told = contributors.sentence(type_name=name, data=event.data, actor="Ada", subject=event.subject_label)
            assert re.search(r"\w.*[.:] ?.*$", told)
            assert "{" not in told


def event_sources() -> str:
    """The text of every module that names events."""
    apps = ("audit", "approvals", "entitlements", "foundation")
    return "\n".join(path.read_text() for app in apps for path in sorted((ROOT / app).rglob("events.py")))


def act_out(world: World) -> None:
    """Every step that is recorded, once."""
    act_out_reads(world)
    token, _ = tokens.issue(user=world.author, days=1, now=given.NOW)
    tokens.revoke(user=world.author, token_id=token.token_key, now=given.NOW)
    test_deciding.TestAskForChanges().test_sends_the_request_back(world)
    test_deciding.TestReject().test_closes_the_request(world)
    test_proposing.TestAmend().test_makes_decisions_stale_and_keeps_them(world)
    test_proposing.TestWithdraw().test_closes_an_open_request(world, "propose")
    world.apply(world.approved(world.grant(phase="bridge"), Draft("entitlement.amend", {"seats": 9}, world.trial.id)))
    test_schedule_lifecycle.act_out(world)
    test_freezes.act_out(world)
    test_expiry.act_out(world)
    test_verification.act_out(world)
    test_fresh_plan.TestApplyOnAFreshPlan().test_refuses_a_gap_that_opened_since_the_review(world)
    test_permits.act_out(world)
    test_standard_changes.submitted(world, test_standard_changes.template())
    discussion.comment(change_request_id=world.propose().id, author=world.author, text="A word on this.", now=given.NOW)
    attach_file(change_request_id=world.propose().id, author=world.author, file=Upload("order.pdf", PDF), now=given.NOW)
    test_ticket_sentences.act_out(world)
    test_delegations.act_out(world)
    act_out_reminders(world)
    test_announcements.act_out(world)
    person = world.people[0]
    seats.release_seat(entitlement_id=world.trial.id, actor=world.author, now=given.NOW, person_id=person.id)
    test_erasure.act_out(world)
    test_reviews.act_out(world)
    for grant in (grants.grant_access, grants.revoke_access):
        grant(holder=world.author, target=Account, ids=[world.account.id], actor=world.operator, now=given.NOW)


def act_out_reads(world: World) -> None:
    """What is sensitive is read, and a file is made of it."""
    with collecting() as noted:
        gave(Sort.PRICES, "entitlements.orderline", {world.line.id: world.line.reference})
        gave(Sort.DETAILS, "entitlements.person", {person.id: f"person {person.id}" for person in world.people})
        attachment = attach_file(
            change_request_id=world.propose().id, author=world.author, file=Upload("read.pdf", PDF), now=given.NOW
        )
        assert content_of(attachment)
        gave_export("changes", "CSV")
    record_reads(given=noted, reader=world.first, where="portal", now=given.NOW)


def act_out_reminders(world: World) -> None:
    """What waits is put off, seen, and at last escalated."""
    given.record(
        "policy.create",
        name="In time",
        stages=[{"position": 1, "role": "licensing", "quorum": 2, "due_hours": 48}],
    )
    request = world.submit(Draft("account.create", {"code": "another-unit", "name": "Another unit"}))
    later = given.NOW + timedelta(hours=1)
    reminders.snooze(change_request_id=request.id, user=world.first, until=later, now=given.NOW)
    reminders.acknowledge(change_request_id=request.id, user=world.first, now=given.NOW)
    stage = revision_of(request).stages.order_by("position").first()
    assert stage is not None
    overdue.escalate(late=stage, now=given.NOW + timedelta(days=30))
