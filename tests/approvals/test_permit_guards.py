"""Emergency permits below the services: what the database refuses, whoever writes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from approvals.governed import Draft
from approvals.permits import services
from approvals.permits.models import Permit
from approvals.requests.models import ChangeRequest, Stage
from foundation.identity.models import User
from tests import given
from tests.approvals.test_guards import authorize, execute, refused
from tests.approvals.test_permits import HOUR, REASON, say, seats, take, used
from tests.approvals.world import World, revision_of

pytestmark = pytest.mark.django_db


def insertion(table: str, row: dict[str, Any]) -> list[Any]:
    names = ", ".join(row)
    return [f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})", *row.values()]


def permit_row(request: ChangeRequest, user: User, **values: Any) -> list[Any]:
    revision = revision_of(request)
    return insertion(
        "approvals_permit",
        {
            "id": "00000000-0000-0000-0000-00000000000a",
            "change_request_id": request.id,
            "revision_id": revision.id,
            "digest": revision.digest,
            "user_id": user.id,
            "human_id": user.human_id,
            "reason": REASON,
            "issued_at": given.NOW,
            "expires_at": given.NOW + HOUR,
            "outcome": "",
            "escalation": 0,
        }
        | values,
    )


def review_row(permit: Permit, user: User, **values: Any) -> list[Any]:
    return insertion(
        "approvals_permitreview",
        {
            "id": "00000000-0000-0000-0000-00000000000b",
            "permit_id": permit.id,
            "stage_id": Stage.objects.filter(revision_id=permit.revision_id).first().id,  # type: ignore[union-attr]
            "digest": permit.digest,
            "reviewer_id": user.id,
            "reviewer_human_id": user.human_id,
            "verdict": "justified",
            "comment": "",
            "decided_at": given.NOW,
        }
        | values,
    )


def cited(request: ChangeRequest, permit: Permit, **values: Any) -> list[Any]:
    statement, bound = authorize(request, **({"basis": "emergency", "permit_id": permit.id} | values))
    return [statement, *bound]


class TestPermitGuards:
    """INV-2, INV-3 below the services."""

    @pytest.mark.parametrize(
        ("constraint", "values"),
        [
            ("permit_of_current_revision", {"digest": "0" * 64}),
            ("permit_names_human", {"human_id": "00000000-0000-0000-0000-000000000001"}),
            ("permit_starts_unused", {"used_at": given.NOW, "review_due_at": given.NOW + HOUR}),
            ("permit_says_why", {"reason": "  "}),
            ("permit_is_short", {"expires_at": given.NOW}),
            ("permit_is_short", {"expires_at": given.NOW + timedelta(hours=4, seconds=1)}),
            ("permit_reviewed_has_outcome", {"outcome": "justified"}),
        ],
    )
    def test_refuse_a_permit(self, world: World, holder: User, constraint: str, values: dict[str, Any]) -> None:
        refused(constraint, *permit_row(world.propose(seats(world)), holder, **values))

    def test_refuse_a_permit_while_a_review_is_overdue(self, world: World, holder: User) -> None:
        late = used(world, holder).review_due_at
        assert late is not None
        request = world.propose(seats(world, 11))

        own = {"issued_at": late, "expires_at": late + HOUR}
        refused("permit_not_blocked", *permit_row(request, holder, **own))
        later = given.NOW + timedelta(hours=96)
        refused(
            "permit_not_blocked",
            *permit_row(request, given.user("emergency"), issued_at=later, expires_at=later + HOUR),
        )

    @pytest.mark.parametrize(
        "change",
        ["reason = 'Another.'", "expires_at = expires_at + interval '1 minute'", "human_id = gen_random_uuid()"],
    )
    def test_keep_what_a_permit_says(self, world: World, holder: User, change: str) -> None:
        permit = take(world.propose(seats(world)), holder)

        refused("permit_fixed", f"UPDATE approvals_permit SET {change} WHERE id = %s", permit.id)

    def test_refuse_a_use_without_an_application_and_a_second_one(self, world: World, holder: User) -> None:
        mark = "UPDATE approvals_permit SET used_at = %s, review_due_at = %s WHERE id = %s"
        permit = take(world.propose(seats(world)), holder)
        refused("permit_used_once", mark, given.NOW, given.NOW + HOUR, permit.id)
        services.use(permit_id=permit.id, user=holder, now=given.NOW)

        refused("permit_used_once", mark, given.NOW + HOUR, given.NOW + 9 * HOUR, permit.id)

    def test_refuse_a_use_after_its_end(self, world: World, holder: User) -> None:
        request = world.approved(seats(world))
        permit = take(request, holder)
        with transaction.atomic():
            execute("SET CONSTRAINTS ALL DEFERRED")
            execute(*cited(request, permit))
            refused(
                "permit_used_in_time",
                "UPDATE approvals_permit SET used_at = expires_at, review_due_at = expires_at + interval '1 hour' "
                "WHERE id = %s",
                permit.id,
            )
            transaction.set_rollback(True)

    def test_refuse_a_review_that_lacks_its_quorum_or_says_another_thing(self, world: World, holder: User) -> None:
        close = "UPDATE approvals_permit SET reviewed_at = now(), outcome = %s WHERE id = %s"
        permit = used(world, holder)
        refused("permit_reviewed_by_quorum", close, "justified", permit.id)
        say(permit, world.first, "not_justified", comment="No.")
        execute(*review_row(permit, world.second))

        refused("permit_reviewed_by_quorum", close, "justified", permit.id)
        execute(close, "not_justified", permit.id)
        refused("permit_reviewed_by_quorum", close, "justified", permit.id)

    def test_keep_permits(self, world: World, holder: User) -> None:
        take(world.propose(seats(world)), holder)

        with pytest.raises(DatabaseError, match="INV-4"), transaction.atomic():
            execute("DELETE FROM approvals_permit")

    def test_refuse_the_review_of_an_unused_permit(self, world: World, holder: User) -> None:
        permit = take(world.propose(seats(world)), holder)

        refused("permit_review_of_used_permit", *review_row(permit, world.first))

    def test_refuse_a_review_by_who_wrote_or_caused_it(self, world: World, holder: User) -> None:
        permit = used(world, holder)

        for user in (holder, world.author, given.user("licensing", human_id=holder.human_id)):
            refused("permit_review_by_others", *review_row(permit, user))

    def test_refuse_a_review_that_is_not_whole(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        other = revision_of(world.propose(seats(world, 11))).stages.first()
        assert other is not None

        refused("permit_review_names_digest", *review_row(permit, world.first, digest="0" * 64))
        refused("permit_review_of_stage_of_revision", *review_row(permit, world.first, stage_id=other.id))
        refused("permit_review_names_human", *review_row(permit, world.first, reviewer_human_id=world.second.human_id))
        refused("permit_review_against_says_why", *review_row(permit, world.first, verdict="not_justified"))
        say(permit, world.first)
        second = given.user("licensing", human_id=world.first.human_id)
        refused("permit_review_once_per_human", *review_row(permit, second))

    def test_refuse_an_authorization_that_cites_no_permit_or_a_permit_on_another_basis(
        self, world: World, holder: User
    ) -> None:
        request = world.approved(seats(world))
        permit = take(request, holder)

        refused("authorization_permit_is_valid", *cited(request, permit, permit_id=None))
        refused("authorization_cites_its_permit", *cited(request, permit, basis="quorum"))

    def test_refuse_an_authorization_by_a_permit_of_another_request_or_time(self, world: World, holder: User) -> None:
        request = world.approved(seats(world))
        permit, other = take(request, holder), take(world.propose(seats(world, 11)), holder)

        refused("authorization_permit_is_valid", *cited(request, other))
        for moment in (given.NOW - HOUR, permit.expires_at):
            refused("authorization_permit_is_valid", *cited(request, permit, created_at=moment))

    def test_refuse_an_authorization_while_a_review_is_overdue(self, world: World, holder: User) -> None:
        request = world.approved(Draft("entitlement.amend", {"notes": "Soon."}, given.entitlement().id))
        earlier = used(world, holder)
        assert earlier.review_due_at is not None
        late = earlier.review_due_at
        permit = take(request, holder, now=late - HOUR)

        refused("authorization_permit_not_blocked", *cited(request, permit, created_at=late))

    def test_refuse_an_application_that_leaves_its_permit_unused(self, world: World, holder: User) -> None:
        request = world.approved(seats(world))

        refused("authorization_uses_permit", *cited(request, take(request, holder)))

    def test_refuse_a_permit_that_was_cited_by_another_application(self, world: World, holder: User) -> None:
        permit = used(world, holder)
        request = world.approved(Draft("entitlement.amend", {"notes": "Soon."}, given.entitlement().id))

        refused("authorization_permit_is_valid", *cited(request, permit))
