"""The program in the pack: offline, without Django, against whoever changed one byte or made everything anew."""

import base64
import hashlib
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.merkle import notes, tree
from audit.merkle.notes import SignerKey
from audit.models import Checkpoint
from audit.packs import archive, verify_pack
from audit.sealing import keys
from tests.approvals import world as building
from tests.audit.packing import asked, changed, files_of, made, seal_all, verify

pytestmark = pytest.mark.django_db(transaction=True)
Files = dict[str, bytes]


@dataclass(frozen=True)
class Kept:
    """The files of a pack of a change, proven from an older checkpoint; and what somebody was given another way."""

    files: Files
    key: SignerKey
    origin: str


_KEPT: list[Kept] = []


@pytest.fixture
def kept() -> Kept:
    """Have one pack for all tests of this module, made by the first of them."""
    if not _KEPT:
        world = building.make()
        seal_all()
        older = Checkpoint.objects.latest("size").note
        files = files_of(made(asked(world.author, changed(world), older=older)))
        _KEPT.append(Kept(files, keys.signers()[0], keys.origin()))
    return _KEPT[0]


@pytest.fixture
def pack(kept: Kept) -> Files:
    """Have its files."""
    return dict(kept.files)


def zipped(files: Files) -> bytes:
    into = io.BytesIO()
    archive.write(files, into)
    return into.getvalue()


def refusal(data: bytes, *, key: Any = None, origin: str = "", older: tuple[bytes, ...] = ()) -> str:
    """What the program says of a pack, within this process; empty if it holds."""
    known = [verify_pack.Key(str(key or _KEPT[0].key.verifier))]
    try:
        verify_pack.check(data, known, origin or _KEPT[0].origin, list(older))
    except verify_pack.Refused as refused:
        return str(refused)
    return ""


def remade(files: Files) -> Files:
    """The files with a manifest that fits them, as whoever edits a pack would write it."""
    manifest = json.loads(files["manifest.json"])
    what = {entry["path"]: entry["what"] for entry in manifest["files"]}
    manifest["files"] = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "what": what.get(name, "")}
        for name, content in sorted(files.items())
        if name not in verify_pack.SEAL
    ]
    return files | {"manifest.json": json.dumps(manifest).encode()}


class TestOffline:
    def test_runs_alone_and_names_the_file_that_was_changed(self, kept: Kept, tmp_path: Path) -> None:
        data = zipped(pack := kept.files)
        older = tmp_path / "older"
        older.write_text(json.loads(pack["ledger/consistency.json"])["checkpoint"])
        known = ("--key", str(kept.key.verifier), "--origin", kept.origin)

        code, output = verify(tmp_path / "whole", data, *known, "--checkpoint", str(older))
        assert code == 0, output
        assert "The ledger continues that of the older checkpoint" in output
        assert output.endswith("The pack holds.\n")

        at = data.index(pack["tables/history.csv"]) + 7
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        code, output = verify(tmp_path / "broken", broken, *known, program=pack["verify_pack.py"])
        assert (code, output.split(":")[0]) == (1, "REFUSED. tables/history.csv")

        for options in (("--key", "nonsense+", "--origin", "x"), ("--origin", "x")):
            assert verify(tmp_path / "wrong", data, *options)[0] == 2


class TestOneByte:
    def test_changed_anywhere_is_refused_and_its_file_named(self, pack: Files) -> None:
        data = zipped(pack)
        chance = random.Random(4)
        assert refusal(data) == ""
        begin = 0
        for name in sorted(pack):
            end = begin + 30 + len(name) + len(pack[name])
            content = end - len(pack[name])
            places = {begin, begin + 10, begin + 14, begin + 30, content - 1, content, end - 1}
            places |= {chance.randrange(begin, end) for _ in range(8)}
            for at in sorted(places):
                bit = 1 << chance.randrange(8)
                changed_data = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
                assert refusal(changed_data).startswith(f"{name}: "), (name, at - begin)
            begin = end
        for at in range(begin, len(data)):
            bit = 1 << chance.randrange(8)
            assert refusal(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]), at - begin

    def test_added_or_taken_away_is_refused(self, pack: Files) -> None:
        data = zipped(pack)
        for at in (0, 1, 30, len(data) // 2, len(data) - 23, len(data)):
            assert refusal(data[:at] + b"\0" + data[at:]), at
            assert refusal(data[:at] + data[at + 1 :]) or at == len(data), at
        assert refusal(b"")
        assert refusal(data * 2)


class TestForger:
    """Somebody who writes zip and manifest anew, without the ledger's key."""

    @pytest.mark.parametrize("name", ["summary.pdf", "tables/events.csv", "completeness.json", "verify_pack.py"])
    def test_is_found_by_what_the_ledger_sealed(self, pack: Files, name: str) -> None:
        told = refusal(zipped(remade(pack | {name: pack[name] + b" "})))
        assert told.startswith("manifest.json: the ledger sealed another SHA-256")

    def test_does_not_hide_or_add_a_file(self, pack: Files) -> None:
        assert refusal(zipped(pack | {"a.txt": b""})).startswith("a.txt: it is not in manifest.json")
        for name in sorted(pack):
            less = {key: content for key, content in pack.items() if key != name}
            assert refusal(zipped(less)).startswith(f"{name}: "), name
            if name not in verify_pack.SEAL:
                assert refusal(zipped(remade(less)))

    def test_does_not_seal_by_a_key_of_their_own(self, kept: Kept, pack: Files) -> None:
        forger = SignerKey.new(kept.origin)
        files = remade(pack | {"summary.pdf": b"forged"})
        event = json.loads(files["seal/event.json"])
        event["data"]["manifest"] = hashlib.sha256(files["manifest.json"]).hexdigest()
        files["seal/event.json"] = json.dumps(event).encode()
        root = tree.leaf_hash(files["seal/event.json"])
        head = notes.Checkpoint(origin=kept.origin, size=1, root=root)
        files["seal/checkpoint"] = notes.sign(head.text(), [forger]).encode()
        files["seal/proof.json"] = json.dumps({"index": 0, "hashes": [], "consistency": []}).encode()

        assert refusal(zipped(files)) == "seal/checkpoint: the key that you gave did not sign it"
        # With the forger's key, which nobody was given, it is the ledger's own head that is not signed.
        assert refusal(zipped(files), key=forger.verifier) == "ledger/checkpoint: the key that you gave did not sign it"
        assert "not of “another/ledger”" in refusal(zipped(pack), origin="another/ledger")

    def test_is_found_by_the_events_even_with_a_seal(self, pack: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        # As if whoever has the ledger had sealed it: what is in the pack still has to be what its events say.
        monkeypatch.setattr(verify_pack, "check_seal", lambda *_: None)
        folder = next(name for name in pack if name.endswith("/request.json")).removesuffix("/request.json")
        request = f"{folder}/request.json"

        def edited(name: str, edit: Callable[[Any], None]) -> Files:
            document = json.loads(pack[name])
            edit(document)
            return pack | {name: json.dumps(document).encode()}

        lines = pack["ledger/events.jsonl"].splitlines(keepends=True)
        history = pack["history/entitlements.entitlement.jsonl"]
        without = {name: content for name, content in pack.items() if not name.startswith(f"{folder}/revision-2")}
        cases: list[tuple[str, Files]] = [
            (f"{folder}/revision-1.json", pack | {f"{folder}/revision-1.json": b"{}"}),
            (f"{folder}/revision-2.json", without),
            (request, edited(request, lambda told: told["decisions"].pop())),
            (request, edited(request, lambda told: told["decisions"][0].update(verdict="reject"))),
            (request, edited(request, lambda told: told["decisions"][0].update(decided_at="2026-01-01T00:00:00Z"))),
            (request, edited(request, lambda told: told["decisions"].append(told["decisions"][0]))),
            (request, edited(request, lambda told: told["comments"].clear())),
            (request, edited(request, lambda told: told["comments"][0].update(text="Another word"))),
            (request, edited(request, lambda told: told["files"].clear())),
            (f"{folder}/files/1.pdf", pack | {f"{folder}/files/1.pdf": b"%PDF-another"}),
            (
                "history/entitlements.entitlement.jsonl",
                edited_history(pack, history.replace(b'"seats":6', b'"seats":7')),
            ),
            ("history/entitlements.entitlement.jsonl", edited_history(pack, b"")),
            ("completeness.json", edited("completeness.json", lambda told: told["events"]["indexes"].pop())),
            ("completeness.json", edited("completeness.json", lambda told: told["log"].update(size=3))),
            ("completeness.json", edited("completeness.json", lambda told: told["events"].update(all_between=[0, 9]))),
            ("ledger/proofs.jsonl", pack | {"ledger/events.jsonl": b"".join(lines[1:])}),
            ("ledger/events.jsonl", pack | {"ledger/events.jsonl": b"".join([lines[1], lines[0], *lines[2:]])}),
            (
                "ledger/events.jsonl",
                pack | {"ledger/events.jsonl": b"".join(lines).replace(b"Say who pays", b"I agree....")},
            ),
        ]
        for name, files in cases:
            told = refusal(zipped(remade(files)))
            assert told.startswith(f"{name}: "), (name, told)


def edited_history(pack: Files, content: bytes) -> Files:
    return pack | {"history/entitlements.entitlement.jsonl": content}


class TestOlderCheckpoint:
    def test_is_proven_only_if_the_ledger_continues_it(self, kept: Kept, pack: Files) -> None:
        older = json.loads(pack["ledger/consistency.json"])["checkpoint"].encode()
        size = int(older.split(b"\n")[1])
        data = zipped(pack)
        assert refusal(data, older=(older,)) == ""

        other = notes.sign(
            notes.Checkpoint(origin=kept.origin, size=size, root=hashlib.sha256(b"another").digest()).text(),
            [kept.key],
        ).encode()
        assert refusal(data, older=(other,)).startswith("ledger/consistency.json: it does not prove")
        size_of_another = older.replace(f"\n{size}\n".encode(), f"\n{size - 1}\n".encode())
        assert refusal(data, older=(size_of_another,)) == "the older checkpoint: the key that you gave did not sign it"
        assert refusal(data, older=(b"nonsense",)).startswith("the older checkpoint: it is no signed checkpoint")


class TestProofs:
    def test_agree_with_those_of_the_ledger(self) -> None:
        hashes = [tree.leaf_hash(str(number).encode()) for number in range(40)]
        roots = [tree.Tree.of(hashes[:size]).root for size in range(41)]

        def of(begin: int, end: int) -> bytes:
            return tree.Tree.of(hashes[begin:end]).root

        for size in range(1, 41):
            head = verify_pack.Head(size, roots[size])
            for index in range(size):
                proof = [of(*one) for one in tree.inclusion_ranges(index, size)]
                assert verify_pack.is_included(hashes[index], index, head, proof)
                assert not verify_pack.is_included(hashes[index], index, head, [*proof, hashes[0]])
                assert not verify_pack.is_included(hashes[index - 1], index, head, proof) or size == 1
                if proof:
                    assert not verify_pack.is_included(hashes[index], index, head, proof[:-1])
            for first in range(1, size + 1):
                proof = [of(*one) for one in tree.consistency_ranges(first, size)]
                before = verify_pack.Head(first, roots[first])
                assert verify_pack.continues(before, head, proof)
                assert not verify_pack.continues(verify_pack.Head(first, hashes[0][::-1]), head, proof)
                assert not verify_pack.continues(before, head, [*proof, hashes[0]])

    def test_know_the_notes_of_the_ledger(self) -> None:
        key = SignerKey.new("example.com/ledger")
        text = notes.Checkpoint(origin="example.com/ledger", size=3, root=hashlib.sha256(b"").digest()).text()
        note, known = notes.sign(text, [key]).encode(), [verify_pack.Key(str(key.verifier))]
        assert verify_pack.read_head("head", note, known, "example.com/ledger").size == 3
        for broken in (
            note[:-1],
            note + b"\n",
            note.replace(b"\n3\n", b"\n03\n"),
            note.replace(b"\n\n", b"\n"),
            b"\xff",
        ):
            with pytest.raises(verify_pack.Refused):
                verify_pack.read_head("head", broken, known, "example.com/ledger")
        with pytest.raises(ValueError, match="id does not fit"):
            verify_pack.Key("example.com/ledger+00000000+" + base64.b64encode(b"\x01" + b"\0" * 32).decode())
