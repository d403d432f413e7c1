"""Every page of the admin answers, to those whom it is for."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from approvals import governed
from tests import given
from tests.admin.conftest import Registry, governed_admins


def url(model: type, page: str, *args: object) -> str:
    """Return the address of a model's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


class TestPages:
    def test_answer_for_every_model(self, signed_in: Client, registry: Registry) -> None:
        for model, own in admin.site._registry.items():
            record = model._default_manager.first()
            pages = [url(model, "changelist")]
            if own.has_add_permission(_request(signed_in)):
                pages.append(url(model, "add"))
            if record is not None:
                pages += [url(model, "change", record.pk), url(model, "history", record.pk)]
            for page in pages:
                response = signed_in.get(page, follow=True)
                assert response.status_code == 200, page

    def test_answer_for_every_version_and_retirement(self, signed_in: Client, registry: Registry) -> None:
        for model in governed.governed_models():
            record = registry[model._meta.model_name]
            version = record.history.first()
            assert signed_in.get(url(model, "simple_history", record.pk, version.pk)).status_code == 200
            assert signed_in.get(url(model, "retire", record.pk)).status_code == 200

    def test_answer_to_search_and_to_every_filter(self, signed_in: Client, registry: Registry) -> None:
        asked = {
            "entitlements_entitlement": [
                "state=in_force",
                "state=withdrawn",
                "phase__exact=trial",
                "starts_at_from_0=",
            ],
            "entitlements_agreement": ["renewal__exact=auto", "ends_at__year=2026", "use=retired"],
            "entitlements_seat": [f"q={registry['entitlement'].pk}", "q=nobody"],
            "entitlements_person": [f"q={registry['entitlement'].pk}"],
            "approvals_changerequest": ["q=%23 1", "q=1", "status__exact=draft"],
            "audit_event": ["q=ENT-CAD", f"q={registry['entitlement'].pk}", "of=approvals.record.created"],
            "foundation_user": ["q=root", "is_staff__exact=1"],
        }
        for own in admin.site._registry.values():
            name = f"{own.opts.app_label}_{own.opts.model_name}"
            for query in ["q=cad", *asked.get(name, [])]:
                assert signed_in.get(f"{url(own.model, 'changelist')}?{query}").status_code == 200, (name, query)

    def test_find_an_entitlement_by_its_state(self, signed_in: Client, registry: Registry) -> None:
        page = url(type(registry["entitlement"]), "changelist")
        assert b"ENT-CAD" in signed_in.get(f"{page}?state=in_force").content
        assert b"ENT-CAD" not in signed_in.get(f"{page}?state=ended").content

    def test_are_there_for_every_governed_model(self) -> None:
        assert {own.model for own in governed_admins()} == set(governed.governed_models())

    def test_list_25_rows_and_offer_no_action(self) -> None:
        for own in admin.site._registry.values():
            assert own.list_per_page == 25, own
            assert not own.actions, own
            assert not own.list_editable, own
            assert not own.save_as, own
            for place in ("list", "row", "detail", "submit_line"):
                assert not getattr(own, f"actions_{place}"), own

    @pytest.mark.parametrize("path", ["/admin/", "/admin/entitlements/entitlement/"])
    def test_ask_for_staff(self, client: Client, db: None, path: str) -> None:
        client.force_login(given.user("administrator"))
        assert client.get(path).status_code == 302


def _request(client: Client) -> object:
    return client.get("/admin/").wsgi_request
