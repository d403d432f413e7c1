"""What pages propose is what was typed: nothing is dropped or added, and what is refused is told at its field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import governed
from approvals.admin.forms import unsaid
from approvals.authority.models import AuthorityLimit
from approvals.requests.models import ChangeRequest
from audit.models import Event
from entitlements.agreements.models import OrderLine
from entitlements.catalog.models import RegionGroup, SKURevision
from entitlements.grants.models import Entitlement
from tests import given
from tests.admin.conftest import Registry, governed_admins
from tests.admin.pages import errors_of, form_of


def url(model: type, page: str, *args: object) -> str:
    """Return the address of a model's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def item_of(response: Any) -> Any:
    """Return the only item of the request that a page filed."""
    assert response.status_code == 302, list(errors_of(response))
    return ChangeRequest.objects.filter(source="admin").latest("number").current_revision.items.get()


def sent(client: Client, record: Any, **changes: Any) -> Any:
    """Send a record's page with some fields changed."""
    page = url(type(record), "change", record.pk)
    return client.post(page, form_of(client.get(page)) | changes)


class TestForms:
    def test_ask_for_every_field_of_their_kinds(self, registry: Registry, rf: Any, superuser: Any) -> None:
        request = rf.get("/admin/")
        request.user = superuser
        for page in governed_admins():
            record = registry.of(page.model)
            for kind, obj in ((page.creates_by(), None), (page.amends_by(), record)):
                if kind is None:
                    continue
                form = page.get_form(request, obj, change=obj is not None)
                assert not unsaid(form, kind=kind, leaves=page.leaves, fields=form.base_fields), kind

    def test_name_kinds_that_exist(self) -> None:
        for page in governed_admins():
            assert page.creates_by() in governed.kinds()
            assert page.retires_by() in governed.kinds()

    def test_propose_nothing_if_nothing_was_changed(self, signed_in: Client, registry: Registry) -> None:
        for page in governed_admins():
            if page.amends_by() is None:
                continue
            response = sent(signed_in, registry.of(page.model))
            assert response.status_code == 302, (page, list(errors_of(response)))
        filed = ChangeRequest.objects.filter(source="admin")
        assert [(item.kind, item.payload) for row in filed for item in row.current_revision.items.all()] == []


class TestAmending:
    def test_says_only_what_changed(self, signed_in: Client, registry: Registry) -> None:
        item = item_of(sent(signed_in, registry["entitlement"], seats="25"))
        assert (item.kind, item.payload) == ("entitlement.amend", {"seats": 25})

    def test_takes_unlimited_in_so_many_words(self, signed_in: Client, registry: Registry) -> None:
        item = item_of(sent(signed_in, registry["entitlement"], seats="", unlimited="on"))
        assert item.payload == {"seats": "unlimited"}

    def test_refuses_seats_that_are_neither(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["entitlement"], seats="")
        assert "Say how many seats, or choose unlimited." in " ".join(errors_of(response))

    def test_reads_instants_in_the_readers_zone(self, signed_in: Client, registry: Registry, superuser: Any) -> None:
        superuser.time_zone = "Europe/Berlin"
        superuser.save(update_fields=["time_zone"])
        item = item_of(sent(signed_in, registry["entitlement"], ends_at_0="2026-12-31", ends_at_1="12:00:00"))
        assert item.payload == {"ends_at": "2026-12-31T11:00:00Z"}

    def test_makes_an_end_open(self, signed_in: Client, registry: Registry) -> None:
        item = item_of(sent(signed_in, registry["entitlement"], ends_at_0="", ends_at_1=""))
        assert item.payload == {"ends_at": None}
        assert item.after["ends_at"] is None

    def test_moves_to_another_sku_revision(self, signed_in: Client, registry: Registry) -> None:
        revision = given.sku_revision(registry["sku"])
        item = item_of(sent(signed_in, registry["entitlement"], sku_revision=str(revision.pk)))
        assert (item.kind, item.payload) == ("entitlement.move", {"sku_revision_id": str(revision.pk)})

    def test_refuses_a_move_mixed_with_more(self, signed_in: Client, registry: Registry) -> None:
        revision = given.sku_revision(registry["sku"])
        response = sent(signed_in, registry["entitlement"], sku_revision=str(revision.pk), seats="30")
        assert "a change of its own" in " ".join(errors_of(response))

    def test_keeps_the_rows_that_were_not_touched(self, signed_in: Client, registry: Registry) -> None:
        line = registry["orderline"]
        item = item_of(sent(signed_in, line, **{"periods-0-unit_price": "120"}))
        before, after = line.periods[0], item.after["periods"][0]
        assert after["unit_price"] == "120"
        assert {key: after[key] for key in ("starts_at", "ends_at", "quantity")} == {
            key: before[key] for key in ("starts_at", "ends_at", "quantity")
        }

    def test_tells_a_row_that_does_not_fit(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["orderline"], **{"periods-0-quantity": "many"})
        assert "Row 1, Quantity: Write a whole number, or unlimited." in " ".join(errors_of(response))

    def test_tells_what_the_kind_refuses_at_its_field(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["product"], code="no spaces please")
        assert response.status_code == 200
        assert "code" in response.context["adminform"].form.errors

    def test_tells_what_the_rules_refuse(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["orderline"], ends_at_0="2020-01-01", ends_at_1="00:00:00")
        assert response.status_code == 200
        assert list(errors_of(response))

    def test_refuses_a_record_that_changed_meanwhile(self, signed_in: Client, registry: Registry) -> None:
        product = registry["product"]
        page = url(type(product), "change", product.pk)
        form = form_of(signed_in.get(page))
        given.record("product.amend", target_id=product.pk, licensor="Another Inc")
        response = signed_in.post(page, form | {"category": "Drawing"})
        told = " ".join(errors_of(response))
        assert "was changed while the page was open" in told
        assert "Licensor: – → Another Inc" in told
        assert not ChangeRequest.objects.filter(source="admin").exists()

    def test_refuses_a_form_without_its_version(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["product"], name="Other", base_version="")
        assert "does not say which version" in " ".join(errors_of(response))

    def test_takes_the_reasons_along(self, signed_in: Client, registry: Registry) -> None:
        reasons = {
            "justification": "The pilot ends.",
            "impact": "Nobody loses access.",
            "acceptance_criteria": "All can sign in.\nNo ticket.",
            "rollback": "Back to ten.",
        }
        sent(signed_in, registry["entitlement"], seats="25", **reasons)
        request = ChangeRequest.objects.get(source="admin")
        assert request.current_revision.rationale == reasons | {
            "acceptance_criteria": ["All can sign in.", "No ticket."]
        }
        assert Event.objects.filter(change_request_id=request.pk, type="approvals.change_request.proposed").count() == 1

    def test_says_what_is_missing_and_leads_to_the_request(self, signed_in: Client, registry: Registry) -> None:
        response = sent(signed_in, registry["entitlement"], seats="25")
        request = ChangeRequest.objects.get(source="admin")
        page = signed_in.get(response.url).content.decode()
        assert f"Change {request.number} is filed as a draft" in page
        assert "Before it goes to review, say: justification, impact, acceptance criteria, rollback." in page


class TestRegions:
    def test_show_the_group_they_were_expanded_from(self, signed_in: Client, registry: Registry) -> None:
        revision = given.sku_revision(registry["sku"], countries=["DE", "DK", "SE"])
        line = given.order_line(registry["agreement"], revision)
        entitlement = given.entitlement(line, regions=["NORDICS", "DE"])
        page = url(Entitlement, "change", entitlement.pk)
        assert sorted(form_of(signed_in.get(page))["regions"]) == ["DE", "NORDICS"]

    def test_show_countries_once_the_group_changed(self, signed_in: Client, registry: Registry) -> None:
        revision = given.sku_revision(registry["sku"], countries=["DE", "DK", "SE"])
        entitlement = given.entitlement(given.order_line(registry["agreement"], revision), regions=["NORDICS"])
        group = RegionGroup.objects.get(code="NORDICS")
        given.record("regiongroup.amend", target_id=group.pk, countries=["DK", "NO", "SE"])
        page = url(Entitlement, "change", entitlement.pk)
        assert sorted(form_of(signed_in.get(page))["regions"]) == ["DK", "SE"]


class TestGranting:
    def test_proposes_a_grant(self, signed_in: Client, registry: Registry) -> None:
        line: OrderLine = registry["orderline"]
        response = signed_in.post(
            url(Entitlement, "add"),
            {
                "reference": "ENT-NEW",
                "account": str(line.agreement.licensee_id),
                "order_line": str(line.pk),
                "sku_revision": str(line.sku_revision_id),
                "phase": "trial",
                "seats": "5",
                "regions": ["DE"],
                "enforcement": "soft",
                "starts_at_0": "2026-04-01",
                "starts_at_1": "00:00:00",
                "grace_seconds": "0",
                "feature_overrides-count": "3",
                "feature_overrides-0-key": "export",
                "feature_overrides-0-value": "no",
            },
        )
        item = item_of(response)
        assert item.kind == "entitlement.grant"
        assert item.after["environments"] == ["trial", "staging"]
        assert item.after["feature_overrides"] == {"export": False}
        assert datetime.fromisoformat(item.after["starts_at"]) == datetime(2026, 4, 1, tzinfo=UTC)

    def test_fills_a_new_revision_with_the_former_terms(self, signed_in: Client, registry: Registry) -> None:
        revision = registry["skurevision"]
        page = f"{url(SKURevision, 'add')}?like={revision.pk}"
        item = item_of(signed_in.post(page, form_of(signed_in.get(page)) | {"list_price": "110"}))
        same = {name: value for name, value in item.after.items() if name not in {"id", "number", "list_price"}}
        stored = registry.of(SKURevision)
        assert same["countries"] == stored.countries
        assert same["features"] == stored.features
        assert item.after["number"] == 2


class TestRetiring:
    def test_ends_an_entitlement_at_an_instant(self, signed_in: Client, registry: Registry) -> None:
        page = url(Entitlement, "retire", registry["entitlement"].pk)
        item = item_of(signed_in.post(page, {"ends_at_0": "2026-06-01", "ends_at_1": "00:00:00"}))
        assert (item.kind, item.payload) == ("entitlement.retire", {"ends_at": "2026-06-01T00:00:00Z"})

    def test_refuses_an_end_that_is_past(self, signed_in: Client, registry: Registry) -> None:
        page = url(Entitlement, "retire", registry["entitlement"].pk)
        response = signed_in.post(page, {"ends_at_0": "2026-02-10", "ends_at_1": "00:00:00"})
        assert response.status_code == 200
        assert b"The end is past" in response.content

    @pytest.mark.parametrize("roles", [("auditor",), ()])
    def test_asks_for_a_role_that_proposes(self, client: Client, registry: Registry, roles: tuple[str, ...]) -> None:
        client.force_login(given.user(*roles, is_staff=True))
        page = url(Entitlement, "retire", registry["entitlement"].pk)
        assert client.get(page).status_code == 403


class TestAuthorityLimits:
    def test_are_proposed_by_login_and_kept_without_it(self, signed_in: Client, registry: Registry) -> None:
        person = given.user("legal", username="dora")
        page = url(AuthorityLimit, "add")
        typed = {"person": "dora", "role": "legal", "seats": "9", "starts_at_0": "2026-05-01", "starts_at_1": "08:00"}

        item = item_of(signed_in.post(page, form_of(signed_in.get(page)) | typed))

        assert item.kind == "authority_limit.create"
        assert (item.after["human"], item.after["role"], item.after["seats"]) == (str(person.human_id), "legal", 9)
        assert "dora" not in str(item.payload)

    def test_are_amended_but_for_whose_they_are(self, signed_in: Client, registry: Registry) -> None:
        limit = registry["authoritylimit"]

        item = item_of(sent(signed_in, limit, seats="12", person="somebody-else", role="legal"))

        assert (item.kind, item.payload) == ("authority_limit.amend", {"seats": 12})
