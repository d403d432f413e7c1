"""Who holds which rights, and what of it does not go together."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from guardian.shortcuts import assign_perm
from rest_framework.test import APIClient

from approvals.api.tokens import issue
from audit.access import report
from audit.access.population import Population
from audit.models import Event
from foundation.errors import NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals.conftest import world
from tests.approvals.test_delegations import give
from tests.approvals.world import World

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def rules(user: User, **asked: str) -> dict[str, list[str]]:
    """The sentences of conflicts by rule, notes marked by a star, that concern somebody; their own with `text`."""
    found: dict[str, list[str]] = {}
    for row in report.read(user=user, now=given.NOW, **asked).rows:
        for one in row.conflicts:
            found.setdefault(("*" if one.is_note else "") + one.rule, []).append(one.sentence)
    return found


@pytest.fixture
def auditor(db: None) -> User:
    """Who reviews access."""
    return given.user("auditor")


class TestReport:
    def test_tells_what_a_login_holds_and_what_follows(self, world: World, auditor: User) -> None:
        child = given.account(parent_id=str(world.account.id))
        login = given.user("licensing", "requester", everywhere=False, username="grace", first_name="Grace")
        given.grant_access(login, world.account, world.trial.sku.product)
        assign_perm("access_account", Group.objects.get(name="requester"), child)
        issue(user=login, days=9, now=given.NOW)
        give(world.first, login)
        given.record(
            "authority_limit.create", person="grace", role="licensing", seats=5, starts_at=given.NOW.isoformat()
        )

        found = report.read(user=auditor, now=given.NOW, text="grace")
        (row,) = found.rows
        told = [found.told(right) for right in row.holder.rights]

        assert row.holder.capabilities == ["sees changes", "proposes", "approves", "applies"]
        assert row.holder.may["approves"] == {"role licensing"}
        assert row.accounts == f"{world.account}, with 1 below it, {child}"
        assert row.products == str(world.trial.sku.product)
        assert row.limits == ["licensing up to 5 seats"]
        assert {
            "Role licensing",
            "Role requester",
            f"Account: {world.account}, with 1 below it",
            f"Account, for everybody of the role requester: {child}",
            f"Decides for {world.first} as everything that they decide",
        } <= set(told)
        assert any(one.startswith("API token made on") for one in told)

    def test_names_no_account_that_is_not_granted_to_the_reader(self, world: World) -> None:
        given.grant_access(given.user("requester", everywhere=False, username="grace"), world.account)
        stranger = given.user("auditor", everywhere=False)

        found = report.read(user=stranger, now=given.NOW, text="grace")

        assert found.rows[0].accounts == "something that is not granted to you"
        told = "".join(report.rights_as_csv(user=stranger, now=given.NOW))
        assert world.account.name not in told
        assert "something that is not granted to you" in told

    def test_is_for_those_who_review_access(self, world: World) -> None:
        for read in (report.read, report.rights_as_csv, report.conflicts_as_csv):
            with pytest.raises(NotPermitted):
                read(user=world.first, now=given.NOW)

    def test_goes_out_without_a_cell_that_runs_and_is_recorded(self, client: Client, auditor: User) -> None:
        given.user("requester", username="grace", first_name="=cmd()")
        client.force_login(auditor)

        told = b"".join(client.get("/audit/access/access.csv").streaming_content).decode()  # type: ignore[attr-defined]

        assert "grace,'=cmd()" in told
        (event,) = Event.objects.filter(type="audit.export.made")
        assert event.data["what"] == "who holds which rights"

    def test_knows_when_a_token_was_last_used(self, auditor: User) -> None:
        login = given.user("requester", username="grace")
        _, secret = issue(user=login, days=9, now=given.NOW)
        api = APIClient(headers={"Authorization": f"Bearer {secret}"})
        for _ in range(2):
            assert api.get("/api/v1/tokens").status_code == 200

        population = Population.read(given.NOW)

        (token,) = [right for right in population.holders[login.pk].rights if right.source == "token"]
        assert token.used_at is not None
        assert (token.used_at.minute, token.used_at.second) == (0, 0)


class TestConflicts:
    def test_are_notes_within_one_role_and_conflicts_over_several(self, auditor: User) -> None:
        given.user("licensing", username="one", last_login=given.NOW)
        given.user("licensing", "requester", username="two", last_login=given.NOW)

        notes = {"*proposes_and_approves", "*proposes_and_applies", "*approves_and_applies"}
        assert set(rules(auditor, text="one")) - {"only_reviewers"} == notes
        (sentence,) = rules(auditor, text="two")["proposes_and_applies"]
        assert sentence.startswith("two proposes (role licensing, role requester) and applies (role licensing)")

    def test_come_together_over_logins_of_one_human(self, auditor: User) -> None:
        one = given.user("requester", username="one", last_login=given.NOW)
        given.user("it_operations", username="two", human_id=one.human_id, last_login=given.NOW)
        given.user("requester", username="three", last_login=given.NOW)
        auditing = given.user("auditor", username="four", last_login=given.NOW)
        given.user("finance", username="five", human_id=auditing.human_id, last_login=given.NOW)

        assert "By several logins" in rules(auditor, text="four")["several_logins"][0]
        assert rules(auditor, text="three") == {}
        assert "proposes_and_applies" in rules(auditor, text="two")

    def test_of_administrators_superusers_and_others(self, auditor: User) -> None:
        given.user("administrator", "finance", username="one", last_login=given.NOW)
        given.user("administrator", "legal", username="two", last_login=given.NOW)
        given.user("requester", username="three", is_superuser=True, last_login=given.NOW)
        given.user(username="four", is_superuser=True, last_login=given.NOW)

        assert "administers_and_approves" in rules(auditor, text="one")
        assert "erases_and_holds" in rules(auditor, text="two")
        assert rules(auditor, text="three")["superuser_acts"] == ["three is a superuser, and proposes besides."]
        assert "superuser_acts" not in rules(auditor, text="four")

    def test_of_inactive_dormant_and_idle(self, world: World, auditor: User) -> None:
        gone = given.user("licensing", username="gone")
        issue(user=gone, days=9, now=given.NOW)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        given.user(
            "legal",
            username="asleep",
            last_login=given.NOW - timedelta(days=91),
            date_joined=given.NOW - timedelta(days=900),
        )

        (sentence,) = rules(auditor, text="gone")["inactive_login"]
        assert "Role licensing" in sentence
        assert "API token" in sentence
        assert rules(auditor, text="asleep")["dormant_login"] == ["asleep holds legal and was last here on 2025-12-01."]

    def test_name_the_only_reviewers_of_a_stage(self, auditor: User) -> None:
        alone = given.user("security", username="alone")
        given.record("policy.create", name="Hosting", stages=[{"position": 1, "role": "security", "quorum": 1}])

        (sentence,) = rules(auditor, text="alone")["only_reviewers"]

        assert sentence == f"Stage 1 of the policy “Hosting” asks for 1 of security; there is only: {alone}."
        given.user("security")
        assert "only_reviewers" not in rules(auditor, text="alone")


class TestPages:
    def test_tell_it_and_narrow_it(self, client: Client, world: World, auditor: User) -> None:
        given.user("administrator", "finance", username="grace")
        client.force_login(auditor)

        whole = client.get("/audit/access/").content.decode()
        some = client.get("/audit/access/?rule=administers_and_approves").content.decode()

        assert "grace administers (role administrator) and approves (role finance)" in whole
        assert "1 login of your filter" in some
        client.force_login(world.first)
        assert client.get("/audit/access/").status_code == 403

    def test_cost_as_many_queries_for_many_logins_as_for_few(
        self, client: Client, auditor: User, django_assert_max_num_queries: Callable[..., object]
    ) -> None:
        for _ in range(20):
            given.user("licensing", "legal")
        client.force_login(auditor)
        with django_assert_max_num_queries(45):  # type: ignore[attr-defined]
            client.get("/audit/access/")

    def test_answer_over_http(self, auditor: User) -> None:
        given.user("administrator", "finance", username="grace")
        api = APIClient()
        api.force_authenticate(auditor)

        (row,) = api.get("/api/v1/access/logins?text=grace").json()
        found = api.get("/api/v1/access/conflicts").json()

        assert row["may"]["approves"] == ["role finance"]
        assert row["accounts"] == "all accounts"
        assert {"administers_and_approves"} <= {one["rule"] for one in found if one["weight"] == "conflict"}
