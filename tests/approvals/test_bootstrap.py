"""First data: through the governed path, by a system request."""

from collections.abc import Callable

import pytest

from approvals.bootstrap import bootstrap
from approvals.governed import Draft
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.states import Status
from entitlements.catalog.models import Product
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import counted, events_of

DRAFT = Draft("product.create", {"code": "first", "name": "First"})

pytestmark = pytest.mark.django_db


class TestBootstrap:
    def test_applies_a_system_request_under_its_own_authority(self) -> None:
        request = bootstrap(reason="First data", drafts=[DRAFT], now=given.NOW)

        stored = ChangeRequest.objects.get(id=request.id)
        assert (stored.status, stored.system, stored.created_by, stored.source) == (
            Status.APPLIED,
            True,
            None,
            "bootstrap",
        )
        assert Authorization.objects.get(change_request=request).basis == "bootstrap"
        assert Product.objects.get(code="first").version == 1
        assert events_of(request) == ["applied", "proposed"]

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_refuses_to_work_without_a_reason(self, reason: str) -> None:
        with pytest.raises(InvalidInput, match="reason"):
            bootstrap(reason=reason, drafts=[DRAFT], now=given.NOW)

    def test_refuses_a_draft_that_does_not_say_what_it_must(self) -> None:
        before = counted()

        with pytest.raises(InvalidInput):
            bootstrap(reason="First data", drafts=[Draft("product.create", {"code": "first"})], now=given.NOW)

        assert counted() == before

    def test_writes_nothing_if_an_event_cannot_be_recorded(self, break_ledger: Callable[..., None]) -> None:
        before = counted()
        break_ledger("approvals.change_request.applied")

        with pytest.raises(LedgerDown):
            bootstrap(reason="First data", drafts=[DRAFT], now=given.NOW)

        assert counted() == before
        assert not Product.objects.filter(code="first").exists()
