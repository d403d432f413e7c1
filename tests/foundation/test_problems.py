"""Refusals as problem documents."""

import json
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from rest_framework import exceptions
from rest_framework.test import APIClient

from foundation.api.fields import field_errors
from foundation.api.problems import TABLE, kind_of, problem_of
from foundation.errors import Conflict, DomainError
from foundation.identity.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.foundation.urls")]
MEMBERS = {"type", "title", "status", "detail", "instance", "code"}


@pytest.fixture
def api() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.create(username="sender"))
    return client


def problem(response: Any, *, status: int, code: str) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(response.content)
    assert document.keys() >= MEMBERS
    assert (response.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == f"http://testserver/problems/{code}"
    return document


class TestAnswer:
    def test_tells_of_a_domain_error_with_its_members(self, api: APIClient) -> None:
        document = problem(api.post("/api/things/", {"title": "refused"}), status=409, code="conflict")

        assert document["detail"] == "This is refused. Ask for something else."
        assert document["limit"] == 3
        assert document["instance"].partition("#")[0] == "/api/things/"
        assert document["instance"].partition("#")[2] == document["request_id"]

    def test_points_at_each_refused_value_of_the_body(self, api: APIClient) -> None:
        body = {"items": [{"name": "fine", "count": 1}, {"name": "too long", "count": -1}]}

        document = problem(api.post("/api/things/", body), status=400, code="invalid_input")

        assert {(error["pointer"], error["code"]) for error in document["errors"]} == {
            ("/title", "required"),
            ("/items/1/name", "max_length"),
            ("/items/1/count", "min_value"),
        }

    def test_points_at_the_whole_body(self, api: APIClient) -> None:
        document = problem(api.post("/api/things/", [1]), status=400, code="invalid_input")

        assert document["errors"][0]["pointer"] == ""

    def test_names_refused_query_parameters(self, api: APIClient) -> None:
        document = problem(api.get("/api/users/?joined_before=soon"), status=400, code="invalid_input")

        assert document["errors"][0]["param"] == "joined_before"

    def test_asks_to_sign_in(self) -> None:
        response = APIClient().get("/api/users/")

        problem(response, status=401, code="not_signed_in")
        assert response["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("token", ["x", "tnr_unknown", "\xff", "a b"])
    def test_refuses_credentials(self, token: str) -> None:
        response = APIClient().get("/api/users/", HTTP_AUTHORIZATION=f"Bearer {token}")

        assert response.status_code in {400, 401}
        assert response["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("method", "path", "kwargs", "status", "code"),
        [
            ("delete", "/api/users/", {}, 405, "method_not_allowed"),
            ("get", "/api/users/", {"HTTP_ACCEPT": "text/csv"}, 406, "not_acceptable"),
            ("post", "/api/things/", {"data": "a", "content_type": "text/plain"}, 415, "unsupported_media_type"),
            ("post", "/api/things/", {"data": "{", "content_type": "application/json"}, 400, "malformed_body"),
            ("post", "/api/things/", {"data": '"\\ud800"', "content_type": "application/json"}, 400, "malformed_body"),
            ("get", "/api/raises/permission/", {}, 403, "not_permitted"),
            ("get", "/api/raises/missing/", {}, 404, "not_found"),
            ("get", "/api/raises/range/", {}, 400, "invalid_input"),
            ("get", "/api/raises/deadlock/", {}, 409, "contention"),
            ("get", "/api/nowhere/", {}, 404, "not_found"),
            ("get", "/api/users/?limit=0", {}, 400, "invalid_input"),
            ("get", "/api/users/?limit=201", {}, 400, "invalid_input"),
            ("get", "/api/users/?limit=١", {}, 400, "invalid_input"),
            ("get", "/api/users/?cursor=nonsense", {}, 400, "invalid_input"),
            ("get", "/api/users/?cursor=cD1zb29u", {}, 400, "invalid_input"),
            ("get", "/api/users/?cursor=cD0lMDA=", {}, 400, "invalid_input"),
            ("get", "/api/users/?username=%00", {}, 400, "invalid_input"),
            ("get", "/api/users/?%00=1", {}, 400, "invalid_input"),
            ("get", "/api/raises/%00/", {}, 400, "invalid_input"),
        ],
    )
    def test_tells_of_every_refusal(
        self, api: APIClient, method: str, path: str, kwargs: dict[str, Any], status: int, code: str
    ) -> None:
        problem(getattr(api, method)(path, **kwargs), status=status, code=code)

    def test_tells_of_a_constraint(self, api: APIClient) -> None:
        document = problem(api.get("/api/raises/constraint/"), status=409, code="constraint_violated")

        assert document["constraint"] == "outbox_message_status_known"

    def test_tells_when_to_come_back(self, api: APIClient) -> None:
        api.get("/api/throttled/")

        response = api.get("/api/throttled/")

        problem(response, status=429, code="too_many_requests")
        assert int(response["Retry-After"]) > 3000

    @pytest.mark.parametrize("path", ["/api/raises/defect/", "/api/broken/"])
    def test_tells_nothing_of_a_defect(self, api: APIClient, path: str) -> None:
        document = problem(api.get(path), status=500, code="internal_error")

        assert "Zero" not in str(document)

    def test_refuses_an_unknown_host_before_anything_else(self) -> None:
        problem(Client().get("/api/users/", headers={"host": "evil.test"}), status=400, code="bad_request")

    @pytest.mark.parametrize("charset", ["nonsense", "utf-16", "latin-1"])
    def test_survives_any_declared_charset(self, api: APIClient, charset: str) -> None:
        content_type = f"application/json; charset={charset}"

        got = api.get("/api/users/?username=%ff", content_type=content_type)
        posted = api.post("/api/things/?a=b", b'{"title": "x"}', content_type=content_type)

        assert {got.status_code, posted.status_code} <= {200, 201, 400}

    def test_refuses_a_cookie_that_cannot_be_looked_up(self) -> None:
        cookie = 'sessionid="' + "\\000" * 8 + '"'

        problem(Client().get("/api/users/", headers={"cookie": cookie}), status=400, code="invalid_input")


class TestPages:
    @pytest.mark.parametrize("path", ["/nowhere/", "/broken/", "/page/?a=%00"])
    def test_tell_people_the_same_in_words(self, path: str) -> None:
        response = Client(raise_request_exception=False).get(path)

        assert response.status_code in {400, 404, 500}
        assert response["Content-Type"].startswith("text/html")
        assert "<h1" in response.content.decode()


class TestProblemOf:
    def test_does_not_let_members_replace_the_reserved_ones(self, api: APIClient, rf: Any) -> None:
        from foundation.api.problems import document

        refusal = problem_of(Conflict("No.", status=200, code="other", limit=1))
        assert refusal is not None

        told = document(refusal, request=rf.get("/api/x/"))

        assert (told["status"], told["code"], told["limit"]) == (409, "conflict", 1)

    def test_answers_a_subclass_as_its_ancestor(self) -> None:
        class Odd(SuspiciousOperation):
            pass

        assert kind_of(Odd).status == 400

    def test_knows_a_defect(self) -> None:
        assert problem_of(ZeroDivisionError()) is None

    def test_tells_of_an_unlisted_framework_error(self) -> None:
        told = problem_of(exceptions.APIException())

        assert told is not None
        assert told.status == 500

    def test_every_row_is_a_whole_one(self) -> None:
        for kind in TABLE.values():
            assert kind.code
            assert kind.title
            assert 400 <= kind.status < 600


class TestFieldErrors:
    def test_escapes_names_as_json_pointers(self) -> None:
        assert field_errors({"a/b~c": ["No."]}, in_body=True)[0]["pointer"] == "/a~1b~0c"

    def test_passes_on_what_is_in_shape(self) -> None:
        errors = [{"param": "limit", "code": "invalid", "detail": "No."}]

        assert field_errors(errors, in_body=True) == errors


class TestDomainErrors:
    def test_have_a_sentence_as_message(self) -> None:
        assert DomainError("No. Do this.", a=1).context == {"a": 1}
