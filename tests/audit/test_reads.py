"""
Sensitive reads are events: every page and address is read over a registry whose prices and names can't be mistaken, and
what shows one of them without an event fails.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from approvals.attachments.models import Attachment
from approvals.attachments.services import Upload, attach
from approvals.governed import Draft
from approvals.requests.models import ChangeRequest
from audit.models import Event
from audit.reads import registry
from audit.reads.collecting import collecting, gave, gave_document, gave_fields
from audit.reads.registry import Sort
from audit.reads.services import record_reads
from audit.services import record_once
from entitlements.directory.services import Details, stage_details
from entitlements.models import OrderLine
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.files import PDF
from tests.approvals.world import World

pytestmark = pytest.mark.django_db
NAME, MAIL = "Zyzzyva Quellmann", "zyzzyva@quellmann.example"
# The order line's price, and any amount in its currency, which nothing else is in.
PRICE = re.compile(r"73[,.]?219|81[,.]?237|\d[\d,.]* UAH|9[,.]?123[,.]?457")
PERSON = re.compile("Zyzzyva|zyzzyva@")
MARKS = {Sort.PRICES: PRICE, Sort.DETAILS: PERSON}
TYPES = {
    Sort.PRICES: "audit.prices.read",
    Sort.DETAILS: "audit.personal_details.read",
    Sort.FILE: "audit.file.downloaded",
    Sort.EXPORT: "audit.export.made",
}
FILES = ("text/csv", "application/pdf", "application/octet-stream")
# Files that say nothing of the registry: what a page is made of, and where it is documented.
NO_EXPORTS = {"/api/v1/openapi.json"}


@pytest.fixture
def marked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """Have a registry whose prices and names are unmistakable, and changes that show them."""
    settings.WHITENOISE_AUTOREFRESH = True
    monkeypatch.setattr(clock, "now", lambda: given.NOW)
    made = building.make()
    stage_details(details=[Details(person.id, NAME, MAIL) for person in made.people], now=given.NOW)
    agreement = given.agreement(made.account, budget="9123457", currency="UAH", reference="AGR-MARKED")
    starts_at = (given.NOW - timedelta(days=100)).isoformat()
    line = given.order_line(
        agreement,
        made.line.sku_revision,
        reference="OL-MARKED",
        currency="UAH",
        list_price="81237",
        starts_at=starts_at,
        periods=[{"starts_at": starts_at, "ends_at": None, "quantity": 50, "unit_price": "73219"}],
    )
    dearer = [{"starts_at": starts_at, "ends_at": None, "quantity": 60, "unit_price": "73219"}]
    request = made.submit(
        Draft("orderline.amend", {"periods": dearer}, line.id),
        made.grant(days=30, order_line_id=str(line.id), holders=[str(made.people[0].id)]),
        waiver=building.Waiver("Agreed", "Head of sales"),
    )
    attach(change_request_id=request.id, author=made.author, file=Upload("kept.pdf", PDF), now=given.NOW)
    for _ in range(2):
        given.user("legal")
    return made


@pytest.fixture
def reader(db: None) -> User:
    """Have somebody who may read everything, everywhere."""
    return given.user("auditor", "licensing", "administrator", is_staff=True, is_superuser=True, username="reader")


@pytest.fixture
def client(reader: User) -> Client:
    """Have that person signed in."""
    signed_in = Client()
    signed_in.force_login(reader)
    return signed_in


class TestEveryPageAndAddress:
    def test_records_what_it_gives_out(
        self, marked: World, client: Client, reader: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Each address by itself: what was read a moment ago at another one would not be recorded again.
        monkeypatch.setattr(
            "audit.reads.services.record_once",
            lambda *, events, now: record_once(events=[(event, None) for event, _ in events], now=now),
        )
        silent, shown = [], set()
        for address in every_address(marked):
            before = set(Event.objects.values_list("id", flat=True))
            answer = client.get(address, follow=True)
            recorded = set(
                Event.objects.exclude(id__in=before).filter(actor_id=reader.id).values_list("type", flat=True)
            )
            for sort in given_out(address, answer):
                shown.add((sort, surface(address)))
                if TYPES[sort] not in recorded:
                    silent.append((sort.value, address))

        assert silent == []
        # The walk saw what it is about, on every surface that has it.
        assert {(Sort.PRICES, "api"), (Sort.PRICES, "portal"), (Sort.PRICES, "admin")} <= shown
        assert {(sort, "portal") for sort in Sort} <= shown
        assert {(Sort.FILE, "api"), (Sort.EXPORT, "api")} <= shown

    def test_of_the_walk_are_all_that_are_served(self, marked: World) -> None:
        walked = set(every_address(marked))

        assert "/audit/" in walked
        assert len([address for address in walked if address.startswith("/api/v1/")]) > 40
        assert len([address for address in walked if address.startswith("/admin/")]) > 60
        assert not [address for address in walked if "<" in address or "(" in address]


def surface(address: str) -> str:
    """Which surface an address belongs to."""
    return next((name for name in ("api", "admin") if address.startswith(f"/{name}/")), "portal")


def given_out(address: str, answer: HttpResponse) -> Iterator[Sort]:
    """What an answer gave out, by looking at it."""
    if answer.status_code != 200:
        return
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    kind = answer["Content-Type"].partition(";")[0]
    if "/files/" in address or address.endswith("/content"):
        yield Sort.FILE
    elif kind in FILES and address not in NO_EXPORTS:
        yield Sort.EXPORT
    text = content.decode(errors="replace")
    for sort, mark in MARKS.items():
        if mark.search(text):
            yield sort


def every_address(made: World) -> Iterator[str]:
    """Every address that answers to GET, with ids of records that are there."""
    request = ChangeRequest.objects.filter(title="To production").latest("number")
    ids = ids_of(made, request)
    for route in routes(get_resolver().url_patterns):
        if not route.startswith("admin/") and "(?P" not in route:
            yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", partial(ids, route), route)
    yield f"/changes/{request.number}/items/?page=1"
    yield f"/check/?account={made.account.id}&product={made.trial.sku.product_id}&person=Zyzzyva"
    yield f"/changes/{request.number}/revisions/?from=1&to=1"
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        for record in marked_first(model):
            yield reverse(f"{name}_change", args=[record.pk])
            yield reverse(f"{name}_history", args=[record.pk])
            version = record.history.first() if hasattr(record, "history") else None
            if version is not None:
                yield reverse(f"{name}_simple_history", args=[record.pk, version.pk])


def marked_first(model: Any) -> list[Any]:
    """Records of a model for its pages: the marked ones, else the last."""
    for field in ("reference", "subject_label"):
        if any(column.name == field for column in model._meta.concrete_fields):
            found = list(model._default_manager.filter(**{f"{field}__endswith": "-MARKED"})[:3])
            if found:
                return found
    return list(model._default_manager.order_by("-pk")[:2])


def routes(patterns: Any, prefix: str = "") -> Iterator[str]:
    """The routes of all patterns, those of the admin left out but for its start."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def ids_of(made: World, request: ChangeRequest) -> Any:
    """A function that fills a parameter of a route."""
    line = OrderLine.objects.get(reference="OL-MARKED")
    fixed = {
        "number": request.number,
        "attachment_id": Attachment.objects.get().id,
        "entitlement_id": made.trial.id,
        "code": made.account.code,
        "event_id": Event.objects.get(subject_id=line.id, type="approvals.record.created").id,
        "slug": "none",
    }
    by_resource = {
        "change-requests": request.id,
        "order-lines": line.id,
        "agreements": line.agreement_id,
        "entitlements": made.trial.id,
        "accounts": made.account.id,
        "products": made.trial.sku.product_id,
        "people": made.people[0].id,
        "events": fixed["event_id"],
    }

    def fill(route: str, parameter: "re.Match[str]") -> str:
        name = parameter[1]
        resource = route.removeprefix("api/v1/").split("/")[0]
        if name == "id" and resource in by_resource:
            return str(by_resource[resource])
        return str(fixed.get(name, uuid.UUID(int=5)))

    return fill


class TestRecording:
    def reads(self, reader: User) -> list[Event]:
        return list(Event.objects.filter(actor_id=reader.id, type__startswith="audit.").order_by("position"))

    def line_page(self) -> str:
        return f"/api/v1/order-lines/{OrderLine.objects.get(reference='OL-MARKED').id}"

    def test_says_who_read_what_where(self, marked: World, client: Client, reader: User) -> None:
        client.get(self.line_page())

        (event,) = self.reads(reader)
        assert (event.type, event.subject_label, event.data["where"]) == ("audit.prices.read", "OL-MARKED", "API")
        assert set(event.scope) == {marked.account.id, marked.trial.sku.product_id}
        assert event.data["records"] == [str(event.subject_id)]

    def test_tells_of_a_list_which_records(self, marked: World, client: Client, reader: User) -> None:
        client.get("/api/v1/order-lines")

        (event,) = self.reads(reader)
        assert event.subject_id is None
        assert event.data["what"] == f"{OrderLine.objects.count()} order lines"
        assert set(event.records) == set(OrderLine.objects.values_list("id", flat=True))

    def test_is_done_once_an_hour_for_each_reader_record_and_surface(
        self, marked: World, client: Client, reader: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            client.get(self.line_page())
        assert len(self.reads(reader)) == 1

        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(hours=1))
        client.get(self.line_page())
        assert len(self.reads(reader)) == 2

        other = given.user("finance", human_id=reader.human_id)
        client.force_login(other)
        client.get(self.line_page())
        assert self.reads(other) == []

    def test_costs_one_query(self, marked: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def asked() -> list[str]:
            with CaptureQueriesContext(connection) as captured:
                assert client.get("/api/v1/order-lines").status_code == 200
            return [query["sql"] for query in captured.captured_queries]

        client.get("/api/v1/products")  # the first request of all looks whether the database was restored
        recording = asked()
        monkeypatch.setattr("audit.reads.middleware.record_reads", lambda **_: None)

        assert len(recording) == len(asked()) + 1
        assert "INSERT" in recording[-1]

    def test_that_fails_refuses_the_read(
        self, marked: World, client: Client, reader: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**_: object) -> None:
            raise RuntimeError("No event can be recorded.")

        monkeypatch.setattr("audit.reads.middleware.record_reads", fail)
        client.raise_request_exception = False
        for address in (self.line_page(), f"/changes/{ChangeRequest.objects.latest('number').number}/"):
            answer = client.get(address)
            assert answer.status_code == 500
            assert not PRICE.search(answer.content.decode())
        assert self.reads(reader) == []

    def test_is_not_of_what_was_refused_or_is_known_already(self, marked: World, client: Client, reader: User) -> None:
        tag = client.get(self.line_page())["ETag"]
        before = len(self.reads(reader))
        stranger = given.user("finance", everywhere=False)
        client.force_login(stranger)

        assert client.get(self.line_page()).status_code == 404
        client.force_login(reader)
        assert client.get(self.line_page(), headers={"If-None-Match": tag}).status_code == 304

        assert (self.reads(stranger), len(self.reads(reader))) == ([], before)

    def test_of_a_change_is_no_step_of_it(self, marked: World, client: Client, reader: User) -> None:
        request = ChangeRequest.objects.filter(title="To production").latest("number")
        steps = Event.objects.of_change_request(request.id).count()

        client.get(f"/changes/{request.number}/")

        assert Event.objects.of_change_request(request.id).count() == steps
        read = {event.type for event in self.reads(reader) if event.subject_id == request.id}
        assert read == {"audit.prices.read"}
        assert "read prices of change" in client.get(f"/audit/?change={request.number}").content.decode()

    def test_of_a_plan_that_is_not_filed_names_no_record(self, marked: World, client: Client, reader: User) -> None:
        line = OrderLine.objects.get(reference="OL-MARKED")
        item = {"kind": "orderline.amend", "target_id": str(line.id), "payload": {"cost_center": "7"}}

        answer = client.post("/api/v1/plans", {"items": [item]}, content_type="application/json")

        assert answer.status_code == 200
        (event,) = [event for event in self.reads(reader) if event.type == "audit.prices.read"]
        assert (event.subject_id, event.scope) == (None, None)
        assert event.data["what"] == "a plan that is not filed"

    def test_names_nobody(self, marked: World, client: Client, reader: User) -> None:
        client.get(f"/entitlements/{marked.trial.id}/holders/")

        (event,) = self.reads(reader)
        assert event.type == "audit.personal_details.read"
        assert event.data["what"] == "3 people"
        assert not PERSON.search(bytes(event.content).decode())
        assert set(event.scope) == {marked.account.id}


class TestNoting:
    def test_outside_a_request_goes_nowhere(self) -> None:
        gave(Sort.PRICES, "entitlements.orderline", {uuid.uuid4(): "OL"})

        with collecting() as given_then:
            assert not given_then

    def test_is_of_sensitive_fields_alone(self) -> None:
        key = uuid.uuid4()
        with collecting() as noted:
            gave_fields("entitlements.orderline", ["reference", "cost_center"], [OrderLine(id=key)])
            gave_document({"seats": 3, "net": None, "years": []}, "approvals.changerequest", {key: "change 1"})
            assert not noted
            gave_fields("entitlements.orderline", ["periods"], [OrderLine(id=key)])
            gave_document([{"deep": [{"net": "3"}]}], "approvals.changerequest", {key: "change 1"})

        assert set(noted.records) == {
            (Sort.PRICES, "entitlements.orderline"),
            (Sort.PRICES, "approvals.changerequest"),
        }

    def test_of_many_records_names_the_first_and_counts_all(self, reader: User) -> None:
        with collecting() as noted:
            gave(Sort.DETAILS, "entitlements.person", {uuid.uuid4(): "person" for _ in range(700)})
        record_reads(given=noted, reader=reader, where="portal", now=given.NOW)

        event = Event.objects.get(actor_id=reader.id)
        assert (event.data["count"], len(event.data["records"]), len(event.records)) == (700, 500, 500)
        assert event.data["what"] == "700 people"

    def test_knows_the_fields_that_are_declared(self) -> None:
        assert registry.declared()["entitlements.orderline"]["periods"] == Sort.PRICES
        assert registry.sorts_of("entitlements.personaldetails", ["mail"]) == {Sort.DETAILS}
