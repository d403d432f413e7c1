"""Erasing what is known of a human by name, and holding them."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from approvals.printing import documents
from audit.models import Event
from audit.packs import holds
from audit.packs.models import EvidencePack, EvidencePackPart
from audit.sealing import keys
from audit.sealing.services import seal
from audit.sealing.verification import verify
from entitlements.directory.models import PersonalDetails
from entitlements.directory.services import Details, names_of, stage_details
from entitlements.privacy import reading, services
from entitlements.privacy.errors import AlreadyErased, HoldLifted, LoginActive, OwnDetails, PersonHeld
from entitlements.privacy.models import PersonHold
from foundation import clock
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import ERASED, User
from foundation.mail import services as mail
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals import world as building
from tests.approvals.conftest import LedgerDown
from tests.approvals.world import World
from tests.conftest import connect
from tests.privacy.searching import tables_holding
from tests.support.instance import provision


def act_out(world: World) -> None:
    """Hold somebody, lift it, erase them."""
    legal, administrator = given.user("legal"), given.user("administrator")
    person = world.people[0]
    hold = services.place_hold(key=person.id, user=legal, reason="A dispute.", now=given.NOW)
    services.lift_hold(key=person.id, hold_id=hold.id, user=legal, reason="It is settled.", now=given.NOW)
    services.erase(key=person.id, user=administrator, basis="asked", now=given.NOW)


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who erases."""
    return given.user("administrator")


@pytest.fixture
def legal(db: None) -> User:
    """Somebody who holds."""
    return given.user("legal")


def left(*, username: str = "grace", **fields: Any) -> User:
    """Somebody who left: their login is inactive."""
    names = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com"} | fields
    login = given.user("licensing", username=username, **names)
    User.objects.filter(pk=login.pk).update(is_active=False)
    return User.objects.get(pk=login.pk)


class TestErase:
    def test_empties_the_directory_and_every_login_in_one_event(self, world: World, administrator: User) -> None:
        person = world.people[0]
        first, second = left(human_id=person.human_id), left(username="grace2", human_id=person.human_id)

        services.erase(key=person.id, user=administrator, basis="asked", now=given.NOW)

        details = PersonalDetails.objects.get(person_id=person.id)
        assert (details.name, details.mail, details.external_ids, details.erased_at) == ("", "", {}, given.NOW)
        for login in (first, second):
            login.refresh_from_db()
            assert (str(login), login.email, login.has_usable_password()) == (ERASED, "", False)
        assert names_of([person.id]) == {person.id: ERASED}
        (event,) = Event.objects.filter(type="entitlements.personal_details.erased")
        assert event.data["login_ids"] == sorted([str(first.id), str(second.id)])
        assert event.data["people"] == 1
        assert "Grace" not in bytes(event.content).decode()

    def test_takes_the_name_out_of_mails_and_leaves_other_words(self, administrator: User) -> None:
        grace, reader = left(), given.user("legal")
        text = "Grace Hopper wrote to graceful Ada: gracefully. grace@example.com"
        with transaction.atomic():
            mail.send(recipients=[reader.id], subject="Grace Hopper wrote", text=text, now=given.NOW)

        services.erase(key=grace.id, user=administrator, basis="left", now=given.NOW)

        payload = OutboxMessage.objects.get(kind="mail").payload
        assert payload["subject"] == f"{ERASED} wrote"
        assert payload["text"] == f"{ERASED} wrote to graceful Ada: gracefully. {ERASED}"

    def test_refuses_who_can_still_sign_in(self, administrator: User) -> None:
        active = given.user("licensing")

        with pytest.raises(LoginActive, match=active.username):
            services.erase(key=active.id, user=administrator, basis="asked", now=given.NOW)

    def test_refuses_oneself_under_any_login(self, administrator: User) -> None:
        other = left(human_id=administrator.human_id)

        with pytest.raises(OwnDetails):
            services.erase(key=other.id, user=administrator, basis="asked", now=given.NOW)

    def test_refuses_a_second_time_and_another_basis(self, world: World, administrator: User) -> None:
        key = world.people[0].id
        with pytest.raises(InvalidInput):
            services.erase(key=key, user=administrator, basis="because of Grace", now=given.NOW)
        services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

        with pytest.raises(AlreadyErased):
            services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

    def test_is_for_administrators_and_whom_they_see(self, world: World, legal: User) -> None:
        key = world.people[0].id
        with pytest.raises(NotPermitted):
            services.erase(key=key, user=legal, basis="asked", now=given.NOW)
        stranger = given.user("administrator", everywhere=False)
        for hidden in (key, left().id, uuid.uuid4()):
            with pytest.raises(NotFound):
                services.erase(key=hidden, user=stranger, basis="asked", now=given.NOW)
        given.grant_access(stranger, world.account)
        stranger = User.objects.get(pk=stranger.pk)

        assert not services.erase(key=key, user=stranger, basis="asked", now=given.NOW).is_known

    def test_is_not_undone_by_a_late_import(self, world: World, administrator: User) -> None:
        key = world.people[0].id
        services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

        stage_details(details=[Details(key, "Grace Hopper", "grace@example.com")], now=given.NOW)

        assert names_of([key]) == {key: ERASED}

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, administrator: User, break_ledger: Callable[..., None]
    ) -> None:
        key = world.people[0].id
        break_ledger("entitlements.personal_details.erased")

        with pytest.raises(LedgerDown), transaction.atomic():
            services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

        assert PersonalDetails.objects.get(person_id=key).name == "Person 1"


class TestHold:
    def test_refuses_an_erasure_and_says_who_and_why(self, world: World, administrator: User, legal: User) -> None:
        key = world.people[0].id
        first = services.place_hold(key=key, user=legal, reason="Hamburg, 4 O 12/26.", now=given.NOW)
        second = services.place_hold(key=key, user=legal, reason="A tax audit.", now=given.NOW)
        services.lift_hold(key=key, hold_id=first.id, user=legal, reason="Settled.", now=given.NOW)

        with pytest.raises(PersonHeld, match=rf"{legal} since 2026-03-02: A tax audit\.") as refusal:
            services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

        assert "Hamburg" not in refusal.value.message
        services.lift_hold(key=key, hold_id=second.id, user=legal, reason="Over.", now=given.NOW)
        services.erase(key=key, user=administrator, basis="asked", now=given.NOW)
        told = [event.data for event in Event.objects.filter(type__startswith="entitlements.person.")]
        assert "Hamburg" not in str(told)

    def test_is_lifted_once_by_legal(self, world: World, administrator: User, legal: User) -> None:
        key = world.people[0].id
        hold = services.place_hold(key=key, user=legal, reason="A dispute.", now=given.NOW)
        for forbidden in (services.place_hold, services.lift_hold):
            options = {} if forbidden is services.place_hold else {"hold_id": hold.id}
            with pytest.raises(NotPermitted):
                forbidden(key=key, user=administrator, reason="No.", now=given.NOW, **options)  # type: ignore[operator]
        with pytest.raises(InvalidInput):
            services.lift_hold(key=key, hold_id=hold.id, user=legal, reason=" ", now=given.NOW)
        with pytest.raises(NotFound):
            services.lift_hold(key=key, hold_id=uuid.uuid4(), user=legal, reason="Over.", now=given.NOW)
        services.lift_hold(key=key, hold_id=hold.id, user=legal, reason="Over.", now=given.NOW)

        with pytest.raises(HoldLifted):
            services.lift_hold(key=key, hold_id=hold.id, user=legal, reason="Over.", now=given.NOW)

    def test_is_not_placed_on_oneself_or_on_nobody(self, world: World, administrator: User, legal: User) -> None:
        with pytest.raises(OwnDetails):
            services.place_hold(key=legal.id, user=legal, reason="Mine.", now=given.NOW)
        services.erase(key=world.people[0].id, user=administrator, basis="asked", now=given.NOW)
        with pytest.raises(AlreadyErased):
            services.place_hold(key=world.people[0].id, user=legal, reason="Late.", now=given.NOW)


@pytest.mark.django_db(transaction=True)
class TestEvidence:
    def test_stands_and_everything_answers_after_an_erasure(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: given.NOW)
        world = building.make()
        request = world.approved(world.grant(phase="bridge"))
        world.apply(request)
        person = world.people[0]
        administrator = given.user("administrator", username="root", is_staff=True)
        User.objects.filter(pk=world.first.pk).update(
            first_name="Grace", last_name="Hopper", human_id=person.human_id, is_active=False
        )
        PersonalDetails.objects.filter(person_id=person.id).update(name="Zorana Quist")
        page = f"/changes/{request.number}/"
        coverage = f"/accounts/{world.account.code}/coverage/"
        client.force_login(world.second)
        before, gaps = self.shown(client, page), self.shown(client, coverage)
        assert "Grace Hopper" in before
        assert "Zorana Quist" in before

        services.erase(key=person.id, user=administrator, basis="asked", now=clock.now())

        while seal(now=clock.now()).events:
            pass
        report, _rows = verify(brought=(), keys=keys.verifiers(), origin="")
        assert report.holds, report.findings
        after = self.shown(client, page)
        # Lists of names are sorted, so theirs stands elsewhere.
        expected = before.replace("Grace Hopper", ERASED).replace(">Zorana Quist<", f">{ERASED}<")
        assert sorted(after.split("<")) == sorted(expected.split("<"))
        assert documents.printed(change_request=request, user=world.second, now=given.NOW).startswith(b"%PDF")
        assert self.shown(client, coverage) == gaps
        client.force_login(administrator)
        explored = client.get("/audit/").content.decode()
        assert ERASED in explored
        assert "Grace" not in explored
        assert client.get(f"/admin/entitlements/entitlement/{world.trial.pk}/history/").status_code in (200, 403)
        assert tables_holding("Grace Hopper", "Zorana Quist") == {}

    def shown(self, client: Client, address: str) -> str:
        page = client.get(address).content.decode()
        main = page[page.index("<main") : page.index("</main>")]
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", main)

    def test_of_a_hold_is_kept_by_the_database(self, transactional_db: None) -> None:
        world = building.make()
        person = world.people[0]
        login = left(human_id=person.human_id)
        hold = services.place_hold(key=person.id, user=given.user("legal"), reason="A dispute.", now=given.NOW)
        empty = "UPDATE entitlements_personaldetails SET name = '', mail = '', external_ids = '{}', erased_at = now()"
        attempts = {
            f"{empty} WHERE person_id = '{person.id}'": "a hold stands",
            f"UPDATE foundation_user SET erased_at = now() WHERE id = '{login.id}'": "a hold stands",
            f"DELETE FROM entitlements_personhold WHERE id = '{hold.id}'": "INV-4",
            f"UPDATE entitlements_personhold SET human_id = gen_random_uuid() WHERE id = '{hold.id}'": "lifted once",
            f"UPDATE entitlements_personaldetails SET erased_at = now() WHERE person_id = '{world.people[1].id}'": (
                "personal_details_erased_are_empty"
            ),
        }
        for role in (provision.APP, provision.OWNER):
            with connect(role=role) as raw:
                for statement, refusal in attempts.items():
                    with pytest.raises(psycopg.Error, match=refusal):
                        raw.execute(statement)
        PersonHold.objects.filter(id=hold.id).update(lifted_at=given.NOW, lifted_by=login, lift_reason="Over.")
        services.erase(key=person.id, user=given.user("administrator"), basis="asked", now=given.NOW)
        with connect(role=provision.OWNER) as raw, pytest.raises(psycopg.Error, match="not undone"):
            raw.execute(f"UPDATE foundation_user SET erased_at = NULL WHERE id = '{login.id}'")


@pytest.mark.django_db
class TestLegalHolds:
    def test_refuse_an_erasure_of_whom_they_concern(self, world: World, administrator: User, legal: User) -> None:
        key, login = world.people[0].id, left()
        concerned = holds.place(
            kind="entitlements.account", subject_id=world.account.id, user=legal, reason="A dispute.", now=given.NOW
        )

        with pytest.raises(PersonHeld, match=r"A dispute\."):
            services.erase(key=key, user=administrator, basis="asked", now=given.NOW)
        services.erase(key=login.id, user=administrator, basis="asked", now=given.NOW)
        holds.release(hold_id=concerned.id, user=legal, reason="Over.", now=given.NOW)
        holds.place(kind="", subject_id=None, user=legal, reason="An investigation.", now=given.NOW)

        with pytest.raises(PersonHeld, match=r"An investigation\."):
            services.erase(key=key, user=administrator, basis="asked", now=given.NOW)

    def test_else_packs_that_name_them_are_removed(self, world: World, administrator: User, legal: User) -> None:
        login = left()
        naming, other = (packed(world.author, content) for content in (b"{by: Grace Hopper}", b"{by: Ada}"))

        services.erase(key=login.id, user=administrator, basis="asked", now=given.NOW)

        statuses = {pack.id: pack.status for pack in EvidencePack.objects.all()}
        assert statuses == {naming.id: "expired", other.id: "ready"}


def packed(asker: User, content: bytes) -> EvidencePack:
    """A pack that is ready, with these bytes."""
    pack = EvidencePack.objects.create(
        kind="audit.period",
        label="A period",
        asked_by=asker,
        asked_at=given.NOW,
        keep_days=365,
        next_attempt_at=given.NOW,
    )
    EvidencePackPart.objects.create(pack=pack, number=0, content=content)
    made = EvidencePack.objects.filter(pk=pack.pk)
    made.update(status="built", manifest="0" * 64, seal_id=uuid.uuid4(), built_at=given.NOW)
    keep_until = given.NOW + timedelta(days=365)
    made.update(status="ready", sha256="0" * 64, size=len(content), ready_at=given.NOW, keep_until=keep_until)
    return pack


class TestSearch:
    def test_finds_by_what_is_known_as_far_as_it_is_granted(self, world: World, administrator: User) -> None:
        grace = left()
        stranger = given.user("administrator", everywhere=False)

        assert [one.name for one in reading.search(user=administrator, text="grace hopper")] == ["Grace Hopper"]
        assert [one.name for one in reading.search(user=administrator, text="person1@example.com")] == ["Person 1"]
        assert len(reading.search(user=administrator, text="person")) == 3
        assert reading.search(user=stranger, text="person") == []
        assert reading.search(user=stranger, text="grace") == []
        services.erase(key=grace.id, user=administrator, basis="asked", now=given.NOW)
        assert reading.search(user=administrator, text="grace") == []


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("erase_person", *arguments, stdout=out)
        return out.getvalue()

    def test_shows_first_and_erases_when_it_is_meant(self, administrator: User) -> None:
        grace = left()
        asked = ("grace", "--as", administrator.username, "--basis", "asked")

        told = self.run(*asked)

        assert "Erased: 1 logins" in told
        assert "Nothing was erased." in told
        assert User.objects.get(pk=grace.pk).erased_at is None
        assert ERASED in self.run(*asked, "--yes")
        assert User.objects.get(pk=grace.pk).erased_at is not None
        with pytest.raises(CommandError, match="Nobody signs in as grace"):
            self.run(*asked, "--yes")

    def test_refuses_as_the_service_does(self, legal: User) -> None:
        grace = left()
        with pytest.raises(CommandError, match="Ask an administrator"):
            self.run(str(grace.pk), "--as", legal.username, "--basis", "asked", "--yes")


class TestPages:
    def test_look_hold_and_erase(self, client: Client, world: World, administrator: User, legal: User) -> None:
        key = world.people[0].human_id
        client.force_login(legal)
        found = client.post("/privacy/", {"text": "Person 1"}).content.decode()
        assert f"/privacy/{key}/" in found
        assert "What would be erased" in client.get(f"/privacy/{key}/").content.decode()
        assert Event.objects.filter(type="audit.personal_details.read", actor_id=legal.id).exists()
        assert client.post(f"/privacy/{key}/hold/", {"reason": ""}).status_code == 400
        client.post(f"/privacy/{key}/hold/", {"reason": "A dispute."})
        assert client.post(f"/privacy/{key}/erase/", {"sure": "yes", "basis": "asked"}).status_code == 403
        client.force_login(administrator)
        held = client.post(f"/privacy/{key}/erase/", {"sure": "yes", "basis": "asked"})
        assert (held.status_code, "A dispute." in held.content.decode()) == (409, True)
        client.force_login(legal)
        client.post(f"/privacy/{key}/holds/{PersonHold.objects.get().id}/lift/", {"reason": "Over."})
        client.force_login(administrator)
        assert client.post(f"/privacy/{key}/erase/", {"basis": "asked"}).status_code == 400
        client.post(f"/privacy/{key}/erase/", {"sure": "yes", "basis": "asked"})

        told = client.get(f"/privacy/{key}/").content.decode()
        assert ERASED[0].upper() + ERASED[1:] in told
        assert "Person 1" not in told

    def test_are_for_who_erases_or_holds(self, client: Client, world: World) -> None:
        client.force_login(given.user("licensing"))

        for address in ("/privacy/", f"/privacy/{world.people[0].human_id}/"):
            assert client.get(address).status_code == 403
