"""The OpenAPI document, and the page that shows it."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import validate

from tests.api.test_permissions import addresses

pytestmark = pytest.mark.django_db


class TestDocument:
    def test_is_valid_and_complete(self, client: Client) -> None:
        document = client.get("/api/v1/openapi.json").json()

        validate(document)
        described = {
            (method.upper(), path.removeprefix("/api/v1/"))
            for path, operations in document["paths"].items()
            for method in operations
        }
        served = {
            tuple(address.replace("<uuid:", "{").replace("<str:", "{").replace(">", "}").split(" "))
            for address in addresses()
        }
        assert described == served - {("GET", "openapi.json")}

    def test_is_written_without_a_warning(self) -> None:
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())

    def test_types_every_payload(self, client: Client) -> None:
        document = client.get("/api/v1/openapi.json").json()

        granted = document["paths"]["/api/v1/entitlements"]["post"]["requestBody"]["content"]["application/json"]
        name = granted["schema"]["$ref"].split("/")[-1]
        schema = document["components"]["schemas"][name]
        assert schema["properties"]["starts_at"] == {"format": "date-time", "type": "string"}
        assert {"account_id", "order_line_id", "seats"} <= set(schema["required"])
        assert "202" in document["paths"]["/api/v1/entitlements"]["post"]["responses"]


class TestPage:
    def test_runs_under_the_strict_policy(self, client: Client) -> None:
        page = client.get("/api/docs/")

        assert page.status_code == 200
        assert "'unsafe-inline'" not in page["Content-Security-Policy"]
        text = page.content.decode()
        assert "<style" not in text
        assert all("src=" in script for script in text.split("<script")[1:])
        script = client.get("/api/docs/?script=")
        assert script["Content-Type"].startswith("application/javascript")
        assert "/api/v1/openapi.json" in script.content.decode()
