"""Two open changes of one record: told while one drafts, named once one was applied, planned again by a merge."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.freezes.conflicts import ConflictGate
from approvals.governed import Draft
from approvals.requests import replanning, revisions, services
from approvals.requests.drift import drifts_of, in_words
from approvals.requests.errors import FieldsConflict, StaleBase, StaleDigest, WrongState
from approvals.requests.gates import Asked
from approvals.requests.models import ChangeRequest
from approvals.requests.replanning import Both
from approvals.requests.revisions import Waiver
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from foundation.errors import NotFound
from foundation.identity.models import User
from tests import given
from tests.approvals.test_schedule_lifecycle import WINDOW
from tests.approvals.world import World, approve, fresh, revision_of


def amend(world: World, **payload: Any) -> Draft:
    return Draft("entitlement.amend", payload, world.trial.id)


def told(world: World, *drafts: Draft, reader: User | None, request: ChangeRequest | None = None) -> list[str]:
    items = revisions.prepare(drafts=drafts, author=None, now=given.NOW)
    asked = Asked(change_request=request, items=items, schedule=None, now=given.NOW, reader=reader)
    return [obstacle.sentence for obstacle in ConflictGate().obstacles(asked)]


def others_moved(world: World, **payload: Any) -> None:
    given.record("entitlement.amend", target_id=world.trial.id, **payload)


def trial(world: World) -> Entitlement:
    return Entitlement.objects.get(id=world.trial.id)


class TestConflictGate:
    def test_names_the_fields_that_both_touch(self, world: World) -> None:
        other = world.submit(amend(world, seats=7, grace_seconds=60))

        assert told(world, amend(world, seats=8, notes="More"), reader=world.first) == [
            f"Change {other.number}, in review, also changes {world.trial.reference} (seats). "
            "Whichever is applied first makes the other plan again."
        ]
        assert "(in other fields)" in told(world, amend(world, notes="More"), reader=world.first)[0]

    def test_hides_what_the_reader_does_not_see(self, world: World) -> None:
        other = world.propose(amend(world, seats=7), Draft("account.amend", {"name": "Else"}, given.account().id))
        reader = given.user("licensing", everywhere=False)
        given.grant_access(reader, world.account, world.line.sku_revision.sku.product)

        (sentence,) = told(world, amend(world, seats=8), reader=reader)

        assert sentence.startswith("Another change that you do not see also changes")
        assert str(other.number) not in sentence.replace(world.trial.reference, "")
        assert "(seats)" in sentence
        assert told(world, amend(world, seats=8), reader=None)[0].startswith("Another change that you do not see")

    def test_leaves_out_closed_ones_former_revisions_and_the_change_itself(self, world: World) -> None:
        own = world.propose(amend(world, seats=7))
        closed = world.propose(amend(world, seats=9))
        services.withdraw(change_request_id=closed.id, user=world.author, now=given.NOW)
        elsewhere = world.propose(amend(world, seats=9))
        other = Draft("entitlement.amend", {"seats": 12}, given.entitlement().id)
        services.amend(change_request_id=elsewhere.id, author=world.author, now=given.NOW, drafts=[other])

        assert told(world, amend(world, seats=8), reader=world.first, request=own) == []
        assert told(world, world.grant(), reader=world.first) == []

    def test_stops_nothing(self, world: World) -> None:
        world.propose(amend(world, seats=7))

        assert world.submit(amend(world, seats=8)).status == Status.IN_REVIEW


class TestStaleBase:
    def test_names_what_moved_and_what_both_say(self, world: World) -> None:
        request = world.approved(amend(world, seats=8))
        others_moved(world, seats=7, grace_seconds=60)

        with pytest.raises(StaleBase) as refused:
            world.apply(request)

        assert f"{world.trial.reference} (seats 5 → 7, where this change says 8; grace seconds 0 → 60)" in (
            refused.value.message
        )
        (moved,) = refused.value.context["moved"]
        assert moved["changes"] == [
            {"field": "seats", "base": 5, "now": 7, "proposed": 8, "differs": True},
            {"field": "grace_seconds", "base": 0, "now": 60, "proposed": 0, "differs": False},
        ]

    def test_is_no_conflict_where_both_say_the_same(self, world: World) -> None:
        request = world.propose(amend(world, seats=8))
        others_moved(world, seats=8)

        (drift,) = drifts_of(revisions.items_of(revision_of(request)))
        assert drift.differing == ()

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (None, "nothing"),
            ([], "nothing"),
            (0, "0"),
            (False, "no"),
            (["DE", "US"], "DE, US"),
            ([{"number": "1"}], "1 row"),
            ({"export": True, "api": None}, "api: nothing, export: yes"),
            ("x" * 90, "x" * 79 + "…"),
        ],
    )
    def test_says_values_in_words(self, value: Any, told: str) -> None:
        assert in_words(value) == told


class TestReplan:
    def replan(self, world: World, request: ChangeRequest, both: Both | None = None, **more: Any) -> ChangeRequest:
        return replanning.replan(change_request_id=request.id, author=world.author, now=given.NOW, both=both, **more)

    def test_keeps_what_only_others_changed(self, world: World) -> None:
        request = world.approved(amend(world, seats=8), schedule=None)
        others_moved(world, grace_seconds=60)

        replanned = self.replan(world, request, expected_digest=revision_of(request).digest)

        assert (replanned.status, revision_of(request).number) == (Status.DRAFT, 2)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        approve(request, world.first, world.second)
        world.apply(request)
        assert (trial(world).seats, trial(world).grace_seconds) == (8, 60)

    def test_asks_whose_value_holds_where_both_changed_one(self, world: World) -> None:
        request = world.approved(amend(world, seats=8))
        others_moved(world, seats=7)

        with pytest.raises(FieldsConflict, match="seats 5 → 7, where this change says 8"):
            self.replan(world, request)
        assert fresh(request).status == Status.APPROVED

    @pytest.mark.parametrize(("both", "seats"), [(Both.MINE, 8), (Both.THEIRS, 7)])
    def test_takes_the_value_that_was_chosen(self, world: World, both: Both, seats: int) -> None:
        request = world.approved(amend(world, seats=8, notes="Ours"))
        others_moved(world, seats=7, grace_seconds=60)

        self.replan(world, request, both)

        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        approve(request, world.first, world.second)
        world.apply(request)
        stands = trial(world)
        assert (stands.seats, stands.notes, stands.grace_seconds) == (seats, "Ours", 60)

    def test_leaves_out_an_item_that_says_nothing_more(self, world: World) -> None:
        request = world.propose(amend(world, seats=8), Draft("account.amend", {"name": "New"}, world.account.id))
        others_moved(world, seats=7)

        self.replan(world, request, Both.THEIRS)

        assert [item.kind for item in revisions.items_of(revision_of(request))] == ["account.amend"]

    def test_is_refused_if_nothing_is_left(self, world: World) -> None:
        request = world.propose(amend(world, seats=8))
        others_moved(world, seats=7)

        with pytest.raises(FieldsConflict, match="Nothing is left"):
            self.replan(world, request, Both.THEIRS)

    def test_is_refused_where_a_field_follows_from_others(self, world: World) -> None:
        request = world.propose(amend(world, regions=["DE"], notes="Less"))
        others_moved(world, regions=["US"])

        with pytest.raises(FieldsConflict, match="follows from other values"):
            self.replan(world, request, Both.THEIRS)

    def test_keeps_waiver_and_schedule(self, world: World) -> None:
        ends_at = (given.NOW + timedelta(days=1)).isoformat()
        waiver = Waiver("Agreed.", "The head of sales")
        request = world.propose(
            Draft("entitlement.retire", {"ends_at": ends_at}, world.trial.id), waiver=waiver, schedule=WINDOW
        )
        others_moved(world, grace_seconds=60)

        self.replan(world, request)

        document = revision_of(request).document
        assert document["waiver"] == {"reason": "Agreed.", "risk_owner": "The head of sales"}
        assert document["schedule"]["zone"] == "Europe/Berlin"

    def test_is_refused_on_another_digest_to_strangers_and_once_closed(self, world: World) -> None:
        request = world.propose(amend(world, seats=8))

        with pytest.raises(StaleDigest):
            self.replan(world, request, expected_digest="0" * 64)
        stranger = given.user("requester", everywhere=False)
        with pytest.raises(NotFound):
            replanning.replan(change_request_id=request.id, author=stranger, now=given.NOW)
        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)
        with pytest.raises(WrongState):
            self.replan(world, request)
