"""
Putting a pack together: events with proofs, what the apps contribute, tables, the summary, the manifest.

Source: docs/evidence-packs.md
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.merkle import notes
from audit.packs import port, proving, selection, summary, tables
from audit.packs.models import EvidencePack
from audit.packs.port import Counted, File, Gathered, Selection, Sheet
from audit.packs.rules import Shown, rules, shown
from audit.packs.selection import Criteria, Population
from audit.packs.telling import Teller
from audit.sealing import keys, proofs
from audit.sealing.models import Checkpoint
from foundation.canonical import instant, jsonable

VERIFIER = Path(__file__).with_name("verify_pack.py")
FORMAT = "tenure/evidence-pack/1"
# Told how many of how many steps are done.
Progress = Callable[[int, int], None]
SEALED_APART = frozenset({"manifest.json", "seal/event.json", "seal/proof.json", "seal/checkpoint"})


@dataclass(frozen=True)
class Gist:
    """What everything in a pack hangs on: what was asked, what was selected, and the head that covers it."""

    pack: EvidencePack
    criteria: Criteria
    population: Population
    head: Checkpoint
    selection: Selection


@dataclass(frozen=True)
class Built:
    """The files of a pack by path, and the SHA-256 of its manifest."""

    files: Mapping[str, bytes]
    manifest: str
    events: int


def gist_of(pack: EvidencePack, *, criteria: Criteria, head: Checkpoint, now: datetime) -> Gist:
    """
    Select the events of a pack under a head that covers them.

    :raises PackTooLarge: if there are more than the installation allows
    """
    population = selection.population(criteria, head.size)
    chosen = Selection(
        kind=pack.kind,
        label=pack.label,
        since=pack.since,
        until=pack.until,
        requests=criteria.requests,
        events=selection.told(population.ids, head.size),
        asker=pack.asked_by,
        now=now,
    )
    return Gist(pack, criteria, population, head, chosen)


def build(gist: Gist, *, progress: Progress) -> Built:
    """All files of a pack but its seal; the same for the same gist."""
    total = 2 * len(gist.selection.events) + 10 * len(gist.selection.requests) + 10
    done = 0

    def step(by: int = 1) -> None:
        nonlocal done
        done += by
        progress(min(done, total), total)

    files = _ledger(gist, step)
    gathered = _gathered(gist, step)
    controls = shown([(event.index, event.type) for event in gist.selection.events], rules().control)
    population = [
        Counted("events", len(gist.selection.events), "By the criteria in completeness.json, each with its proof."),
        *gathered.counted,
    ]
    completeness = _completeness(gist, population)
    sheets = [_event_sheet(gist.selection), *gathered.sheets, _control_sheet(controls)]
    document = summary.document_of(
        gist.pack, selection=gist.selection, completeness=completeness, gathered=gathered, controls=controls,
        head=gist.head, events_digest=hashlib.sha256(files[0].content).hexdigest(),
    )  # fmt: skip
    files += gathered.files
    files += tables.files_of(sheets, dated=gist.head.signed_at)
    files += [
        File("completeness.json", pretty(completeness), "The population, and how it was selected."),
        File("controls.json", pretty([_control(one) for one in controls]), "Controls, and the events that show them."),
        File("summary.pdf", summary.pdf(document), "The summary for people, PDF/A."),
        File("verify_pack.py", VERIFIER.read_bytes(), "Checks this pack; needs Python 3.11 and “cryptography”."),
        File("README.txt", summary.readme(gist.pack, origin=keys.origin()).encode(), "What this is."),
    ]
    progress(total, total)
    return _sealed_by_digests(gist, files)


def pretty(value: Any) -> bytes:
    """JSON that people can read, too; the same for the same value."""
    return json.dumps(jsonable(value), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def encoded(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in base64."""
    return [base64.b64encode(one).decode() for one in hashes]


def _ledger(gist: Gist, step: Callable[[int], None]) -> list[File]:
    events = gist.selection.events
    lines = []
    for index, hashes in proving.inclusions([event.index for event in events], gist.head.size):
        lines.append(json.dumps({"index": index, "hashes": encoded(hashes)}, separators=(",", ":")))
        step(1)
    files = [
        File(
            "ledger/events.jsonl", b"".join(event.content + b"\n" for event in events), "The events, one a line, exact."
        ),
        File("ledger/proofs.jsonl", "".join(line + "\n" for line in lines).encode(), "Their inclusion proofs."),
        File("ledger/checkpoint", gist.head.note.encode(), "The signed head that the proofs lead to."),
        File("ledger/keys.txt", "".join(f"{key}\n" for key in keys.verifiers()).encode(), "Verifier keys."),
    ]
    if gist.pack.older:
        older = notes.read_checkpoint(gist.pack.older, keys=keys.verifiers(), origins=keys.origins())
        proof = encoded(proofs.consistency(first=older.size, second=gist.head.size))
        told = {"checkpoint": gist.pack.older, "from_size": older.size, "to_size": gist.head.size, "hashes": proof}
        files.append(File("ledger/consistency.json", pretty(told), "Proof from an older checkpoint."))
    return files


def _gathered(gist: Gist, step: Callable[[int], None]) -> Gathered:
    gathered = Gathered()
    for contributor in port.contributors():
        for part in contributor(gist.selection):
            gathered.take(part)
            step(1)
    return gathered


def _completeness(gist: Gist, population: Sequence[Counted]) -> dict[str, Any]:
    events, between = gist.selection.events, gist.population.between
    log = selection.counts_of_the_log(gist.head.size)
    return {
        "format": "tenure/completeness/1",
        "selection": gist.criteria.words,
        "criteria": gist.criteria.as_document(),
        "population": [{"what": one.what, "count": one.count, "how": one.how} for one in population],
        "events": {
            "count": len(events),
            "by_type": dict(sorted(Counter(event.type for event in events).items())),
            "indexes": [event.index for event in events],
            "all_between": list(between) if between else None,
        },
        "log": {"size": gist.head.size, "signed_at": gist.head.signed_at, "by_type": dict(log)},
    }


def _event_sheet(chosen: Selection) -> Sheet:
    teller = Teller.of(chosen)
    rows = [
        (
            event.index,
            event.document["recorded_at"],
            teller.sentence(event),
            teller.actor(event),
            event.type,
            event.document["subject"]["label"],
            event.document["subject"]["id"],
            event.document["change_request"],
            event.id,
            hashlib.sha256(event.content).hexdigest(),
        )
        for event in chosen.events
    ]
    head = ("Place in the log", "Recorded at", "What happened", "By", "Type", "Subject", "Subject's id", "Change's id",
            "Event's id", "SHA-256 of its bytes")  # fmt: skip
    return Sheet("events", head, rows)


def _control(one: Shown) -> dict[str, Any]:
    control = one.control
    return control.model_dump() | {"count": len(one.indexes), "indexes": one.indexes}


def _control_sheet(controls: Sequence[Shown]) -> Sheet:
    rows = [
        (
            one.control.framework,
            one.control.id,
            one.control.title,
            one.control.asks,
            len(one.indexes),
            " ".join(str(index) for index in one.indexes),
        )
        for one in controls
    ]
    return Sheet("controls", ("Framework", "Control", "Title", "What it asks", "Events", "Places in the log"), rows)


def _sealed_by_digests(gist: Gist, files: Sequence[File]) -> Built:
    """The files with their manifest."""
    pack = gist.pack
    listed = sorted(files, key=lambda file: file.path)
    manifest = pretty(
        {
            "format": FORMAT,
            "pack": pack.id,
            "kind": pack.kind,
            "subject": pack.subject_id,
            "label": pack.label,
            "since": pack.since,
            "until": pack.until,
            "asked_by": pack.asked_by_id,
            "asked_at": pack.asked_at,
            "purpose": pack.purpose,
            "origin": keys.origin(),
            "as_of": instant(gist.head.signed_at),
            "files": [
                {
                    "path": file.path,
                    "size": len(file.content),
                    "sha256": hashlib.sha256(file.content).hexdigest(),
                    "what": file.what,
                }
                for file in listed
            ],
        }
    )
    contents = {file.path: file.content for file in files}
    if len(contents) != len(files):
        raise ValueError("Two files of a pack have the same path.")
    contents["manifest.json"] = manifest
    return Built(contents, hashlib.sha256(manifest).hexdigest(), len(gist.selection.events))
