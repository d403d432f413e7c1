"""The explorer: what is found by what, who sees it, pages that stay right, and events as people read them."""

import csv
import hashlib
import io
import uuid
from collections.abc import Iterator
from datetime import UTC, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from approvals import events as change_events
from approvals.governed import Draft, governed_models
from approvals.requests import services
from approvals.requests.models import ItemScope
from audit import contributors, subjects
from audit.explorer import filters, pages, reading
from audit.models import Event
from audit.services import NewEvent, Subject, record
from entitlements.directory.models import AccountClosure
from entitlements.grants.services import take_seat
from foundation import clock
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.conftest import world
from tests.approvals.test_totality import act_out
from tests.approvals.world import World

__all__ = ["world"]
pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def auditor(db: None) -> User:
    """Have an auditor who is granted everything."""
    return given.user("auditor", username="odile", first_name="Odile", last_name="Rand")


@pytest.fixture
def client(auditor: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Have that person signed in."""
    settings.WHITENOISE_AUTOREFRESH = True
    monkeypatch.setattr(clock, "now", lambda: given.NOW)
    signed_in = Client()
    signed_in.force_login(auditor)
    return signed_in


def events(user: User, **parameters: str) -> list[Event]:
    """What a user finds, newest first: the same by walking the list, which fills small pages, and by gathering."""
    sought = filters.parse(parameters, zone=UTC)
    found = list(reading.of(user=user, sought=sought).indexed.newest_first())
    assert reading.page(user=user, sought=sought, rows=len(found) + 1).events == found
    for rows in (1, 2):
        assert reading.page(user=user, sought=sought, rows=rows).events == found[:rows]
    return found


def types(user: User, **parameters: str) -> list[str]:
    """The last parts of the types of what a user finds, newest first."""
    return [event.type.rpartition(".")[2] for event in events(user, **parameters)]


def ids(user: User, **parameters: str) -> set[uuid.UUID]:
    """The ids of what a user finds."""
    return {event.id for event in events(user, **parameters)}


class TestWhatAnEventConcerns:
    def test_is_known_of_every_sort_of_event(self, world: World) -> None:
        act_out(world)

        for event in Event.objects.all():
            subject_type = subjects.subject_types().get(event.subject_type)
            assert subject_type is not None or not event.subject_type, event.type
            assert (event.scope is None) == (subject_type is None or subject_type.scope is None), event.type
        assert set(subjects.subject_types()) >= {model._meta.label_lower for model in governed_models()}

    def test_is_what_the_records_item_belongs_to(self, world: World) -> None:
        act_out(world)
        given.region_group("NORDICS", ["DK"])
        given.deployment(world.account, world.trial.sku.product)

        told = Event.objects.filter(type__startswith="approvals.record.")
        assert {event.subject_type for event in told} > {"entitlements.orderline", "entitlements.agreement"}
        for event in told:
            rows = ItemScope.objects.filter(
                item__revision__change_request_id=event.change_request_id, item__record_id=event.subject_id
            )
            known = {row.account_id or row.product_id for row in rows}
            assert set(event.scope) <= known, event.data["kind"]
            assert bool(event.scope) == bool(known), event.data["kind"]

    def test_of_a_request_is_all_that_it_touches(self, world: World) -> None:
        request = world.propose(world.grant(), Draft("account.amend", {"name": "Renamed"}, world.account.id))

        event = Event.objects.get(change_request_id=request.id)

        assert set(event.scope) == {world.account.id, world.trial.sku.product_id}
        assert world.account.id in event.records
        assert len(event.records) == 2

    def test_of_a_seat_is_its_account_and_product(self, world: World) -> None:
        person = given.people(1, of=world.account)[0]
        take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW, person_id=person.id)

        event = Event.objects.of_subject(world.trial.id).newest_first()[0]

        assert set(event.scope) == {world.account.id, world.trial.sku.product_id}

    def test_is_refused_where_nobody_says(self) -> None:
        subject = Subject("approvals.enchantment", uuid.uuid4())
        with pytest.raises(subjects.UnknownSubject, match="enchantment"):
            record(event=NewEvent(change_events.REQUEST_WITHDRAWN, None, subject, data={"number": 1}), now=given.NOW)


@pytest.mark.django_db(transaction=True)
class TestEventsOfBefore:
    def test_are_placed_by_the_migration_as_new_ones_are(self, owner_connection: psycopg.Connection[Any]) -> None:
        made = building.make()
        made.apply(made.approved(made.grant(), Draft("account.amend", {"name": "Renamed"}, made.account.id)))
        given.record("policy.create", name="For all", stages=[{"position": 1, "role": "licensing", "quorum": 1}])
        written = placed()
        owner_connection.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
        owner_connection.execute("UPDATE audit_event SET scope = NULL, records = '{}'")
        owner_connection.execute("ALTER TABLE audit_event ENABLE TRIGGER append_only")

        owner_connection.execute(import_module("entitlements.migrations.0009_events_concern").FILL)

        assert placed() == written
        with pytest.raises(psycopg.Error, match="INV-4"):
            owner_connection.execute("UPDATE audit_event SET scope = NULL")


def placed() -> dict[uuid.UUID, tuple[set[uuid.UUID] | None, list[uuid.UUID]]]:
    """What each event concerns."""
    return {
        event.id: (None if event.scope is None else set(event.scope), event.records) for event in Event.objects.all()
    }


class TestFilters:
    def test_find_by_a_human_over_all_logins(self, world: World, auditor: User) -> None:
        other = given.user("licensing", human_id=world.author.human_id, username="second-login")
        world.submit()
        request = world.propose(title="By the other login", author=other)

        mine = types(auditor, actor=str(world.author.human_id))

        assert mine == ["proposed", "submitted", "proposed"]
        assert types(auditor, actor="SECOND-login") == mine
        assert types(auditor, actor=str(uuid.uuid4())) == []
        assert types(auditor, actor="nobody of that name") == []
        assert types(auditor, actor="second-login", change=f"#{request.number}") == ["proposed"]

    def test_find_by_name(self, world: World, auditor: User) -> None:
        world.author.first_name, world.author.last_name = "Ada", "Lindholm"
        world.author.save()
        world.propose()

        assert types(auditor, actor="ada lindholm") == types(auditor, actor="Lind") == ["proposed"]

    def test_find_by_account_with_the_units_below_it(self, world: World, auditor: User) -> None:
        unit = given.account(parent_id=world.account.id)
        elsewhere = given.account()
        request = world.propose()

        found = ids(auditor, account=str(world.account.id))

        assert ids(auditor, account=str(unit.id)) < found
        assert Event.objects.get(change_request_id=request.id).id in found
        assert not found & ids(auditor, account=str(elsewhere.id))
        assert AccountClosure.objects.filter(ancestor=world.account, descendant=unit).exists()

    def test_find_by_object(self, world: World, auditor: User) -> None:
        request = world.propose(Draft("entitlement.amend", {"seats": 9}, world.trial.id))

        by_id = ids(auditor, object=str(world.trial.id))

        assert Event.objects.get(change_request_id=request.id).id in by_id
        own = ids(auditor, object=world.trial.reference.lower())
        assert own == set(Event.objects.of_subject(world.trial.id).values_list("id", flat=True))
        assert own < by_id
        assert types(auditor, object=f"change {request.number}") == ["proposed"]

    def test_find_by_change(self, world: World, auditor: User) -> None:
        request = world.submit()

        assert types(auditor, change=str(request.number)) == ["submitted", "proposed"]
        assert types(auditor, change="999999") == []

    def test_find_by_kind(self, world: World, auditor: User) -> None:
        request = world.submit()
        here = {"change": str(request.number)}

        assert types(auditor, kind="approvals.change_request.submitted", **here) == ["submitted"]
        assert types(auditor, kind="approvals.change_request", **here) == ["submitted", "proposed"]
        assert types(auditor, kind="entitlements", **here) == []

    def test_find_by_time_in_the_readers_zone(self, world: World, auditor: User) -> None:
        world.propose()
        human = str(world.author.human_id)

        def found(**parameters: str) -> int:
            return reading.found(user=auditor, parameters={"actor": human} | parameters, zone=BERLIN).indexed.count()

        assert found(since="2026-03-02T11:00", until="2026-03-02T11:01") == 1
        assert found(since="2026-03-02T11:00:01") == found(until="2026-03-02T11:00") == 0
        assert found(until="2026-03-02") == found(since="2026-03-02") == found(since="2026-03-02T10:00Z") == 1
        assert found(until="2026-03-01") == found(since="2026-03-03") == 0

    def test_find_by_words(self, world: World, auditor: User) -> None:
        request = world.propose(title="Überführung of CHART-TRIAL-7, 50% sooner")
        for text in ("überführung", "ÜBERF", "CHART-TRIAL-7", "chart-tri", "proposed sooner", "of 50%"):
            assert types(auditor, text=text, change=str(request.number)) == ["proposed"], text
        for text in ("hrung", "sooner nothing-like-it", "'", "\\", "'; DROP", "& | !", "so :* <->"):
            assert types(auditor, text=text, change=str(request.number)) == [], text

    def test_find_what_a_changed_record_says(self, world: World, auditor: User) -> None:
        given.order_line(world.line.agreement, world.line.sku_revision, purchase_order="PO-4711")

        assert types(auditor, text="PO-4711") == ["created"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("account", "acme"),
            ("change", "seven"),
            ("change", "9" * 18),
            ("kind", "approvals.change_request.enchanted"),
            ("since", "yesterday"),
            ("until", "2026-02-30"),
            ("until", "9999-12-31"),
            ("since", "0001-01-01T00:00+23:00"),
        ],
    )
    def test_say_what_they_can_not_read(self, name: str, value: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            filters.parse({name: value}, zone=BERLIN)
        assert [error["param"] for error in refusal.value.context["errors"]] == [name]


class TestWhoSees:
    def some_of(self, world: World) -> User:
        user = given.user("auditor", everywhere=False)
        given.grant_access(user, world.account, world.trial.sku.product)
        return user

    def test_nobody_without_the_role(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            reading.events_for(given.user("licensing"))

    def test_sees_what_is_granted_and_nothing_else(self, world: World) -> None:
        seeing = self.some_of(world)
        seen = world.propose()
        elsewhere = given.entitlement()
        hidden = world.propose(world.grant(), Draft("entitlement.amend", {"seats": 9}, elsewhere.id))

        found = reading.events_for(seeing)

        assert found.filter(change_request_id=seen.id).exists()
        assert not found.filter(change_request_id=hidden.id).exists()
        assert found.of_subject(world.trial.id).exists()
        assert not found.of_subject(elsewhere.id).exists()
        with pytest.raises(NotFound):
            reading.one(user=seeing, event_id=Event.objects.filter(change_request_id=hidden.id)[0].id)

    def test_sees_own_acts_and_what_belongs_to_nobody(self, world: World) -> None:
        seeing = self.some_of(world)
        login = Subject("foundation.user", uuid.uuid4(), "login")
        for actor in (seeing, world.author):
            record(event=NewEvent("entitlements.login.added", actor, login, data={"login_id": 1}), now=given.NOW)
        given.record("policy.create", name="For all", stages=[{"position": 1, "role": "licensing", "quorum": 1}])

        assert [event.actor_id for event in reading.events_for(seeing).of_subject(login.id)] == [seeing.id]  # type: ignore[arg-type]
        assert reading.events_for(seeing).filter(subject_label="For all").count() == 1

    def test_is_all_where_all_is_granted(self, world: World, auditor: User) -> None:
        assert reading.events_for(auditor).count() == Event.objects.count()
        auditor.is_active = False
        with pytest.raises(NotPermitted):
            reading.events_for(auditor)


class TestPages:
    def walk(self, user: User, rows: int) -> Iterator[pages.Page]:
        cursor: str | None = ""
        while cursor is not None:
            page = reading.page(user=user, sought=filters.Sought(), cursor=cursor, rows=rows)
            yield page
            cursor = page.older

    def test_show_every_event_once_newest_first_and_lead_back(self, world: World, auditor: User) -> None:
        world.apply(world.approved())
        expected = [event.id for event in sorted(Event.objects.all(), key=_order, reverse=True)]

        walked = list(self.walk(auditor, 7))

        assert [event.id for page in walked for event in page.events] == expected
        back = walked[-1]
        for page in walked[-2::-1]:
            assert back.newer is not None
            back = reading.page(user=auditor, sought=filters.Sought(), cursor=back.newer, rows=7)
            assert [event.id for event in back.events] == [event.id for event in page.events]
        assert back.newer is None

    def test_are_not_moved_by_what_is_recorded_meanwhile(self, world: World, auditor: User) -> None:
        first = reading.page(user=auditor, sought=filters.Sought(), rows=5)
        second = reading.page(user=auditor, sought=filters.Sought(), cursor=first.older or "", rows=5)
        for at in (first.events[0].recorded_at, first.events[0].recorded_at + timedelta(days=1)):
            services.propose(
                title="Meanwhile", drafts=[world.grant()], author=world.author, now=at, rationale=given.RATIONALE
            )

        again = reading.page(user=auditor, sought=filters.Sought(), cursor=first.older or "", rows=5)

        assert [event.id for event in again.events] == [event.id for event in second.events]

    @pytest.mark.parametrize("cursor", ["nonsense", "eDoxOjE", "bzo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE", "bzphOmI", "ü"])
    def test_refuse_a_cursor_that_is_none(self, auditor: User, cursor: str) -> None:
        with pytest.raises(InvalidInput):
            pages.page_of(pages.Found(reading.events_for(auditor), None), cursor=cursor)


def _order(event: Event) -> Any:
    return event.recorded_at, event.position


class TestQueries:
    def of_page(self, user: User, **parameters: str) -> list[str]:
        """The queries of a first page, with their values."""
        user = User.objects.get(pk=user.pk)
        assert user.has_perm(reading.VIEW)
        with CaptureQueriesContext(connection) as captured:
            found = reading.page(user=user, sought=filters.parse(parameters, zone=UTC))
            subjects.directory().accounts(user)
            assert [reading.told(event) for event in found.events]
        return [query["sql"] for query in captured.captured_queries]

    def test_of_the_first_page_are_under_five_and_use_indexes(self, world: World, auditor: User) -> None:
        some = given.user("auditor", everywhere=False)
        given.grant_access(some, world.account, world.trial.sku.product)
        request = world.propose()
        asked: list[tuple[User, dict[str, str], str]] = [
            (auditor, {}, "event_newest_first"),
            (some, {}, "event_scope"),
            (auditor, {"actor": str(world.author.human_id)}, "event_of_actor"),
            (auditor, {"account": str(world.account.id)}, "event_scope"),
            (auditor, {"object": str(world.trial.id)}, "event_records"),
            (auditor, {"object": world.trial.reference}, "event_words"),
            (auditor, {"change": str(request.number)}, "event_of_change_request"),
            (auditor, {"since": "2026-03-01"}, "event_"),
            (auditor, {"kind": "approvals.change_request.proposed"}, "event_of_type"),
            (auditor, {"text": "production"}, "event_words"),
        ]
        with connection.cursor() as cursor:
            # The table is small: what is asked is whether an index can serve the query at all.
            cursor.execute("SET LOCAL enable_seqscan = off")
            for user, parameters, index in asked:
                queries = self.of_page(user, **parameters)
                plans = []
                for query in queries:
                    cursor.execute(f"EXPLAIN {query}")
                    plans.append("\n".join(row[0] for row in cursor.fetchall()))
                told = "\n\n".join(plans)
                assert len(queries) <= (4 if not parameters else 5), told
                assert "Seq Scan on audit_event" not in told, (parameters, told)
                assert f" {index}" in told, (parameters, told)

    def test_are_as_many_for_fifty_events_as_for_few(self, client: Client, world: World) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get("/audit/?kind=approvals.change_request").status_code == 200
            return len(captured)

        world.propose()
        client.get("/audit/")
        few = count()
        for _ in range(3):
            world.propose()

        assert count() == few


class TestPortal:
    def test_tells_each_event_with_its_links(self, client: Client, world: World) -> None:
        request = world.submit()

        content = client.get(f"/audit/?actor={world.author.human_id}").content.decode()

        assert f"sent change {request.number}, revision 1, to review." in content
        assert f'href="/changes/{request.number}/"' in content
        assert f"?object={request.id}" in content
        assert f'value="{world.author.username}"' in content
        assert "From (UTC)" in content
        assert ">Audit</a>" in content

    def test_shows_one_event_whole(self, client: Client, world: World) -> None:
        event = Event.objects.of_subject(world.trial.id).get(type=change_events.RECORD_CREATED)

        content = client.get(f"/audit/{event.id}/").content.decode()

        assert hashlib.sha256(bytes(event.content)).hexdigest() in content
        assert "The new record" in content
        assert f'href="/entitlements/{world.trial.id}/"' in content
        assert "23 Mar 2026, 10:00 UTC" in content

    def test_says_what_it_can_not_read(self, client: Client, db: None) -> None:
        answer = client.get("/audit/?since=yesterday&change=x&text=kept")

        assert answer.status_code == 400
        content = answer.content.decode()
        assert "“yesterday” is no day and no time." in content
        assert 'value="kept"' in content
        assert client.get("/audit/?cursor=x").status_code == 400

    def test_says_where_nothing_fits(self, client: Client, db: None) -> None:
        assert "No event that you may see matches." in client.get("/audit/?text=nothing-like-it").content.decode()

    def test_is_for_those_with_the_role(self, world: World, client: Client) -> None:
        client.force_login(given.user("licensing"))

        assert client.get("/audit/").status_code == 403
        assert client.get("/audit/export.csv").status_code == 403
        assert ">Audit</a>" not in client.get("/").content.decode()

    def test_hides_an_event_that_is_not_granted(self, world: World, client: Client) -> None:
        client.force_login(given.user("auditor", everywhere=False))

        assert client.get(f"/audit/{Event.objects.of_subject(world.trial.id)[0].id}/").status_code == 404

    def test_exports_all_that_fit_and_records_that(self, client: Client, world: World, auditor: User) -> None:
        request = world.submit(title="=cmd|calc")

        answer = client.get(f"/audit/export.csv?change={request.number}")

        rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))  # type: ignore[call-overload]
        assert [row["Kind"].rpartition(".")[2] for row in rows] == ["submitted", "proposed"]
        assert rows[0]["Change"] == str(request.number)
        stored = Event.objects.get(id=rows[0]["Event's id"])
        assert rows[0]["SHA-256 of its bytes"] == hashlib.sha256(bytes(stored.content)).hexdigest()
        event = Event.objects.get(type="audit.export.made")
        assert event.actor_id == auditor.id
        assert event.data["filter"] == {"change": str(request.number)}
        assert reading.told(event).sentence == "The system exported events of the audit log as CSV."

    def test_exports_nothing_that_is_not_recorded(
        self, client: Client, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("audit.reads.middleware.record_reads", _fail)
        client.raise_request_exception = False

        assert client.get("/audit/export.csv").status_code == 500


def _fail(**_: object) -> None:
    raise RuntimeError("No event can be recorded.")


class TestApi:
    @pytest.fixture
    def api(self, auditor: User, monkeypatch: pytest.MonkeyPatch) -> APIClient:
        """Have the auditor's program."""
        monkeypatch.setattr(clock, "now", lambda: given.NOW)
        program = APIClient()
        program.force_authenticate(auditor)
        return program

    def test_pages_through_events(self, api: APIClient, world: World) -> None:
        request = world.apply(world.approved())
        address, seen, previous = f"/api/v1/events?change={request.number}&limit=3", [], None
        while address:
            answer = api.get(address).json()
            assert (answer["previous"] is None) == (previous is None)
            seen += answer["results"]
            previous, address = answer["previous"] or "none", answer["next"]

        assert len({row["id"] for row in seen}) == len(seen) == Event.objects.of_change_request(request.id).count()
        assert {row["change_request"]["number"] for row in seen} == {request.number}
        assert "data" not in seen[0]

    def test_reads_one_event_whole(self, api: APIClient, world: World) -> None:
        event = Event.objects.of_subject(world.trial.id).get(type=change_events.RECORD_CREATED)

        told = api.get(f"/api/v1/events/{event.id}").json()

        assert hashlib.sha256(told["content"].encode()).hexdigest() == told["sha256"]
        assert told["data"]["after"]["reference"] == world.trial.reference
        assert told["subject"]["label"] == world.trial.reference

    def test_names_the_parameter_that_it_refuses(self, api: APIClient) -> None:
        answer = api.get("/api/v1/events?since=yesterday")

        assert answer.status_code == 400
        assert [error["param"] for error in answer.json()["errors"]] == ["since"]

    def test_exports(self, api: APIClient, world: World) -> None:
        answer = api.get("/api/v1/events/export?kind=approvals.record", HTTP_ACCEPT="text/csv")

        assert answer["Content-Type"].startswith("text/csv")
        assert len(b"".join(answer).splitlines()) > 5  # type: ignore[call-overload]


class TestKinds:
    def test_are_all_there_in_words(self) -> None:
        found = {name: words for _, _, kinds in reading.kinds() for name, words in kinds}

        assert found.keys() == contributors.event_types().keys()
        assert found["approvals.change_request.changes_asked"] == "Changes asked"
        assert ("approvals.change_request", "Change control: change request") in {
            (entity, words) for entity, words, _ in reading.kinds()
        }

    def test_of_an_unknown_type_are_told_by_name(self) -> None:
        event = Event(type="old.thing.done", subject_label="", data={}, recorded_at=given.NOW - timedelta(days=1))

        assert reading.told(event).sentence.startswith("old.thing.done: ")
