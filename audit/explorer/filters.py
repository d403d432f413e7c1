"""What somebody looks for among the events: parsed from what was typed or sent, and as a query."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat, Trim
from django.utils.dateparse import parse_date, parse_datetime

from audit import contributors, subjects
from foundation.errors import InvalidInput
from foundation.identity.models import User

MOST_HUMANS = 50
MOST_WORDS = 12
# A shorter beginning of a word would find nearly everything, slowly.
SHORTEST_PREFIX = 3
NAMES = ("actor", "account", "object", "change", "since", "until", "kind", "text")
_LABEL_LIMIT = 200


@dataclass(frozen=True)
class Sought:
    """
    What is looked for; what is None or empty narrows nothing.

    `humans` acted under any login; `account_id` with the units below it; `object_id`, or words of its label;
    `kinds` are names of event types; `[since, until)` are instants; `words` must all be there, each as a beginning.
    """

    humans: Sequence[uuid.UUID] | None = None
    account_id: uuid.UUID | None = None
    object_id: uuid.UUID | None = None
    label: str = ""
    change_number: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kinds: Sequence[str] | None = None
    words: Sequence[str] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows."""
        return self == Sought()


def parse(parameters: Mapping[str, str], *, zone: tzinfo) -> Sought:
    """
    Read what somebody looks for; times without an offset are meant in `zone`; a day as `until` is still within.

    :raises InvalidInput: if something can't be read, naming each parameter
    """
    given = {name: parameters.get(name, "").strip() for name in NAMES}
    errors: list[dict[str, str]] = []

    def refuse(name: str, sentence: str) -> None:
        errors.append({"param": name, "code": "invalid", "detail": sentence})

    account_id = id_of(given["account"])
    if given["account"] and account_id is None:
        refuse("account", f"“{given['account']}” is no id of an account.")
    number = given["change"].removeprefix("#")
    if number and not (number.isascii() and number.isdecimal() and len(number) < 18):
        refuse("change", f"“{given['change']}” is no number of a change. Write it as 7 or #7.")
    kinds = _kinds(given["kind"])
    if given["kind"] and not kinds:
        refuse("kind", f"“{given['kind']}” is no kind of event. Use app.entity, or app.entity.past_tense.")
    times = {name: _instant(given[name], zone, is_end=name == "until") for name in ("since", "until")}
    for name, instant in times.items():
        if given[name] and instant is None:
            refuse(name, f"“{given[name]}” is no day and no time. Write it as 2026-03-01 or 2026-03-01T14:00.")
    if errors:
        raise InvalidInput(" ".join(error["detail"] for error in errors), errors=errors)
    object_id = id_of(given["object"])
    return Sought(
        humans=humans_of(given["actor"]) if given["actor"] else None,
        account_id=account_id,
        object_id=object_id,
        label="" if object_id else given["object"][:_LABEL_LIMIT],
        change_number=int(number) if number else None,
        since=times["since"],
        until=times["until"],
        kinds=kinds if given["kind"] else None,
        words=given["text"].split()[:MOST_WORDS],
    )


def uses_gin(sought: Sought) -> bool:
    """Whether a GIN index serves one of the filters; the others have indexes that keep the order of the list."""
    return any((sought.account_id, sought.object_id, sought.label, sought.words))


def conditions_of(sought: Sought) -> Q:
    """What the events that fit fulfil, for indexes to find them; the words too, where nothing narrows more."""
    conditions = Q()
    if sought.humans is not None:
        conditions &= Q(actor_human_id__in=sought.humans)
    if sought.account_id is not None:
        conditions &= Q(scope__overlap=sorted(subjects.directory().units(sought.account_id)))
    if sought.object_id is not None:
        conditions &= Q(subject_id=sought.object_id) | Q(records__contains=[sought.object_id])
    if sought.label:
        conditions &= Q(subject_label__icontains=sought.label) & Q(words=_query(sought.label.split()[:MOST_WORDS]))
    if sought.change_number is not None:
        request = RawSQL(subjects.requests().id_sql, [sought.change_number])  # noqa: S611  a registered constant
        # What was read of a request is about it and no step of it.
        conditions &= Q(change_request_id=request) | Q(subject_id=request)
    if sought.since is not None:
        conditions &= Q(recorded_at__gte=sought.since)
    if sought.until is not None:
        conditions &= Q(recorded_at__lt=sought.until)
    if sought.kinds is not None:
        conditions &= Q(type__in=sought.kinds)
    if sought.words:
        holds = Q(words=_query(sought.words))
        # An account's or a record's events are few beside those with a common word: there words are compared.
        conditions &= Q(compared(holds)) if sought.account_id or sought.object_id else holds
    return conditions


def compared(condition: Q) -> Case:
    """A condition that no index is asked about: each row that is met is compared, half of which PostgreSQL expects."""
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _query(words: Sequence[str]) -> SearchQuery:
    # Quoted, a word is parsed as those of the events were; quotes within it are doubled.
    quoted = [
        "'" + word.replace("\\", "\\\\").replace("'", "''") + "'" + (":*" if len(word) >= SHORTEST_PREFIX else "")
        for word in words
    ]
    return SearchQuery(" & ".join(quoted), config="simple", search_type="raw")


def id_of(text: str) -> uuid.UUID | None:
    """The id that a text is, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _kinds(text: str) -> list[str]:
    return sorted(name for name in contributors.event_types() if name == text or name.startswith(f"{text}."))


def humans_of(text: str) -> list[uuid.UUID]:
    """The humans whom an id, a login or a name means; none if nobody is called so."""
    key = id_of(text)
    if key is not None:
        return [key]
    users = User.objects.annotate(full_name=Trim(Concat("first_name", Value(" "), "last_name")))
    exact = set(users.filter(Q(username__iexact=text) | Q(full_name__iexact=text)).values_list("human_id", flat=True))
    if exact:
        return sorted(exact)
    near = users.filter(Q(username__icontains=text) | Q(full_name__icontains=text))
    return sorted(set(near.order_by("human_id").values_list("human_id", flat=True)[:MOST_HUMANS]))


def login_of(text: str) -> str:
    """The login of a human who was named by id, for a form to show; any other text as it is."""
    key = id_of(text.strip())
    if key is None:
        return text
    return User.objects.filter(human_id=key).order_by("id").values_list("username", flat=True).first() or text


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _instant(text: str, zone: tzinfo, *, is_end: bool) -> datetime | None:
    try:
        if _DAY.fullmatch(text):
            day = parse_date(text)
            return None if day is None else datetime.combine(day + timedelta(days=is_end), time.min, zone)
        found = parse_datetime(text)
        if found is not None and found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        # An instant that no time zone can show is none.
        return found and found.astimezone(zone) and found
    except (ValueError, OverflowError):
        return None
