"""Names of people are in the erasable records, and nowhere else but where docs/erasure.md says so."""

import re
from datetime import UTC
from pathlib import Path

import pytest

from approvals.worklists.services import save
from audit.explorer import exports, reading
from audit.models import Event
from audit.reads.collecting import collecting
from audit.reads.services import record_reads
from entitlements.directory.models import Person, PersonalDetails
from entitlements.privacy import services as privacy
from entitlements.privacy.errors import AlreadyErased
from foundation.identity.models import ERASED, User
from foundation.identity.naming import named
from tests import given
from tests.approvals import test_totality
from tests.approvals.test_delegations import decide, give
from tests.approvals.world import World
from tests.privacy.searching import tables_holding

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "erasure.md"
NEEDLES = ("zqxlogin", "zqxfirst", "zqxlast", "zqxmail", "zqxperson", "zqxexternal")


def plant() -> None:
    """Give everybody who has no such name yet one that is found."""
    for number, user in enumerate(User.objects.exclude(username__startswith="zqx").filter(erased_at=None)):
        user.username = f"zqxlogin-{number}-{str(user.pk)[:8]}"
        user.first_name, user.last_name, user.email = "Zqxfirst", f"Zqxlast{number}", f"zqxmail{number}@a.example"
        user.save()
    PersonalDetails.objects.filter(erased_at=None).update(
        name="Zqxperson Known", mail="zqxmail@b.example", external_ids={"username": "zqxexternal"}
    )


def declared() -> set[str]:
    """The tables that the document lists."""
    return set(re.findall(r"^\| `(\w+)(?:_\*)?` \| ", DOCUMENT.read_text(), re.MULTILINE))


class TestNames:
    """INV-4: events, revisions and history hold ids of people."""

    def test_are_nowhere_but_where_the_document_says_and_gone_once_erased(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make = given.user

        def planted(*roles: str, **options: object) -> User:
            made = make(*roles, **options)  # type: ignore[arg-type]
            plant()
            return User.objects.get(pk=made.pk)

        monkeypatch.setattr(given, "user", planted)
        plant()
        for user in (world.author, world.first, world.second, world.operator):
            user.refresh_from_db()
        deputy = given.user("legal")
        give(world.first, deputy)
        decide(world.submit(), deputy, world.first)
        test_totality.act_out(world)
        auditor = given.user("auditor")
        sought = {"actor": world.first.get_full_name(), "text": "zqxlast1", "object": "zqxperson"}
        with collecting() as noted:
            list(exports.exported(user=auditor, parameters=sought, zone=UTC))
        record_reads(given=noted, reader=auditor, where="portal", now=given.NOW)
        save(owner=world.first, name="Hers", parameters={"text": "Zqxfirst"}, role="", now=given.NOW)

        found = tables_holding(*NEEDLES)

        assert set(found) - declared() == set()
        assert {"foundation_user", "entitlements_personaldetails", "foundation_outboxmessage"} <= set(found)

        eraser = make("administrator")
        User.objects.exclude(pk=eraser.pk).update(is_active=False)
        for human in {
            *User.objects.values_list("human_id", flat=True),
            *Person.objects.values_list("human_id", flat=True),
        }:
            if human != eraser.human_id:
                try:
                    privacy.erase(key=human, user=eraser, basis="left", now=given.NOW)
                except AlreadyErased:
                    continue

        assert tables_holding(*NEEDLES) == {}

    def test_are_read_where_events_mention_somebody(self, world: World) -> None:
        world.first.first_name, world.first.last_name = "Grace", "Hopper"
        world.first.save()
        give(world.first, given.user("legal"))
        auditor = given.user("auditor")
        (page,) = [reading.page(user=auditor, sought=reading.filters.parse({"kind": "approvals.delegation"}, zone=UTC))]

        assert "lets" in (told := reading.told(page.events[0]).sentence)
        assert "decide for Grace Hopper as" in told
        User.objects.filter(pk=world.first.pk).update(is_active=False)
        privacy.erase(key=world.first.pk, user=given.user("administrator"), basis="asked", now=given.NOW)
        (event,) = Event.objects.filter(type="approvals.delegation.given")
        assert f"decide for {ERASED} as" in reading.sentence(event, "Ada")

    def test_stay_ids_where_nobody_is_known(self) -> None:
        text = "user 6f1c5f3e-1111-4111-8111-111111111111 left"

        assert named(text) == text
