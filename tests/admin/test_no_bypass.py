"""
Whatever a superuser sends to the admin, no governed record is written (INV-1).

The attacks find the pages themselves, so that a page added later is attacked too.
"""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import modelform_factory
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from approvals import governed
from approvals.requests.models import ChangeRequest
from foundation.errors import NotPermitted
from foundation.identity.models import User
from tests import given
from tests.admin.conftest import Registry, governed_admins
from tests.admin.pages import form_of

# Texts that name something: changed at will they would be refused, which is another test.
BOUND_TEXTS = frozenset(
    {
        "country",
        "hosting_country",
        "currency",
        "time_zone",
        "zone",
        "waiver_role",
        "ticket",
        "proration",
        "person",
        "role",
    }
)
UNTOUCHED = (200, 302, 400, 403, 404, 405)


def url(model: type, page: str, *args: object) -> str:
    """Return the address of a model's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def contents() -> str:
    """Return every row of every governed table and of its history, as text."""
    rows: dict[str, Any] = {}
    for model in governed.governed_models():
        for table in (model, model.history.model):
            rows[table._meta.db_table] = list(table._default_manager.order_by("pk").values())
    return json.dumps(rows, default=str, sort_keys=True)


@pytest.fixture
def untouched(registry: Registry) -> Iterator[None]:
    """Compare the whole tables, before and after."""
    before = contents()
    yield
    assert contents() == before
    assert not LogEntry.objects.filter(content_type__app_label__in=("entitlements", "approvals")).exists()


def models_of_pages() -> list[Any]:
    """Return every governed model with pages."""
    return [page.model for page in governed_admins()]


def vandalized(form: dict[str, Any], model: type[models.Model]) -> dict[str, Any]:
    """Return the page's values with every free text changed."""
    texts = {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField) and not field.choices
    }
    changed = {name: [*values] for name, values in form.items()}
    for name in texts & changed.keys():
        if name not in BOUND_TEXTS:
            changed[name] = [f"{changed[name][0] or 'x'}-changed"]
    # A limit of authority has no free text: its seats are changed.
    return changed if changed != form or "seats" not in changed else changed | {"seats": ["41"]}


@pytest.fixture(params=["root", "ada"])
def attacker(request: pytest.FixtureRequest, client: Client, superuser: User, administrator: User) -> Client:
    """Have a superuser, then an administrator of staff, signed in."""
    client.force_login(superuser if request.param == "root" else administrator)
    return client


@pytest.mark.usefixtures("untouched")
class TestGovernedRecords:
    def test_are_proposed_when_a_change_form_is_sent(self, attacker: Client, registry: Registry) -> None:
        for page in governed_admins():
            model, record = page.model, registry.of(page.model)
            form = form_of(attacker.get(url(model, "change", record.pk)))
            response = attacker.post(url(model, "change", record.pk), vandalized(form, model))
            if page.amends_by() is None:
                assert response.status_code == 403
            else:
                asked_for(response, record_id=record.pk)

    def test_are_proposed_when_an_add_form_is_sent(self, signed_in: Client, registry: Registry) -> None:
        for page in governed_admins():
            model = page.model
            like = signed_in.get(url(model, "add"), {"like": registry.of(model).pk})
            asked_for(signed_in.post(url(model, "add"), vandalized(form_of(like), model)))

    def test_are_not_deleted(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            record = registry.of(model)
            assert attacker.post(url(model, "delete", record.pk), {"post": "yes"}).status_code == 403
            assert attacker.get(url(model, "delete", record.pk)).url == url(model, "retire", record.pk)

    def test_are_proposed_for_retirement(self, signed_in: Client, registry: Registry) -> None:
        for model in models_of_pages():
            record = registry.of(model)
            sent = {"reason": "No longer sold", "ends_at_0": "2026-06-01", "ends_at_1": "00:00:00"}
            asked_for(signed_in.post(url(model, "retire", record.pk), sent), record_id=record.pk)

    def test_ignore_bulk_actions(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            for action in ("delete_selected", "retire", "update"):
                chosen = {"action": action, "_selected_action": [str(registry.of(model).pk)], "post": "yes"}
                assert attacker.post(url(model, "changelist"), chosen).status_code in UNTOUCHED

    def test_are_not_edited_in_lists(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            sent = {
                "form-TOTAL_FORMS": "1",
                "form-INITIAL_FORMS": "1",
                "form-0-id": str(registry.of(model).pk),
                "form-0-name": "changed",
                "form-0-reference": "changed",
                "form-0-seats": "9999",
                "_save": "Save",
            }
            assert attacker.post(url(model, "changelist"), sent).status_code in UNTOUCHED

    def test_are_not_reverted(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            record = registry.of(model)
            page = url(model, "simple_history", record.pk, record.history.first().pk)
            form = vandalized(form_of(attacker.get(url(model, "change", record.pk))), model)
            for extra in ({"_save": "Revert"}, {"_change_history": "1"}):
                assert attacker.post(page, form | extra).status_code == 403
            assert attacker.post(url(model, "history", record.pk), {}).status_code == 403

    def test_are_not_saved_as_new(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            record = registry.of(model)
            form = form_of(attacker.get(url(model, "change", record.pk)))
            response = attacker.post(url(model, "change", record.pk), form | {"_saveasnew": "1"})
            assert response.status_code == 403

    def test_are_not_saved_through_popups(self, signed_in: Client, registry: Registry) -> None:
        for model in models_of_pages():
            record = registry.of(model)
            form = vandalized(form_of(signed_in.get(url(model, "change", record.pk))), model)
            sent = form | {"_popup": "1", "_to_field": "id", "_continue": "1"}
            assert signed_in.post(url(model, "change", record.pk), sent).status_code in UNTOUCHED

    def test_are_not_imported(self, attacker: Client, registry: Registry) -> None:
        for model in models_of_pages():
            for path in ("import/", "process_import/"):
                response = attacker.post(url(model, "changelist") + path, {"input_format": "0"})
                assert response.status_code in {302, 403, 404}

    def test_refuse_every_way_by_which_django_saves(self, registry: Registry, rf: Any) -> None:
        for page in governed_admins():
            request, record = rf.post("/admin/"), registry.of(page.model)
            form = modelform_factory(page.model, form=page.form, fields=[])
            for save in (
                partial(page.delete_model, request, record),
                partial(page.delete_queryset, request, page.model._default_manager.all()),
                partial(page.save_formset, request, None, None, True),
                form(instance=record).save,
            ):
                with pytest.raises((PermissionDenied, NotPermitted), match="only through a change request"):
                    save()
            record.retired_at = given.NOW
            page.save_model(request, record, None, True)


@pytest.mark.usefixtures("untouched")
class TestInlines:
    def test_make_one_request_with_several_items(self, signed_in: Client, registry: Registry) -> None:
        product = registry["product"]
        page = url(type(product), "change", product.pk)
        form = form_of(signed_in.get(page))
        sent = form | {
            "description": "Draws things",
            "features-TOTAL_FORMS": "2",
            "features-0-name": "Exporting",
            "features-1-id": "",
            "features-1-product": str(product.pk),
            "features-1-code": "import",
            "features-1-name": "Import",
            "features-1-type": "switch",
            "features-1-unit": "",
        }
        request = asked_for(signed_in.post(page, sent), record_id=product.pk)
        kinds = list(request.current_revision.items.order_by("position").values_list("kind", flat=True))
        assert kinds == ["product.amend", "feature.amend", "feature.create"]

    def test_are_named_in_the_error(self, signed_in: Client, registry: Registry) -> None:
        product = registry["product"]
        page = url(type(product), "change", product.pk)
        sent = form_of(signed_in.get(page)) | {
            "features-TOTAL_FORMS": "2",
            "features-1-code": "not a code",
            "features-1-name": "Import",
            "features-1-type": "switch",
        }
        response = signed_in.post(page, sent)
        assert response.status_code == 200
        rows = response.context["inline_admin_formsets"][0].formset
        assert "code" in rows.forms[1].errors
        assert not ChangeRequest.objects.filter(source="admin").exists()

    def test_of_new_records_refer_to_them(self, signed_in: Client, registry: Registry) -> None:
        page = url(type(registry["product"]), "add")
        sent = form_of(signed_in.get(page)) | {
            "code": "cam",
            "name": "CAM suite",
            "features-TOTAL_FORMS": "1",
            "features-0-code": "mill",
            "features-0-name": "Milling",
            "features-0-type": "switch",
        }
        request = asked_for(signed_in.post(page, sent))
        first, second = request.current_revision.items.order_by("position")
        assert second.after["product_id"] == str(first.record_id)


class TestOtherPages:
    def test_of_operational_tables_are_read_only(self, signed_in: Client, registry: Registry) -> None:
        exempt = {"foundation.user", "auth.group", "approvals.ticketsystem"}
        for model in admin.site._registry:
            if model in governed.governed_models() or model._meta.label_lower in exempt:
                continue
            assert signed_in.post(url(model, "add"), {}).status_code == 403, model
            record = model._default_manager.first()
            if record is not None:
                assert signed_in.post(url(model, "change", record.pk), {}).status_code == 403, model
                assert signed_in.post(url(model, "delete", record.pk), {"post": "yes"}).status_code == 403, model


def asked_for(response: HttpResponse, record_id: Any = None) -> ChangeRequest:
    """Return the change request that a page filed; it is a draft, and the page led to it."""
    errors = response.context["adminform"].form.errors if response.status_code == 200 and response.context else ""
    assert response.status_code == 302, errors
    request = ChangeRequest.objects.filter(source="admin").latest("number")
    assert request.status == "draft"
    assert str(request.number) in response.url or str(request.pk) in response.url
    if record_id is not None:
        assert request.current_revision.items.filter(record_id=record_id).exists()
    return request
