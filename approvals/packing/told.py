"""Change requests as an auditor asks about them: who, what, when, why, by what authority, and what came of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from approvals.packing.assessing import assessed
from approvals.packing.stories import Story
from approvals.roles import words
from audit.packs.port import Selection, Sheet, Told
from audit.packs.telling import Teller
from foundation.web.blocks import Block, Fact, Facts, Point, Points, Row, Section, Table
from foundation.web.instants import in_reader_zone, instant_text, parsed

# More changes than so many are told in the table alone; more events of one sort after one another as one.
MOST_TOLD = 40
MOST_ALIKE = 3
NEVER = "–"


def sections(stories: Sequence[Story]) -> Iterator[Section]:
    """Each request as a section; if there are many, one table of them."""
    if len(stories) > MOST_TOLD:
        yield Section("changes", "Changes", f"{len(stories):,} in all, by number", [_table(stories)])
        return
    for story in stories:
        number = story.change_request.number
        yield Section(f"change-{number}", f"Change {number}: {story.change_request.title}", "", _blocks(story))


def sheet(stories: Sequence[Story]) -> Sheet:
    """All requests as a table for spreadsheets."""
    head = ("Change", "Title", "Status", "Proposed by", "Proposed at", "Why", "Approved by", "Approved at",
            "Applied by", "Applied at", "By what authority", "Verified or closed at", "Digest")  # fmt: skip
    rows = []
    for story in stories:
        request, current = story.change_request, story.current
        rows.append(
            (
                request.number,
                request.title,
                request.status_label,
                str(request.created_by or "The system"),
                _iso(request.created_at),
                current.rationale["justification"] if current else "",
                "; ".join(_approvers(story)),
                _iso(request.approved_at),
                str(request.applied_by or "The system") if request.applied_at else "",
                _iso(request.applied_at),
                str(story.authorization or ""),
                _iso(request.closed_at),
                current.digest if current else "",
            )
        )
    return Sheet("changes", head, rows)


def _blocks(story: Story) -> list[Block]:
    request, current = story.change_request, story.current
    plan = current.plan if current else {}
    rationale = current.rationale if current else {}
    applied_by = str(request.applied_by or "the system")
    what = [
        Fact(
            "What", in_reader_zone(str(plan.get("sentence") or plan.get("summary") or "It was written without a plan."))
        ),
        Fact("Access", in_reader_zone(str(plan.get("interruption") or "Nobody loses access."))),
        Fact("Why", rationale.get("justification") or "Not said."),
        Fact("Expected impact", rationale.get("impact") or "Not said."),
        Fact("Rollback", rationale.get("rollback") or "Not said."),
        Fact("Proposed", f"{instant_text(request.created_at)} by {request.created_by or 'the system'}"),
        Fact("Approved", instant_text(request.approved_at) if request.approved_at else NEVER),
        Fact("Applied", f"{instant_text(request.applied_at)} by {applied_by}" if request.applied_at else NEVER),
        Fact("Authority", _authority(story)),
        Fact("State", request.status_label),
        Fact("Digest", current.digest if current else NEVER),
    ]
    return [
        Facts(what),
        Points(assessed(story), title="In short"),
        *_approvals(story),
        *_statements(story),
        *_verification(story),
        *_discussion(story),
    ]


def _authority(story: Story) -> str:
    if story.authorization is None:
        return "It was not applied."
    basis = str(story.authorization)
    return f"{basis[:1].upper()}{basis[1:]}, bound to the digest below"


def _approvers(story: Story) -> list[str]:
    return [
        f"{one['decider_name']} for {words(one['asked'])}"
        for one in story.document["decisions"]
        if one["verdict"] == "approve" and not one["stale"]
    ]


def _approvals(story: Story) -> Iterator[Block]:
    current = story.current
    if current is None:
        return
    document = next(one for one in story.document["revisions"] if one["number"] == current.number)
    rows = []
    for stage in document["stages"]:
        given = [
            f"{one['decider_name']}, {instant_text(one['decided_at'])}"
            for one in story.document["decisions"]
            if one["stage"] == stage["position"] and not one["stale"] and one["verdict"] == "approve"
        ]
        rows.append(
            Row(
                [
                    f"{stage['position']}. {words(stage['asked'])}",
                    f"{stage['quorum']}",
                    "; ".join(given) or NEVER,
                    "; ".join(stage["because"]),
                ]
            )
        )
    if rows:
        yield Table("Approvals that the policy asked for", ("Stage", "Needs", "Given", "Because"), rows)
    against = [one for one in story.document["decisions"] if one["stale"] or one["verdict"] != "approve"]
    if against:
        points = [
            Point(
                f"{one['decider_name']}, {instant_text(one['decided_at'])}: {one['verdict'].replace('_', ' ')} on "
                f"revision {one['revision']}{', stale since a later one' if one['stale'] else ''}",
                note=one["comment"],
            )
            for one in against
        ]
        yield Points(points, title="Decisions that did not count, or were against it")


def _statements(story: Story) -> Iterator[Block]:
    signed = [one["statement"] for one in story.document["decisions"] if one["verdict"] == "approve"]
    if signed:
        yield Points([Point(text) for text in signed], title="Statements signed")


def _verification(story: Story) -> Iterator[Block]:
    current = story.current
    criteria = current.rationale.get("acceptance_criteria", []) if current else []
    if not criteria:
        return
    latest = {one["criterion"]: one for one in story.document["verification"]}
    rows = []
    for number, text in enumerate(criteria, start=1):
        tick = latest.get(number)
        if tick is None:
            rows.append(Row([text, "not checked", NEVER, NEVER]))
            continue
        state = "met" if tick["met"] else "not met"
        by = f"{tick['checked_by']['name']}, {instant_text(tick['checked_at'])}"
        file = f"file {tick['file']}" if tick["file"] else ""
        evidence = "; ".join(part for part in (tick["result"], tick["link"], file) if part)
        rows.append(Row([text, state, by, evidence]))
    yield Table("It worked if", ("Criterion", "State", "Checked by", "Evidence"), rows)


def _discussion(story: Story) -> Iterator[Block]:
    said = [
        Fact(f"{one['author']['name']}, {instant_text(one['created_at'])}", one["text"])
        for one in story.document["comments"]
    ]
    if said:
        yield Facts(said, title="Discussion")
    files = [
        Row([one["name"], one["author"]["name"], instant_text(one["created_at"]), one["digest"]])
        for one in story.document["files"]
    ]
    if files:
        yield Table("Files", ("File", "Attached by", "When", "SHA-256"), files)
    tickets = [
        Row([f"{one['system']} {one['key']}", one["status"] or NEVER, one["approval"].replace("_", " "),
             instant_text(one["read_at"]) if one["read_at"] else NEVER])
        for one in story.document["tickets"]
    ]  # fmt: skip
    if tickets:
        yield Table("Tickets", ("Ticket", "Status", "Approval", "As read"), tickets)


def happened(selection: Selection, most: int) -> Iterator[Section]:
    """The events of the selection as sentences, oldest first; many alike after one another as one."""
    teller = Teller.of(selection)
    rows: list[Fact] = []
    shown = 0
    for alike in runs(selection.events):
        if len(rows) >= most:
            break
        shown += len(alike)
        told = in_reader_zone(teller.sentence(alike[0]))
        if len(alike) > 1:
            told += (
                f" And {len(alike) - 1:,} more like it: events {alike[0].index:,} to {alike[-1].index:,} of the ledger."
            )
        rows.append(Fact(_instant(alike[0].document["recorded_at"]), told))
    count = len(selection.events)
    rest = f"; the first {shown:,} of {count:,}" if count > shown else ""
    note = f"From the ledger, in its order{rest}. tables/events.csv tells each by itself."
    yield Section("events", "What happened", note, [Facts(rows)] if rows else [Points([Point("Nothing.")])])


def runs(events: Sequence[Told]) -> Iterator[list[Told]]:
    """The events, with those that follow one another together if there are more than MOST_ALIKE of one sort."""
    for _, found in groupby(events, key=lambda one: (one.type, one.document["actor"], one.document["recorded_at"])):
        alike = list(found)
        if len(alike) > MOST_ALIKE:
            yield alike
        else:
            yield from ([one] for one in alike)


def _table(stories: Sequence[Story]) -> Table:
    rows = [
        Row(
            [
                f"{story.change_request.number}",
                story.change_request.title,
                story.change_request.status_label,
                str(story.change_request.created_by or "The system"),
                "; ".join(_approvers(story)) or NEVER,
                instant_text(story.change_request.applied_at) if story.change_request.applied_at else NEVER,
            ]
        )
        for story in stories
    ]
    return Table("", ("Change", "Title", "State", "Proposed by", "Approved by", "Applied"), rows)


def _instant(text: str) -> str:
    found = parsed(text)
    return instant_text(found) if found else NEVER


def _iso(value: datetime | None) -> str:
    return value.isoformat() if value else ""
