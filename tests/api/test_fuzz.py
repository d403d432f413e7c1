"""
Requests made from the OpenAPI document, well-formed and not: none is answered with a 5xx, all as the document says.

A short run always, ten minutes under `make soak`; `TENURE_SOAK_SECONDS` sets the time. Ids of real records are mixed
in, so that what is asked reaches beyond "there is no such thing".
"""

import collections
import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from approvals.requests.models import ChangeRequest
from approvals.roles import ROLES
from tests import given
from tests.api.conftest import token_of
from tests.api.test_registry_reads import world

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SECONDS = float(os.environ.get("TENURE_SOAK_SECONDS") or (600 if LONG else 40))
EXAMPLES = 12 if SECONDS > 60 else 2
CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.soak]


def known_ids() -> dict[str, list[str]]:
    """Ids of real records, by the end of the field or address that takes them."""
    made = world()
    requests = list(ChangeRequest.objects.values_list("id", flat=True))
    return {
        "account": [str(made["accounts"].id)],
        "licensee": [str(made["accounts"].id)],
        "parent": [str(made["accounts"].id)],
        "product": [str(made["products"].id)],
        "sku": [str(made["skus"].id)],
        "sku_revision": [str(made["sku-revisions"].id)],
        "agreement": [str(made["agreements"].id)],
        "order_line": [str(made["order-lines"].id)],
        "person": [str(made["people"].id)],
        "replaces": [str(made["entitlements"].id)],
        "seat": [str(made["seats"].id)],
        "target": [str(row.id) for row in made.values()],
        "change-requests": [str(key) for key in requests],
    } | {name: [str(row.id)] for name, row in made.items()}


class Fuzz:
    """Asks what schemathesis makes up, with real ids mixed in, and counts the answers."""

    def __init__(self, secret: str) -> None:
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.known = known_ids()
        self.random = random.Random(7)
        self.counts: collections.Counter[int] = collections.Counter()
        self.failures: dict[tuple[str, int, str], str] = {}
        self.checks = [CHECKS.get_one(name) for name in CHECKED]

    def ask(self, case: Case) -> None:
        case.path_parameters = self.mixed(case.path_parameters, resource=case.operation.path.split("/")[3])
        if self.random.random() < 0.7:
            case.body = self.mixed(case.body)
        if self.random.random() < 0.8:
            # The version that is there, and no key that was used before: what comes after is to be reached.
            case.headers["If-Match"] = '"1"'
            case.headers.pop("Idempotency-Key", None)
        response = case.call(headers=self.headers)
        self.counts[response.status_code] += 1
        if case.operation.path == "/api/v1/change-requests" and response.status_code == 201:
            self.known["change-requests"].append(response.json()["id"])
        try:
            case.validate_response(response, checks=self.checks, headers=self.headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                key = (case.operation.label, response.status_code, type(failure).__name__)
                self.failures.setdefault(key, f"{failure}\n{case.as_curl_command()}\n{response.text[:500]}")

    def mixed(self, value: Any, *, resource: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self.id_for(name, resource) or self.mixed(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.mixed(item) for item in value]
        return value

    def id_for(self, name: str, resource: str) -> str | None:
        known = self.known.get(resource if name == "id" else name.removesuffix("_id"))
        return self.random.choice(known) if known and self.random.random() < 0.7 else None


def operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        yield result.ok()


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    yield
    logging.disable(logging.NOTSET)


class TestFuzz:
    def test_finds_no_server_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        # The application looks at the ledger when it is made, so it is made where a test may read the database.
        from config.wsgi import application

        load_all_checks()
        logging.disable(logging.WARNING)
        fuzz = Fuzz(token_of(given.user(*(role.name for role in ROLES))))
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
        ends_at, rounds = time.perf_counter() + SECONDS, 0
        while time.perf_counter() < ends_at:
            for operation in operations(schema):
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self.round(fuzz, operation, mode, seed=rounds)
                if time.perf_counter() > ends_at and rounds:
                    break
            rounds += 1
        report = f"\n{sum(fuzz.counts.values())} requests, {rounds} rounds: {dict(sorted(fuzz.counts.items()))}\n"
        with capsys.disabled():
            sys.stdout.write(report)
        assert fuzz.failures == {}
        assert max(fuzz.counts) < 500

    def round(self, fuzz: Fuzz, operation: Any, mode: GenerationMode, *, seed: int) -> None:
        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            fuzz.ask(case)

        ask()
