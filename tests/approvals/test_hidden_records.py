"""What somebody may not see is answered like what does not exist (INV-12)."""

import uuid
from datetime import timedelta

import pytest

from approvals.governed import Draft
from approvals.requests import review, services
from approvals.requests.errors import QuorumLost
from foundation.errors import NotFound
from tests import given
from tests.approvals import world as building

pytestmark = pytest.mark.django_db


def words_of(refusal: pytest.ExceptionInfo[NotFound], record_id: uuid.UUID) -> str:
    """The refusal's message without the id that was asked for."""
    return refusal.value.message.replace(str(record_id), "…")


class TestPreview:
    @pytest.mark.parametrize(
        ("kind", "payload"),
        [
            ("entitlement.extend", {"ends_at": given.NOW.isoformat()}),
            ("entitlement.retire", {"ends_at": (given.NOW - timedelta(days=900)).isoformat()}),
            ("entitlement.amend", {"starts_at": given.NOW.isoformat()}),
        ],
    )
    def test_says_of_a_hidden_entitlement_what_it_says_of_none(self, kind: str, payload: dict[str, str]) -> None:
        hidden = given.entitlement()
        nowhere = given.user("requester", everywhere=False)
        missing = uuid.uuid4()

        with pytest.raises(NotFound) as of_hidden:
            services.preview(drafts=[Draft(kind, payload, hidden.id)], user=nowhere, now=given.NOW)
        with pytest.raises(NotFound) as of_missing:
            services.preview(drafts=[Draft(kind, payload, missing)], user=nowhere, now=given.NOW)

        assert words_of(of_hidden, hidden.id) == words_of(of_missing, missing)


class TestReview:
    def test_says_of_a_hidden_request_what_it_says_of_none(self) -> None:
        author = given.user("requester")
        entitlement = given.entitlement()
        draft = Draft("entitlement.amend", {"seats": 11}, entitlement.id)
        request = services.propose(title="More", drafts=[draft], author=author, now=given.NOW)
        nowhere = given.user("licensing", everywhere=False)

        messages = []
        for request_id in (request.id, uuid.uuid4()):
            with pytest.raises(NotFound) as refusal:
                review.approve(change_request_id=request_id, digest="0" * 64, reviewer=nowhere, now=given.NOW)
            messages.append(refusal.value.message)

        assert messages[0] == messages[1]


class TestApply:
    def test_counts_no_approval_of_somebody_who_no_longer_sees_the_request(self) -> None:
        world = building.make()
        request = world.approved()
        world.first.user_permissions.clear()

        with pytest.raises(QuorumLost):
            world.apply(request)
