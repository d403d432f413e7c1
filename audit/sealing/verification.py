"""
Verification: the whole log read again, from the bytes of its events, against checkpoints that the reader brings.

Nothing that is stored beside the events is believed: leaves, tree and checkpoints are compared with what the bytes
give. A finding says what does not fit; none means that the log is what was signed.

Source: docs/ledger.md, docs/threat-model.md
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, connection, transaction

from audit import contributors
from audit.merkle import notes, tree
from audit.merkle.notes import BadNote, VerifierKey
from audit.merkle.tree import Tree
from audit.sealing import keys as own
from audit.sealing.models import LEVELS_APART
from audit.sealing.reading import blocks

MOST_FINDINGS = 50

NODES = """
    SELECT level, string_agg(hash, '' ORDER BY index), max(index) FROM audit_treenode GROUP BY level ORDER BY level
"""
# Each column repeats a part of the bytes that were hashed.
COLUMNS = """
    SELECT event.id, difference.name
      FROM audit_event event
     CROSS JOIN LATERAL (SELECT convert_from(event.content, 'UTF8')::jsonb AS told) content
     CROSS JOIN LATERAL (VALUES
        ('id', to_jsonb(event.id::text), told -> 'id'),
        ('type', to_jsonb(event.type), told -> 'type'),
        ('recorded_at', to_jsonb(extract(epoch FROM event.recorded_at)),
         to_jsonb(extract(epoch FROM (told ->> 'recorded_at')::timestamptz))),
        ('actor_id', to_jsonb(event.actor_id::text), nullif(told -> 'actor', 'null')),
        ('actor_human_id', to_jsonb(event.actor_human_id::text), nullif(told -> 'actor_human', 'null')),
        ('change_request_id', to_jsonb(event.change_request_id::text), nullif(told -> 'change_request', 'null')),
        ('subject_type', to_jsonb(event.subject_type), told #> '{subject,type}'),
        ('subject_id', to_jsonb(event.subject_id::text), nullif(told #> '{subject,id}', 'null')),
        ('subject_label', to_jsonb(event.subject_label), told #> '{subject,label}'),
        ('data', event.data, told -> 'data')
     ) AS difference(name, stored, told)
     WHERE difference.stored IS DISTINCT FROM difference.told
     ORDER BY event.id, difference.name
     LIMIT %s
"""


@dataclass(frozen=True)
class Finding:
    """Something that does not fit: what kind, a stable word, and what it is, a sentence."""

    code: str
    told: str


@dataclass
class Report:
    """What was verified: how many events, the root that their bytes give, the findings, at most MOST_FINDINGS."""

    size: int = 0
    root: bytes = tree.EMPTY_ROOT
    unsealed: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def count_unsealed(self, number: int) -> None:
        """Keep how many events are no leaves."""
        self.unsealed = number

    def find(self, code: str, told: str) -> None:
        """Keep a finding."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, told))


def verify_log(*, brought: Sequence[str], keys: Sequence[VerifierKey], origin: str) -> Report:
    """
    Verify the log against its own checkpoints and those brought, each a signed note of C2SP.

    Without a checkpoint from outside, whoever holds the database and the signing key can pass: docs/threat-model.md.
    """
    report = Report()
    with one_snapshot(), connection.cursor() as cursor:
        heads = _heads(cursor, report, brought, keys, origin)
        trees = _walk(cursor, report, sorted({head.size for head in heads}))
        for head in heads:
            _compare_head(report, head, trees)
        stored = max((head.size for head in heads if head.frontier is not None), default=0)
        if stored != report.size:
            report.find("unsigned", f"The log has {report.size} events, and its last stored checkpoint is of {stored}.")
    return report


def verify_columns(report: Report) -> None:
    """Find the events of which a column says something else than the bytes that were hashed."""
    with _readable(report, "The events' columns"), connection.cursor() as cursor:
        cursor.execute(COLUMNS, [MOST_FINDINGS])
        for event_id, name in cursor.fetchall():
            report.find("column", f"Event {event_id}: the column {name} says something else than the bytes.")


def verify_stored(report: Report) -> dict[str, int]:
    """Find what the apps' tables say and the events do not; answer how many rows each prover looked at, by its name."""
    counts = {}
    for name, prover in contributors.provers().items():
        with _readable(report, f"The {name}"):
            counts[name] = prover(report.find)
    return counts


@contextmanager
def _readable(report: Report, what: str) -> Iterator[None]:
    """Go on where what is stored cannot even be read as what it should be: that is a finding of its own."""
    try:
        with transaction.atomic():
            yield
    except DataError as error:
        report.find("unreadable", f"{what} were not compared: {str(error).splitlines()[0]}.")


def verify(*, brought: Sequence[str], keys: Sequence[VerifierKey], origin: str) -> tuple[Report, dict[str, int]]:
    """The log, its columns and all that is stored beside it, in one state of the database."""
    with one_snapshot():
        report = verify_log(brought=brought, keys=keys, origin=origin)
        verify_columns(report)
        return report, verify_stored(report)


@dataclass(frozen=True)
class _Head:
    """A head to compare with: one that was brought, or one that is stored, with its frontier."""

    what: str
    size: int
    root: bytes
    frontier: bytes | None = None


def _compare_head(report: Report, head: _Head, trees: Mapping[int, Tree]) -> None:
    report.checkpoints += 1
    if head.size > report.size:
        told = f"{head.what} is of {head.size} events; the log has {report.size}. Events were removed, or it is older."
        report.find("shorter", told)
    elif trees[head.size].root != head.root:
        report.find("other_root", f"{head.what}, of {head.size} events, has another root than their bytes give.")
    elif head.frontier not in (None, b"".join(trees[head.size].frontier)):
        report.find("bad_checkpoint", f"{head.what} keeps other hashes to grow from than the events give.")


@contextmanager
def one_snapshot() -> Iterator[None]:
    """A transaction that sees one state, or the caller's own."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _heads(
    cursor: Any, report: Report, brought: Sequence[str], keys: Sequence[VerifierKey], origin: str
) -> list[_Head]:
    """The heads to compare with: those brought, signed by a known key, and all that are stored."""
    heads = []
    names, kept = own.origins(origin), own.kept_sizes()
    for number, note in enumerate(brought, start=1):
        what = f"Checkpoint {number} of those given"
        try:
            read = notes.read_checkpoint(note, keys=keys, origins=names)
        except BadNote as error:
            report.find("bad_checkpoint", f"{what} is not believed: {error}")
            continue
        former = kept[names.index(read.origin) :]
        if former and read.size > min(former):
            told = f"{what} is of {read.size} events, of which {min(former)} were kept when a backup was put in place."
            report.find("lost", f"{told} The event “audit.ledger.restarted” says by whom, and why.")
        else:
            heads.append(_Head(what, read.size, read.root))
    cursor.execute("SELECT size, root, note, frontier FROM audit_checkpoint ORDER BY size")
    for size, root, note, frontier in cursor.fetchall():
        what = f"The stored checkpoint of {size} events"
        try:
            read = notes.Checkpoint.read(note.rpartition("\n\n")[0] + "\n")
            if (read.size, read.root) != (size, bytes(root)):
                report.find("bad_checkpoint", f"{what} repeats another head than it signed.")
        except BadNote as error:
            report.find("bad_checkpoint", f"{what} is not believed: {error}")
        heads.append(_Head(what, size, bytes(root), bytes(frontier)))
    cursor.execute("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    for (note,) in cursor.fetchall():
        try:
            notes.read_checkpoint(note, keys=keys, origins=names)
        except BadNote as error:
            report.find("bad_checkpoint", f"The last stored checkpoint is not believed: {error}")
    return heads


def _walk(cursor: Any, report: Report, sizes: Sequence[int]) -> dict[int, Tree]:
    """Hash every event in the log's order; answer the trees of the sizes, and compare what is stored beside them."""
    cursor.execute("SELECT coalesce(max(index) + 1, 0), count(*), coalesce(min(index), 0) FROM audit_leaf")
    end, count, first = cursor.fetchone()
    if count != end or first:
        report.find("gap", f"The leaves are numbered up to {end}, and there are {count}: some were removed.")
    grown, trees, waiting = Tree(), {0: Tree()}, list(sizes)
    given: dict[int, list[bytes]] = defaultdict(list)
    for leaves in blocks(find=report.find, unsealed=report.count_unsealed):
        begin, done, complete = grown.size, 0, []
        while waiting and waiting[0] <= begin + len(leaves):
            grown, rows = tree.appended(grown, leaves[done : waiting[0] - begin])
            complete += rows
            done = grown.size - begin
            trees[waiting.pop(0)] = grown
        grown, rows = tree.appended(grown, leaves[done:])
        for row in complete + rows:
            if row.level % LEVELS_APART == 0:
                given[row.level] += row.hashes
    report.size, report.root = grown.size, grown.root
    _compare_nodes(cursor, report, given)
    return trees


def _compare_nodes(cursor: Any, report: Report, given: Mapping[int, Sequence[bytes]]) -> None:
    """Find the stored hashes of the tree that are not what the events give."""
    cursor.execute(NODES)
    stored = {level: (bytes(joined), last + 1) for level, joined, last in cursor.fetchall()}
    for level in sorted(given.keys() | stored.keys()):
        joined, count = stored.get(level, (b"", 0))
        hashes = given.get(level, [])
        if joined != b"".join(hashes) or count != len(hashes):
            told = f"The stored hashes of subtrees of level {level} are not what the events give."
            report.find("tree", told)
