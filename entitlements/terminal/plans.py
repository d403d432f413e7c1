"""A plan in the terminal, as a person would want to read it."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from approvals.policies.rules import whom
from entitlements.catalog.regions import country_name
from entitlements.directory.services import names_of

JSON = Any
MOST_LISTED = 12


def print_plan(console: Console, document: Mapping[str, JSON], stages: list[Mapping[str, JSON]]) -> None:
    """Summary first, then values, cost, people, coverage, rules, approvals."""
    style = "bold red" if document["interruption"] else "bold green"
    console.print(Text(document["summary"], style=style))
    _print_changes(console, document)
    _print_cost(console, document["cost"])
    _print_people(console, document)
    _print_coverage(console, document)
    broken = [row for row in document["rules"] if not row["passed"]]
    console.print(f"Rules: {len(document['rules']) - len(broken)} hold, {len(broken)} do not.")
    for row in broken:
        console.print(Text(f"  ✗ {row['item']}: {row['sentence']} Broken: {row['broken']}", style="red"))
    for stage in stages:
        asked = whom(role=stage["role"], people=stage["people"])
        console.print(f"Needs {stage['quorum']} × {asked}: {'; '.join(stage['reasons'])}.")


def _print_changes(console: Console, document: Mapping[str, JSON]) -> None:
    for change in document["changes"][:MOST_LISTED]:
        console.print(Text(f"\n{change['kind']}  {change['label']}", style="bold"))
        table = Table(box=None, show_header=False, pad_edge=False)
        for line in change["lines"]:
            old = "" if line["old"] is None else f"{line['old']} → "
            table.add_row(f"  {line['label']}", Text(_readable(f"{old}{line['new']} {line['unit']}".rstrip())))
        console.print(table)
    rest = len(document["changes"]) - MOST_LISTED
    if rest > 0:
        console.print(f"… and {rest} more changes.")


def _print_cost(console: Console, cost: Mapping[str, JSON]) -> None:
    if not cost["years"]:
        return
    table = Table(title="Cost by year, net", title_justify="left", box=None)
    for heading in ("Year", "Before", "After", "Change"):
        table.add_column(heading, justify="left" if heading == "Year" else "right")
    for row in cost["years"]:
        table.add_row(str(row["year"]), *(f"{row[name]} {row['currency']}" for name in ("before", "after", "change")))
    console.print(table)


def _print_people(console: Console, document: Mapping[str, JSON]) -> None:
    people, seats = document["people"], document["seats"]
    console.print(
        f"\nSeats: {seats['held']} given, {seats['released']} taken back; "
        f"{seats['moved']} holders have a successor's seat, {seats['without']} have none."
    )
    listed = [*people["lose"][:MOST_LISTED], *people["gain"][:3]]
    names = names_of(uuid.UUID(row["person"]) for row in listed)
    for title, verb, rows in (("Lose access", "from", people["lose"]), ("Gain access", "from", people["gain"])):
        if not rows:
            continue
        console.print(f"{title}: {len({row['person'] for row in rows})}")
        for row in rows[:MOST_LISTED] if title.startswith("Lose") else rows[:3]:
            until = f" to {row['until']}" if row["until"] else ""
            name = names.get(uuid.UUID(row["person"]), row["person"])
            console.print(_readable(f"  {name}, {verb} {row['at']}{until}"))


def _print_coverage(console: Console, document: Mapping[str, JSON]) -> None:
    coverage, labels = document["coverage"], document["labels"]
    for place in coverage["places"][:MOST_LISTED]:
        if place["feature"]:
            continue
        where = f"{labels.get(place['product'], place['product'])} in {country_name(place['country'])}"
        for name in ("before", "after"):
            told = [
                f"from {_readable(segment['starts_at'])} {_many(segment['capacity'])} for {segment['need']}"
                for segment in place[name]
            ]
            console.print(f"  {where}, {name}: {'; '.join(told) or 'nothing needed'}")
    for gap in coverage["gaps_after"][:MOST_LISTED]:
        until = gap["ends_at"] or "the end of what is planned"
        new = any(row["key"] == gap["key"] for row in coverage["new_gaps"])
        text = f"  gap ({gap['kind']}): {gap['count']} in {gap['country']} from {gap['starts_at']} to {until}"
        console.print(Text(_readable(text) + (", needs a waiver" if new else ", stands today already"), style="red"))


def _readable(text: str) -> str:
    """Instants within a text as people read them, in UTC."""
    return re.sub(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00|(:\d\d)(?:\.\d+)?)Z", r"\1 \2\3 UTC", text)


def _many(count: int | None) -> str:
    return "unlimited" if count is None else str(count)
