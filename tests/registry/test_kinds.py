"""Every kind of change, applied; and the history that each leaves."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from approvals.bootstrap import bootstrap
from approvals.governed import Draft, kinds
from approvals.records.payloads import validated
from approvals.records.rows import row_of
from approvals.requests.models import Item
from audit.models import Event
from entitlements.catalog.models import Product, RegionGroup, SKURevision
from entitlements.grants.models import Entitlement
from foundation.errors import InvalidInput, NotFound
from tests import given
from tests.registry import rows

pytestmark = pytest.mark.django_db


def update_of(name: str) -> tuple[Any, dict[str, Any]]:
    """A stored record, and a payload with which the kind of this name changes it."""
    model, verb = kinds()[name].model, name.partition(".")[2]
    if name == "entitlement.move":
        granted = given.entitlement()
        return granted, {"sku_revision_id": given.sku_revision(granted.sku).id}
    target = rows.make(model)
    if name == "entitlement.extend":
        return target, {"ends_at": rows.LATER}
    if name == "entitlement.retire":
        return target, {"ends_at": (given.NOW + timedelta(days=3)).isoformat()}
    return target, rows.AMENDMENTS[model] if verb == "amend" else {}


# What takes a change back is tried with acting back: tests/verification.
UPDATES = sorted(n for n, kind in kinds().items() if kind.operation == "update" and not n.endswith(".restore"))


class TestKind:
    @pytest.mark.parametrize("name", sorted(name for name, kind in kinds().items() if kind.operation == "insert"))
    def test_of_insertion_writes_the_row_its_history_and_one_event(self, name: str) -> None:
        stored = rows.make(kinds()[name].model)

        assert stored.version == 1
        assert_history(stored, "+")
        assert event_types_of(stored.id) == ["approvals.record.created"]

    @pytest.mark.parametrize("name", UPDATES)
    def test_of_update_writes_the_row_its_history_and_one_event(self, name: str) -> None:
        target, payload = update_of(name)

        stored = given.record(name, target_id=target.id, **payload)

        assert stored.version == 2
        assert row_of(stored) != row_of(target) | {"version": 2}
        assert_history(stored, "~")
        assert event_types_of(stored.id) == ["approvals.record.changed", "approvals.record.created"]

    @pytest.mark.parametrize("name", sorted(n for n in kinds() if not n.endswith(".restore")))
    def test_declares_the_facts_that_it_gives(self, name: str) -> None:
        kind = kinds()[name]
        if kind.operation == "insert":
            stored = rows.make(kind.model)
        else:
            target, payload = update_of(name)
            stored = given.record(name, target_id=target.id, **payload)

        item = stored_item(stored)

        assert item.kind == name
        assert set(item.facts) <= {fact.name for fact in kind.facts}

    @pytest.mark.parametrize("name", sorted(kinds()))
    def test_refuses_fields_that_it_does_not_know(self, name: str) -> None:
        with pytest.raises(InvalidInput, match="no_such_field"):
            validated(kinds()[name].payload, {"no_such_field": 1})

    @pytest.mark.parametrize("name", UPDATES)
    def test_of_update_knows_no_record_that_does_not_exist(self, name: str) -> None:
        payload = (
            {"sku_revision_id": str(uuid.uuid4())}
            if name == "entitlement.move"
            else ({"ends_at": rows.LATER} if name in ("entitlement.extend", "entitlement.retire") else {})
        )

        with pytest.raises(NotFound):
            given.record(name, target_id=uuid.uuid4(), **payload)

    @pytest.mark.parametrize("name", sorted(n for n in kinds() if n.endswith(".retire") and n != "entitlement.retire"))
    def test_retires_once(self, name: str) -> None:
        target = rows.make(kinds()[name].model)
        given.record(name, target_id=target.id)

        with pytest.raises(InvalidInput, match="retired already"):
            given.record(name, target_id=target.id)


def stored_item(stored: Any) -> Any:
    return Item.objects.filter(record_id=stored.id).order_by("-revision__change_request__number")[0]


def assert_history(stored: Any, how: str) -> None:
    """The last row of history equals the row, and names the change request that wrote it."""
    last = type(stored).history.filter(id=stored.id).order_by("-version")[0]
    item = stored_item(stored)
    columns = {field.attname for field in stored._meta.concrete_fields}
    assert {name: getattr(last, name) for name in columns} == {name: getattr(stored, name) for name in columns}
    assert (last.history_type, last.history_date) == (how, given.NOW)
    assert last.change_request_number == item.revision.change_request.number
    assert type(stored).history.filter(id=stored.id).count() == stored.version


def event_types_of(record_id: uuid.UUID) -> list[str]:
    found = Event.objects.of_subject(record_id).filter(type__startswith="approvals.record")
    return sorted(found.values_list("type", flat=True))


class TestBulkWrites:
    def test_leave_history_with_the_number_on_every_row(self) -> None:
        drafts = [Draft("product.create", {"code": f"bulk-{n}", "name": "Bulk"}) for n in range(7)]
        made = bootstrap(reason="Seven", drafts=drafts, now=given.NOW)
        targets = list(Product.objects.filter(code__startswith="bulk-"))

        changed = bootstrap(
            reason="All renamed",
            drafts=[Draft("product.amend", {"name": f"New {n}"}, row.id) for n, row in enumerate(targets)],
            now=given.NOW,
        )

        written = Product.history.filter(code__startswith="bulk-")
        assert sorted(written.values_list("version", "change_request_number")) == sorted(
            [(1, made.number)] * 7 + [(2, changed.number)] * 7
        )

    def test_let_later_items_refer_to_earlier_ones(self) -> None:
        product_id, sku_id = uuid.uuid4(), uuid.uuid4()

        bootstrap(
            reason="One catalog",
            drafts=[
                Draft("product.create", {"code": "new", "name": "New"}, product_id),
                Draft("feature.create", {"product_id": product_id, "code": "export", "name": "Export"}),
                Draft("sku.create", {"product_id": product_id, "code": "NEW", "name": "New"}, sku_id),
                Draft(
                    "skurevision.create",
                    {
                        "sku_id": sku_id,
                        "features": {"export": True},
                        "countries": ["DE"],
                        "environments": ["production"],
                    },
                ),
                Draft("skurevision.create", {"sku_id": sku_id, "countries": ["DE"], "environments": ["production"]}),
            ],
            now=given.NOW,
        )

        assert sorted(SKURevision.objects.filter(sku_id=sku_id).values_list("number", flat=True)) == [1, 2]


class TestCatalogRules:
    def test_refuse_a_sku_revision_with_an_unknown_feature(self) -> None:
        with pytest.raises(InvalidInput, match="no feature teleport"):
            given.sku_revision(given.sku(given.product()), features={"teleport": True})

    def test_refuse_a_counterpart_for_the_same_purpose(self) -> None:
        product = given.product()
        one = given.sku(product)

        with pytest.raises(InvalidInput, match="no counterpart"):
            given.sku(product, counterpart_id=one.id)

    def test_accept_a_counterpart_for_the_other_purpose(self) -> None:
        product = given.product()
        production = given.sku(product)

        assert given.sku(product, purpose="trial", counterpart_id=production.id).counterpart == production

    @pytest.mark.parametrize("countries", [["XX"], ["DE", "ZZ"]])
    def test_refuse_what_is_not_a_country(self, countries: list[str]) -> None:
        with pytest.raises(InvalidInput):
            given.region_group("NOWHERE", countries)

    def test_expand_region_groups_when_planned_and_name_their_revision(self) -> None:
        group = given.region_group("DACH", ["AT", "CH", "DE"])
        revision = given.sku_revision(given.sku(given.product()), countries=["DACH", "US"])
        line = given.order_line(given.agreement(given.account()), revision)

        granted = given.entitlement(line, regions=["dach"])

        assert revision.countries == ["AT", "CH", "DE", "US"]
        assert (granted.countries, granted.region_groups) == (["AT", "CH", "DE"], {"DACH": 1})
        given.record("regiongroup.amend", target_id=group.id, countries=["AT", "DE"])
        assert RegionGroup.objects.get(id=group.id).revision == 2
        assert Entitlement.objects.get(id=granted.id).countries == ["AT", "CH", "DE"]
        again = given.entitlement(line, regions=["DACH"], phase="bridge")
        assert (again.countries, again.region_groups) == (["AT", "DE"], {"DACH": 2})

    def test_keep_a_groups_revision_if_only_its_name_changes(self) -> None:
        group = given.region_group("DACH", ["AT", "CH", "DE"])

        given.record("regiongroup.amend", target_id=group.id, name="Alps", countries=["DE", "AT", "CH"])

        assert RegionGroup.objects.get(id=group.id).revision == 1

    def test_expand_no_retired_group(self) -> None:
        group = given.region_group("DACH", ["AT", "CH", "DE"])
        given.record("regiongroup.retire", target_id=group.id)

        with pytest.raises(InvalidInput, match="neither countries nor region groups"):
            given.sku_revision(given.sku(given.product()), countries=["DACH"])


class TestRetiredRecords:
    """What is retired is not used in anything new; what refers to it stands."""

    def test_take_no_new_entitlement_under_an_order_line(self) -> None:
        line = given.ordered()
        given.record("orderline.retire", target_id=line.id)

        with pytest.raises(InvalidInput, match="retired"):
            given.entitlement(line)

    def test_take_no_new_order_line_under_an_agreement(self) -> None:
        line = given.ordered()
        given.record("agreement.retire", target_id=line.agreement_id)

        with pytest.raises(InvalidInput, match="retired"):
            given.order_line(line.agreement, line.sku_revision)

    def test_sell_a_sku_revision_no_longer(self) -> None:
        line = given.ordered()
        given.record("skurevision.retire", target_id=line.sku_revision_id)

        with pytest.raises(InvalidInput, match="retired"):
            given.order_line(line.agreement, line.sku_revision)

    def test_let_what_refers_to_them_be_amended(self) -> None:
        granted = given.entitlement()
        given.record("orderline.retire", target_id=granted.order_line_id)

        assert given.record("entitlement.amend", target_id=granted.id, seats=9).seats == 9
