"""The admin in a real browser: an edit is proposed and lands on the change request, and no page does anything wrong."""

import os
from pathlib import Path

import pytest
from django.urls import reverse

from approvals.requests.models import ChangeRequest
from entitlements.agreements.models import OrderLine
from entitlements.grants.models import Entitlement
from foundation.identity.models import User
from tests.admin.conftest import Registry, governed_admins
from tests.browser import DESKTOP, PHONE, Tab

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def url(model: type, page: str, *args: object) -> str:
    """Return the address of a model's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def keep(tab: Tab, name: str) -> None:
    """Keep a picture of the page, if a run asks for them."""
    folder = os.environ.get("TENURE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tab.page.screenshot(path=Path(folder) / f"admin-{name}.png", full_page=True)


def fits(tab: Tab) -> bool:
    """Tell whether the page is no wider than its window."""
    return bool(tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


class TestAdmin:
    def test_proposes_an_edit(self, tab: Tab, registry: Registry, superuser: User) -> None:
        entitlement = registry["entitlement"]
        tab.sign_in(superuser.username, "correct horse battery")
        tab.open(url(Entitlement, "change", entitlement.pk))
        keep(tab, "entitlement-change")
        tab.page.fill("#id_seats", "25")
        tab.page.click("text=Propose change")
        tab.page.wait_for_load_state("networkidle")
        keep(tab, "landing")
        request = ChangeRequest.objects.get(source="admin")
        assert str(request.number) in tab.page.content()
        assert "25" in tab.page.inner_text("main")
        tab.open(url(ChangeRequest, "change", request.pk))
        keep(tab, "changerequest")
        tab.open(url(Entitlement, "change", entitlement.pk))
        assert "Open changes touch this record" in tab.page.content()
        keep(tab, "entitlement-pending")

    def test_shows_every_page_without_an_error(self, tab: Tab, registry: Registry, superuser: User) -> None:
        tab.sign_in(superuser.username, "correct horse battery")
        for page in governed_admins():
            model, name = page.model, page.model._meta.model_name
            for kind, args in (
                ("changelist", ()),
                ("add", ()),
                ("change", (registry[name].pk,)),
                ("history", (registry[name].pk,)),
                ("retire", (registry[name].pk,)),
            ):
                tab.open(url(model, kind, *args))
                keep(tab, f"{name}-{kind}")
                assert fits(tab), f"{name} {kind} is wider than its window"
        for path in (
            "/admin/",
            url(User, "changelist"),
            url(User, "change", registry.login().pk),
            "/admin/audit/event/",
        ):
            tab.open(path)
            keep(tab, path.strip("/").replace("/", "-"))
        assert tab.wrong == []

    def test_can_be_listened_to_and_fits_a_phone(self, tab: Tab, registry: Registry, superuser: User) -> None:
        tab.sign_in(superuser.username, "correct horse battery")
        for model in (Entitlement, OrderLine):
            for kind in ("changelist", "add", "change", "history", "retire"):
                args = (registry.of(model).pk,) if kind in {"change", "history", "retire"} else ()
                tab.page.set_viewport_size(DESKTOP)
                tab.open(url(model, kind, *args))
                # Regions and sizes of targets are unfold's own templates' matter.
                found = [
                    text
                    for text in tab._violations()
                    if not text.startswith(("region", "landmark-unique", "target-size"))
                ]
                assert found == [], f"{model.__name__} {kind}"
                tab.page.set_viewport_size(PHONE)
                assert fits(tab), f"{model.__name__} {kind} is wider than a phone"

    def test_widens_the_policy_under_admin_only(self, tab: Tab, superuser: User) -> None:
        tab.sign_in(superuser.username, "correct horse battery")
        inside = tab.page.goto(f"{tab.address}/admin/")
        outside = tab.page.goto(f"{tab.address}/")
        assert inside is not None
        assert outside is not None
        assert "'unsafe-eval'" in inside.headers["content-security-policy"]
        assert "'unsafe-inline'" not in inside.headers["content-security-policy"].split("style-src")[0]
        assert "unsafe" not in outside.headers["content-security-policy"]
