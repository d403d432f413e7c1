"""Comparing a pack with the ledger that it came from: selected again, by its own criteria, under its own head."""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.ledger.models import Event
from audit.packs import archive, selection
from audit.packs.errors import NotThePack
from audit.packs.selection import Criteria
from audit.sealing.models import Leaf
from foundation.web.instants import parsed


@dataclass(frozen=True)
class Compared:
    """How many events the pack has, and what the ledger gives besides or instead, in sentences."""

    events: int
    findings: tuple[str, ...]


def compare(path: Path) -> Compared:
    """
    Select again what a pack says that it holds, and tell what differs.

    :raises NotThePack: if the file is no pack
    """
    try:
        with path.open("rb") as source:
            files = archive.read(source)
        told: Mapping[str, Any] = json.loads(files["completeness.json"])
        contents = files["ledger/events.jsonl"].split(b"\n")[:-1]
        size, listed = int(told["log"]["size"]), [int(index) for index in told["events"]["indexes"]]
        criteria = _criteria(told)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise NotThePack(f"{path} is no evidence pack, or a broken one: {error}") from error
    return Compared(len(listed), tuple(_findings(criteria, size, listed, contents, told)))


def _criteria(told: Mapping[str, Any]) -> Criteria:
    given = told["criteria"]
    return Criteria(
        kind="",
        subjects=[UUID(one) for one in given["subjects"]],
        requests=[UUID(one) for one in given["change_requests"]],
        since=parsed(given["since"]),
        until=parsed(given["until"]),
        words=told["selection"],
        whole=bool(given["everything_between"]),
    )


def _findings(
    criteria: Criteria, size: int, listed: list[int], contents: list[bytes], told: Mapping[str, Any]
) -> list[str]:
    if not Leaf.objects.filter(index=size - 1).exists():
        return [f"The pack is under a head of {size:,} events, and this ledger has fewer."]
    ids = selection.population(criteria, size).ids
    here = dict(Leaf.objects.filter(event_id__in=ids, index__lt=size).values_list("index", "event_id"))
    findings = [f"Event {index} of the ledger belongs to the selection and is not in the pack."
                for index in sorted(here.keys() - set(listed))]  # fmt: skip
    findings += [f"Event {index} is in the pack and does not belong to the selection."
                 for index in sorted(set(listed) - here.keys())]  # fmt: skip
    stored = dict(Event.objects.filter(id__in=here.values()).values_list("id", "content"))
    findings += [
        f"Event {index} has other bytes in the pack than in the ledger."
        for index, content in zip(listed, contents, strict=False)
        if index in here and bytes(stored[here[index]]) != content
    ]
    if Counter(told["log"]["by_type"]) != Counter(selection.counts_of_the_log(size)):
        findings.append("The pack counts other events of the whole ledger than there are.")
    return findings
