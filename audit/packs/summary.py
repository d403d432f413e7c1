"""The summary of a pack for people: who, what, when, why, by what authority, and whether it is complete."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from audit.packs import port
from audit.packs.models import EvidencePack
from audit.packs.port import Gathered, Selection
from audit.packs.rules import Shown
from audit.sealing.models import Checkpoint
from foundation.printing.typesetting import Document
from foundation.printing.typesetting import pdf as typeset
from foundation.web.blocks import Fact, Facts, Point, Points, Row, Section, Table
from foundation.web.instants import instant_text

ZONE = "UTC"


def document_of(
    pack: EvidencePack,
    *,
    selection: Selection,
    completeness: Mapping[str, Any],
    gathered: Gathered,
    controls: Sequence[Shown],
    head: Checkpoint,
    events_digest: str,
) -> Document:
    """The summary; instants are in UTC."""
    with timezone.override(ZONE):
        return Document(
            title=f"Evidence about {pack.label}",
            author="Tenure",
            sentence=_sentence(selection, completeness),
            reference=f"Evidence pack {pack.id}",
            digest=events_digest,
            digest_of="SHA-256 of ledger/events.jsonl",
            head=_head(pack, head),
            sections=[*gathered.sections, _complete(completeness), _controls(controls), _checking(pack)],
            dated=head.signed_at,
        )


def pdf(document: Document) -> bytes:
    """The summary as PDF/A."""
    with timezone.override(ZONE):
        return typeset(document, archival=True)


def readme(pack: EvidencePack, *, origin: str) -> str:
    """What stands in README.txt."""
    return f"""Evidence about {pack.label}
{"=" * (15 + len(pack.label))}

Begin with summary.pdf. completeness.json says how what is here was selected, and manifest.json lists every file with
its SHA-256.

To check it, without Tenure and offline, with Python 3.11 or newer and its package “cryptography”:

    python verify_pack.py PACK.zip --key KEY --origin {origin}

KEY is the ledger's public key (name+id+base64). Obtain it and the origin from somebody you trust and not from this
pack: ledger/keys.txt is a convenience that a forger would have replaced. The same holds for verify_pack.py; it is short
enough to be read. With --checkpoint FILE it also checks that the ledger still is the one of an older checkpoint that
you kept, if the pack was asked for with that checkpoint.

It prints what it checked and “The pack holds.” (exit code 0), or names the file that is not what it must be (exit
code 1).
"""


def _sentence(selection: Selection, completeness: Mapping[str, Any]) -> str:
    changes = len(selection.requests)
    events = completeness["events"]["count"]
    told = f"{events:,} event{'' if events == 1 else 's'} of the ledger"
    if changes:
        told += f" and {changes:,} change request{'' if changes == 1 else 's'}"
    first = selection.events[0].document["recorded_at"] if selection.events else ""
    last = selection.events[-1].document["recorded_at"] if selection.events else ""
    return f"This pack holds {told}" + (f", recorded from {_told(first)} to {_told(last)}." if first else ".")


def _told(text: str) -> str:
    return text.replace("T", " ")[:16] + " UTC"


def _head(pack: EvidencePack, head: Checkpoint) -> list[Fact]:
    kind = port.scope_kind(pack.kind)
    facts = [Fact("About", f"{kind.words}: {pack.label}" if pack.subject_id else kind.words.capitalize())]
    if pack.since and pack.until:
        facts.append(Fact("Time", f"from {instant_text(pack.since)} until {instant_text(pack.until)}"))
    facts.append(Fact("Asked for by", f"{pack.asked_by}, {instant_text(pack.asked_at)}"))
    if pack.purpose:
        facts.append(Fact("Purpose", pack.purpose))
    facts.append(Fact("As of", f"the ledger's first {head.size:,} events, signed {instant_text(head.signed_at)}"))
    return facts


def _complete(completeness: Mapping[str, Any]) -> Section:
    events, log = completeness["events"], completeness["log"]
    counted = Table(
        "Population",
        ("What", "How many", "How it was found"),
        [Row([one["what"], f"{one['count']:,}", one["how"]]) for one in completeness["population"]],
        frozenset({1}),
    )
    types = Table(
        "Events by type, here and in the whole ledger up to the same head",
        ("Type", "Here", "Whole ledger"),
        [
            Row([name, f"{events['by_type'].get(name, 0):,}", f"{count:,}"])
            for name, count in sorted(log["by_type"].items())
        ],
        frozenset({1, 2}),
    )
    points = [
        Point(f"Selected: {completeness['selection']}."),
        Point(
            f"Events {events['all_between'][0]:,} to {events['all_between'][1]:,} of the ledger are all here, without "
            "a gap: the signed tree has no room for another.",
            "success",
        )
        if events["all_between"]
        else Point(
            f"Whoever holds the ledger's first {log['size']:,} events can select again by the criteria in "
            "completeness.json, which lists the place of each event; “manage.py evidence-pack compare” does so."
        ),
        Point(
            "Within each change request nothing is missing: revisions, comments and files are numbered without a gap, "
            "and each revision, decision, comment, file and version of a record is here with its event, and each such "
            "event with what it tells of. verify_pack.py checks it both ways."
        ),
    ]
    return Section("completeness", "Is it complete?", "", [Points(points), counted, types])


def _controls(controls: Sequence[Shown]) -> Section:
    rows = [
        Row([f"{one.control.framework} {one.control.id}", one.control.title, one.control.asks, f"{len(one.indexes):,}"])
        for one in controls
    ]
    note = "Which events show that a control works, as this installation maps them. A map, not an opinion."
    table = Table("", ("Control", "Title", "What it asks", "Events here"), rows, frozenset({3}))
    return Section("controls", "Controls", note, [table])


def _checking(pack: EvidencePack) -> Section:
    facts = [
        Fact("Run", "python verify_pack.py PACK.zip --key KEY --origin NAME"),
        Fact("Key and name", "from somebody you trust, not from this pack"),
        Fact("Pack", str(pack.id)),
    ]
    return Section("checking", "How to check it", "Offline, without Tenure: see README.txt.", [Facts(facts)])
