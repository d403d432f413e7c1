"""
Which events belong to a pack, by what their bytes say: subject, change request, instant.

Nothing derived is asked, so whoever holds the log can select again and compare.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min, Q

from audit.ledger.models import Event, EventQuerySet
from audit.packs import port
from audit.packs.errors import PackTooLarge
from audit.packs.port import Told
from audit.sealing.models import Leaf
from foundation.canonical import jsonable

# Counting the whole log by type, as far as a checkpoint covers it.
BY_TYPE = """
    SELECT event.type, count(*)
      FROM audit_event event JOIN audit_leaf leaf ON leaf.event_id = event.id
     WHERE leaf.index < %s GROUP BY event.type ORDER BY event.type
"""
SCOPES = """
    SELECT coalesce(array_agg(DISTINCT one), '{}'), (SELECT bool_or(scope IS NULL) FROM audit_event WHERE id = ANY(%s))
      FROM audit_event event, unnest(event.scope) AS one WHERE event.id = ANY(%s)
"""


@dataclass(frozen=True)
class Criteria:
    """
    What selects the events: those about `subjects` within the time, all of `requests`, and, of an audit period, all
    between the first and the last within it.
    """

    kind: str
    subjects: Sequence[uuid.UUID]
    requests: Sequence[uuid.UUID]
    since: datetime | None
    until: datetime | None
    words: str
    whole: bool

    def as_document(self) -> dict[str, Any]:
        """The criteria as JSON values."""
        document: dict[str, Any] = jsonable(
            {
                "subjects": self.subjects,
                "change_requests": self.requests,
                "since": self.since,
                "until": self.until,
                "everything_between": self.whole,
            }
        )
        return document


@dataclass(frozen=True)
class Population:
    """The events selected by id, and, of an audit period, the indexes `[first, last]` that are all among them."""

    ids: Sequence[uuid.UUID]
    between: tuple[int, int] | None


def criteria_of(*, kind: str, subject_id: uuid.UUID | None, since: datetime | None, until: datetime | None) -> Criteria:
    """What selects the events of a scope now."""
    chosen = port.scope_kind(kind).chosen(subject_id=subject_id)
    whole = kind == port.PERIOD
    subjects = sorted(chosen.subjects)
    requests = sorted(chosen.requests)
    if since is not None:
        within = Event.objects.filter(_within(since, until)).exclude(change_request_id=None)
        concerned = within if whole else within.filter(change_request_id__in=requests)
        requests = sorted({one for one in concerned.values_list("change_request_id", flat=True) if one is not None})
    return Criteria(kind, subjects, requests, since, until, chosen.words, whole)


def selected(criteria: Criteria) -> EventQuerySet:
    """The events, sealed or not; of an audit period those within the time and of its requests."""
    within = _within(criteria.since, criteria.until)
    about = within if criteria.whole else Q(subject_id__in=criteria.subjects) & within
    return Event.objects.filter(about | Q(change_request_id__in=criteria.requests))


def unsealed(criteria: Criteria, size: int) -> bool:
    """Whether an event selected is not among the first `size` of the log."""
    sealed = Leaf.objects.filter(index__lt=size).values("event_id")
    return selected(criteria).exclude(id__in=sealed).exists()


def population(criteria: Criteria, size: int) -> Population:
    """
    The events selected among the first `size` of the log.

    :raises PackTooLarge: if there are more than the installation allows
    """
    ids = set(selected(criteria).values_list("id", flat=True)[: settings.EVIDENCE_PACK_EVENTS + 1])
    between = None
    if criteria.whole:
        within = Event.objects.filter(_within(criteria.since, criteria.until)).values("id")
        leaves = Leaf.objects.filter(index__lt=size)
        edges = leaves.filter(event_id__in=within).aggregate(first=Min("index"), last=Max("index"))
        if edges["first"] is not None:
            between = (edges["first"], edges["last"])
            all_between = leaves.filter(index__range=between).values_list("event_id", flat=True)
            ids |= set(all_between[: settings.EVIDENCE_PACK_EVENTS + 1])
    if len(ids) > settings.EVIDENCE_PACK_EVENTS:
        raise PackTooLarge(
            f"The pack would hold more than {settings.EVIDENCE_PACK_EVENTS:,} events, the most that one may. Ask for a "
            "shorter time, or for less."
        )
    return Population(sorted(ids), between)


def told(ids: Sequence[uuid.UUID], size: int) -> list[Told]:
    """The events of these ids with their places, in the log's order."""
    places = dict(Leaf.objects.filter(event_id__in=ids, index__lt=size).values_list("event_id", "index"))
    rows = Event.objects.filter(id__in=places).values_list("id", "content")
    found = [
        Told(places[event_id], event_id, bytes(content), json.loads(bytes(content)))
        for event_id, content in rows.iterator(chunk_size=2000)
    ]
    return sorted(found, key=lambda event: event.index)


def counts_of_the_log(size: int) -> Mapping[str, int]:
    """How many events of each type the first `size` of the log are."""
    with connection.cursor() as cursor:
        cursor.execute(BY_TYPE, [size])
        return dict(cursor.fetchall())


def scope_of(ids: Sequence[uuid.UUID]) -> tuple[list[uuid.UUID], bool]:
    """The accounts and products that events belong to, and whether one belongs to nobody known."""
    with connection.cursor() as cursor:
        cursor.execute(SCOPES, [list(ids), list(ids)])
        scope, everything = cursor.fetchone()
    return list(scope), bool(everything)


def _within(since: datetime | None, until: datetime | None) -> Q:
    if since is None or until is None:
        return Q()
    return Q(recorded_at__gte=since, recorded_at__lt=until)
