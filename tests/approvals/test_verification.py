"""After application: criteria ticked with evidence by a third person, in time, and then the change closes."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from approvals import events
from approvals.attachments.errors import FileRefused
from approvals.attachments.models import Attachment
from approvals.attachments.services import Upload, attach
from approvals.governed import Draft
from approvals.requests import timetable
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Rationale
from approvals.requests.states import Status
from approvals.tasks import escalate_unverified
from approvals.verification import escalation, reads, services
from approvals.verification.errors import EvidenceRequired, NotVerifiable, SelfVerification
from approvals.verification.models import CriterionTick, VerificationReminder
from audit.models import Event
from foundation import clock
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.files import PDF
from tests.approvals.test_schedule_lifecycle import OPEN, scheduled
from tests.approvals.world import World, events_of, fresh

pytestmark = pytest.mark.django_db

TWO = Rationale("Why", "What", ("Everybody can sign in.", "The invoice is right."), "Back")
LATER = given.NOW + timedelta(hours=2)
DAY = timedelta(days=1)


def applied(world: World, **options: Any) -> ChangeRequest:
    """More seats for the trial, applied by the operator."""
    drafts = [Draft("entitlement.amend", {"seats": 6}, world.trial.id)]
    return world.apply(world.approved(*drafts, **({"rationale": TWO} | options)))


def tick(request: ChangeRequest, user: User, criterion: int = 1, **options: Any) -> ChangeRequest:
    defaults: dict[str, Any] = {"met": True, "result": "All thirty signed in.", "now": LATER}
    return services.verify(change_request_id=request.id, criterion=criterion, user=user, **(defaults | options))


def mails(request: ChangeRequest) -> list[tuple[str, str]]:
    """To whom the outbox has mail about a verification that is overdue, and the subject."""
    return sorted(
        (row.payload["user_id"], row.payload["subject"])
        for row in OutboxMessage.objects.filter(kind="mail")
        if f"Change {request.number} is not verified" in row.payload["subject"]
    )


def act_out(world: World) -> None:
    """What is recorded of verification, once."""
    request = applied(world, title="To be verified")
    escalation.escalate(now=given.NOW + 8 * DAY)
    tick(request, world.first, met=False, result="Nobody can.")
    tick(request, world.first)
    tick(request, world.second, 2)
    request = applied(world, title="To be acted back")
    fewer = Draft("entitlement.amend", {"seats": 5}, world.trial.id)
    world.apply(world.approved(fewer, title="Back again", reverts=request))


class TestVerify:
    def test_closes_the_change_once_every_criterion_is_met(self, world: World) -> None:
        request = applied(world)
        assert (request.status, request.closed_at) == (Status.APPLIED, None)

        assert tick(request, world.first).status == Status.APPLIED
        tick(request, world.second, 2, link="https://erp.example/invoices/7", result="")

        stored = fresh(request)
        assert (stored.status, stored.closed_at) == (Status.VERIFIED, LATER)
        assert [name for name in events_of(request) if "criterion" in name or name == "verified"] == [
            "criterion_met",
            "criterion_met",
            "verified",
        ]

    def test_counts_what_was_said_last_of_a_criterion(self, world: World) -> None:
        request = applied(world)
        tick(request, world.first)
        tick(request, world.second, met=False, result="Two cannot.")

        assert tick(request, world.second, 2).status == Status.APPLIED
        assert tick(request, world.first, result="Now they can.").status == Status.VERIFIED

    def test_tells_the_author_what_is_not_met(self, world: World) -> None:
        request = applied(world)

        tick(request, world.first, met=False, result="Two cannot sign in.")

        told = [row.payload for row in OutboxMessage.objects.filter(kind="mail")][-1]
        assert told["user_id"] == str(world.author.id)
        assert "Two cannot sign in." in told["text"]
        assert "Everybody can sign in." in told["text"]

    def test_is_possible_for_nobody_who_wrote_or_applied_it(self, world: World) -> None:
        request = applied(world)
        world.author.groups.set(world.first.groups.all())
        author = User.objects.get(id=world.author.id)
        second_login = given.user("licensing", human_id=world.operator.human_id)

        for user, why in ((author, "wrote"), (world.operator, "applied"), (second_login, "applied")):
            with pytest.raises(SelfVerification, match=f"You {why}"):
                tick(request, user)
        assert not CriterionTick.objects.exists()

    def test_is_for_people_who_decide_or_apply_and_see_it(self, world: World) -> None:
        request = applied(world)

        for role in ("requester", "auditor", "emergency"):
            with pytest.raises(NotPermitted):
                tick(request, given.user(role))
        with pytest.raises(NotFound):
            tick(request, given.user("licensing", everywhere=False))

    def test_of_what_the_clock_applied_is_open_to_all_others(self, world: World) -> None:
        request = scheduled(world)
        timetable.apply_due(now=OPEN)

        assert tick(request, world.operator, now=OPEN).status == Status.VERIFIED

    @pytest.mark.parametrize(
        ("met", "result", "link"),
        [(True, "", ""), (True, " \u200b\n", ""), (False, "", "https://a.example/"), (False, "  ", "")],
    )
    def test_needs_evidence_or_a_reason(self, world: World, met: bool, result: str, link: str) -> None:
        with pytest.raises(EvidenceRequired):
            tick(applied(world), world.first, met=met, result=result, link=link)

    def test_takes_a_file_of_the_change_as_evidence(self, world: World) -> None:
        request = applied(world)
        kept = attach(change_request_id=request.id, author=world.first, file=Upload("seen.pdf", PDF), now=LATER)

        tick(request, world.first, result="", attachment_id=kept.id)

        assert CriterionTick.objects.get().file == kept
        event = Event.objects.get(type=events.REQUEST_CRITERION_MET)
        assert (event.data["attachment_id"], event.data["file_digest"]) == (str(kept.id), kept.blob_id)

    def test_attaches_a_file_with_the_tick_or_neither(self, world: World, break_ledger: Any) -> None:
        request = applied(world)
        with pytest.raises(FileRefused), transaction.atomic():
            tick(request, world.first, result="", upload=Upload("seen.exe", b"MZ"))
        with pytest.raises(InvalidInput, match="not both"), transaction.atomic():
            tick(request, world.first, attachment_id=uuid.uuid4(), upload=Upload("seen.pdf", PDF))
        with pytest.raises(EvidenceRequired), transaction.atomic():
            tick(request, world.first, met=False, result="", upload=Upload("seen.pdf", PDF))
        assert not Attachment.objects.exists()

        tick(request, world.first, result="", upload=Upload("seen.pdf", PDF))
        assert CriterionTick.objects.get().file == Attachment.objects.get()

        break_ledger(events.REQUEST_CRITERION_MET)
        with pytest.raises(LedgerDown), transaction.atomic():
            tick(request, world.first, 2, upload=Upload("more.pdf", PDF))
        assert Attachment.objects.count() == CriterionTick.objects.count() == 1

    def test_takes_no_file_of_another_change(self, world: World) -> None:
        other = world.propose()
        kept = attach(change_request_id=other.id, author=world.first, file=Upload("seen.pdf", PDF), now=LATER)
        request = applied(world)

        for key in (kept.id, uuid.uuid4()):
            with pytest.raises(NotFound, match="no such file"):
                tick(request, world.first, attachment_id=key)

    @pytest.mark.parametrize(
        "link",
        ["javascript:alert(1)", "ftp://a.example", "https://", "https://a b", "a.example", "https://[", "x" * 2_001],
    )
    def test_takes_only_links_that_a_browser_opens_as_pages(self, world: World, link: str) -> None:
        with pytest.raises(InvalidInput, match="link is none"):
            tick(applied(world), world.first, link=link)

    @pytest.mark.parametrize("text", ["x" * 10_001, "a\0b", "\x1b[31m", "\ud800"])
    def test_takes_only_text_that_can_be_kept(self, world: World, text: str) -> None:
        with pytest.raises(InvalidInput):
            tick(applied(world), world.first, result=text)

    @pytest.mark.parametrize("criterion", [0, -1, 3, 10**9])
    def test_refuses_a_criterion_that_there_is_not(self, world: World, criterion: int) -> None:
        with pytest.raises(InvalidInput, match="the change has 2"):
            tick(applied(world), world.first, criterion)

    def test_is_possible_only_while_it_is_awaited(self, world: World) -> None:
        approved = world.approved(rationale=TWO)
        with pytest.raises(NotVerifiable):
            tick(approved, given.user("legal"))

        request = applied(world)
        tick(request, world.first)
        tick(request, world.first, 2)
        with pytest.raises(NotVerifiable, match="is verified"):
            tick(request, world.first)

    def test_of_first_data_is_not_awaited(self, world: World) -> None:
        system = ChangeRequest.objects.filter(system=True).order_by("number").last()
        assert system is not None
        assert (system.status, system.closed_at) == (Status.APPLIED, given.NOW)

        with pytest.raises(NotVerifiable):
            tick(system, world.first)

    @pytest.mark.parametrize("event", [events.REQUEST_CRITERION_MET, events.REQUEST_VERIFIED])
    def test_keeps_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None], event: str
    ) -> None:
        request = applied(world, rationale=given.RATIONALE)
        break_ledger(event)

        with pytest.raises(LedgerDown):
            tick(request, world.first)

        assert fresh(request).status == Status.APPLIED
        assert not CriterionTick.objects.exists()


class TestInverse:
    def test_closes_the_change_once_it_is_applied(self, world: World) -> None:
        request = applied(world)
        inverse = world.approved(
            Draft("entitlement.amend", {"seats": 5}, world.trial.id), title="Back again", reverts=request
        )
        assert fresh(request).status == Status.APPLIED

        world.apply(inverse)

        assert (fresh(request).status, fresh(request).closed_at) == (Status.REVERTED, given.NOW)
        with pytest.raises(NotVerifiable, match="acted back"):
            tick(request, world.first)

    def test_leaves_a_verified_change_closed(self, world: World) -> None:
        request = tick(applied(world, rationale=given.RATIONALE), world.first)
        fewer = Draft("entitlement.amend", {"seats": 5}, world.trial.id)

        world.apply(world.approved(fewer, title="Back again", reverts=request))

        assert fresh(request).status == Status.VERIFIED


class TestReads:
    def test_find_what_waits_for_a_person(self, world: World) -> None:
        request = applied(world)
        seen = ChangeRequest.objects.all()

        assert list(reads.awaiting_verification(seen, user=world.first)) == [request]
        for user in (world.operator, world.author, given.user("auditor")):
            assert not reads.awaiting_verification(seen, user=user).exists()
        assert request not in seen.open()


class TestGuards:
    """What no service lets through is refused by the database too."""

    def refused(self, sql: str, parameters: list[Any]) -> str:
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
        return str(caught.value)

    def insert(self, request: ChangeRequest, user: User, **values: Any) -> str:
        defaults: dict[str, Any] = {
            "change_request": request,
            "revision_id": request.current_revision_id,
            "number": 1,
            "criterion": 1,
            "met": True,
            "result": "Seen.",
            "checked_by": user,
            "checked_by_human_id": user.human_id,
            "checked_at": LATER,
        }
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            CriterionTick.objects.create(**(defaults | values))
        return str(caught.value)

    def test_hold_who_may_verify_what(self, world: World) -> None:
        request, draft = applied(world), world.propose()

        for user in (world.author, world.operator):
            assert "nobody verifies what they wrote or applied" in self.insert(request, user)
        assert "another human" in self.insert(request, world.first, checked_by_human_id=world.second.human_id)
        assert "no such criterion" in self.insert(request, world.first, criterion=3)
        assert "once it is" in self.insert(request, world.first, checked_at=given.NOW - DAY)
        assert "once it is" in self.insert(
            draft, world.first, revision_id=draft.current_revision_id, change_request=draft
        )
        assert "tick_has_evidence" in self.insert(request, world.first, result="")
        other = attach(change_request_id=draft.id, author=world.first, file=Upload("seen.pdf", PDF), now=LATER)
        assert "tick_file_of_its_request" in self.insert(request, world.first, file=other)
        assert "tick_has_evidence" in self.insert(request, world.first, result="", met=False, file=other)
        assert "tick_evidence_fits" in self.insert(request, world.first, link="javascript:x")

    def test_hold_how_an_applied_request_ends(self, world: World) -> None:
        request = applied(world)
        tick(request, world.first)
        update = "UPDATE approvals_changerequest SET {} WHERE id = %s"

        close = "status = '{}', closed_at = now()"
        assert "Of 2 acceptance criteria, 1 are met" in self.refused(
            update.format(close.format("verified")), [request.id]
        )
        assert "by the application of its inverse" in self.refused(
            update.format(close.format("reverted")), [request.id]
        )
        for change in ("closed_at = now()", "title = 'Other'", "applied_at = now()"):
            assert "otherwise it does not change" in self.refused(update.format(change), [request.id])
        assert "does not go from" in self.refused(update.format("status = 'draft'"), [request.id])
        assert "does not change" in self.refused(update.format("reverts_id = id"), [world.propose().id])

    def test_hold_that_a_verified_request_is_closed(self, world: World) -> None:
        request = tick(applied(world, rationale=given.RATIONALE), world.first)

        assert request.status == Status.VERIFIED
        for status in ("applied", "reverted"):
            self.refused("UPDATE approvals_changerequest SET status = %s WHERE id = %s", [status, request.id])


class TestEscalate:
    def test_climbs_each_step_once(self, world: World) -> None:
        request = applied(world)

        assert [escalation.escalate(now=given.NOW + days * DAY) for days in (6, 7, 7, 8, 9, 13, 14, 30)] == [
            0, 1, 0, 0, 1, 0, 1, 0,
        ]  # fmt: skip

        assert list(VerificationReminder.objects.order_by("step").values_list("step", flat=True)) == [1, 2, 3]
        assert events_of(request).count("verification_overdue") == 3

    def test_tells_author_colleagues_of_the_applier_and_the_last_stage_each_human_once(self, world: World) -> None:
        colleague = given.user("it_operations")
        given.user("it_operations", human_id=colleague.human_id)
        given.user("it_operations", everywhere=False)
        request = applied(world)

        escalation.escalate(now=given.NOW + 7 * DAY)

        expected = {user.human_id for user in (world.author, world.operator, colleague, world.first, world.second)}
        told = User.objects.filter(id__in=[to for to, _subject in mails(request)])
        assert {user.human_id for user in told} == expected
        assert len(mails(request)) == len(expected)

    def test_climbs_to_the_highest_step_after_downtime(self, world: World) -> None:
        applied(world)

        assert escalation.escalate(now=given.NOW + 30 * DAY) == 1

        assert VerificationReminder.objects.get().step == 3

    def test_goes_on_after_one_that_breaks(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        requests = [applied(world), applied(world, title="Second")]
        whole = escalation._tell

        def broken(request: ChangeRequest, *rest: Any) -> None:
            if request.id == requests[0].id:
                raise RuntimeError
            whole(request, *rest)

        monkeypatch.setattr(escalation, "_tell", broken)

        assert escalation.escalate(now=given.NOW + 8 * DAY) == 1
        assert VerificationReminder.objects.get().change_request == requests[1]
        assert "tried again at the next run" in caplog.text

    def test_leaves_what_is_verified_or_first_data_alone(self, world: World) -> None:
        tick(applied(world, rationale=given.RATIONALE), world.first)

        assert escalation.escalate(now=given.NOW + 30 * DAY) == 0

    def test_counts_days_as_the_installation_says(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "VERIFICATION_DAYS", 1)
        request = applied(world)

        assert reads.is_overdue(request, now=given.NOW + DAY)
        assert escalation.escalate(now=given.NOW + DAY) == 1

    def test_is_rung_by_the_clock(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: given.NOW + 8 * DAY)
        applied(world)

        escalate_unverified()

        assert Event.objects.filter(type=events.REQUEST_VERIFICATION_OVERDUE).count() == 1
