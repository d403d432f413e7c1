"""The list of changes as a place to work: saved filters, an export of what is shown, approving what was opened."""

import csv
import io

import pytest
from django.contrib.messages import get_messages

from approvals.governed import Draft
from approvals.requests import services as requests
from approvals.requests.models import ChangeRequest, Decision
from approvals.worklists import services
from approvals.worklists.models import Opened, SavedFilter
from approvals.worklists.services import Chosen
from foundation.errors import InvalidInput, NotFound
from foundation.web.spreadsheets import harmless
from tests import given
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot


def accounts(number: int) -> list[Draft]:
    return [Draft("account.create", {"code": f"unit-{number}", "name": f"Unit {number}"})]


def chosen(request: ChangeRequest) -> str:
    return f"{request.number}:{request.current_revision.digest}"


class TestSavedFilters:
    def test_are_found_again_by_their_address(self, pilot: Pilot) -> None:
        pilot.submitted(title="Forty seats")
        pilot.submitted(title="A new unit", drafts=accounts(1))
        client = signed_in(pilot.first)

        answer = client.post("/changes/filters/", {"name": "Seats, in review", "query": "status=in_review&text=seats"})

        assert answer["Location"] == "/changes/?filter=seats-in-review"
        html = client.get(answer["Location"]).content.decode()
        assert "Forty seats" in html
        assert "A new unit" not in html
        assert 'aria-current="page">Seats, in review' in html

    def test_are_shared_with_a_role_and_with_nobody_else(self, pilot: Pilot) -> None:
        services.save(owner=pilot.first, name="Ours", parameters={"status": "open"}, role="licensing", now=given.NOW)

        assert signed_in(pilot.second).get("/changes/?filter=ours").status_code == 200
        assert signed_in(pilot.legal).get("/changes/?filter=ours").status_code == 404
        assert signed_in(pilot.legal).get("/changes/export.csv?filter=ours").status_code == 404

    def test_of_a_name_replace_the_former_at_the_same_address(self, pilot: Pilot) -> None:
        for status in ("open", "applied"):
            services.save(owner=pilot.first, name="Mine", parameters={"status": status}, role="", now=given.NOW)

        assert [row.query for row in SavedFilter.objects.all()] == ["status=applied"]

    def test_of_two_people_have_two_addresses(self, pilot: Pilot) -> None:
        slugs = [
            services.save(owner=user, name="Mine", parameters={"status": "open"}, role="", now=given.NOW).slug
            for user in (pilot.first, pilot.second)
        ]

        assert slugs == ["mine", "mine-2"]

    @pytest.mark.parametrize(
        ("name", "parameters", "role", "why"),
        [
            (" ", {"status": "open"}, "", "a name"),
            ("x" * 101, {"status": "open"}, "", "a name"),
            ("Mine", {"page": "2"}, "", "what to filter by"),
            ("Mine", {"text": "x" * 2001}, "", "what to filter by"),
            ("Mine", {"text": "a\x00"}, "", "what to filter by"),
            ("Mine", {"status": "open"}, "legal", "a role that you have"),
        ],
    )
    def test_are_refused_if_they_say_nothing(
        self, pilot: Pilot, name: str, parameters: dict[str, str], role: str, why: str
    ) -> None:
        with pytest.raises(InvalidInput, match=why):
            services.save(owner=pilot.first, name=name, parameters=parameters, role=role, now=given.NOW)

    def test_are_removed_by_their_owner_alone(self, pilot: Pilot) -> None:
        services.save(owner=pilot.first, name="Ours", parameters={"status": "open"}, role="licensing", now=given.NOW)

        with pytest.raises(NotFound):
            services.remove(owner=pilot.second, slug="ours")
        signed_in(pilot.first).post("/changes/filters/ours/remove/")

        assert not SavedFilter.objects.exists()


class TestExport:
    def test_holds_all_pages_of_the_filter_and_nothing_hidden(self, pilot: Pilot) -> None:
        for number in range(30):
            pilot.proposed(title=f"Unit {number}", drafts=accounts(number))
        pilot.proposed(title="Something else", drafts=accounts(99))
        stranger = given.user("licensing", everywhere=False)

        answer = signed_in(pilot.first).get("/changes/export.csv?text=Unit&status=draft")

        rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))  # type: ignore[call-overload]
        assert len(rows) == 31
        assert rows[-1]["Title"] == "Unit 0"
        hidden = signed_in(stranger).get("/changes/export.csv?text=Chartwise")
        assert len(b"".join(hidden).decode().splitlines()) == 1  # type: ignore[call-overload]

    @pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
    def test_runs_no_formula(self, title: str) -> None:
        assert harmless(title) == f"'{title}"

    def test_leaves_other_text_alone(self) -> None:
        assert [harmless(text) for text in ("a=b", "1-2", "", None)] == ["a=b", "1-2", "", ""]


class TestApprovingSeveral:
    def test_approves_what_was_opened_and_says_what_was_not(self, pilot: Pilot) -> None:
        opened, closed = (pilot.submitted(title=f"Unit {n}", drafts=accounts(n)) for n in range(2))
        client = signed_in(pilot.first)
        client.get(f"/changes/{opened.number}/")

        answer = client.post("/changes/approve/", {"chosen": [chosen(opened), chosen(closed)]})

        html = answer.content.decode()
        assert "1 of 2 approved." in html
        assert "You have not opened this revision." in html
        assert [row.revision.change_request_id for row in Decision.objects.all()] == [opened.id]

    def test_refuses_what_changed_since_it_was_opened(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(pilot.first)
        client.get(f"/changes/{request.number}/")
        former = chosen(request)
        requests.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Another")
        requests.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)
        request.refresh_from_db()

        for ticked in (former, chosen(request)):
            assert "0 of 1 approved." in client.post("/changes/approve/", {"chosen": ticked}).content.decode()

        assert not Decision.objects.exists()

    def test_counts_what_this_reader_opened_alone(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        signed_in(pilot.second).get(f"/changes/{request.number}/")

        outcome = services.approve_opened(
            reviewer=pilot.first,
            chosen=[Chosen(request.number, request.current_revision.digest)],
            comment="",
            now=given.NOW,
        )

        assert [one.approved for one in outcome] == [False]

    def test_tells_of_hidden_requests_as_of_none(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        stranger = given.user("licensing", everywhere=False)

        told = services.approve_opened(
            reviewer=stranger,
            chosen=[Chosen(request.number, request.current_revision.digest), Chosen(10**9, "0" * 64)],
            comment="",
            now=given.NOW,
        )

        assert [(one.title, one.approved) for one in told] == [("", False)] * 2
        assert told[0].told == told[1].told

    @pytest.mark.parametrize("ticked", [[], ["x"], ["1:2"] * 51])
    def test_refuses_none_and_too_many(self, pilot: Pilot, ticked: list[str]) -> None:
        values = [f"{n}:{n}" for n in range(51)] if len(ticked) == 51 else ticked

        answer = signed_in(pilot.first).post("/changes/approve/", {"chosen": values})

        assert answer.status_code == 302
        assert "Choose" in str(next(iter(get_messages(answer.wsgi_request))))

    @pytest.mark.parametrize("comment", ["x" * 1001, "a\x00"])
    def test_refuses_a_comment_that_cannot_be_kept(self, pilot: Pilot, comment: str) -> None:
        with pytest.raises(InvalidInput, match="comment"):
            services.approve_opened(reviewer=pilot.first, chosen=[Chosen(1, "0" * 64)], comment=comment, now=given.NOW)

    def test_is_offered_where_something_was_opened(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(pilot.first)

        assert "Not opened yet" in client.get("/changes/?whose=awaiting").content.decode()
        client.get(f"/changes/{request.number}/")
        assert f'value="{chosen(request)}"' in client.get("/changes/?whose=awaiting").content.decode()


class TestOpened:
    def test_is_kept_once_and_of_who_could_decide(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        for user in (pilot.first, pilot.first, pilot.author, pilot.legal):
            signed_in(user).get(f"/changes/{request.number}/")

        assert [row.reader_id for row in Opened.objects.all()] == [pilot.first.id]
