"""Campaigns in which people look at who holds which rights."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from approvals import events as approval_events
from approvals.api.tokens import issue
from approvals.authority.models import Delegation
from audit.access.population import Population
from audit.access.port import REGISTRY
from audit.models import AccessReview, Event, ReviewDecision, ReviewEntry
from audit.reviews import opening, reading, reminding, services
from audit.reviews.errors import (
    EntryDecided,
    NoReviewer,
    NothingToReview,
    NotRevoked,
    NotTheReviewer,
    ReviewClosed,
    ReviewUndecided,
)
from audit.reviews.opening import Part, Wanted
from entitlements.directory.grants import grant_access, granted_ids
from entitlements.directory.models import Account
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown, break_ledger, world
from tests.approvals.test_delegations import give
from tests.approvals.world import World
from tests.conftest import connect
from tests.support.instance import provision

pytestmark = pytest.mark.django_db
__all__ = ["break_ledger", "world"]
DAY = timedelta(days=1)
EVERYTHING = Part()


@pytest.fixture
def auditor(db: None) -> User:
    """Who opens reviews, and looks at what is of others."""
    return given.user("auditor", username="audrey")


@pytest.fixture
def other(db: None) -> User:
    """Who looks at what is the auditor's."""
    return given.user("auditor", username="otto")


def opened(auditor: User, *owners: User, scope: Part = EVERYTHING) -> AccessReview:
    """A review that is due in eight days."""
    wanted = Wanted(
        name="First quarter", due_at=given.NOW + 8 * DAY, scope=scope, owners=[(one.username, Part()) for one in owners]
    )
    return opening.open_review(user=auditor, wanted=wanted, now=given.NOW)


def entry(review: AccessReview, source: str, login: User | None = None) -> ReviewEntry:
    """The one entry of a sort, of a login or of a role."""
    return review.entries.get(source=source, holder=login)


def decide(entry: ReviewEntry, user: User, verdict: str = "revoke", **options: Any) -> ReviewDecision:
    values = {"reason": "Not needed.", "now": given.NOW} | options
    return services.decide(review_id=entry.review_id, entry_id=entry.id, user=user, verdict=verdict, **values)


def act_out(world: World) -> None:
    """Open a review, hand one right on, keep it, take another back, be late, close."""
    auditor, other = given.user("auditor"), given.user("auditor")
    review = opened(auditor, auditor, other, scope=Part(roles=["it_operations", "requester"]))
    kept = entry(review, "role", world.author)
    services.assign(review_id=review.id, entry_id=kept.id, user=auditor, login=other.username, now=given.NOW)
    reminding.remind(now=given.NOW + 30 * DAY)
    for one in review.entries.select_related("reviewer"):
        decide(one, one.reviewer, "keep" if one.id == kept.id else "revoke")
    services.close(review_id=review.id, user=auditor, now=given.NOW)


class TestOpen:
    def test_freezes_what_stands_and_gives_each_to_somebody_else(
        self, world: World, auditor: User, other: User
    ) -> None:
        review = opened(auditor, auditor, other)

        rights = Population.read(given.NOW).rights
        assert review.entries.count() == len(rights)
        assert not [one for one in review.entries.all() if one.reviewer_human_id in one.humans]
        assert {one.reviewer for one in review.entries.filter(holder=auditor)} == {other}
        event = Event.objects.get(type="audit.access_review.opened")
        assert event.data == {"entries": len(rights), "owners": 2}
        given.grant_access(given.user("requester", everywhere=False), world.account)
        assert review.entries.count() == len(rights)

    def test_takes_what_its_scope_holds(self, world: World, auditor: User, other: User) -> None:
        child = given.account(parent_id=str(world.account.id))
        near, far = (given.user("requester", everywhere=False) for _ in range(2))
        given.grant_access(near, child)
        given.grant_access(far, given.account())

        by_account = opened(auditor, auditor, other, scope=Part(accounts=[world.account.id]))
        by_role = opened(auditor, auditor, other, scope=Part(roles=["it_operations"]))

        assert near in {one.holder for one in by_account.entries.all()}
        assert far not in {one.holder for one in by_account.entries.all()}
        assert {one.source for one in by_account.entries.filter(holder=world.first)} == {"permission"}
        assert [one.holder for one in by_role.entries.all()] == [world.operator]

    def test_gives_parts_to_their_owners(self, world: World, auditor: User, other: User) -> None:
        owners = [("otto", Part(roles=["licensing"])), ("audrey", Part()), ("otto", Part())]
        wanted = Wanted(name="Parts", due_at=given.NOW + DAY, owners=owners)

        review = opening.open_review(user=auditor, wanted=wanted, now=given.NOW)

        assert entry(review, "role", world.first).reviewer == other
        assert entry(review, "role", world.author).reviewer == auditor

    def test_refuses_to_let_anybody_review_themselves_under_any_login(self, world: World, auditor: User) -> None:
        twin = given.user("requester", username="twin", human_id=auditor.human_id)

        with pytest.raises(NoReviewer, match="of audrey"):
            opened(auditor, auditor)
        with pytest.raises(NoReviewer, match="would have nobody"):
            opened(auditor, auditor, twin)
        assert not AccessReview.objects.exists()

    def test_of_a_roles_grant_is_not_for_who_holds_the_role(self, world: World, auditor: User, other: User) -> None:
        role = Group.objects.get(name="auditor")
        grant_access(holder=role, target=Account, ids=[world.account.id], actor=world.operator, now=given.NOW)
        scope = Part(accounts=[world.account.id])

        with pytest.raises(NoReviewer, match="everybody of auditor"):
            opened(auditor, auditor, other, scope=scope)
        review = opened(auditor, auditor, other, world.first, scope=scope)
        assert entry(review, "account").reviewer == world.first

    def test_of_an_account_is_not_for_who_may_not_see_it(self, world: World, auditor: User) -> None:
        given.grant_access(given.user("requester", everywhere=False), world.account)
        stranger = given.user("legal", everywhere=False, username="stranger")

        with pytest.raises(NoReviewer):
            opened(auditor, stranger, scope=Part(accounts=[world.account.id]))

    def test_refuses_what_it_can_not_be(self, world: World, auditor: User, other: User) -> None:
        with pytest.raises(NotPermitted):
            opened(world.first, auditor)
        with pytest.raises(NothingToReview):
            opened(auditor, auditor, scope=Part(roles=["security"]))
        with pytest.raises(InvalidInput, match="no role wizard"):
            opened(auditor, auditor, scope=Part(roles=["wizard"]))
        with pytest.raises(InvalidInput, match="signs in as nobody"):
            opening.open_review(
                user=auditor, wanted=Wanted("A", given.NOW + DAY, owners=[("nobody", Part())]), now=given.NOW
            )
        with pytest.raises(InvalidInput, match="instant to come"):
            opening.open_review(user=auditor, wanted=Wanted("A", given.NOW), now=given.NOW)
        limited = given.user("auditor", everywhere=False)
        with pytest.raises(NotFound):
            opened(limited, auditor, other, scope=Part(accounts=[world.account.id]))


class TestDecide:
    @pytest.fixture
    def held(self, world: World) -> User:
        """Somebody who holds one right of each sort."""
        login = given.user("licensing", everywhere=False, username="grace", is_staff=True)
        grant_access(holder=login, target=Account, ids=[world.account.id], actor=world.operator, now=given.NOW)
        issue(user=login, days=9, now=given.NOW)
        give(world.second, login)
        given.user("finance", username="permitted")
        return login

    def test_carries_each_sort_out_with_one_event_and_again_it_is_gone(
        self, world: World, auditor: User, other: User, held: User
    ) -> None:
        first, second = opened(auditor, auditor, other), opened(auditor, auditor, other)
        permitted = User.objects.get(username="permitted")
        cases = {
            ("role", held): approval_events.RIGHT_TAKEN_BACK,
            ("mark", held): approval_events.RIGHT_TAKEN_BACK,
            ("account", held): "entitlements.access.revoked",
            ("token", held): approval_events.BEARER_REVOKED,
            ("delegation", held): approval_events.DELEGATION_REVOKED,
        }
        for (source, login), type_name in cases.items():
            before = list(Event.objects.values_list("id", flat=True))
            assert decide(entry(first, source, login), auditor).was_there is True
            made = Event.objects.exclude(id__in=before).values_list("type", flat=True)
            assert sorted(made) == sorted([type_name, "audit.access_review.entry_revoked"])
            assert decide(entry(second, source, login), auditor).was_there is False
        decide(first.entries.get(source="permission", holder=permitted, key__endswith="all_accounts"), auditor)

        held.refresh_from_db()
        assert not held.groups.exists()
        assert not held.is_staff
        assert granted_ids(holder=held, target=Account) == set()
        assert not AuthToken.objects.filter(user=held).exists()
        assert Delegation.objects.get().revoked_by == auditor
        assert not User.objects.get(pk=permitted.pk).has_perm("entitlements.all_accounts")
        assert User.objects.get(pk=permitted.pk).has_perm("entitlements.all_products")

    def test_keeps_and_shows_what_was_granted_again(self, world: World, auditor: User, other: User) -> None:
        review = opened(auditor, auditor, other)
        kept, revoked = entry(review, "role", world.first), entry(review, "role", world.second)
        decide(kept, auditor, "keep")
        decide(revoked, auditor)
        assert world.first.groups.exists()

        def again() -> list[bool]:
            rows = list(reading.entries_of(review, user=auditor).filter(id__in=[kept.id, revoked.id]))
            return [one.again for one in reading.shown(rows, user=auditor, now=given.NOW) if one.entry == revoked]

        assert again() == [False]
        world.second.groups.add(Group.objects.get(name="licensing"))
        assert again() == [True]
        told = "".join(reading.as_csv(review=review, user=auditor, now=given.NOW))
        assert told.count("taken back,yes") == 1

    def test_is_by_its_reviewer_once_with_a_reason(self, world: World, auditor: User, other: User) -> None:
        review = opened(auditor, auditor, other)
        one = entry(review, "role", world.first)
        twin = given.user("requester", human_id=world.first.human_id)
        for stranger, refusal in ((other, NotTheReviewer), (world.first, NotFound), (twin, NotFound)):
            with pytest.raises(refusal):
                decide(one, stranger)
        for options in ({"verdict": "widen"}, {"reason": " "}):
            with pytest.raises(InvalidInput):
                decide(one, auditor, **options)
        decide(one, auditor, "keep")
        with pytest.raises(EntryDecided):
            decide(one, auditor)

    def test_is_not_of_what_came_to_serve_the_reviewer(self, world: World, auditor: User, other: User) -> None:
        one = entry(opened(auditor, auditor, other), "role", world.first)
        # Two logins turn out to be one human after the review was opened.
        User.objects.filter(pk=auditor.pk).update(human_id=world.first.human_id)
        auditor.refresh_from_db()

        with pytest.raises(NotTheReviewer):
            decide(one, auditor)

    def test_fails_whole_if_it_can_not_be_carried_out(
        self, world: World, auditor: User, other: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = entry(opened(auditor, auditor, other), "role", world.first)

        def broken(**options: Any) -> bool:
            world.first.groups.clear()
            raise NotFound("The role is gone.")

        monkeypatch.setattr(REGISTRY.sources["role"], "revoke", broken)
        with pytest.raises(NotRevoked, match=r"nothing was decided: The role is gone\."):
            decide(one, auditor)
        assert world.first.groups.exists()
        assert not ReviewDecision.objects.exists()
        monkeypatch.undo()
        assert decide(one, auditor).was_there

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, auditor: User, other: User, break_ledger: Callable[..., None]
    ) -> None:
        one = entry(opened(auditor, auditor, other), "role", world.first)
        break_ledger("audit.access_review.entry_revoked")

        with pytest.raises(LedgerDown):
            decide(one, auditor)

        assert world.first.groups.exists()
        assert not ReviewDecision.objects.exists()


class TestNothingIsWidened:
    """Whatever a reviewer says of whatever entry, nobody holds more afterwards."""

    def test_by_any_decision_of_any_right(self, world: World, auditor: User, other: User) -> None:
        role = Group.objects.get(name="requester")
        grant_access(holder=role, target=Account, ids=[world.account.id], actor=world.operator, now=given.NOW)
        login = given.user("administrator", "finance", everywhere=False, is_superuser=True)
        given.grant_access(login, world.account, world.trial.sku.product)
        issue(user=login, days=9, now=given.NOW)
        give(world.first, given.user("legal"))
        review = opened(auditor, auditor, other)
        for number, one in enumerate(review.entries.order_by("position")):
            reviewer = User.objects.get(pk=one.reviewer_id)
            before = self.held()
            verdict = "keep" if number % 3 == 0 else "revoke"
            decide(one, reviewer, verdict)
            after = self.held()
            assert after <= before
            assert (after == before) == (verdict == "keep")

    def held(self) -> set[tuple[str, str]]:
        rights = {right.name for right in Population.read(given.NOW).rights}
        return rights | {
            (user.username, permission) for user in User.objects.all() for permission in user.get_all_permissions()
        }


class TestAssign:
    def test_gives_an_entry_to_somebody_who_may(self, world: World, auditor: User, other: User) -> None:
        one = entry(opened(auditor, auditor, other), "role", world.first)

        def give_to(login: str, user: User = auditor) -> ReviewEntry:
            return services.assign(review_id=one.review_id, entry_id=one.id, user=user, login=login, now=given.NOW)

        with pytest.raises(NoReviewer):
            give_to(world.first.username)
        with pytest.raises(InvalidInput):
            give_to("nobody")
        with pytest.raises(NotPermitted):
            give_to(world.second.username, world.second)
        assert give_to(world.second.username).reviewer_human_id == world.second.human_id
        assert decide(one, world.second, "keep").decided_by == world.second
        with pytest.raises(EntryDecided):
            give_to(other.username)


class TestClose:
    def test_takes_every_decision_and_ends_it(self, world: World, auditor: User, other: User) -> None:
        review = opened(auditor, auditor, other, scope=Part(roles=["licensing"]))
        first, second = review.entries.order_by("position")
        decide(first, auditor, "keep")

        def close(user: User = auditor) -> None:
            services.close(review_id=review.id, user=user, now=given.NOW + DAY)

        with pytest.raises(ReviewUndecided, match="1 rights are not decided"):
            close()
        with pytest.raises(NotPermitted):
            close(world.first)
        decide(second, auditor)
        close()
        with pytest.raises(ReviewClosed):
            close()
        assert Event.objects.get(type="audit.access_review.closed").data == {"kept": 1, "revoked": 1}


class TestReminders:
    def test_climb_the_ladder_once_each_and_escalate(self, world: World, auditor: User, other: User) -> None:
        review = opened(auditor, world.first, other, scope=Part(roles=["requester"]))
        subjects = []
        for days in (0, 0, 4, 7, 8, 8.5, 9, 10, 11, 12, 12, 30):
            at = given.NOW + days * DAY
            reminding.remind(now=at)
            made = OutboxMessage.objects.filter(kind="mail", created_at=at).order_by("key")
            subjects.append(sorted({message.payload["subject"] for message in made}))

        waits, late = "Access review “First quarter”: 1 rights wait for you", "is overdue: 1 rights are not decided"
        assert [len(found) for found in subjects[:9]] == [1, 1, 1, 1, 1, 0, 1, 1, 1]
        assert OutboxMessage.objects.filter(payload__subject=waits).count() == 7
        assert OutboxMessage.objects.filter(payload__subject__endswith=late).count() == 2
        assert Event.objects.filter(type="audit.access_review.overdue").count() == 1
        assert (
            reading.progress(AccessReview.objects.filter(id=review.id), now=given.NOW + 9 * DAY)[0].state == "Overdue"
        )

    def test_end_with_the_last_decision(self, world: World, auditor: User, other: User) -> None:
        review = opened(auditor, world.first, other, scope=Part(roles=["requester"]))
        decide(entry(review, "role", world.author), world.first, "keep")

        assert reminding.remind(now=given.NOW + 30 * DAY) == 0
        assert not Event.objects.filter(type="audit.access_review.overdue").exists()


@pytest.mark.django_db(transaction=True)
class TestTables:
    def test_keep_what_was_granted_and_said(self) -> None:
        auditor, other, login = given.user("auditor"), given.user("auditor"), given.user("requester")
        review = opened(auditor, auditor, other, scope=Part(roles=["requester", "auditor"]))
        one, own = entry(review, "role", login), entry(review, "role", auditor)
        statements = {
            f"UPDATE audit_reviewentry SET words = 'Less' WHERE id = '{one.id}'": "review_entry_fixed",
            f"UPDATE audit_reviewentry SET reviewer_human_id = '{login.human_id}' WHERE id = '{one.id}'": (
                "review_entry_not_of_own"
            ),
            f"DELETE FROM audit_reviewentry WHERE id = '{one.id}'": "INV-4",
            f"UPDATE audit_accessreview SET due_at = due_at + interval '1 day' WHERE id = '{review.id}'": (
                "access_review_fixed"
            ),
            f"UPDATE audit_accessreview SET closed_at = now(), closed_by_id = '{auditor.id}'": "access_review_fixed",
            self.said(one, other): "review_decision_by_its_reviewer",
            self.said(own, auditor): "review_decision_by_its_reviewer",
        }
        for role in (provision.APP, provision.OWNER):
            with connect(role=role) as raw:
                for statement, name in statements.items():
                    with pytest.raises(psycopg.Error) as refusal:
                        raw.execute(statement)
                    assert name in (refusal.value.diag.constraint_name or "") + str(refusal.value), statement

    def said(self, entry: ReviewEntry, user: User) -> str:
        return (
            "INSERT INTO audit_reviewdecision (id, entry_id, verdict, reason, decided_by_id, decided_human_id, "
            "decided_at) VALUES "
            f"(gen_random_uuid(), '{entry.id}', 'keep', 'So.', '{user.id}', '{user.human_id}', now())"
        )


class TestPages:
    def test_open_decide_and_close(self, client: Client, world: World, auditor: User, other: User) -> None:
        client.force_login(auditor)
        form = {"name": "Second", "due_at": "2030-01-01T12:00", "roles": ["requester"], "owner_1": "audrey"}
        assert client.post("/audit/reviews/", form | {"owner_1": world.author.username}).status_code == 409
        client.post("/audit/reviews/", form | {"owner_2": "otto"})
        review = AccessReview.objects.get()
        (one,) = review.entries.all()
        address = f"/audit/reviews/{review.id}/"
        assert "1 right waits for you." in client.get(address).content.decode()
        assert client.post(f"{address}{one.id}/decide/", {"verdict": "revoke", "reason": ""}).status_code == 400
        client.post(f"{address}{one.id}/decide/", {"verdict": "revoke", "reason": "Left."})
        told = client.get(address).content.decode()
        assert "It was taken back." in told
        client.post(f"{address}close/")
        assert "Closed" in client.get("/audit/reviews/").content.decode()
        csv = b"".join(client.get(f"{address}review.csv").streaming_content).decode()  # type: ignore[attr-defined]
        assert "revoke,Left." in csv

    def test_show_reviewers_their_own_part(self, client: Client, world: World, auditor: User, other: User) -> None:
        owners = [(world.first.username, Part(roles=["requester"])), ("audrey", Part()), ("otto", Part())]
        wanted = Wanted(name="Parts", due_at=given.NOW + DAY, owners=owners)
        review = opening.open_review(user=auditor, wanted=wanted, now=given.NOW)
        client.force_login(world.first)

        told = client.get(f"/audit/reviews/{review.id}/").content.decode()

        assert "Role requester" in told
        assert "Role licensing" not in told
        assert client.get(f"/audit/reviews/{review.id}/review.csv").status_code == 403
        client.force_login(world.second)
        assert client.get(f"/audit/reviews/{review.id}/").status_code == 404

    def test_answer_over_http(self, world: World, auditor: User, other: User) -> None:
        api = APIClient()
        api.force_authenticate(auditor)
        draft = {
            "name": "Over HTTP",
            "due_at": "2030-01-01T00:00:00Z",
            "scope": {"roles": ["requester"]},
            "owners": [{"login": "audrey"}, {"login": "otto"}],
        }
        made = api.post("/api/v1/access-reviews", draft).json()
        address = f"/api/v1/access-reviews/{made['id']}"
        (one,) = api.get(f"{address}/entries").json()["results"]

        said = api.post(f"{address}/entries/{one['id']}/decision", {"verdict": "revoke", "reason": "Left."})
        closed = api.post(f"{address}/close")

        assert said.json()["decision"]["was_there"] is True
        assert closed.json()["state"] == "Closed"
        assert api.get("/api/v1/access-reviews").json()["results"][0]["revoked"] == 1
