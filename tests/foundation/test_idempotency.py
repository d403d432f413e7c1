"""One effect for one Idempotency-Key."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from foundation.api import idempotency
from foundation.api.models import IdempotencyRecord
from foundation.identity.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.foundation.urls")]


@pytest.fixture
def sender() -> User:
    return User.objects.create(username="sender")


@pytest.fixture
def api(sender: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(sender)
    return client


def post(client: APIClient, title: str = "x", *, key: str | None = "k-1") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/things/", {"title": title}, headers=headers)


def code_of(response: Any) -> str:
    return str(json.loads(response.content)["code"])


class TestIdempotent:
    def test_does_it_once_and_answers_the_same(self, api: APIClient) -> None:
        first, second = post(api), post(api)

        assert User.objects.count() == 2
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second["Location"] == first["Location"]
        assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")

    def test_does_it_each_time_without_the_header(self, api: APIClient) -> None:
        post(api, key=None)
        post(api, key=None)

        assert User.objects.count() == 3
        assert not IdempotencyRecord.objects.exists()

    def test_refuses_the_key_for_another_request(self, api: APIClient) -> None:
        post(api, "x")

        response = post(api, "y")

        assert (response.status_code, code_of(response)) == (422, "idempotency_key_reused")

    def test_keeps_the_keys_of_senders_apart(self, api: APIClient) -> None:
        post(api)
        other = APIClient()
        other.force_authenticate(User.objects.create(username="other"))

        assert "Idempotency-Replayed" not in post(other)

    def test_lets_a_refused_request_be_sent_again(self, api: APIClient) -> None:
        first, second = post(api, "refused"), post(api, "refused")

        assert (first.status_code, second.status_code) == (409, 409)
        assert not IdempotencyRecord.objects.exists()

    def test_keeps_nothing_of_a_request_that_broke(self, api: APIClient) -> None:
        response = post(api, "broken")

        assert response.status_code == 500
        assert User.objects.count() == 1
        assert not IdempotencyRecord.objects.exists()

    @pytest.mark.parametrize("key", ["", "x" * 256, "with space", "caf\xe9"])
    def test_refuses_what_is_not_a_key(self, api: APIClient, key: str) -> None:
        assert post(api, key=key).status_code == 400

    def test_forgets_after_a_day(self, api: APIClient) -> None:
        post(api)
        record = IdempotencyRecord.objects.get()
        assert record.expires_at - record.created_at == timedelta(hours=24)
        IdempotencyRecord.objects.update(expires_at=record.created_at)

        assert "Idempotency-Replayed" not in post(api)
        assert User.objects.count() == 3


class TestPurge:
    def test_deletes_what_is_over(self, api: APIClient) -> None:
        post(api)
        expiry = IdempotencyRecord.objects.get().expires_at

        assert idempotency.purge(now=expiry - timedelta(seconds=1)) == 0
        assert idempotency.purge(now=expiry) == 1


@pytest.mark.django_db(transaction=True)
class TestInParallel:
    def test_does_it_once_and_tells_the_others_to_wait(self, sender: User) -> None:
        responses: list[Any] = []
        barrier = threading.Barrier(8)

        def work() -> None:
            client = APIClient()
            client.force_authenticate(sender)
            barrier.wait()
            responses.append(post(client))
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert User.objects.count() == 2
        assert {response.status_code for response in responses} <= {201, 409}
        bodies = {response.content for response in responses if response.status_code == 201}
        assert len(bodies) == 1
        assert {code_of(r) for r in responses if r.status_code == 409} <= {"request_in_flight"}
