"""Admin pages of emergency permits and standard templates."""

import pytest
from django.test import Client
from django.urls import reverse

from approvals.governed import Draft
from approvals.permits import services
from approvals.permits.models import Permit
from approvals.requests.models import ChangeRequest
from tests import given
from tests.approvals import world as building
from tests.approvals.world import revision_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def permit(db: None) -> Permit:
    """Have a permit that was used."""
    world = building.make()
    request = world.propose(Draft("entitlement.amend", {"seats": 9}, world.trial.id))
    holder = given.user("emergency")
    taken = services.take(
        change_request_id=request.id,
        digest=revision_of(request).digest,
        user=holder,
        reason="The line stands still.",
        now=given.NOW,
    )
    services.use(permit_id=taken.id, user=holder, now=given.NOW)
    return Permit.objects.get(id=taken.id)


def staff(*roles: str, everywhere: bool = True) -> Client:
    client = Client()
    client.force_login(given.user(*roles, everywhere=everywhere, is_staff=True))
    return client


class TestPermits:
    def test_are_read(self, permit: Permit) -> None:
        client = staff("auditor")

        assert client.get(reverse("admin:approvals_permit_changelist")).status_code == 200
        content = client.get(reverse("admin:approvals_permit_change", args=[permit.id])).content.decode()
        assert "The line stands still." in content

    def test_are_not_written(self, permit: Permit) -> None:
        for role in ("administrator", "emergency"):
            client = staff(role)
            for name, args in (("add", []), ("delete", [permit.id])):
                assert client.get(reverse(f"admin:approvals_permit_{name}", args=args)).status_code == 403
            posted = client.post(reverse("admin:approvals_permit_change", args=[permit.id]), {"reason": "Another."})
            assert posted.status_code == 403

    def test_are_hidden_with_their_change(self, permit: Permit) -> None:
        client = staff("licensing", everywhere=False)

        assert str(permit.id) not in client.get(reverse("admin:approvals_permit_changelist")).content.decode()
        content = client.get(reverse("admin:approvals_permit_change", args=[permit.id]), follow=True).content.decode()
        assert "The line stands still." not in content


class TestTemplates:
    def test_are_proposed_never_written(self) -> None:
        client = staff("administrator")
        address = reverse("admin:approvals_standardtemplate_add")
        posted = {
            "name": "A few more seats",
            "kinds": "entitlement.amend",
            "conditions-count": "1",
            "conditions-0-field": "seats_after",
            "conditions-0-operator": "at_most",
            "conditions-0-value": "20",
            "proposer_roles": "requester",
            "expires_at_0": "2050-01-01",
            "expires_at_1": "00:00",
        }

        assert client.get(address).status_code == 200
        answer = client.post(address, posted)

        assert answer.status_code == 302, answer.content.decode()
        request = ChangeRequest.objects.get(system=False)
        item = revision_of(request).items.get()
        assert item.kind == "standard_template.create"
        assert item.after["conditions"] == [{"field": "seats_after", "operator": "at_most", "value": 20}]
