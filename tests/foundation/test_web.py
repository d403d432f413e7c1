"""Health, zones, policies of content, portal pages, and the admin's base."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from foundation.web import health
from foundation.web.admin import HistoryAdmin, TenureAdmin
from foundation.web.timezone import ReaderTimeZoneMiddleware, zone_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.foundation.urls")]


@pytest.fixture
def reader() -> User:
    return User.objects.create_user(username="reader", time_zone="Europe/Berlin")


class TestHealth:
    def test_lives_without_host_or_database(self) -> None:
        response = Client().get("/livez", headers={"host": "10.1.2.3"})

        assert (response.status_code, response.content) == (200, b"ok\n")

    def test_is_ready(self) -> None:
        response = Client().get("/readyz", headers={"host": "10.1.2.3"})

        assert (response.status_code, response.json()) == (200, {"status": "ready", "reasons": []})

    def test_is_not_ready_while_the_outbox_is_behind(self, now: datetime) -> None:
        OutboxMessage.objects.create(kind="mail", payload={}, created_at=now, next_attempt_at=now)

        assert health.reasons_against(now=now + timedelta(minutes=15) - timedelta(seconds=1)) == []
        (reason,) = health.reasons_against(now=now + timedelta(minutes=15))
        assert reason["check"] == "outbox"

    def test_is_not_ready_before_migrations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "_known_migrations", lambda: frozenset({("foundation", "9999_later")}))

        response = Client().get("/readyz")

        assert response.status_code == 503
        assert "foundation.9999_later" in response.json()["reasons"][0]["detail"]

    def test_is_not_ready_without_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> str:
            raise OperationalError("password of tenure_app")

        monkeypatch.setattr(health, "_against_role", fail)

        response = Client().get("/readyz")

        assert (response.status_code, response.json()["reasons"][0]["check"]) == (503, "database")
        assert "password" not in response.content.decode()


class TestReaderTimeZone:
    def test_is_the_readers_own(self, rf: RequestFactory, reader: User) -> None:
        request = rf.get("/")
        request.user = reader

        assert zone_of(request).key == "Europe/Berlin"

    @pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd"])
    def test_is_the_installations_otherwise(self, rf: RequestFactory, settings: Any, zone: str) -> None:
        settings.READER_TIME_ZONE = "Asia/Tokyo"
        request = rf.get("/")
        request.user = User(time_zone=zone)

        assert zone_of(request).key == "Asia/Tokyo"

    def test_is_left_alone_for_programs(self, rf: RequestFactory, reader: User) -> None:
        from django.utils import timezone

        seen: list[str] = []
        middleware = ReaderTimeZoneMiddleware(
            lambda request: seen.append(timezone.get_current_timezone_name()) or HttpResponse()  # type: ignore[func-returns-value]
        )
        for path in ("/api/users/", "/page/"):
            request = rf.get(path)
            request.user = reader
            middleware(request)

        assert seen == ["UTC", "Europe/Berlin"]


class TestContentSecurityPolicy:
    def test_allows_evaluation_under_admin_only(self) -> None:
        client = Client()

        assert "'unsafe-eval'" in client.get("/admin/login/")["Content-Security-Policy"]
        assert "'unsafe-eval'" not in client.get("/page/")["Content-Security-Policy"]
        assert "'unsafe" not in client.get("/administration/")["Content-Security-Policy"]


class TestPortalPage:
    def test_sends_people_to_sign_in(self) -> None:
        response = Client().get("/page/")

        assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=/page/")

    def test_sends_the_whole_page_to_sign_in_from_a_part(self) -> None:
        response = Client().get("/page/", headers={"HX-Request": "true"})

        assert (response.status_code, response["HX-Redirect"]) == (200, "/sign-in/?next=/page/")

    def test_renders_the_page(self, client: Client, reader: User) -> None:
        client.force_login(reader)

        assert "<!doctype html>" in client.get("/page/").content.decode()

    def test_renders_the_part_for_htmx(self, client: Client, reader: User) -> None:
        client.force_login(reader)

        content = client.get("/page/", headers={"HX-Request": "true"}).content.decode()

        assert content.startswith("<section")

    def test_tells_a_refusal_in_its_sentence(self, client: Client, reader: User) -> None:
        client.force_login(reader)

        response = client.get("/page/?refuse")

        assert response.status_code == 409
        assert "The request was withdrawn. Open a new one." in response.content.decode()


class TestTenureAdmin:
    def test_offers_neither_delete_nor_bulk_actions(self, rf: RequestFactory) -> None:
        request = rf.get("/admin/")
        request.user = User(is_superuser=True, is_staff=True)
        page = TenureAdmin(User, admin.site)

        assert not page.has_delete_permission(request)
        assert page.get_actions(request) == {}
        assert page.list_per_page == 25

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_lets_history_be_read_only(self, rf: RequestFactory, method: str) -> None:
        page = HistoryAdmin(User, admin.site)
        request = rf.generic(method, "/admin/")
        request.user = User(is_superuser=True, is_staff=True)

        with pytest.raises(PermissionDenied):
            page.history_view(request, "1")
        with pytest.raises(PermissionDenied):
            page.history_form_view(request, "1", "2")
