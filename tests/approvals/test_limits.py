"""Up to what somebody decides: seats that a change adds, money that it commits, dated and governed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.authority import services
from approvals.authority.errors import OverLimit
from approvals.authority.limits import exceeded, uncovered
from approvals.authority.models import AuthorityLimit
from approvals.governed import Draft, Size
from approvals.policies.errors import TooFewEligible
from approvals.policies.models import Policy
from approvals.requests import outlook, review, revisions
from approvals.requests.deciding import size_of
from approvals.requests.errors import QuorumLost
from approvals.requests.models import ChangeRequest
from foundation.errors import InvalidInput
from foundation.identity.models import User
from tests import given
from tests.approvals.test_guards import refused
from tests.approvals.world import World, approve, fresh, revision_of

DAY = timedelta(days=1)


def limit(user: User, role: str = "licensing", **payload: Any) -> AuthorityLimit:
    """A limit from a month before NOW, unless told otherwise."""
    defaults = {"person": user.username, "role": role, "starts_at": (given.NOW - 30 * DAY).isoformat()}
    stored: AuthorityLimit = given.record("authority_limit.create", **(defaults | payload))
    return stored


def row(**values: Any) -> AuthorityLimit:
    return AuthorityLimit(**({"role": "licensing", "starts_at": given.NOW} | values))


def decide(request: ChangeRequest, user: User, **options: Any) -> ChangeRequest:
    defaults: dict[str, Any] = {"digest": revision_of(request).digest, "now": given.NOW}
    return review.approve(change_request_id=request.id, reviewer=user, **(defaults | options))


def seats(world: World, count: int) -> Draft:
    return Draft("entitlement.amend", {"seats": count}, world.trial.id)


class TestExceeded:
    @pytest.mark.parametrize(
        ("limits", "size", "above"),
        [
            ([], Size(), False),
            ([row(seats=10)], Size(10, {}), False),
            ([row(seats=10)], Size(11, {}), True),
            ([row(seats=10)], Size(None, {}), True),
            ([row(seats=10)], Size(1, {"EUR": Decimal(10**9)}), False),
            ([row(seats=10), row(seats=5)], Size(6, {}), True),
            ([row(money=Decimal(100), currency="EUR")], Size(None, {"EUR": Decimal(100)}), False),
            ([row(money=Decimal(100), currency="EUR")], Size(0, {"EUR": Decimal("100.01")}), True),
            ([row(money=Decimal(100), currency="EUR")], Size(0, {"USD": Decimal(1)}), True),
            ([row(money=Decimal(100), currency="EUR")], Size(0, {"USD": Decimal(0)}), False),
            ([row(money=Decimal(100), currency="EUR")], Size(0, None), True),
            (
                [row(money=Decimal(100), currency="EUR"), row(money=Decimal(5), currency="USD")],
                Size(0, {"USD": Decimal(5), "EUR": Decimal(100)}),
                False,
            ),
            (
                [row(money=Decimal(100), currency="EUR"), row(money=Decimal(5), currency="EUR")],
                Size(0, {"EUR": Decimal(6)}),
                True,
            ),
        ],
    )
    def test_compares_what_the_limits_speak_of(self, limits: Any, size: Size, above: bool) -> None:
        assert bool(exceeded(limits=limits, size=size)) == above


class TestUncovered:
    @pytest.mark.parametrize(
        ("limits", "size", "missing"),
        [
            ([], Size(0, {}), True),
            ([row(seats=10)], Size(1, {}), False),
            ([row(seats=10)], Size(1, {"EUR": Decimal(1)}), True),
            ([row(seats=10)], Size(1, None), True),
            ([row(money=Decimal(9), currency="EUR")], Size(1, {"EUR": Decimal(1)}), True),
            ([row(money=Decimal(9), currency="EUR")], Size(0, {"EUR": Decimal(1)}), False),
        ],
    )
    def test_misses_what_no_limit_speaks_of(self, limits: Any, size: Size, missing: bool) -> None:
        assert bool(uncovered(limits=limits, size=size)) == missing


@pytest.mark.django_db
class TestSize:
    def test_is_part_of_what_the_digest_covers(self, world: World) -> None:
        revision = revision_of(world.propose(seats(world, 9)))

        assert size_of(revision) == Size(4, {})
        assert b'"size":{"money":{},"seats":4}' in bytes(revision.content)

    def test_adds_up_without_what_gets_fewer(self, world: World) -> None:
        request = world.propose(world.grant(seats=7, replaces_id=None), seats(world, 2))

        assert size_of(revision_of(request)).seats == 7

    def test_of_what_becomes_unlimited_is_unknown(self, world: World) -> None:
        line = given.order_line(world.line.agreement, world.line.sku_revision, None)

        request = world.propose(world.grant(seats="unlimited", order_line_id=str(line.id)))

        assert size_of(revision_of(request)).seats is None

    def test_is_unknown_of_revisions_from_before_sizes_were_kept(self) -> None:
        revision = revisions.Revision(document={"plan": {"document": {}}})

        assert size_of(revision) == Size(None, None)


@pytest.mark.django_db
class TestDecideWithinLimits:
    def test_binds_nobody_without_a_limit(self, world: World) -> None:
        decide(world.submit(seats(world, 500)), world.first)

    def test_refuses_a_larger_change_and_says_both(self, world: World) -> None:
        limit(world.first, seats=3)
        request = world.submit(seats(world, 9))

        with pytest.raises(OverLimit, match=r"\(3 seats\).*adds 4 seats, and the limit is 3 seats") as told:
            decide(request, world.first)

        assert told.value.context["seats"] == 4

    @pytest.mark.parametrize(
        "payload",
        [
            {"seats": 4},
            {"seats": 1, "starts_at": (given.NOW + DAY).isoformat()},
            {"seats": 1, "ends_at": given.NOW.isoformat()},
            {"seats": 1, "role": "legal"},
            {"money": "1", "currency": "EUR"},
        ],
    )
    def test_is_bound_by_what_is_in_force_for_the_role(self, world: World, payload: Any) -> None:
        limit(world.first, **payload)

        decide(world.submit(seats(world, 9)), world.first)

    def test_binds_every_login_of_the_human(self, world: World) -> None:
        limit(world.first, seats=1)
        other = given.user("licensing", human_id=world.first.human_id)

        with pytest.raises(OverLimit):
            decide(world.submit(seats(world, 9)), other)

    def test_binds_whoever_decides_for_them_and_not_the_other_way_round(self, world: World) -> None:
        deputy = given.user("licensing")
        limit(world.first, seats=1)
        options = {"role": "", "starts_at": given.NOW, "ends_at": given.NOW + DAY, "reason": "Away.", "now": given.NOW}
        services.delegate(delegator=world.first, delegate=deputy, **options)
        services.delegate(delegator=world.second, delegate=deputy, **options)
        limit(deputy, seats=1)
        request = world.submit(seats(world, 9))

        with pytest.raises(OverLimit, match=f"{world.first}’s authority"):
            decide(request, deputy, on_behalf_of=world.first.id)
        decide(request, deputy, on_behalf_of=world.second.id)

    def test_is_asked_again_with_the_limits_of_then(self, world: World) -> None:
        later = limit(world.first, seats=1, starts_at=(given.NOW + DAY).isoformat())
        request = world.submit(seats(world, 9))
        approve(request, world.first, world.second)

        world.apply(request, days=2)

        assert fresh(request).status == "applied"
        assert later.starts_at > given.NOW

    def test_tells_in_the_outlook_who_is_above(self, world: World) -> None:
        limit(world.first, seats=1)

        [stage] = outlook.of_request(change_request=world.submit(seats(world, 9)), now=given.NOW).stages

        assert [(one.user, one.why) for one in stage.could_not] == [
            (world.first, "has no authority limit that reaches it")
        ]


@pytest.mark.django_db
class TestStageWithinLimit:
    @pytest.fixture(autouse=True)
    def _only_policy(self, world: World) -> None:
        for other in Policy.objects.in_force():
            given.record("policy.retire", target_id=other.id)
        stage = {"position": 1, "role": "licensing", "quorum": 1, "within_limit": True}
        given.record("policy.create", name="Within", stages=[stage])

    def test_demands_a_limit_that_covers_the_change(self, world: World) -> None:
        request = world.submit(seats(world, 9))
        with pytest.raises(OverLimit, match=r"\(none\).*no limit is in force"):
            decide(request, world.first)
        limit(world.first, money="5", currency="EUR")
        with pytest.raises(OverLimit, match="no limit speaks of seats"):
            decide(request, world.first)
        limit(world.first, seats=4)

        decide(request, world.first)
        world.apply(request)

    def test_counts_no_longer_once_the_limit_is_retired(self, world: World) -> None:
        stored = limit(world.first, seats=4)
        request = world.submit(seats(world, 9))
        decide(request, world.first)
        given.record("authority_limit.retire", target_id=stored.id)

        with pytest.raises(QuorumLost):
            world.apply(request)

    def test_is_kept_by_the_database(self, world: World) -> None:
        stage = revision_of(world.submit(seats(world, 9))).stages.get()
        refused("stage_keeps_limit", "UPDATE approvals_stage SET within_limit = false WHERE id = %s", stage.id)

    def test_is_refused_where_too_few_have_a_limit(self, world: World) -> None:
        stage = {"position": 1, "role": "licensing", "quorum": 1, "within_limit": True}
        draft = Draft("policy.create", {"name": "More", "stages": [stage]})
        with pytest.raises(TooFewEligible, match="1 of licensing with an authority limit, of whom there are 0"):
            world.propose(draft)
        limit(world.first, seats=4)

        world.propose(draft)


@pytest.mark.django_db
class TestLimitKinds:
    def draft(self, world: World, **payload: Any) -> Draft:
        values = {"person": world.first.username, "role": "licensing", "starts_at": given.NOW.isoformat()}
        return Draft("authority_limit.create", values | payload)

    def test_changes_by_a_request_that_names_nobody(self, world: World) -> None:
        request = world.submit(self.draft(world, seats=40, money="1000.50", currency="eur"))
        approve(request, world.first, world.second)

        world.apply(request)

        stored = AuthorityLimit.objects.get()
        assert (stored.human, stored.money, stored.currency) == (world.first.human_id, Decimal("1000.50"), "EUR")
        assert world.first.username.encode() not in bytes(revision_of(request).content)

    @pytest.mark.parametrize(
        ("payload", "words"),
        [
            ({"seats": 1, "person": "nobody-here"}, "Nobody signs in as nobody-here"),
            ({"seats": 1, "role": "auditor"}, "auditor"),
            ({}, "authority_limit_says_what"),
            ({"money": "5"}, "authority_limit_money_has_currency"),
            ({"seats": 1, "currency": "EUR"}, "authority_limit_money_has_currency"),
            ({"seats": -1}, "seats"),
            ({"money": "-1", "currency": "EUR"}, "money"),
            ({"seats": 1, "ends_at": given.NOW.isoformat()}, "authority_limit_ends_after_start"),
        ],
    )
    def test_refuses(self, world: World, payload: Any, words: str) -> None:
        with pytest.raises(InvalidInput, match=words):
            world.propose(self.draft(world, **payload))

    def test_is_amended_and_retired(self, world: World) -> None:
        stored = limit(world.first, seats=4)

        given.record("authority_limit.amend", target_id=stored.id, seats=9)
        stored.refresh_from_db()
        assert (stored.seats, stored.version) == (9, 2)
        with pytest.raises(InvalidInput, match="person"):
            world.propose(Draft("authority_limit.amend", {"person": world.second.username}, stored.id))
