"""Checkpoints outside the house: they get there, and by them an older database is recognized before it is written."""

import base64
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from audit import events
from audit.copies import restored
from audit.copies.errors import CopyFailed, LedgerBehind, NotBehind
from audit.copies.middleware import LedgerMiddleware
from audit.copies.services import copy_due
from audit.copies.targets import target_of
from audit.management.commands.seal import Sealer
from audit.merkle import notes
from audit.models import Checkpoint, CheckpointCopy, Event, Leaf
from audit.sealing import keys
from audit.sealing.verification import verify
from foundation import clock
from tests import given
from tests.audit.test_sealing import happened, replica, seal_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: given.NOW)


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    """Have a directory outside, which the settings name."""
    settings.LEDGER_COPIES = [f"file://{tmp_path / 'outside'}"]
    return tmp_path / "outside"


class Kept(http.server.BaseHTTPRequestHandler):
    """Takes what is put and posted, and gives it back, as an object store and a webhook would."""

    objects: dict[str, bytes] = {}
    asked: list[tuple[str, str, dict[str, str]]] = []

    def do_PUT(self) -> None:
        self._take(200)

    def do_POST(self) -> None:
        self._take(500 if self.path == "/broken" else 204)

    def do_GET(self) -> None:
        body = self.objects.get(self.path.partition("?")[0])
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 10:00:00 GMT")
        self.end_headers()
        self.wfile.write(body or b"")

    def _take(self, status: int) -> None:
        path = self.path.partition("?")[0]
        self.objects[path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.command, path, dict(self.headers)))
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(loopback: None) -> Iterator[str]:
    """Have the address of a server that keeps what it is sent."""
    Kept.objects, Kept.asked = {}, []
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


class TestCopies:
    def test_reach_a_directory_with_each_round_of_the_sealer(self, directory: Path, settings: Any) -> None:
        sealer = Sealer()
        happened(3)
        sealer.round()
        first = Checkpoint.objects.latest("size")
        happened(2)
        sealer.round()
        last = Checkpoint.objects.latest("size")

        # The newest at once; a copy of its own as often as the settings say.
        assert (directory / "latest").read_text() == last.note
        assert [path.name for path in sorted(directory.glob("checkpoint-*"))] == [f"checkpoint-{first.size:012d}"]
        assert list(CheckpointCopy.objects.values_list("target", "size")) == [(f"file://{directory}", first.size)]

    def test_reach_an_object_store_a_webhook_and_a_mailbox(
        self, server: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{server}", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        settings.HTTP_ALLOWED_INTERNAL_HOSTS = [server]
        settings.LEDGER_COPIES = [
            "s3://bucket/tenure", f"http://{server}/hook?token=secret", f"http://{server}/broken",
            "mailto:auditor@example.com",
        ]  # fmt: skip
        happened()
        seal_all()
        note = Checkpoint.objects.latest("size").note

        assert copy_due(now=given.NOW, files=False) == 3
        assert Kept.objects["/bucket/tenure/latest"].decode() == Kept.objects["/hook"].decode() == note
        assert "AWS4-HMAC-SHA256" in next(head["authorization"] for verb, _, head in Kept.asked if verb == "PUT")
        assert [(one.to, one.body) for one in mail.outbox] == [(["auditor@example.com"], note)]
        assert "secret" not in "".join(CheckpointCopy.objects.values_list("target", flat=True))
        # Nothing new: nothing is sent again but what failed.
        assert copy_due(now=given.NOW, files=False) == 0
        assert [path for _, path, _ in Kept.asked].count("/broken") == 2
        assert target_of("s3://bucket/tenure").latest() == note
        assert target_of("s3://bucket/elsewhere").latest() is None

    def test_say_what_is_no_target(self, settings: Any, tmp_path: Path) -> None:
        for wrong in ("ftp://host/x", "file://host/x", "mailto:nobody", "s3:///x", "/a/path", "https:///x"):
            with pytest.raises(ValueError, match="none of"):
                target_of(wrong)
        (tmp_path / "file").write_text("")
        with pytest.raises(CopyFailed, match="cannot be written"):
            target_of(f"file://{tmp_path / 'file' / 'below'}").write(note="", size=1)


def put_back(owner: Any, size: int) -> None:
    """As if a backup of that size were in place: what came later is gone without a trace."""
    with replica(owner):
        owner.execute("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= %s)", [size])
        owner.execute("DELETE FROM audit_leaf WHERE index >= %s", [size])
        owner.execute("DELETE FROM audit_checkpoint WHERE size > %s", [size])
        owner.execute("DELETE FROM audit_treenode WHERE (index + 1) * (1::bigint << level) > %s", [size])


class TestARestoredBackup:
    def test_is_recognized_said_and_acknowledged_before_anything_is_written(
        self, directory: Path, owner_connection: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sealer = Sealer()
        happened(20)
        sealer.round()
        kept = Checkpoint.objects.latest("size").size
        happened(15)
        sealer.round()
        lost = (directory / "latest").read_text()
        put_back(owner_connection, kept)
        happened(3)

        # The sealer that ran on, and one that starts: neither signs, and what is outside stays.
        for process in (sealer, Sealer()):
            assert process.round() > 1
        assert (directory / "latest").read_text() == lost
        assert Leaf.objects.count() == kept
        with pytest.raises(CommandError, match="older state was put in place"):
            call_command("seal", "--once")

        # Pages say so, and nothing is written.
        user = given.user("requester", username="ada", password="correct horse battery")
        client = Client()
        client.force_login(user)
        client.handler.load_middleware()
        page = client.get("/")
        assert "Nothing can be changed" in page.content.decode()
        refused = client.post("/profile/", {"time_zone": "UTC"})
        assert (refused.status_code, "older state" in refused.content.decode()) == (409, True)
        api = APIClient()
        api.force_authenticate(user)
        api.handler.load_middleware()
        told = api.post("/api/v1/change-requests", {}, format="json")
        assert (told.status_code, told.json()["code"]) == (409, "ledger_behind")

        # Somebody answers for it; the log goes on under another name, and contradicts nothing.
        for wrong in (["--as", "nobody", "--reason", "x"], ["--as", "ada", "--reason", "  "]):
            with pytest.raises(CommandError, match="Nothing was recorded"):
                call_command("ledger", "acknowledge", *wrong)
        call_command("ledger", "acknowledge", "--as", "ada", "--reason", "The disk broke; the backup is of 09:00.")
        event = Event.objects.get(type=events.LEDGER_RESTARTED)
        assert (event.actor_id, event.data["kept_size"], event.data["lost_size"]) == (user.id, kept, kept + 15)
        assert restored.find_behind() is None
        with pytest.raises(NotBehind):
            restored.acknowledge(user=user, reason="again", now=given.NOW)
        assert Sealer().round() < 1
        newer = (directory / "latest").read_text()
        assert newer.startswith("testserver/ledger/2\n")

        before = notes.Checkpoint.read(notes.verified(lost, keys.verifiers()))
        report, _rows = verify(brought=[newer], keys=keys.verifiers(), origin="")
        assert report.holds
        report, _rows = verify(brought=[lost], keys=keys.verifiers(), origin="")
        assert [finding.code for finding in report.findings] == ["lost"]
        assert base64.b64encode(before.root).decode() == event.data["lost_root"]

    def test_is_no_matter_where_nothing_is_lost(self, directory: Path) -> None:
        Sealer().round()
        happened()

        assert restored.find_behind() is None
        assert LedgerMiddleware(lambda _request: None).behind is None  # type: ignore[arg-type, return-value]

    def test_is_told_by_another_first_part_too(self, directory: Path, owner_connection: Any) -> None:
        happened(5)
        Sealer().round()
        size = Checkpoint.objects.latest("size").size
        put_back(owner_connection, size - 2)
        with replica(owner_connection):
            owner_connection.execute("DELETE FROM audit_checkpoint")
            owner_connection.execute("DELETE FROM audit_leaf")
            owner_connection.execute("DELETE FROM audit_treenode")
        happened(9)
        seal_all()

        with pytest.raises(LedgerBehind, match="its first ones are others"):
            restored.check_not_behind()

    def test_is_not_told_by_what_no_known_key_signed(self, directory: Path) -> None:
        happened()
        Sealer().round()
        head = notes.Checkpoint("testserver/ledger", 10**6, b"\x01" * 32)
        (directory / "latest").write_text(notes.sign(head.text(), [notes.SignerKey.new("testserver/ledger")]))

        assert restored.find_behind() is None
