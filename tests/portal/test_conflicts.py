"""Conflicts on the pages: other open changes while one edits, what others moved, and the buttons that plan again."""

from typing import Any

import pytest

from approvals.governed import Draft
from approvals.requests.models import ChangeRequest
from tests import given
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def amending(pilot: Pilot, **payload: Any) -> ChangeRequest:
    return pilot.proposed(drafts=[Draft("entitlement.amend", payload, pilot.trial.id)])


def page(pilot: Pilot, request: ChangeRequest, ending: str = "") -> str:
    answer = signed_in(pilot.author).get(f"/changes/{request.number}/{ending}")
    return " ".join(answer.content.decode().split())


def replan(pilot: Pilot, request: ChangeRequest, **posted: str) -> Any:
    values = {"digest": digest_of(request)} | posted
    return signed_in(pilot.author).post(f"/changes/{request.number}/replan/", values)


class TestConflicts:
    def test_are_told_on_the_page_and_while_one_edits(self, pilot: Pilot) -> None:
        own, other = amending(pilot, seats=31), amending(pilot, seats=32)

        for ending in ("", "edit/"):
            content = page(pilot, own, ending)
            assert f'<a href="/changes/{other.number}/">Conflict with #{other.number}' in content
            assert f"Change {other.number}, draft, also changes CHART-TRIAL (seats)" in content

    def test_once_applied_are_planned_again_by_one_click(self, pilot: Pilot) -> None:
        request = amending(pilot, seats=31)
        given.record("entitlement.amend", target_id=pilot.trial.id, grace_seconds=60)

        content = page(pilot, request)
        assert "CHART-TRIAL (grace seconds 0 → 60)" in content
        assert "Plan again on what stands now" in content
        assert replan(pilot, request).status_code == 302

        content = page(pilot, request)
        assert "Others changed this since it was planned" not in content

    def test_ask_whose_value_holds_where_both_changed_one(self, pilot: Pilot) -> None:
        request = amending(pilot, seats=31, notes="Ours")
        given.record("entitlement.amend", target_id=pilot.trial.id, seats=33)

        content = page(pilot, request)
        assert "seats 30 → 33, where this change says 31" in content
        assert "Keep what stands now" in content
        assert "Override it with this change" in content
        refused = replan(pilot, request)
        assert refused.status_code == 409
        assert "Say whose value holds" in refused.content.decode()
        assert replan(pilot, request, both="theirs").status_code == 302
        assert "Others changed this" not in page(pilot, request)

    def test_are_not_planned_again_from_a_page_that_is_old(self, pilot: Pilot) -> None:
        request = amending(pilot, seats=31)

        assert replan(pilot, request, digest="0" * 64).status_code == 409
