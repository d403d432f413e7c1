"""
The plan of a revision for people: names for ids, instants in the reader's zone, timelines, lists of a bearable length.

Whoever may see the request may see its plan; names of people are looked up now, because they can be erased.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.governed import FieldLine, Occasion
from entitlements.directory.services import names_of
from entitlements.planning import ordering, printing, three_ways, told_money, told_terms
from entitlements.planning.pending import pending_changes
from entitlements.planning.shown import (
    CHANGES_SHOWN,
    GAINS,
    LOSES,
    field_label,
    kinds_counted,
    people_named,
    rules_passed,
    shown_change,
    shown_people,
)
from entitlements.planning.timelines import timelines
from foundation.web.blocks import Section

JSON = Any
TIMELINES_SHOWN = 12
SEATS_SHOWN = 200


@dataclass(frozen=True)
class ShownSection:
    """A section of the page: its name in addresses, its title, the template that sets it, and its blocks, if any."""

    name: str
    title: str
    template: str
    section: Section | None = None


class PlanPresenter:
    """Shows plans (docs/plan-document.md) with the template entitlements/plan.html."""

    template_name = "entitlements/plan.html"

    def context(self, *, document: Mapping[str, JSON], occasion: Occasion) -> Mapping[str, Any]:
        """What the template needs; sections that the document does not have are left out."""
        labels = document.get("labels", {})
        people = document.get("people", {})
        lose, gain = people.get("lose", ()), people.get("gain", ())
        seats = document.get("seats", {})
        names = names_of(people_named(lose, gain, seats.get("rows", ())))
        changes = document.get("changes", ())
        drawings = timelines(document.get("coverage"), labels)
        telling = [shown for shown in drawings if shown.has_gap or shown.differs]
        context = {
            "changes": [shown_change(change) for change in changes[:CHANGES_SHOWN]],
            "change_count": len(changes),
            "further_changes": max(len(changes) - CHANGES_SHOWN, 0),
            "by_kind": kinds_counted(changes),
            "lose": shown_people(lose, names, labels, LOSES),
            "gain": shown_people(gain, names, labels, GAINS),
            "seats": seats,
            "seat_rows": [_seat(row, names, labels) for row in seats.get("rows", ())[:SEATS_SHOWN]],
            "timelines": telling[:TIMELINES_SHOWN],
            "quiet_timelines": [shown for shown in drawings if shown not in telling][:TIMELINES_SHOWN],
            "timelines_left_out": max(len(telling) - TIMELINES_SHOWN, 0),
            "rules_failed": [row for row in document.get("rules", ()) if not row["passed"]],
            "rules_passed": rules_passed(document.get("rules", ())),
            "enforcement_points": document.get("delivery", {}).get("enforcement_points", ()),
        }
        shown = _shown(context, block_sections(document=document, occasion=occasion))
        return context | {"sections": ordering.ordered(shown, role=occasion.role)}

    def sections(self, *, document: Mapping[str, JSON], occasion: Occasion) -> Sequence[Section]:
        """Everything as blocks, to be printed, in the order of a reader who signs for nothing in particular."""
        printed = {section.name: section for section in printing.sections(document, named=occasion.named)}
        blocks = printed | {section.name: section for section in block_sections(document=document, occasion=occasion)}
        return ordering.ordered(list(blocks.values()), role="")

    def lines(self, *, document: Mapping[str, JSON]) -> Mapping[int, Sequence[FieldLine]]:
        """What each item changes, by its position, as the page of the change says it."""
        return {
            change["position"]: [
                FieldLine(
                    line["field"], field_label(str(line["label"])), line["old"], line["new"], line.get("unit", "")
                )
                for line in change.get("lines", ())
            ]
            for change in document.get("changes", ())
        }


def block_sections(*, document: Mapping[str, JSON], occasion: Occasion) -> list[Section]:
    """The sections that are blocks on the page as well as in print."""
    labels = document.get("labels", {})
    pending = pending_changes(document=document, occasion=occasion) if occasion.live else {}
    found = [
        three_ways.section(occasion.moved, occasion.now),
        told_money.section(document=document, labels=labels, pending=pending, now=occasion.now),
        *told_terms.sections(document=document, labels=labels),
    ]
    return [section for section in found if section is not None]


def _shown(context: Mapping[str, Any], blocks: Sequence[Section]) -> list[ShownSection]:
    """The sections that have something to show."""
    own = (
        ("coverage", "Coverage, before and after", context["timelines"] or context["quiet_timelines"]),
        ("losing", "Who loses access", context["lose"].count),
        ("broken", "Rules that this breaks", context["rules_failed"]),
        ("changes", "What changes", True),
        ("gaining", "Who gains", context["gain"].count),
        ("seats", "Seats", _has_seats(context)),
        ("rules", "Rules that hold", context["rules_passed"]),
        ("delivery", "Systems that will be told", context["enforcement_points"]),
    )
    shown = [ShownSection(name, title, f"entitlements/plan/{name}.html") for name, title, there in own if there]
    return shown + [ShownSection(one.name, one.title, "entitlements/plan/blocks.html", one) for one in blocks]


def _has_seats(context: Mapping[str, Any]) -> bool:
    return bool(context["seat_rows"] or context["seats"].get("held") or context["seats"].get("released"))


def _seat(row: Mapping[str, JSON], names: Mapping[uuid.UUID, str], labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": names.get(uuid.UUID(row["person"]), ""),
        "from": labels.get(row["from"], ""),
        "to": labels.get(row["to"], row["to"]) if row["to"] else None,
        "at": datetime.fromisoformat(row["at"]) if row["at"] else None,
    }
