#!/usr/bin/env python3
"""
Checks an evidence pack of Tenure, offline: python verify_pack.py PACK.zip --key KEY --origin NAME [--checkpoint OLD]

Needs Python 3.11 or newer and the package “cryptography”, for Ed25519 alone. KEY is the ledger's verifier key
(name+id+base64) or a file with such lines, NAME the ledger's name: both from somebody you trust, never from the pack.

What it checks, in this order:
1. The zip has exactly the bytes that its files make: sorted, stored as they are, nothing between them.
2. Every file is in manifest.json with its SHA-256, and nothing else is there.
3. The ledger recorded the manifest's SHA-256: seal/event.json is in the tree of seal/checkpoint, which KEY signed.
4. Every event of ledger/events.jsonl is in the tree of ledger/checkpoint, which KEY signed and which that of the seal
   continues; completeness.json counts them as they are, and where it says “all between”, no place is missing.
5. Revisions, decisions, comments, files and versions of records are those that the events tell of, both ways.
6. With --checkpoint: the ledger continues the one of that older checkpoint.

Exit code 0: the pack holds. 1: it does not, and the file that does not fit is named. 2: it was called wrongly.

Formats: RFC 9162 (tree and proofs), C2SP signed note and tlog-checkpoint, RFC 8785 (the events' bytes).
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "tenure/evidence-pack/1"
BUILT = "audit.evidence_pack.built"
SEAL = ("manifest.json", "seal/checkpoint", "seal/event.json", "seal/proof.json")
REQUEST = "approvals.change_request."
VERDICTS = {"approve": "approval_given", "ask_for_changes": "changes_asked", "reject": "rejected"}


class Refused(Exception):
    """The pack does not hold: which file, and why."""


def refuse(file: str, why: str) -> NoReturn:
    raise Refused(f"{file}: {why}")


class Files(dict[str, bytes]):
    """Files by their names; one that is not there is refused."""

    def __missing__(self, name: str) -> bytes:
        refuse(name, "it is missing")


def read_zip(data: bytes) -> Files:
    """The files of a zip, if it has exactly the bytes that they make: nothing else that a reader would accept."""
    if len(data) < 22 or data[-22:-18] != b"PK\x05\x06":
        refuse("the zip's end", "this is no evidence pack: its last 22 bytes are not a zip's end")
    count, length, begin = struct.unpack("<HLL", data[-12:-2])
    if data[-22:] != struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, length, begin, 0):
        refuse("the zip's end", "it is not what a pack has")
    if begin + length + 22 != len(data):
        refuse("the zip's end", "there are more or fewer bytes than it says")
    files = Files()
    at, offset = begin, 0
    for _ in range(count):
        name, content, offset, at = read_entry(data, at, offset)
        if files and name <= max(files):
            refuse(name, "it is not in its place: files of a pack are sorted")
        files[name] = content
    if offset != begin or at != begin + length:
        refuse("the zip", "it has bytes that belong to no file")
    return files


def read_entry(data: bytes, at: int, offset: int) -> tuple[str, bytes, int, int]:
    """The file of the directory's entry at a place, whose bytes begin at an offset; where the next ones are."""
    crc, size, packed, named = struct.unpack("<LLLH", data[at + 16 : at + 30])
    name = data[at + 46 : at + 46 + named].decode("ascii", "replace")
    fixed = (0, 0, 0x21, crc, size, size, named, 0)
    mode = 0o100644 << 16
    entry = struct.pack("<4sBBHHHHHLLLHHHHHLL", b"PK\x01\x02", 20, 3, 20, 0, *fixed, 0, 0, 0, mode, offset)
    local = struct.pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, 0, *fixed) + name.encode()
    begin = offset + len(local)
    content = data[begin : begin + size]
    if not is_plain(name):
        refuse(name, "it has a name that no file of a pack has")
    if packed != size or data[at : at + 46] != entry:
        refuse(name, "its entry in the zip's directory is not what a pack has")
    if data[offset:begin] != local:
        refuse(name, "the bytes before it in the zip are not what a pack has")
    if len(content) != size or zlib.crc32(content) != crc:
        refuse(name, "its bytes were changed: they have another checksum than the zip says")
    return name, content, begin + size, at + 46 + named


def is_plain(name: str) -> bool:
    allowed = all(one.isascii() and (one.isalnum() or one in "._-/") for one in name)
    return allowed and all(part.strip(".") for part in name.split("/"))


def check_manifest(files: Files) -> Any:
    for name in SEAL:
        if name not in files:
            refuse(name, "it is missing")
    manifest = parsed("manifest.json", files["manifest.json"])
    if manifest.get("format") != FORMAT:
        refuse("manifest.json", f"this program checks {FORMAT}, not {manifest.get('format')}")
    listed = {entry["path"]: entry for entry in manifest["files"]}
    for name, content in sorted((name, content) for name, content in files.items() if name not in SEAL):
        if name not in listed:
            refuse(name, "it is not in manifest.json: it was added")
        if (len(content), sha256(content)) != (listed[name]["size"], listed[name]["sha256"]):
            refuse(name, "its bytes were changed: they have another SHA-256 than manifest.json says")
    for name in sorted(listed):
        if name not in files or name in SEAL:
            refuse(name, "it is in manifest.json and missing here")
    return manifest


class Head(NamedTuple):
    """A signed head of the ledger: how many events, and the root of their tree."""

    size: int
    root: bytes


class Key:
    """A verifier key of C2SP: name+id+base64."""

    def __init__(self, text: str) -> None:
        self.name, _, rest = text.strip().partition("+")
        told, _, encoded = rest.partition("+")
        data = base64.b64decode(encoded, validate=True)
        if data[:1] != b"\x01" or len(data) != 33:
            raise ValueError("a verifier key reads name+id+base64, with an Ed25519 key")
        self.public = data[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]
        if told != self.id.hex():
            raise ValueError("the key's id does not fit its name and bytes")

    def signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def read_head(file: str, note: bytes, keys: list[Key], origin: str) -> Head:
    """The head in a signed note, if a key that is believed signed it for this ledger, and none of them wrongly."""
    try:
        text, _, signatures = note.decode().rpartition("\n\n")
        text += "\n"
        lines = text.split("\n")
        head = Head(int(lines[1]), base64.b64decode(lines[2], validate=True))
        signed = []
        for line in signatures.removesuffix("\n").split("\n"):
            mark, name, encoded = line.split(" ")
            data = base64.b64decode(encoded, validate=True)
            if mark != "—" or base64.b64encode(data).decode() != encoded:
                raise ValueError
            signed.append((name, data[:4], data[4:]))
        whole = text + "\n" + signatures
    except (ValueError, IndexError, UnicodeDecodeError):
        refuse(file, "it is no signed checkpoint")
    if not signatures.endswith("\n") or whole.encode() != note or lines[1] != str(head.size) or len(head.root) != 32:
        refuse(file, "it is no signed checkpoint")
    if lines[0] != origin:
        refuse(file, f"it is of the ledger “{lines[0]}”, not of “{origin}”")
    known = [(key, part) for key in keys for name, key_id, part in signed if (name, key_id) == (key.name, key.id)]
    if not known or not all(key.signed(text, part) for key, part in known):
        refuse(file, "the key that you gave did not sign it")
    return head


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def sides(first: int, last: int, count: int) -> list[bool] | None:
    """Whether each hash of a proof, from node `first` of a row up to `last`, is left of the path; None: not so many."""
    found = []
    for _ in range(count):
        if last == 0:
            return None
        found.append(bool(first & 1) or first == last)
        while found[-1] and not first & 1 and first:
            first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return found if last == 0 else None


def is_included(leaf: bytes, index: int, head: Head, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.3.2: whether the leaf of this hash and index is in the tree of the head."""
    turns = sides(index, head.size - 1, len(proof)) if 0 <= index < head.size else None
    for one, is_left in zip(proof, turns or [], strict=False):
        leaf = node_hash(one, leaf) if is_left else node_hash(leaf, one)
    return turns is not None and leaf == head.root


def continues(older: Head, newer: Head, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2: whether the tree of the older head is a beginning of that of the newer one."""
    if older.size == newer.size:
        return not proof and older.root == newer.root
    if not 0 < older.size < newer.size or not proof:
        return False
    path = ([older.root] if older.size & (older.size - 1) == 0 else []) + proof
    first, last = older.size - 1, newer.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    turns = sides(first, last, len(path) - 1)
    before = after = path[0]
    for one, is_left in zip(path[1:], turns or [], strict=False):
        before = node_hash(one, before) if is_left else before
        after = node_hash(one, after) if is_left else node_hash(after, one)
    return turns is not None and (before, after) == (older.root, newer.root)


def check_seal(files: Files, manifest: dict[str, Any], head: Head, seal: Head) -> None:
    event = parsed("seal/event.json", files["seal/event.json"])
    proof = parsed("seal/proof.json", files["seal/proof.json"])
    if not is_included(leaf_hash(files["seal/event.json"]), proof["index"], seal, decoded(proof["hashes"])):
        refuse("seal/event.json", "it is not in the ledger of seal/checkpoint")
    if not continues(head, seal, decoded(proof["consistency"])):
        refuse("seal/proof.json", "the ledger of seal/checkpoint does not continue that of ledger/checkpoint")
    if event["type"] != BUILT or event["subject"]["id"] != manifest["pack"]:
        refuse("seal/event.json", "it is the seal of another pack")
    if event["data"]["manifest"] != sha256(files["manifest.json"]):
        refuse("manifest.json", "the ledger sealed another SHA-256: it was changed after the pack was made")


def check_events(files: Files, head: Head) -> list[dict[str, Any]]:
    name = "ledger/events.jsonl"
    contents, proofs = files[name].split(b"\n")[:-1], lines_of(files, "ledger/proofs.jsonl")
    if len(contents) != len(proofs):
        refuse("ledger/proofs.jsonl", f"it has {len(proofs)} proofs for {len(contents)} events")
    events, last = [], -1
    for number, (content, proof) in enumerate(zip(contents, proofs, strict=True), start=1):
        if proof["index"] <= last:
            refuse("ledger/proofs.jsonl", f"line {number} is not in the log's order")
        if not is_included(leaf_hash(content), proof["index"], head, decoded(proof["hashes"])):
            refuse(name, f"the event on line {number} is not in the ledger of ledger/checkpoint, or its proof is wrong")
        last = proof["index"]
        events.append(parsed(f"{name}, line {number}", content))
    told = parsed("completeness.json", files["completeness.json"])
    indexes = [proof["index"] for proof in proofs]
    counts = {"count": len(events), "by_type": dict(Counter(event["type"] for event in events)), "indexes": indexes}
    if any(told["events"][field] != value for field, value in counts.items()) or told["log"]["size"] != head.size:
        refuse("completeness.json", "it counts other events than are here")
    between = told["events"]["all_between"]
    if between and not set(range(between[0], between[1] + 1)) <= set(indexes):
        refuse("completeness.json", "it says that all events between two places are here, and one is missing")
    if told["criteria"]["everything_between"] != bool(between):
        refuse("completeness.json", "it does not say which places are all here")
    return events


def check_request(files: Files, folder: str, events: list[dict[str, Any]]) -> Counter[str]:
    """Whether a request's revisions, decisions, comments and files are those of its events, both ways."""
    name = f"{folder}/request.json"
    request = parsed(name, files[name])
    own = [one for one in events if one["change_request"] == request["id"] and one["type"].startswith(REQUEST)]
    told = {(one["data"]["revision"], one["data"]["digest"]) for one in own if "revision" in one["data"]}
    here = {
        (int(path.rpartition("-")[2].removesuffix(".json")), sha256(content))
        for path, content in files.items()
        if path.startswith(f"{folder}/revision-")
    }
    for number, digest in sorted(here - told):
        refuse(f"{folder}/revision-{number}.json", f"no event tells of a revision {number} with its SHA-256 {digest}")
    for number, _ in sorted(told - here):
        refuse(f"{folder}/revision-{number}.json", "it is missing, or not what the events decided on")
    if [number for number, _ in sorted(here)] != list(range(1, len(here) + 1)):
        refuse(name, "revisions are not numbered from 1 without a gap")
    given = [(VERDICTS[one["verdict"]], one["decider"], one["digest"], one["decided_at"], one["comment"])
             for one in request["decisions"]]  # fmt: skip
    asked = [(one["type"].removeprefix(REQUEST), one["actor"], one["data"]["digest"], one["recorded_at"],
              one["data"]["comment"]) for one in own
             if one["type"].removeprefix(REQUEST) in VERDICTS.values()]  # fmt: skip
    same(name, "decisions", given, asked)
    for one in request["decisions"]:
        if one["verdict"] == "approve" and one["digest"] not in one["statement"]:
            refuse(name, "a statement that was signed does not name the digest that was decided on")
    said = [(one["number"], sha256(one["text"].encode())) for one in request["comments"]]
    same(name, "comments", said, of(own, "commented", "comment", "text_digest"))
    kept = [(one["number"], one["digest"]) for one in request["files"]]
    same(name, "files", kept, of(own, "file_attached", "file", "file_digest"))
    for one in request["files"]:
        if sha256(files.get(one["path"], b"")) != one["digest"]:
            refuse(one["path"], "it is missing, or not what its event says")
    for what, numbers in (("comments", said), ("files", kept)):
        if [number for number, _ in sorted(numbers)] != list(range(1, len(numbers) + 1)):
            refuse(name, f"{what} are not numbered from 1 without a gap")
    return Counter(revisions=len(here), decisions=len(given), comments=len(said), files=len(kept))


def of(events: list[dict[str, Any]], step: str, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(one["data"][field] for field in fields) for one in events if one["type"] == REQUEST + step]


def same(file: str, what: str, here: Iterable[Any], told: Iterable[Any]) -> None:
    if sorted(map(repr, here)) != sorted(map(repr, told)):
        refuse(file, f"its {what} are not those that the events tell of")


def check_history(files: Files, events: list[dict[str, Any]]) -> int:
    """Whether the versions of records are those of their events, both ways, with the same values."""
    told = {
        (one["subject"]["type"], one["subject"]["id"], one["data"]["after"]["version"]): one
        for one in events
        if one["type"].startswith("approvals.record.") and one["data"]["after"]
    }
    seen = 0
    for name in sorted(files):
        if not name.startswith("history/"):
            continue
        for number, row in enumerate(lines_of(files, name), start=1):
            event = told.pop((row["type"], row["id"], row["version"]), None)
            if event is None:
                refuse(name, f"no event tells of line {number}, version {row['version']} of {row['id']}")
            if row["row"] != event["data"]["after"] or row["change"] != event["data"]["number"]:
                refuse(name, f"line {number}, version {row['version']} of {row['id']}, is not what its event says")
            seen += 1
    for kind, record, version in sorted(told):
        refuse(f"history/{kind}.jsonl", f"version {version} of {record} is missing")
    return seen


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def decoded(hashes: list[str]) -> list[bytes]:
    return [base64.b64decode(one, validate=True) for one in hashes]


def parsed(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        refuse(name, "it is no JSON")


def lines_of(files: Files, name: str) -> list[Any]:
    return [
        parsed(f"{name}, line {number}", line) for number, line in enumerate(files[name].split(b"\n")[:-1], start=1)
    ]


def check(data: bytes, keys: list[Key], origin: str, older: list[bytes]) -> list[str]:
    """What was checked, in words; Refused if the pack does not hold."""
    files = read_zip(data)
    manifest = check_manifest(files)
    head = read_head("ledger/checkpoint", files["ledger/checkpoint"], keys, origin)
    seal = read_head("seal/checkpoint", files["seal/checkpoint"], keys, origin)
    check_seal(files, manifest, head, seal)
    told = [f"{len(files)} files are those that the ledger “{origin}” sealed: {manifest['label']}."]
    events = check_events(files, head)
    told.append(f"{len(events)} events are among its first {head.size}, whose head is signed.")
    folders = sorted({name.rpartition("/")[0] for name in files if name.endswith("/request.json")})
    counts = sum((check_request(files, folder, events) for folder in folders), Counter())
    here = {parsed(folder, files[f"{folder}/request.json"])["id"] for folder in folders}
    missing = {one["change_request"] for one in events if one["type"].startswith(REQUEST)} - here
    if missing:
        refuse("changes/", f"the change request {min(missing)} is missing, of which events tell")
    versions = check_history(files, events)
    counted = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    told.append(f"{len(folders)} change requests ({counted}) and {versions} versions of records are as events say.")
    for note in older:
        before = read_head("the older checkpoint", note, keys, origin)
        if "ledger/consistency.json" not in files:
            refuse(
                "ledger/consistency.json",
                "the pack was asked for without an older checkpoint, and proves nothing of one",
            )
        proof = parsed("ledger/consistency.json", files["ledger/consistency.json"])
        if proof["from_size"] != before.size or not continues(before, head, decoded(proof["hashes"])):
            refuse(
                "ledger/consistency.json", f"it does not prove that the ledger continues that of {before.size} events"
            )
        told.append(f"The ledger continues that of the older checkpoint, of {before.size} events.")
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks an evidence pack offline.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--key", action="append", required=True, help="name+id+base64, or a file of such lines")
    parser.add_argument("--origin", required=True, help="the ledger's name")
    parser.add_argument("--checkpoint", action="append", type=Path, default=[], help="an older one that you kept")
    asked = parser.parse_args()
    try:
        texts = [Path(text).read_text().split() if "+" not in text else [text] for text in asked.key]
        keys = [Key(text) for some in texts for text in some]
        older = [path.read_bytes() for path in asked.checkpoint]
        data = asked.pack.read_bytes()
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        for line in check(data, keys, asked.origin, older):
            print(line)
    except Refused as refused:
        print(f"REFUSED. {refused}")
        return 1
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, struct.error) as error:
        print(f"REFUSED. a file of the pack does not have the form that it must have: {error!r}")
        return 1
    print("The pack holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
