"""The page of a change's revisions."""

import pytest

from approvals.requests import services
from approvals.requests.revisions import Rationale
from tests import given
from tests.portal.test_change_page import decide, signed_in
from tests.portal.world import Pilot

pytestmark = pytest.mark.django_db


class TestRevisions:
    def test_show_what_changed_since_the_reader_decided(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        decide(pilot.first, request, "ask_for_changes", comment="Say <b>why</b>.")
        rationale = Rationale("The pilot <i>succeeded</i>.", "None.", ("It works.",), "Undo it.")
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, rationale=rationale)

        page = signed_in(pilot.first).get(f"/changes/{request.number}/revisions/").content.decode()

        assert "From revision 1 to revision 2" in page
        assert "&lt;i&gt;" in page.replace("</span>", "")
        assert "<i>succeeded" not in page
        assert "Say &lt;b&gt;why&lt;/b&gt;." in page
        assert '<ins class="tn-new">' in page

    def test_of_a_first_revision_are_one(self, pilot: Pilot) -> None:
        page = signed_in(pilot.first).get(f"/changes/{pilot.submitted().number}/revisions/").content.decode()

        assert "There is nothing to compare" in page
        assert "Revision 1, current" in page

    def test_are_linked_from_the_change(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Another title")

        page = signed_in(pilot.first).get(f"/changes/{request.number}/").content.decode()

        assert f'<a href="/changes/{request.number}/revisions/">Revision 2</a>' in page

    @pytest.mark.parametrize(("query", "status"), [("from=x", 400), ("from=9", 404), ("from=1&to=1", 200)])
    def test_are_refused_where_there_are_none(self, pilot: Pilot, query: str, status: int) -> None:
        address = f"/changes/{pilot.submitted().number}/revisions/?{query}"

        assert signed_in(pilot.first).get(address).status_code == status

    def test_are_hidden_with_their_request(self, pilot: Pilot) -> None:
        client = signed_in(given.user("licensing", everywhere=False))

        assert client.get(f"/changes/{pilot.submitted().number}/revisions/").status_code == 404
