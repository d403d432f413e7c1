"""INV-2, INV-3, INV-4 below the services: what the tables of change control refuse, whoever writes."""

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from approvals.requests import services
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.states import TRANSITIONS, Status
from tests import given
from tests.approvals.world import World, approve, revision_of


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def execute_at_once(statement: str, *values: Any) -> None:
    execute(statement, *values)
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def refused(constraint: str, statement: str, *values: Any) -> str:
    """The statement is refused under the constraint's name; answers the database's sentence."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        execute_at_once(statement, *values)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert cause.diag.constraint_name == constraint, str(cause)
    return cause.diag.message_primary or ""


def set_status(request: ChangeRequest, *statuses: str) -> None:
    for status in statuses:
        execute("UPDATE approvals_changerequest SET status = %s WHERE id = %s", status, request.id)


def authorize(request: ChangeRequest, *, revision: Revision | None = None, **values: Any) -> tuple[str, list[Any]]:
    """The statement that inserts an authorization, and its values."""
    cited = revision or revision_of(request)
    row = {
        "id": uuid.uuid4(),
        "change_request_id": request.id,
        "revision_id": cited.id,
        "digest": cited.digest,
        "basis": "quorum",
        "decisions": "[]",
        "created_at": given.NOW,
    } | values
    names = ", ".join(row)
    return f"INSERT INTO approvals_authorization ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())


def decide(request: ChangeRequest, decider: Any, **values: Any) -> tuple[str, list[Any]]:
    """The statement that inserts an approval, and its values."""
    revision = revision_of(request)
    row = {
        "id": uuid.uuid4(),
        "revision_id": revision.id,
        "stage_id": revision.stages.order_by("position")[0].id,
        "digest": revision.digest,
        "decider_id": decider.id,
        "decider_human_id": decider.human_id,
        "verdict": "approve",
        "comment": "",
        "decided_at": given.NOW,
    } | values
    names = ", ".join(row)
    return f"INSERT INTO approvals_decision ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())


class TestChangeRequestTable:
    def test_allows_exactly_the_transitions_of_the_table_of_states(self, world: World) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'change_request_guard'")
            source = cursor.fetchone()[0]
        listed = source.split("ARRAY[")[1].split("]")[0]
        allowed = {part.strip().strip("'") for part in listed.replace("\n", "").split(",")}

        assert allowed == {
            f"{status.value}>{target.value}"
            for status, actions in TRANSITIONS.items()
            for target in actions.values()
            if target != status
        }

    @pytest.mark.parametrize("status", [status.value for status in Status if status != Status.DRAFT])
    def test_starts_as_a_draft(self, status: str, db: None) -> None:
        refused(
            "request_starts_as_draft",
            "INSERT INTO approvals_changerequest (id, title, status, source, system, created_at, applied_at) "
            "VALUES (gen_random_uuid(), 'x', %s, 'portal', true, now(), now())",
            status,
        )

    @pytest.mark.parametrize("status", ["approved", "applying", "applied", "rejected", "changes_requested"])
    def test_leaves_a_draft_only_for_review_or_withdrawal(self, world: World, status: str) -> None:
        request = world.propose()

        refused(
            "request_transition",
            "UPDATE approvals_changerequest SET status = %s, applied_at = now() WHERE id = %s",
            status,
            request.id,
        )

    @pytest.mark.parametrize("column", ["id", "number", "system", "created_by_id"])
    def test_keeps_who_asked_and_under_which_number(self, world: World, column: str) -> None:
        request = world.propose()
        value = {"number": 999_999, "system": True, "id": uuid.uuid4(), "created_by_id": world.first.id}[column]

        refused(
            "request_identity_fixed",
            f"UPDATE approvals_changerequest SET {column} = %s WHERE id = %s",
            value,
            request.id,
        )

    def test_does_not_change_once_closed(self, world: World) -> None:
        request = world.propose()
        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)

        refused("request_closed", "UPDATE approvals_changerequest SET title = 'x' WHERE id = %s", request.id)

    def test_is_not_applied_by_hand_without_an_authorization(self, world: World) -> None:
        request = world.approved()

        told = refused(
            "request_needs_authorization",
            "UPDATE approvals_changerequest SET status = 'applying' WHERE id = %s",
            request.id,
        )

        assert told.startswith("INV-2")

    def test_is_not_left_applying(self, world: World) -> None:
        request = world.approved()
        statement, values = authorize(request)
        execute(statement, *values)

        told = refused(
            "request_not_left_applying",
            "UPDATE approvals_changerequest SET status = 'applying' WHERE id = %s",
            request.id,
        )

        assert told.startswith("INV-1")

    def test_applies_the_revision_that_it_cites(self, world: World) -> None:
        request = world.approved()
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        approve(request, world.first, world.second)
        statement, values = authorize(request)
        former = Revision.objects.get(change_request=request, number=1)

        with transaction.atomic():
            execute("SET CONSTRAINTS ALL DEFERRED")
            execute(statement, *values)
            set_status(request, "applying")
            refused(
                "request_applies_what_it_cites",
                "UPDATE approvals_changerequest SET current_revision_id = %s WHERE id = %s",
                former.id,
                request.id,
            )
            transaction.set_rollback(True)

    def test_does_not_go_back_to_an_earlier_revision_whose_decisions_are_stale(self, world: World) -> None:
        request = world.approved()
        former = revision_of(request)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=4)])

        refused(
            "request_revision_only_rises",
            "UPDATE approvals_changerequest SET current_revision_id = %s WHERE id = %s",
            former.id,
            request.id,
        )

    def test_does_not_take_the_revision_of_another_request(self, world: World) -> None:
        request, other = world.propose(), world.approved()

        refused(
            "request_revision_only_rises",
            "UPDATE approvals_changerequest SET current_revision_id = %s WHERE id = %s",
            revision_of(other).id,
            request.id,
        )

    def test_keeps_the_current_revision_of_an_approved_request(self, world: World) -> None:
        request = world.approved()
        execute(
            "INSERT INTO approvals_revision SELECT (jsonb_populate_record(revision, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', 2))).* FROM approvals_revision revision WHERE id = %s",
            revision_of(request).id,
        )
        smuggled = Revision.objects.get(change_request=request, number=2)

        refused(
            "authorization_has_quorum",
            *_flat(
                "UPDATE approvals_changerequest SET current_revision_id = %s WHERE id = %s",
                smuggled.id,
                request.id,
                then=authorize(request, revision=smuggled),
            ),
        )


def _flat(statement: str, *values: Any, then: tuple[str, list[Any]]) -> list[Any]:
    execute(statement, *values)
    return [then[0], *then[1]]


class TestRevisionTables:
    """What was reviewed gets no further items, scopes or stages, though their tables take insertions."""

    def test_adds_no_item_to_a_current_revision(self, world: World) -> None:
        request = world.approved()

        refused(
            "revision_is_sealed",
            "INSERT INTO approvals_item SELECT (jsonb_populate_record(item, "
            "jsonb_build_object('id', gen_random_uuid(), "
            "'record_id', gen_random_uuid(), 'position', 7))).* FROM approvals_item item WHERE revision_id = %s",
            request.current_revision_id,
        )

    def test_adds_no_stage_to_a_current_revision(self, world: World) -> None:
        request = world.approved()

        refused(
            "revision_is_sealed",
            "INSERT INTO approvals_stage SELECT (jsonb_populate_record(stage, "
            "jsonb_build_object('id', gen_random_uuid(), "
            "'position', 7))).* FROM approvals_stage stage WHERE revision_id = %s",
            request.current_revision_id,
        )

    def test_completes_a_stage_once(self, world: World) -> None:
        request = world.approved()

        for change in ("completed_at = NULL", "completed_at = now()", "quorum = 1", "role = 'requester'"):
            told = refused(
                "stage_completed_once",
                f"UPDATE approvals_stage SET {change} WHERE revision_id = %s",
                request.current_revision_id,
            )
            assert told.startswith("INV-3")


class TestStageTable:
    """A stage is opened, escalated and completed once each; time given to it is not taken away."""

    def asked(self, world: World) -> Any:
        stage = {"position": 1, "role": "licensing", "quorum": 1, "due_hours": 24, "backup_role": "legal"}
        given.record("policy.create", name="Everything", stages=[stage])
        return revision_of(world.submit()).stages.get()

    def test_is_escalated_once_it_is_overdue(self, world: World) -> None:
        stage = self.asked(world)
        early = given.NOW + timedelta(hours=23, minutes=59)

        refused(
            "stage_escalated_when_overdue",
            "UPDATE approvals_stage SET escalated_at = %s WHERE id = %s",
            early,
            stage.id,
        )
        execute("UPDATE approvals_stage SET escalated_at = %s WHERE id = %s", given.NOW + timedelta(hours=24), stage.id)

    def test_is_not_escalated_before_it_is_asked(self, world: World) -> None:
        stage = {"position": 1, "role": "licensing", "quorum": 1, "due_hours": 24, "backup_role": "legal"}
        given.record("policy.create", name="Everything", stages=[stage])
        waiting = revision_of(world.propose()).stages.get()

        refused(
            "stage_escalated_when_overdue",
            "UPDATE approvals_stage SET escalated_at = %s WHERE id = %s",
            given.NOW + timedelta(days=9),
            waiting.id,
        )

    def test_is_not_escalated_without_a_time_to_be_overdue(self, world: World) -> None:
        stage = revision_of(world.submit()).stages.get()

        refused(
            "stage_escalated_when_overdue",
            "UPDATE approvals_stage SET escalated_at = %s WHERE id = %s",
            given.NOW + timedelta(days=9),
            stage.id,
        )

    @pytest.mark.parametrize(
        "change",
        [
            "opened_at = opened_at + interval '1 hour'",
            "opened_at = NULL",
            "people = '[\"somebody\"]'",
            "backup_role = 'finance'",
            "due_hours = 1",
        ],
    )
    def test_keeps_when_it_was_asked_and_whom(self, world: World, change: str) -> None:
        refused("stage_completed_once", f"UPDATE approvals_stage SET {change} WHERE id = %s", self.asked(world).id)

    def test_is_escalated_once(self, world: World) -> None:
        stage = self.asked(world)
        escalate = "UPDATE approvals_stage SET escalated_at = %s WHERE id = %s"
        execute(escalate, given.NOW + timedelta(hours=24), stage.id)

        refused("stage_completed_once", escalate, given.NOW + timedelta(hours=25), stage.id)

    @pytest.mark.parametrize("column", ["opened_at", "escalated_at", "completed_at"])
    def test_starts_unasked(self, world: World, column: str) -> None:
        later = Revision.objects.create(
            change_request=(request := world.propose()),
            number=2,
            created_at=given.NOW,
            content=b"{}",
            digest="0" * 64,
            document={},
        )

        refused(
            "stage_starts_unasked",
            "INSERT INTO approvals_stage SELECT (jsonb_populate_record(stage, jsonb_build_object("
            f"'id', gen_random_uuid(), 'revision_id', %s::text, '{column}', now()))).* FROM approvals_stage stage "
            "WHERE revision_id = %s",
            later.id,
            request.current_revision_id,
        )


class TestDecisionTable:
    def test_refuses_an_author(self, world: World) -> None:
        told = refused("decision_not_by_author", *_row(decide(world.submit(), world.author)))

        assert told.startswith("INV-3")

    def test_refuses_an_author_under_a_second_login(self, world: World) -> None:
        second = given.user("licensing", human_id=world.author.human_id)

        refused("decision_not_by_author", *_row(decide(world.submit(), second)))

    def test_refuses_another_human_than_the_login_has(self, world: World) -> None:
        told = refused(
            "decision_names_human", *_row(decide(world.submit(), world.author, decider_human_id=world.first.human_id))
        )

        assert told.startswith("INV-3")

    def test_refuses_another_digest(self, world: World) -> None:
        told = refused("decision_names_digest", *_row(decide(world.submit(), world.first, digest="0" * 64)))

        assert told.startswith("INV-2")

    def test_refuses_a_request_that_is_not_in_review(self, world: World) -> None:
        told = refused("decision_on_current_revision_in_review", *_row(decide(world.propose(), world.first)))

        assert told.startswith("INV-2")

    def test_refuses_an_earlier_revision(self, world: World) -> None:
        request = world.submit()
        statement, values = decide(request, world.first)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        refused("decision_on_current_revision_in_review", statement, *values)

    def test_refuses_the_stage_of_another_revision(self, world: World) -> None:
        stage = revision_of(world.submit()).stages.get()

        refused("decision_of_stage_of_revision", *_row(decide(world.submit(), world.first, stage_id=stage.id)))

    def test_refuses_a_second_decision_of_one_human(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        second = given.user("licensing", human_id=world.first.human_id)

        refused("decision_once_per_human", *_row(decide(request, second)))

    def test_refuses_a_no_without_a_reason(self, world: World) -> None:
        refused("decision_against_has_comment", *_row(decide(world.submit(), world.first, verdict="reject")))


def _row(statement: tuple[str, list[Any]]) -> list[Any]:
    return [statement[0], *statement[1]]


class TestAuthorizationTable:
    def test_refuses_a_stage_without_its_quorum(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        set_status(request, "approved")

        told = refused("authorization_has_quorum", *_row(authorize(request)))

        assert told.startswith("INV-3")

    def test_refuses_a_request_that_is_not_approved(self, world: World) -> None:
        told = refused("authorization_of_current_revision", *_row(authorize(world.submit())))

        assert told.startswith("INV-2")

    def test_refuses_another_digest(self, world: World) -> None:
        refused("authorization_of_current_revision", *_row(authorize(world.approved(), digest="0" * 64)))

    def test_refuses_an_earlier_revision(self, world: World) -> None:
        request = world.approved()
        former = revision_of(request)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        approve(request, world.first, world.second)

        refused("authorization_of_current_revision", *_row(authorize(request, revision=former)))

    def test_refuses_a_bootstrap_of_what_somebody_asked_for(self, world: World) -> None:
        request = world.submit()
        set_status(request, "approved")

        told = refused("authorization_bootstrap_is_system", *_row(authorize(request, basis="bootstrap")))

        assert told.startswith("INV-2")

    def test_refuses_a_second_one(self, world: World) -> None:
        request = world.approved()
        execute(*_row(authorize(request)))

        with pytest.raises(DatabaseError, match="change_request_id"), transaction.atomic():
            execute(*_row(authorize(request)))
