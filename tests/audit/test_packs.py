"""Evidence packs: what is in them, who may have them, that they survive kills, end, and are held."""

import csv
import io
import json
import re
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from approvals.printing import documents
from audit import contributors
from audit.models import Event, EvidencePack, EvidencePackPart, LegalHold
from audit.packs import building, comparing, holds, selection, services, working
from audit.packs.errors import HoldReleased, NotThePack, PackNotReady, PackTooLarge
from audit.packs.rules import BadRules, rules
from audit.sealing.models import Checkpoint
from entitlements.directory import grants
from entitlements.directory.models import Account
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building_world
from tests.approvals.world import World
from tests.audit.packing import asked, bytes_of, changed, files_of, made, seal_all, verify

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
YESTERDAY, LATER = given.NOW - DAY, given.NOW + DAY


@pytest.fixture
def world(transactional_db: None) -> World:
    return building_world.make()


@pytest.fixture
def auditor(transactional_db: None) -> User:
    return given.user("auditor", username="odile")


def types() -> list[str]:
    """The last parts of the types of what was recorded of packs and holds, in order; each reads as a sentence."""
    found = Event.objects.filter(subject_type__in=["audit.evidencepack", "audit.legalhold"]).order_by("position")
    for event in found:
        told = contributors.sentence(type_name=event.type, data=event.data, actor="Ada", subject=event.subject_label)
        assert re.fullmatch(r"\S[^{}]+\S", told)
    return [event.type.rpartition(".")[2] for event in found]


class TestOfAChange:
    def test_holds_all_of_it_and_answers_an_auditor(self, world: World, auditor: User, tmp_path: Path) -> None:
        request = changed(world)

        pack = made(asked(world.author, request, purpose="Audit of Q1"))

        assert (pack.status, pack.problem, types()) == ("ready", "", ["requested", "built", "finished"])
        files = files_of(pack)
        folder = f"changes/{request.number}"
        told = json.loads(files[f"{folder}/request.json"])
        decided = sorted((one["revision"], one["verdict"], one["stale"]) for one in told["decisions"])
        assert decided == [(1, "ask_for_changes", True), (2, "approve", False), (2, "approve", False)]
        assert all("exactly as shown with its digest SHA-256" in one["statement"] for one in told["decisions"])
        assert told["authorization"]["in_words"] == "the quorum of its stages"
        assert [one["name"] for one in told["files"]] == ["Auftrag Ü.pdf"]
        assert files[f"{folder}/revision-2.json"] == bytes(request.current_revision.content)  # type: ignore[union-attr]
        assert b"pdfaid:part" in files["summary.pdf"] or b"/StructTreeRoot" in files["summary.pdf"]
        completeness = json.loads(files["completeness.json"])
        assert completeness["events"]["count"] == Event.objects.filter(change_request_id=request.id).count()
        assert completeness["log"]["by_type"]["approvals.change_request.applied"] >= 1
        controls = {(one["framework"], one["id"]): one for one in json.loads(files["controls.json"])}
        assert completeness["events"]["count"] >= controls["SOC 2", "CC8.1"]["count"] >= 10
        assert controls["SOX ITGC", "CM-2"]["count"] == 0
        code, output = verify(tmp_path, bytes_of(pack))
        assert (code, output.splitlines()[-1]) == (0, "The pack holds."), output

    def test_runs_nothing_in_a_spreadsheet_and_names_no_holder(self, world: World) -> None:
        request = changed(world, title="=cmd|' /C calc'!A0")
        occasion = {"change_request": request, "user": world.author, "now": given.NOW}
        assert "Person 1" in str(documents.document_of(**occasion))
        assert "Person 1" not in str(documents.document_of(**occasion, named=False))
        files = files_of(made(asked(world.author, request)))

        for name, content in files.items():
            assert b"Person 1" not in content, name
            if name.endswith(".csv"):
                for row in csv.reader(StringIO(content.decode("utf-8-sig"))):
                    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row), row
        with zipfile.ZipFile(io.BytesIO(files["tables/evidence.xlsx"])) as book:
            sheets = [book.read(name) for name in book.namelist() if "worksheets" in name]
        assert len(sheets) == 5
        assert not any(b"<f>" in sheet for sheet in sheets)

    def test_is_the_same_bytes_whoever_makes_it(self, world: World) -> None:
        request = changed(world)
        pack = asked(world.author, request)
        seal_all()
        head = Checkpoint.objects.latest("size")
        criteria = selection.criteria_of(kind=pack.kind, subject_id=pack.subject_id, since=None, until=None)

        manifests = set()
        for days in (0, 3):
            gist = building.gist_of(pack, criteria=criteria, head=head, now=given.NOW + days * DAY)
            manifests.add(building.build(gist, progress=lambda _done, _total: None).manifest)

        assert len(manifests) == 1

    def test_of_the_database_that_was_edited_does_not_hold(
        self, world: World, owner_connection: psycopg.Connection[Any], tmp_path: Path
    ) -> None:
        request = changed(world)
        pack = asked(world.author, request)
        seal_all()
        owner_connection.execute("ALTER TABLE entitlements_historicalentitlement DISABLE TRIGGER USER")
        owner_connection.execute("UPDATE entitlements_historicalentitlement SET seats = 700 WHERE seats = 6")
        owner_connection.execute("ALTER TABLE entitlements_historicalentitlement ENABLE TRIGGER USER")

        code, output = verify(tmp_path, bytes_of(made(pack)))

        assert code == 1
        assert "REFUSED. history/entitlements.entitlement.jsonl" in output


class TestOfMore:
    def test_holds_an_entitlement_an_account_and_a_period(self, world: World, auditor: User, tmp_path: Path) -> None:
        changed(world)
        now = given.NOW + timedelta(hours=1)
        asked_for = [
            asked(auditor, subject, kind, since=YESTERDAY, now=now)
            for subject, kind in (
                (world.trial, "entitlements.entitlement"),
                (world.account, "entitlements.account"),
                (None, "audit.period"),
            )
        ]

        packs = [made(pack, now=now) for pack in asked_for]

        assert [pack.status for pack in packs] == ["ready"] * 3, [pack.problem for pack in packs]
        assert [pack.event_count for pack in packs] == sorted(pack.event_count or 0 for pack in packs)
        for number, pack in enumerate(packs):
            code, output = verify(tmp_path / str(number), bytes_of(pack))
            assert code == 0, output
            assert comparing.compare(tmp_path / str(number) / "PACK.zip").findings == ()
        told = json.loads(files_of(packs[2])["completeness.json"])
        first, last = told["events"]["all_between"]
        assert set(range(first, last + 1)) <= set(told["events"]["indexes"])

    def test_is_compared_with_the_ledger(
        self, world: World, auditor: User, tmp_path: Path, owner_connection: psycopg.Connection[Any]
    ) -> None:
        request = changed(world)
        target = tmp_path / "pack.zip"
        target.write_bytes(bytes_of(made(asked(auditor, request))))
        output = StringIO()
        call_command("evidence-pack", "compare", str(target), stdout=output)
        assert "exactly those that the ledger gives" in output.getvalue()

        owner_connection.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        owner_connection.execute(
            "UPDATE audit_event SET change_request_id = NULL, subject_id = NULL "
            "WHERE type = 'approvals.change_request.commented'"
        )
        owner_connection.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
        with pytest.raises(CommandError, match="does not belong to the selection"):
            call_command("evidence-pack", "compare", str(target), stdout=output)
        target.write_bytes(b"PK nothing")
        with pytest.raises(NotThePack):
            comparing.compare(target)


class TestAsking:
    def test_is_refused_where_it_makes_no_sense(self, world: World, auditor: User, settings: Any) -> None:
        request = world.submit()
        for options in (
            {"subject": request, "since": YESTERDAY},
            {"subject": world.account, "kind": "entitlements.account"},
            {"kind": "audit.period", "since": LATER},
            {"kind": "audit.period", "since": YESTERDAY, "until": YESTERDAY},
            {"subject": request, "keep_days": 99_999},
            {"subject": request, "older": "not a note"},
            {"kind": "audit.period", "subject": request, "since": YESTERDAY},
            {"kind": "moon.phase"},
        ):
            with pytest.raises(InvalidInput):
                asked(auditor, **options)
        settings.EVIDENCE_PACK_EVENTS = 1
        with pytest.raises(PackTooLarge):
            asked(auditor, request)
        assert not EvidencePack.objects.exists()

    def test_and_taking_need_all_that_is_in_it(self, world: World, auditor: User) -> None:
        request = changed(world)
        stranger = given.user("licensing", everywhere=False)
        near = given.user("auditor", everywhere=False)
        grants.grant_access(holder=near, target=Account, ids=[world.account.id], actor=world.operator, now=given.NOW)
        with pytest.raises(NotFound):
            asked(stranger, request)
        with pytest.raises(NotPermitted, match="Ask an auditor"):
            asked(world.author, None, "audit.period", since=YESTERDAY)
        with pytest.raises(NotPermitted, match="not granted to you"):
            asked(near, world.account, "entitlements.account", since=YESTERDAY, now=LATER)
        pack = made(asked(world.author, request))

        for user in (stranger, near):
            assert not EvidencePack.objects.visible_to(user).exists()
            with pytest.raises(NotFound):
                services.download(user=user, pack_id=pack.id, where="portal", now=given.NOW)
        for user in (world.author, auditor):
            assert EvidencePack.objects.visible_to(user).count() == 1
        _, parts = services.download(user=auditor, pack_id=pack.id, where="portal", now=given.NOW)
        assert b"".join(parts) == bytes_of(pack)
        assert types()[-1] == "downloaded"
        User.objects.filter(id=world.author.id).update(is_active=False)
        with pytest.raises(NotFound):
            services.download(user=User.objects.get(id=world.author.id), pack_id=pack.id, where="API", now=given.NOW)


class TestWorking:
    def test_goes_on_after_a_kill_and_shows_no_half(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        request = changed(world)
        pack = asked(world.author, request)
        seal_all()
        monkeypatch.setattr(building, "build", _killed)
        for _ in range(2):
            # Nothing catches it, as nothing catches a kill.
            with pytest.raises(KeyboardInterrupt):
                working.build_due(now=given.NOW, wait_seconds=0)
            pack.refresh_from_db()
            assert (pack.status, EvidencePackPart.objects.count()) == ("requested", 0)
            assert working.build_due(now=given.NOW, wait_seconds=0) == 0, "its lease is in force"
            EvidencePack.objects.update(leased_until=given.NOW - DAY)
        with pytest.raises(PackNotReady, match="being made"):
            services.download(user=world.author, pack_id=pack.id, where="portal", now=given.NOW)
        monkeypatch.undo()

        working.build_due(now=given.NOW, wait_seconds=0)
        pack.refresh_from_db()
        assert pack.status == "built"
        with pytest.raises(PackNotReady, match="being sealed"):
            services.download(user=world.author, pack_id=pack.id, where="portal", now=given.NOW)

        assert made(pack, now=given.NOW + timedelta(minutes=1)).status == "ready"
        assert types().count("built") == 1

    def test_leaves_alone_what_another_has(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        pack = asked(world.author, changed(world))
        seal_all()
        whole = building.build

        def slow(*args: Any, **options: Any) -> Any:
            built = whole(*args, **options)
            EvidencePack.objects.update(lease="00000000-0000-0000-0000-000000000001")
            return built

        monkeypatch.setattr(building, "build", slow)
        assert working.build_due(now=given.NOW, wait_seconds=0) == 0
        assert EvidencePack.objects.get(id=pack.id).status == "requested"
        assert not EvidencePackPart.objects.exists()

    def test_says_why_it_gave_up(self, world: World, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        request = changed(world)
        unsealed = asked(world.author, request)
        for minutes in (0, 1, 16):
            working.build_due(now=given.NOW + timedelta(minutes=minutes), wait_seconds=0)
        unsealed.refresh_from_db()
        assert (unsealed.status, "“manage.py seal”" in unsealed.problem) == ("failed", True)
        assert types()[-1] == "failed"
        assert unsealed.attempts <= 1

        seal_all()
        settings.EVIDENCE_PACK_MEBIBYTES = 0
        large = made(asked(world.author, request))
        assert (large.status, "MiB" in large.problem) == ("failed", True)

        monkeypatch.setattr(building, "build", _broken)
        broken = asked(world.author, request)
        for minutes in range(0, 6):
            working.build_due(now=given.NOW + timedelta(minutes=minutes), wait_seconds=0)
        broken.refresh_from_db()
        assert (broken.status, broken.problem) == (
            "failed",
            "It broke 5 times, at last with ZeroDivisionError. Ask again.",
        )
        assert not EvidencePackPart.objects.exists()


def _killed(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def _broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


class TestKeeping:
    def test_ends_unless_a_hold_says_otherwise(self, world: World, auditor: User) -> None:
        legal = given.user("legal")
        request = changed(world)
        packs = [made(asked(auditor, request, keep_days=10)) for _ in range(2)]
        late = given.NOW + 11 * DAY
        with pytest.raises(NotPermitted):
            holds.place(user=auditor, kind="", subject_id=None, reason="Litigation", now=given.NOW)
        with pytest.raises(InvalidInput):
            holds.place(user=legal, kind="", subject_id=None, reason=" ", now=given.NOW)

        for kind, subject_id in (
            ("", None),
            ("entitlements.account", world.account.id),
            ("approvals.changerequest", request.id),
        ):
            hold = holds.place(user=legal, kind=kind, subject_id=subject_id, reason="Litigation", now=given.NOW)
            again = holds.place(user=legal, kind=kind, subject_id=subject_id, reason="Twice", now=given.NOW)
            assert again.id == hold.id
            assert holds.covering([world.account.id, request.id]).count() == 1
            assert working.expire_due(now=late) == 0
            holds.release(user=legal, hold_id=hold.id, reason="Settled", now=given.NOW)
            with pytest.raises(HoldReleased):
                holds.release(user=legal, hold_id=hold.id, reason="Settled", now=given.NOW)
        assert working.expire_due(now=given.NOW + 9 * DAY) == 0
        assert working.expire_due(now=late) == 2

        assert EvidencePackPart.objects.count() == 0
        assert types()[-2:] == ["expired", "expired"]
        assert types().count("placed") == types().count("released") == 3
        with pytest.raises(PackNotReady, match="expired"):
            services.download(user=auditor, pack_id=packs[0].id, where="portal", now=late)
        assert made(asked(auditor, request, now=late), now=late).status == "ready"

    def test_follows_the_rules_of_the_house(self, tmp_path: Path, settings: Any) -> None:
        assert rules().retention.days_of("approvals.changerequest") == 365
        assert rules().retention.days_of("audit.period") == 2557
        named = {(one.framework, one.id) for one in rules().control}
        assert len(named) == len(rules().control) > 8
        for text in (
            "[retention]\ndays = 0\nmost_days = 1",
            "nothing",
            "[retention]\ndays = 1\nmost_days = 2\nfoo = 1",
        ):
            path = tmp_path / f"{len(text)}.toml"
            path.write_text(text)
            settings.EVIDENCE_RULES = str(path)
            with pytest.raises(BadRules, match="EVIDENCE_RULES"):
                rules()
        settings.EVIDENCE_RULES = str(tmp_path / "none.toml")
        with pytest.raises(BadRules, match="can't be read"):
            rules()

    def test_maps_controls_to_events_that_exist(self) -> None:
        known = contributors.event_types()
        for control in rules().control:
            for pattern in control.events:
                assert any(control.model_copy(update={"events": (pattern,)}).rests_on(name) for name in known), pattern


class TestGuards:
    @pytest.mark.parametrize("whose", ["app_connection", "owner_connection"])
    def test_keep_what_was_asked_sealed_and_held(
        self, world: World, auditor: User, whose: str, request: pytest.FixtureRequest
    ) -> None:
        made(asked(auditor, changed(world)))
        legal = given.user("legal")
        hold = holds.place(user=legal, kind="", subject_id=None, reason="Litigation", now=given.NOW)
        holds.release(user=legal, hold_id=hold.id, reason="Settled", now=given.NOW)
        connection = request.getfixturevalue(whose)

        for statement in (
            "DELETE FROM audit_evidencepack",
            "UPDATE audit_evidencepack SET status = 'requested'",
            "UPDATE audit_evidencepack SET label = 'another'",
            "UPDATE audit_evidencepack SET sha256 = repeat('0', 64)",
            "UPDATE audit_evidencepack SET scope = '{}'",
            "UPDATE audit_evidencepackpart SET content = ''",
            "DELETE FROM audit_evidencepackpart",
            "DELETE FROM audit_legalhold",
            "UPDATE audit_legalhold SET released_at = NULL, released_by_id = NULL, release_reason = ''",
            "UPDATE audit_legalhold SET reason = 'another'",
        ):
            with pytest.raises(psycopg.Error, match="INV-4"):
                connection.execute(statement)
        assert LegalHold.objects.count() == EvidencePack.objects.count() == 1


class TestCommand:
    def test_makes_a_pack_of_what_people_call_it(
        self, world: World, auditor: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = changed(world)
        # While it waits, the sealer seals.
        monkeypatch.setattr(working.time, "sleep", lambda _seconds: seal_all())
        output, target = StringIO(), tmp_path / "pack.zip"
        make = ["evidence-pack", "make", "approvals.changerequest"]

        call_command(*make, str(request.number), "--as", auditor.username, "--out", str(target), stdout=output)
        call_command("evidence-pack", "list", stdout=output)

        assert f"ready      change {request.number}" in output.getvalue()
        assert verify(tmp_path / "there", target.read_bytes())[0] == 0
        for number, login, why in (
            ("99999", auditor.username, "no change request “99999”"),
            ("1", "nobody", "no active"),
        ):
            with pytest.raises(CommandError, match=why):
                call_command(*make, number, "--as", login, stdout=output)
