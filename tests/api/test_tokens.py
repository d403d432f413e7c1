"""Tokens: made by people, never by tokens; expiring; revocable; under the lockout of the sign-in page."""

import base64
from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests import given
from tests.api.conftest import client_of, token_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def by_password(name: str, password: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())
    return client


class TestTokens:
    def test_are_made_with_a_password_and_used(self) -> None:
        given.user("licensing", username="ines")

        made = by_password("ines", PASSWORD).post("/api/v1/tokens", {"days": 7})

        assert made.status_code == 201, made.content
        assert made["Cache-Control"] == "no-store"
        assert made.json()["expires_at"] == "2026-03-09T10:00:00Z"
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.json()['token']}")
        assert client.get("/api/v1/products").status_code == 200
        assert [row["id"] for row in client.get("/api/v1/tokens").json()] == [made.json()["id"]]

    def test_are_made_with_a_session(self) -> None:
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(given.user(), backend="django.contrib.auth.backends.ModelBackend")

        assert client.post("/api/v1/tokens", {}).status_code == 403

        client = APIClient()
        client.force_login(given.user(), backend="django.contrib.auth.backends.ModelBackend")
        assert client.post("/api/v1/tokens", {}).status_code == 201

    def test_make_no_tokens(self) -> None:
        answer = client_of(given.user()).post("/api/v1/tokens", {})

        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")

    def test_take_no_password_elsewhere(self) -> None:
        given.user(username="ines")

        assert by_password("ines", PASSWORD).get("/api/v1/products").status_code == 401

    def test_keep_no_secret(self) -> None:
        secret = token_of(given.user())
        row = AuthToken.objects.get()

        assert secret not in (row.digest, row.token_key)
        assert len(row.token_key) < len(secret) / 2

    def test_expire(self, now: datetime) -> None:
        client = client_of(given.user())
        with time_machine.travel(now + timedelta(days=31), tick=False):
            answer = client.get("/api/v1/products")

        assert (answer.status_code, answer.json()["code"]) == (401, "credentials_refused")

    def test_live_ninety_days_at_most(self) -> None:
        given.user(username="ines")

        assert by_password("ines", PASSWORD).post("/api/v1/tokens", {"days": 91}).status_code == 400

    def test_end_with_their_user(self) -> None:
        user = given.user()
        client = client_of(user)
        user.is_active = False
        user.save()

        assert client.get("/api/v1/products").status_code == 401

    def test_are_revoked_by_their_owner_alone(self) -> None:
        owner, other = given.user(), given.user()
        secret = token_of(owner)

        assert client_of(other).delete(f"/api/v1/tokens/{secret[:15]}").status_code == 404
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert client.delete(f"/api/v1/tokens/{secret[:15]}").status_code == 204
        assert client.get("/api/v1/tokens").status_code == 401

    def test_are_twenty_at_most(self) -> None:
        user = given.user(username="ines")
        for _ in range(20):
            token_of(user)

        answer = by_password("ines", PASSWORD).post("/api/v1/tokens", {})

        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_tokens")

    def test_lock_a_name_after_failed_passwords(self) -> None:
        given.user(username="ines")
        answers = [
            by_password("ines", "wrong").post("/api/v1/tokens", {}).status_code
            for _ in range(settings.AXES_FAILURE_LIMIT + 1)
        ]

        assert answers[0] == 401
        assert answers[-1] == 429
        locked = by_password("ines", PASSWORD).post("/api/v1/tokens", {})
        assert (locked.status_code, locked.json()["code"]) == (429, "too_many_requests")

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer a b", "Bearer \xc3\xbf", "Bearer tnr_unknown", "Basic !", "Bearer " + "x" * 4000]
    )
    def test_are_refused_when_they_are_none(self, header: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=header)

        assert client.get("/api/v1/products").status_code == 401
