"""The access check over HTTP, and its answers from the registry."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.ledger.models import Event
from entitlements.checks.reasons import Code
from entitlements.checks.values import Environment
from entitlements.grants.models import Entitlement, Seat
from entitlements.grants.services import take_seat
from entitlements.surfaces.checking import Asked, decide_from_registry
from tests import given
from tests.api.conftest import Sender, client_of

pytestmark = pytest.mark.django_db


def pilot(**payload: Any) -> tuple[Entitlement, Any]:
    """An entitlement to a product with two features, and a person who holds a seat of it."""
    product = given.product()
    given.feature(product, "export")
    given.feature(product, "projects", type="quota")
    given.record("release.create", product_id=product.id, version_name="1.0", released_on="2026-01-01")
    revision = given.sku_revision(given.sku(product), features={"export": True, "projects": 25})
    account = given.account()
    entitlement = given.entitlement(given.order_line(given.agreement(account), revision), **payload)
    (person,) = given.people(1, of=account)
    take_seat(entitlement_id=entitlement.id, actor=None, now=given.NOW, person_id=person.id)
    return entitlement, person


def question(entitlement: Entitlement, person: Any, **changed: Any) -> dict[str, Any]:
    asked = {
        "account": str(entitlement.account_id),
        "product": str(entitlement.sku.product_id),
        "person_id": str(person.id),
        "region": "de",
        "environment": "production",
    } | changed
    return {name: value for name, value in asked.items() if value is not None}


def ask(client: APIClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/check", asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


class TestCheck:
    def test_answers_yes_with_everything_that_it_rests_on(self, sender: Sender) -> None:
        owner = given.user(first_name="Ines", last_name="Duarte")
        entitlement, person = pilot(owner_id=str(owner.id))

        told = ask(sender(), **question(entitlement, person, feature="projects", release="1.0"))

        assert told == {
            "allowed": True,
            "code": "allowed",
            "sentence": "The production entitlement allows this until 2027-01-31 10:00 UTC.",
            "next_action": "Nothing needs to be done.",
            "guidance": "/guidance/reason-codes#allowed",
            "limit": 25,
            "limit_kind": "quota",
            "until": "2027-01-31T10:00:00Z",
            "entitlement_id": str(entitlement.id),
            "phase": "production",
            "owner": {"label": "Ines Duarte", "contact_id": str(owner.id)},
            "duplicates": [],
            "warnings": [],
            "asked_at": "2026-03-02T10:00:00Z",
        }

    def test_takes_codes_for_ids(self, sender: Sender) -> None:
        entitlement, person = pilot()

        told = ask(
            sender(),
            **question(entitlement, person, account=entitlement.account.code, product=entitlement.sku.product.code),
        )

        assert told["code"] == "allowed"

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"account": "nobody"}, "account_unknown"),
            ({"account": str(uuid.uuid4())}, "account_unknown"),
            ({"product": "nothing"}, "product_unknown"),
            ({"feature": "nothing"}, "feature_unknown"),
            ({"person_id": str(uuid.uuid4())}, "subject_unknown"),
            ({"deployment": "nowhere"}, "deployment_unknown"),
            ({"deployment": str(uuid.uuid4())}, "deployment_unknown"),
            ({"release": "9.9"}, "release_unknown"),
            ({"region": "FR"}, "region_not_allowed"),
            ({"region": None}, "region_required"),
            ({"person_id": None}, "subject_required"),
        ],
    )
    def test_answers_no_with_the_reason(self, sender: Sender, changed: dict[str, Any], code: str) -> None:
        entitlement, person = pilot()

        told = ask(sender(), **question(entitlement, person, **changed))

        assert (told["allowed"], told["code"]) == (False, code)

    def test_counts_the_environment_of_the_deployment(self, sender: Sender) -> None:
        entitlement, person = pilot(phase="trial")
        given.deployment(entitlement.account, entitlement.sku.product, "production", name="live")

        told = ask(sender(), **question(entitlement, person, environment="trial", deployment="live"))

        assert (told["code"], told["warnings"]) == ("trial_in_production", ["environment_mismatch"])

    def test_writes_nothing(self, sender: Sender) -> None:
        entitlement, person = pilot()
        client, before = sender(), Event.objects.count()

        ask(client, **question(entitlement, person))

        assert Event.objects.count() == before

    def test_tells_of_what_is_not_granted_as_of_what_does_not_exist(self) -> None:
        entitlement, person = pilot()
        user = given.user("requester", everywhere=False)
        client = client_of(user)

        hidden = ask(client, **question(entitlement, person))
        missing = ask(client, **question(entitlement, person, account=str(uuid.uuid4())))
        assert hidden == missing
        given.grant_access(user, entitlement.account)
        assert ask(client, **question(entitlement, person))["code"] == "product_unknown"
        given.grant_access(user, entitlement.sku.product)
        assert ask(client, **question(entitlement, person))["code"] == "allowed"

    def test_knows_people_of_hidden_accounts_only_by_their_seats(self) -> None:
        entitlement, _ = pilot()
        (stranger, guest) = given.people(2, of=given.account())
        # As somebody who was given a seat before their account moved away: no service gives one.
        Seat.objects.create(entitlement=entitlement, person=guest, taken_at=given.NOW)
        user = given.user("requester", everywhere=False)
        given.grant_access(user, entitlement.account, entitlement.sku.product)

        assert ask(client_of(user), **question(entitlement, stranger))["code"] == "subject_unknown"
        assert ask(client_of(user), **question(entitlement, guest))["code"] == "allowed"

    def test_lets_some_ask_about_other_instants(self, sender: Sender) -> None:
        entitlement, person = pilot()
        at = (given.NOW + timedelta(days=340)).isoformat()

        refused = sender("requester").post("/api/v1/check", question(entitlement, person, at=at))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        for role in ("licensing", "auditor"):
            assert ask(sender(role), **question(entitlement, person, at=at))["code"] == "ended"

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
    def test_withstands_the_ends_of_time(self, sender: Sender, at: str) -> None:
        entitlement, person = pilot()

        assert sender("licensing").post("/api/v1/check", question(entitlement, person, at=at)).status_code in (200, 400)

    @pytest.mark.parametrize(
        "body", ['{"account": "\\u0000", "product": "x"}', '{"account": "\\ud800", "product": "x"}', "[]", "null", "{"]
    )
    def test_refuses_what_cannot_be_read(self, sender: Sender, body: str) -> None:
        answer = sender().post("/api/v1/check", data=body, content_type="application/json")

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


class TestBulk:
    def test_answers_a_thousand_in_as_many_queries_as_one(self, sender: Sender) -> None:
        entitlement, person = pilot()
        other, stranger = pilot()
        given.deployment(entitlement.account, entitlement.sku.product, name="live")
        client = sender("licensing")
        full = question(entitlement, person, feature="export", release="1.0", deployment="live")

        # The first request of an hour notes that the token is used.
        client.get("/api/v1/kinds")
        one, few = self.count(client, [full])
        answers, many = self.count(client, [full, question(other, stranger)] * 500)

        assert one[0]["allowed"]
        assert [answer["code"] for answer in answers] == ["allowed"] * 1_000
        assert few == many
        # Two for the token, two for permissions; accounts, products, features, deployments, releases, people; then
        # ancestors, entitlements, features, seats.
        assert few <= 14

    def count(self, client: APIClient, questions: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
        with CaptureQueriesContext(connection) as captured:
            answer = client.post("/api/v1/check/bulk", {"questions": questions})
        assert answer.status_code == 200, answer.content
        return answer.json()["answers"], len(captured)

    def test_keeps_the_order(self, sender: Sender) -> None:
        entitlement, person = pilot()
        asked = [
            question(entitlement, person, region="FR"),
            question(entitlement, person),
            question(entitlement, person, account="nobody"),
        ]

        answers, _ = self.count(sender(), asked)

        assert [answer["code"] for answer in answers] == ["region_not_allowed", "allowed", "account_unknown"]

    @pytest.mark.parametrize("number", [0, 1_001])
    def test_takes_one_to_a_thousand(self, sender: Sender, number: int) -> None:
        questions = [{"account": "a", "product": "p"}] * number

        assert sender().post("/api/v1/check/bulk", {"questions": questions}).status_code == 400


class TestDecideFromRegistry:
    def test_serves_descendants_only_where_the_agreement_says_so(self) -> None:
        for covers, code in ((True, Code.ALLOWED), (False, Code.NO_ENTITLEMENT)):
            parent = given.account()
            child = given.account(parent_id=str(parent.id))
            revision = given.sku_revision(given.sku(given.product()), metric="metered")
            agreement = given.agreement(parent, covers_descendants=covers)
            entitlement = given.entitlement(given.order_line(agreement, revision))
            asked = Asked(
                account=child.code,
                product=str(entitlement.sku.product_id),
                country="DE",
                environment=Environment.PRODUCTION,
            )

            (answer,) = decide_from_registry(questions=[asked], now=given.NOW)

            assert answer.code is code

    def test_is_exact_at_both_ends(self) -> None:
        entitlement, person = pilot(grace_seconds=3600)
        asked = Asked(
            account=str(entitlement.account_id),
            product=str(entitlement.sku.product_id),
            person_id=person.id,
            country="DE",
            environment=Environment.PRODUCTION,
        )
        ends_at, second = entitlement.ends_at, timedelta(seconds=1)
        assert ends_at is not None
        hour = timedelta(hours=1)
        codes = [
            decide_from_registry(questions=[asked], now=at)[0].code
            for at in (
                entitlement.starts_at - second,
                entitlement.starts_at,
                ends_at - second,
                ends_at,
                ends_at + hour - second,
                ends_at + hour,
            )
        ]

        assert codes == [Code.NOT_STARTED, Code.ALLOWED, Code.ALLOWED, Code.IN_GRACE, Code.IN_GRACE, Code.ENDED]

    def test_knows_nobody_who_has_left(self) -> None:
        entitlement, person = pilot()
        person.left_at = given.NOW
        person.save()
        asked = Asked(str(entitlement.account_id), str(entitlement.sku.product_id), person_id=person.id, country="DE")

        assert decide_from_registry(questions=[asked], now=given.NOW)[0].code is Code.SUBJECT_UNKNOWN

    def test_takes_features_as_they_are_overridden(self) -> None:
        entitlement, person = pilot(feature_overrides={"export": False, "projects": None})

        def answer(feature: str) -> Any:
            asked = Asked(
                str(entitlement.account_id),
                str(entitlement.sku.product_id),
                feature=feature,
                person_id=person.id,
                country="DE",
                environment=Environment.PRODUCTION,
            )
            return decide_from_registry(questions=[asked], now=given.NOW)[0]

        assert answer("export").code is Code.FEATURE_OFF
        assert (answer("projects").allowed, answer("projects").limit) == (True, None)
