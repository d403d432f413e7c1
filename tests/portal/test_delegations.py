"""The page of delegations, and deciding for somebody on a change's page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals.authority import services
from approvals.authority.models import Delegation
from approvals.requests.models import Decision
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.portal.test_change_page import decide, signed_in
from tests.portal.world import Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def give(delegator: User, delegate: User, **options: Any) -> Delegation:
    now = clock.now()
    defaults = {"role": "", "starts_at": now, "ends_at": now + timedelta(days=9), "reason": "On leave.", "now": now}
    return services.delegate(delegator=delegator, delegate=delegate, **(defaults | options))


def local(days: int) -> str:
    return f"{timezone.localtime(clock.now()) + timedelta(days=days):%Y-%m-%dT%H:%M}"


class TestDelegations:
    def test_gives_one_by_the_form(self, pilot: Pilot) -> None:
        client = signed_in(pilot.first)
        posted = {"delegate": str(pilot.legal.id), "role": "licensing", "ends_at": local(9), "reason": "On leave."}

        answer = client.post("/delegations/", posted)

        delegation = Delegation.objects.get()
        assert answer.status_code == 302
        assert (delegation.delegator, delegation.delegate, delegation.role) == (pilot.first, pilot.legal, "licensing")
        assert f"{pilot.legal} decides for you, as licensing" in client.get("/delegations/").content.decode()
        assert f"You decide for {pilot.first}" in signed_in(pilot.legal).get("/delegations/").content.decode()

    @pytest.mark.parametrize(
        ("posted", "words"),
        [
            ({"delegate": ""}, "Choose who shall decide for you."),
            ({"delegate": "nobody"}, "Choose who shall decide for you."),
            ({"ends_at": ""}, "ends_at"),
            ({"ends_at": "tomorrow"}, "ends_at"),
            ({"reason": ""}, "why"),
            ({"role": "finance"}, "You do not decide as finance"),
        ],
    )
    def test_keeps_what_was_refused_in_the_form(self, pilot: Pilot, posted: dict[str, str], words: str) -> None:
        whole = {"delegate": str(pilot.legal.id), "role": "", "ends_at": local(9), "reason": "On <leave>."}

        answer = signed_in(pilot.first).post("/delegations/", whole | posted)

        assert answer.status_code == 400
        content = answer.content.decode()
        assert words in content or "Say" in content
        assert "On <leave>" not in content
        assert not Delegation.objects.exists()

    def test_revokes_by_a_button(self, pilot: Pilot) -> None:
        delegation = give(pilot.first, pilot.legal)
        client = signed_in(pilot.first)

        client.post(f"/delegations/{delegation.id}/revoke/")

        delegation.refresh_from_db()
        assert delegation.revoked_at is not None
        assert "Revoked" in client.get("/delegations/").content.decode()

    def test_of_others_are_not_there(self, pilot: Pilot) -> None:
        delegation = give(pilot.first, pilot.legal)

        assert signed_in(pilot.second).post(f"/delegations/{delegation.id}/revoke/").status_code == 404

    def test_says_why_nobody_decides_for_who_decides_nothing(self, pilot: Pilot) -> None:
        content = signed_in(given.user("auditor")).get("/delegations/").content.decode()

        assert "there is nothing to delegate" in content
        assert 'name="delegate"' not in content


class TestPanel:
    def test_says_for_whom_its_reader_decides(self, pilot: Pilot) -> None:
        give(pilot.first, pilot.legal)
        request = pilot.submitted()

        content = signed_in(pilot.legal).get(f"/changes/{request.number}/").content.decode()
        answer = decide(pilot.legal, request, "approve", on_behalf_of=str(pilot.first.id))

        assert f"You decide for {pilot.first}" in content
        assert answer.status_code == 302
        assert Decision.objects.get().delegator_human_id == pilot.first.human_id
        after = signed_in(pilot.second).get(f"/changes/{request.number}/").content.decode()
        assert f"{pilot.legal}, in place of {pilot.first}" in after

    def test_lets_its_reader_choose_for_whom(self, pilot: Pilot) -> None:
        give(pilot.first, pilot.second)
        request = pilot.submitted()

        content = signed_in(pilot.second).get(f"/changes/{request.number}/").content.decode()

        assert "for yourself" in content
        assert f"for {pilot.first}" in content

    def test_says_the_readers_limit(self, pilot: Pilot) -> None:
        given.record(
            "authority_limit.create",
            person=pilot.first.username,
            role="licensing",
            seats=100_000,
            starts_at=given.NOW.isoformat(),
        )

        content = signed_in(pilot.first).get(f"/changes/{pilot.submitted().number}/").content.decode()

        assert "Your limit: 100000 seats" in content

    def test_refuses_nonsense(self, pilot: Pilot) -> None:
        assert decide(pilot.first, pilot.submitted(), "approve", on_behalf_of="me").status_code == 400
