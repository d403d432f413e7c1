"""Pages, versions and the OpenAPI document."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from foundation.api.pagination import CursorPages
from foundation.identity.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.foundation.urls")]


@pytest.fixture
def api(now: datetime) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create(username="sender", date_joined=now))
    return client


class TestCursorPages:
    def test_lead_through_every_row_once(self, api: APIClient, now: datetime) -> None:
        for number in range(25):
            # Five instants for 25 rows: ties are broken by the key.
            User.objects.create(username=f"u{number}", date_joined=now - timedelta(days=number % 5))
        seen: list[str] = []
        url: str | None = "/api/users/?limit=4"
        while url:
            page = api.get(url).json()
            assert list(page) == ["results", "next", "previous"]
            seen += [row["username"] for row in page["results"]]
            url = page["next"]

        assert len(seen) == len(set(seen)) == 26

    def test_lead_back(self, api: APIClient, now: datetime) -> None:
        for number in range(9):
            User.objects.create(username=f"u{number}", date_joined=now - timedelta(days=number))
        first = api.get("/api/users/?limit=5").json()
        second = api.get(first["next"]).json()

        assert api.get(second["previous"]).json()["results"] == first["results"]

    def test_have_fifty_rows_unless_told(self, api: APIClient) -> None:
        User.objects.bulk_create(User(username=f"u{number}") for number in range(60))

        assert len(api.get("/api/users/").json()["results"]) == 50

    def test_need_a_declared_ordering(self, api: APIClient) -> None:
        with pytest.raises(TypeError, match="declares no"):
            CursorPages().get_ordering(Any, User.objects.all(), object())  # type: ignore[arg-type]

    def test_end_with_the_primary_key(self) -> None:
        class View:
            ordering: Any = ("-date_joined",)

        pages = CursorPages()
        request: Any = None
        assert pages.get_ordering(request, User.objects.all(), View()) == ("-date_joined", "-pk")
        View.ordering = "username"
        assert pages.get_ordering(request, User.objects.all(), View()) == ("username", "pk")
        View.ordering = ("username", "-id")
        assert pages.get_ordering(request, User.objects.all(), View()) == ("username", "-id")

    def test_write_instants_in_utc_whatever_the_readers_zone(self, now: datetime) -> None:
        user = User.objects.create(username="tokyo", time_zone="Asia/Tokyo", date_joined=now)
        client = APIClient()
        client.force_login(user)

        assert client.get("/api/users/").json()["results"][0]["date_joined"] == "2026-03-02T10:00:00Z"


class TestConditional:
    def test_tells_the_version(self, api: APIClient) -> None:
        assert api.get("/api/versioned/")["ETag"] == '"7"'

    @pytest.mark.parametrize("tag", ['"7"', 'W/"7"', '"6", "7"', "*"])
    def test_spares_the_reader_what_it_has(self, api: APIClient, tag: str) -> None:
        assert api.get("/api/versioned/", headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ({"If-Match": '"7"'}, 200),
            ({"If-Match": '"6", "7"'}, 200),
            ({"If-Match": "*"}, 200),
            ({"If-Match": '"6"'}, 412),
            ({"If-Match": 'W/"7"'}, 412),
            ({"If-Match": "7"}, 400),
            ({"If-Match": ""}, 400),
            ({"If-Match": '"7" and more'}, 400),
            ({}, 428),
        ],
    )
    def test_lets_nobody_overwrite_what_they_have_not_read(
        self, api: APIClient, header: dict[str, str], status: int
    ) -> None:
        assert api.put("/api/versioned/", {}, headers=header).status_code == status


class TestProblemAutoSchema:
    @pytest.fixture
    def schema(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(APIClient().get("/api/schema/").content)
        return document

    def test_lists_refusals_of_every_operation(self, schema: dict[str, Any]) -> None:
        post = schema["paths"]["/api/things/"]["post"]["responses"]

        assert {"400", "401", "403", "404", "409", "415", "422", "429"} <= set(post)
        reference = {"$ref": "#/components/schemas/Problem"}
        assert post["409"]["content"] == {"application/problem+json": {"schema": reference}}

    def test_does_not_ask_to_sign_in_where_nobody_must(self, schema: dict[str, Any]) -> None:
        assert "401" not in schema["paths"]["/api/throttled/"]["get"]["responses"]

    def test_lists_the_headers_of_a_handler(self, schema: dict[str, Any]) -> None:
        parameters = schema["paths"]["/api/things/"]["post"]["parameters"]

        assert ("Idempotency-Key", "header") in {(entry["name"], entry["in"]) for entry in parameters}

    def test_bounds_the_limit(self, schema: dict[str, Any]) -> None:
        (limit,) = [p for p in schema["paths"]["/api/users/"]["get"]["parameters"] if p["name"] == "limit"]

        assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 200)
