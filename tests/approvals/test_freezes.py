"""Freezes: what they stop, and when; that a change is never applied while one that concerns it lasts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import given as each
from hypothesis import strategies as st

from approvals import events
from approvals.freezes.gate import FreezeGate
from approvals.freezes.models import Freeze
from approvals.governed import Draft
from approvals.requests import gates, obstacles, revisions, services, timetable
from approvals.requests.errors import GateClosed
from approvals.requests.gates import Asked, Step
from approvals.requests.models import ChangeRequest
from approvals.requests.schedules import Schedule
from approvals.requests.states import Status
from approvals.requests.timetable import Report
from audit.models import Event
from foundation.errors import InvalidInput, NotFound
from tests import given
from tests.approvals.test_schedule_lifecycle import mail_to, more_seats, scheduled
from tests.approvals.world import World, approve, events_of, fresh

HOUR = timedelta(hours=1)
WINDOW = Schedule(given.NOW + 2 * HOUR, given.NOW + 4 * HOUR, "Europe/Berlin")


def freeze(*, since: timedelta = -HOUR, until: timedelta = 3 * HOUR, **payload: Any) -> Freeze:
    """A freeze of everything, once, from and to so long after NOW."""
    values = {
        "name": "Year end",
        "reason": "The books are closed.",
        "starts_at": (given.NOW + since).isoformat(),
        "ends_at": (given.NOW + until).isoformat(),
    }
    if not payload.keys() & {"account_ids", "product_ids", "countries"}:
        values["everything"] = True
    return given.record("freeze.create", **(values | payload))


def asked(*drafts: Draft, schedule: Schedule | None = None, now: datetime = given.NOW, **more: Any) -> Asked:
    items = revisions.prepare(drafts=drafts, author=None, now=now)
    return Asked(change_request=None, items=items, schedule=schedule, now=now, **more)


def told(asked: Asked) -> list[tuple[str, set[str]]]:
    return [(one.title, {str(step) for step in one.stops}) for one in FreezeGate().obstacles(asked)]


def act_out(world: World) -> None:
    """What is recorded of freezes, once."""
    scheduled(world, schedule=WINDOW, title="Held")
    lasting = freeze()
    timetable.apply_due(now=WINDOW.opens_at)
    given.record("freeze.retire", target_id=lasting.id)


class TestApplication:
    def test_is_stopped_while_a_freeze_lasts(self, world: World) -> None:
        request = world.approved(more_seats(world))
        freeze()

        with pytest.raises(GateClosed) as refused:
            world.apply(request)

        assert "“Year end” lasts until 2026-03-02 13:00 UTC" in refused.value.message
        assert "The books are closed." in refused.value.message
        assert refused.value.context == {"obstacles": ["Year end"], "until": "2026-03-02T13:00:00+00:00"}
        assert fresh(request).status == Status.APPROVED

    def test_goes_on_at_the_instant_at_which_it_ends(self, world: World) -> None:
        request = world.approved(more_seats(world))
        freeze()

        assert world.apply(request, days=3 / 24).status == Status.APPLIED

    def test_goes_on_before_the_instant_at_which_it_starts(self, world: World) -> None:
        request = world.approved(more_seats(world))
        freeze(since=timedelta(seconds=1))

        assert world.apply(request).status == Status.APPLIED

    def test_goes_on_once_it_is_lifted(self, world: World) -> None:
        request = world.approved(more_seats(world))
        lasting = freeze()
        lifting = world.approved(Draft("freeze.retire", {}, lasting.id))
        world.apply(lifting)

        assert world.apply(request).status == Status.APPLIED

    def test_of_what_changes_freezes_is_never_stopped(self, world: World) -> None:
        lasting = freeze(stops_review=True)

        assert told(asked(Draft("freeze.amend", {"reason": "More."}, lasting.id))) == []
        assert told(asked(Draft("freeze.amend", {"reason": "More."}, lasting.id), more_seats(world))) != []

    def test_may_be_stopped_together_with_review(self, world: World) -> None:
        request = world.propose(more_seats(world))
        freeze(stops_review=True)

        with pytest.raises(GateClosed, match="sent to review or applied before"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        assert fresh(request).status == Status.DRAFT

    def test_alone_is_stopped_otherwise(self, world: World) -> None:
        freeze()

        assert world.submit(more_seats(world)).status == Status.IN_REVIEW

    def test_passes_in_an_emergency_only_if_the_freeze_says_so(self, world: World) -> None:
        freeze(allows_emergency=True)
        question = asked(more_seats(world))

        gates.check_open(step=Step.APPLICATION, asked=question, emergency=True)
        with pytest.raises(GateClosed):
            gates.check_open(step=Step.APPLICATION, asked=question)
        freeze(name="Audit")
        with pytest.raises(GateClosed, match="Audit"):
            gates.check_open(step=Step.APPLICATION, asked=question, emergency=True)

    def test_tells_of_one_that_begins_within_a_week(self, world: World) -> None:
        freeze(since=timedelta(days=6), until=timedelta(days=8))
        question = asked(more_seats(world))

        (soon,) = FreezeGate().obstacles(question)
        assert (soon.stops, "apply this before" in soon.sentence) == (frozenset(), True)
        assert told(asked(more_seats(world), now=given.NOW - timedelta(days=2))) == []


class TestWhatItConcerns:
    def test_is_everything_where_it_says_so(self, world: World) -> None:
        freeze()

        assert told(asked(Draft("product.create", {"code": "other", "name": "Other"}))) == [
            ("Year end", {"application"})
        ]

    def test_is_an_account_and_those_below_it(self, world: World) -> None:
        parent = given.account()
        given.record("account.amend", target_id=world.account.id, parent_id=str(parent.id))
        freeze(account_ids=[str(parent.id)])

        assert told(asked(more_seats(world)))
        assert not told(asked(Draft("account.amend", {"name": "Other"}, given.account().id)))

    def test_is_no_account_above_it(self, world: World) -> None:
        child = given.account(parent_id=str(world.account.id))
        freeze(account_ids=[str(child.id)])

        assert not told(asked(more_seats(world)))

    def test_is_an_account_that_the_change_puts_below_it(self, world: World) -> None:
        freeze(account_ids=[str(world.account.id)])
        child = given.account()
        new, newer = "10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002"
        creating = [
            Draft("account.create", {"code": "new", "name": "New", "parent_id": str(world.account.id)}, UUID(new)),
            Draft("account.create", {"code": "newer", "name": "Newer", "parent_id": new}, UUID(newer)),
        ]

        assert told(asked(Draft("account.amend", {"parent_id": str(world.account.id)}, child.id)))
        assert told(asked(*creating))

    def test_is_a_product(self, world: World) -> None:
        product_id = world.line.sku_revision.sku.product_id
        freeze(product_ids=[str(product_id)])

        assert told(asked(more_seats(world)))
        assert not told(asked(Draft("account.amend", {"name": "Other"}, world.account.id)))

    @pytest.mark.parametrize(("country", "is_frozen"), [("DE", True), ("US", True), ("FR", False)])
    def test_is_a_country_of_use(self, world: World, country: str, is_frozen: bool) -> None:
        freeze(countries=[country])

        assert bool(told(asked(more_seats(world)))) == is_frozen

    def test_is_a_country_that_the_change_takes_away(self, world: World) -> None:
        freeze(countries=["US"])

        assert told(asked(Draft("entitlement.amend", {"regions": ["DE"]}, world.trial.id)))

    def test_is_no_change_without_countries_where_only_countries_are_named(self, world: World) -> None:
        freeze(countries=["DE"])

        assert not told(asked(Draft("account.amend", {"name": "Other"}, world.account.id)))

    def test_is_what_every_sort_named_fits(self, world: World) -> None:
        freeze(account_ids=[str(world.account.id)], countries=["FR"])
        assert not told(asked(more_seats(world)))

        freeze(name="Both", account_ids=[str(world.account.id)], countries=["DE"])
        assert told(asked(more_seats(world))) == [("Both", {"application"})]


class TestWindow:
    def test_wholly_frozen_is_refused_when_it_is_sent_to_review(self, world: World) -> None:
        freeze(since=2 * HOUR, until=4 * HOUR)
        request = world.propose(more_seats(world), schedule=WINDOW)

        with pytest.raises(GateClosed, match="lies wholly within what is frozen") as refused:
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert refused.value.context["until"] is None

    def test_wholly_frozen_by_two_together_is_refused_naming_both(self, world: World) -> None:
        freeze(since=HOUR, until=3 * HOUR)
        freeze(name="Audit", since=3 * HOUR, until=5 * HOUR)

        assert sorted(told(asked(more_seats(world), schedule=WINDOW))) == [
            ("Audit", {"review"}),
            ("Year end", {"review"}),
        ]

    @pytest.mark.parametrize(("since", "until"), [(0, 3), (3, 9), (2.5, 3)])
    def test_partly_frozen_is_a_warning(self, world: World, since: float, until: float) -> None:
        freeze(since=since * HOUR, until=until * HOUR)

        (found,) = FreezeGate().obstacles(asked(more_seats(world), schedule=WINDOW))

        assert (found.stops, "part of the window is frozen" in found.sentence) == (frozenset(), True)

    @pytest.mark.parametrize(("since", "until"), [(-1, 2), (4, 9)])
    def test_that_touches_none_is_free(self, world: World, since: float, until: float) -> None:
        freeze(since=since * HOUR, until=until * HOUR)

        assert told(asked(more_seats(world), schedule=WINDOW)) == []

    def test_later_does_not_pass_a_freeze_that_stops_review_now(self, world: World) -> None:
        freeze(until=HOUR, stops_review=True)
        request = world.propose(more_seats(world), schedule=WINDOW)

        with pytest.raises(GateClosed, match="sent to review"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_that_is_over_meets_nothing(self, world: World) -> None:
        freeze(until=timedelta(days=9))

        assert told(asked(more_seats(world), schedule=WINDOW, now=WINDOW.closes_at)) == []


class TestClock:
    def test_holds_what_is_frozen_while_its_window_is_open(self, world: World) -> None:
        request = scheduled(world, schedule=WINDOW)
        freeze(since=HOUR, until=3 * HOUR)

        reports = [timetable.apply_due(now=WINDOW.opens_at + minutes * timedelta(minutes=1)) for minutes in (0, 1, 59)]

        assert reports == [Report(held=1)] * 3
        assert fresh(request).status == Status.SCHEDULED
        assert events_of(request).count("held") == 1
        assert sum("is due and held" in text for text in mail_to(world.author, request)) == 1
        assert timetable.apply_due(now=WINDOW.opens_at + HOUR) == Report(applied=1)
        assert fresh(request).status == Status.APPLIED

    def test_says_what_held_it_once_it_is_missed(self, world: World) -> None:
        request = scheduled(world, schedule=WINDOW)
        freeze(since=HOUR, until=9 * HOUR)
        timetable.apply_due(now=WINDOW.opens_at)

        assert timetable.apply_due(now=WINDOW.closes_at) == Report(missed=1)

        why = Event.objects.get(change_request_id=request.id, type=events.REQUEST_MISSED).data["why"]
        assert "nothing is applied late" in why
        assert "It was held: The freeze “Year end” lasts until" in why

    def test_is_not_kept_from_others_by_what_is_held(self, world: World) -> None:
        free = given.entitlement()
        scheduled(world, schedule=WINDOW)
        later = world.approved(Draft("entitlement.amend", {"seats": 12}, free.id), schedule=WINDOW)
        freeze(until=9 * HOUR, account_ids=[str(world.account.id)])

        assert timetable.apply_due(now=WINDOW.opens_at, limit=1) == Report(applied=1, held=1)
        assert fresh(later).status == Status.APPLIED

    def test_goes_on_when_the_freeze_is_lifted_early(self, world: World) -> None:
        request = scheduled(world, schedule=WINDOW)
        lasting = freeze(until=9 * HOUR)
        timetable.apply_due(now=WINDOW.opens_at)
        given.record("freeze.retire", target_id=lasting.id)

        timetable.apply_due(now=WINDOW.opens_at + timedelta(minutes=1))

        assert fresh(request).status == Status.APPLIED


class TestKinds:
    @pytest.mark.parametrize(
        ("payload", "message"),
        [
            ({"starts_at": None, "ends_at": None}, "or whose holidays"),
            ({"ends_at": None}, "or whose holidays"),
            ({"ends_at": (given.NOW - timedelta(days=9)).isoformat()}, "or whose holidays"),
            ({"holidays_of": ["DE"]}, "or whose holidays"),
            ({"everything": False}, "it names accounts, products or countries"),
            ({"everything": True, "countries": ["DE"]}, "it names accounts, products or countries"),
            ({"holidays_of": ["XX"], "starts_at": None, "ends_at": None}, "not known"),
            ({"holidays_of": ["DE-ZZ"], "starts_at": None, "ends_at": None}, "Known are: DE-B"),
            ({"everything": False, "countries": ["DE", "XX"]}, "XX is no country"),
            ({"zone": "Europe/Atlantis"}, "is not a time zone"),
            ({"starts_at": "2026-03-02T10:00:00"}, "starts_at"),
            ({"reason": " "}, "reason"),
            ({"everything": False, "account_ids": ["10000000-0000-4000-8000-000000000001"]}, "no such account"),
            ({"everything": False, "product_ids": ["10000000-0000-4000-8000-000000000001"]}, "no such product"),
        ],
    )
    def test_refuse(self, world: World, payload: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidInput, match=message):
            freeze(**payload)
        assert not Freeze.objects.exists()

    def test_refuse_a_name_that_another_one_in_use_has(self, world: World) -> None:
        freeze()
        with pytest.raises(InvalidInput):
            freeze()

    def test_are_proposed_only_over_what_the_author_may_see(self, world: World) -> None:
        stranger = given.user("requester", everywhere=False)
        draft = Draft(
            "freeze.create",
            {
                "name": "Mine",
                "reason": "Mine.",
                "starts_at": given.NOW.isoformat(),
                "ends_at": (given.NOW + HOUR).isoformat(),
                "account_ids": [str(world.account.id)],
            },
        )

        with pytest.raises(NotFound):
            services.preview(drafts=[draft], user=stranger, now=given.NOW)
        given.grant_access(stranger, world.account)
        assert services.preview(drafts=[draft], user=stranger, now=given.NOW)


class TestObstacles:
    def test_of_a_request_are_told_while_it_is_open(self, world: World) -> None:
        request = world.approved(more_seats(world))
        freeze()

        (found,) = obstacles.of_request(change_request=request, reader=world.first, now=given.NOW)
        assert (found.title, found.stops_application, found.stops_review) == ("Year end", True, False)
        services.withdraw(change_request_id=request.id, user=world.author, now=given.NOW)
        assert obstacles.of_request(change_request=fresh(request), reader=world.first, now=given.NOW) == ()

    def test_are_asked_of_every_registered_gate(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        class Closed:
            def obstacles(self, asked: Asked) -> Sequence[gates.Obstacle]:
                return [gates.Obstacle("Ticket", "The ticket is open.", frozenset({Step.REVIEW}))]

        monkeypatch.setattr(gates, "_GATES", [*gates._GATES])
        closed = Closed()
        for _ in range(2):
            gates.register_gate(closed)
        question = asked(more_seats(world))

        assert [one.title for one in gates.obstacles(question)] == ["Ticket"]
        gates.check_open(step=Step.APPLICATION, asked=question)
        with pytest.raises(GateClosed) as refused:
            gates.check_open(step=Step.REVIEW, asked=question)
        assert refused.value.context == {"obstacles": ["Ticket"], "until": None}

    def test_end_by_themselves_only_if_all_do(self) -> None:
        ending = gates.Obstacle("A", "A.", frozenset({Step.APPLICATION}), until=given.NOW)
        later = gates.Obstacle("B", "B.", frozenset({Step.APPLICATION}), until=given.NOW + HOUR)
        lasting = gates.Obstacle("C", "C.", frozenset({Step.APPLICATION}))

        for found, until in (([ending, later], "2026-03-02T11:00:00+00:00"), ([ending, lasting], None)):
            with pytest.raises(GateClosed) as refused:
                gates.check_not_stopped(step=Step.APPLICATION, found=found)
            assert refused.value.context["until"] == until
        gates.check_not_stopped(step=Step.REVIEW, found=[ending, later, lasting])


MINUTES = st.integers(-180, 600)


class TestNothingIsAppliedInAFreeze:
    """A freeze for a change and its application never meet, whatever the clock, the window and the freezes are."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @each(
        spans=st.lists(
            st.tuples(MINUTES, MINUTES, st.sampled_from(["account", "other", "DE", "FR", "all"])), max_size=4
        ),
        rings=st.lists(st.integers(0, 600), min_size=1, max_size=12),
        windowed=st.booleans(),
    )
    def test_at_any_instant(
        self, world: World, spans: list[tuple[int, int, str]], rings: list[int], windowed: bool
    ) -> None:
        with transaction.atomic():
            other = given.account()
            about = {
                "account": {"account_ids": [str(world.account.id)]},
                "other": {"account_ids": [str(other.id)]},
                "DE": {"countries": ["DE"]},
                "FR": {"countries": ["FR"]},
                "all": {},
            }
            request = _ready(world, WINDOW if windowed else None)
            lasting = []
            for number, (one, two, what) in enumerate(spans):
                since, until = sorted((one, two + (one == two)))
                freeze(name=f"F{number}", since=timedelta(minutes=since), until=timedelta(minutes=until), **about[what])
                if what in {"account", "DE", "all"}:
                    lasting.append((since, until))
            for minute in sorted(rings):
                now = given.NOW + timedelta(minutes=minute)
                try:
                    if windowed:
                        # What the clock calls, without its transaction of its own.
                        request = fresh(request)
                        if request.status == Status.SCHEDULED and request.due_at <= now:
                            timetable._settle(request, now)
                    elif fresh(request).status == Status.APPROVED:
                        world.apply(request, days=minute / 1440)
                except GateClosed:
                    pass
            applied_at = fresh(request).applied_at
            free = [m for m in sorted(rings) if not any(since <= m < until for since, until in lasting)]
            due = [m for m in free if not windowed or 120 <= m < 240]
            minute = (applied_at - given.NOW) / timedelta(minutes=1) if applied_at else None
            assert (round(minute) if minute is not None else None) == (due[0] if due else None)
            transaction.set_rollback(True)


def _ready(world: World, schedule: Schedule | None) -> ChangeRequest:
    request = world.submit(more_seats(world), schedule=schedule)
    approve(request, world.first, world.second)
    return fresh(request)
