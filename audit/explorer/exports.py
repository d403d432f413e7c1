"""The events that fit as a table for spreadsheets, all pages of them; taking it is an event itself."""

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from django.db.models import CharField, F, Func, Value

from audit.explorer import reading
from audit.ledger.models import Event
from audit.reads.collecting import gave_export
from foundation.identity.models import User
from foundation.web.spreadsheets import lines

COLUMNS = (
    "Recorded at", "What happened", "By", "Kind", "Subject", "Sort of subject", "Subject's id", "Change", "Event's id",
    "SHA-256 of its bytes",
)  # fmt: skip
AT_ONCE = 1000
FILE_NAME = "audit-events.csv"


def exported(*, user: User, parameters: Mapping[str, str], zone: tzinfo) -> Iterator[str]:
    """
    Lines of CSV, newest first, instants in UTC; the export is noted, and so recorded before the first of them.

    :raises NotPermitted: if the user may see no events
    :raises InvalidInput: if a parameter can't be read
    """
    found = reading.found(user=user, parameters=parameters, zone=zone)
    digest = Func(Func(F("content"), function="sha256"), Value("hex"), function="encode", output_field=CharField())
    gave_export("events of the audit log", "CSV", filter=reading.sought_in_words(parameters))
    rows = found.indexed.annotate(digest=digest).newest_first()
    named = reading.named_in_parts(rows.iterator(chunk_size=AT_ONCE), rows=AT_ONCE)
    return lines(COLUMNS, (_cells(event) for event in named))


def _cells(event: Event) -> tuple[Any, ...]:
    told = reading.told(event)
    return (
        event.recorded_at.astimezone(UTC).isoformat(),
        told.sentence,
        told.actor,
        event.type,
        event.subject_label,
        told.subject_words,
        event.subject_id,
        told.change_number,
        event.id,
        event.digest,  # type: ignore[attr-defined]  # annotated above
    )
