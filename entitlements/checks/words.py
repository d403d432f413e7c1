"""The words that the sentences of a reason may mention, each written only when a sentence mentions it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from entitlements.checks.rules import grace_end
from entitlements.checks.values import Metric, Question, Terms

_UNIT: Mapping[Metric, str] = {Metric.NAMED_USER: "person", Metric.DEVICE: "device"}


@dataclass(frozen=True, slots=True)
class Words:
    """What `str.format_map` looks words up in."""

    question: Question
    terms: Terms

    def __getitem__(self, word: str) -> str:
        """
        Write one word.

        :raises KeyError: if it is not one of `WRITERS`
        """
        return WRITERS[word](self.question, self.terms)


def _until(question: Question, terms: Terms) -> str:
    return f" until {_instant(terms.ends_at)}" if terms.ends_at else ", without an end"


def _environments(question: Question, terms: Terms) -> str:
    return ", ".join(sorted(terms.environments)) or "no environment at all"


def _environment(question: Question, terms: Terms) -> str:
    environment = question.effective_environment
    return environment.value if environment else ""


def _instant(instant: datetime | None) -> str:
    """Write an instant in UTC, with seconds only where it has some."""
    if instant is None:
        return ""
    moment = instant.astimezone(UTC)
    shown = moment.isoformat(sep=" ", timespec="seconds" if moment.second else "minutes")
    return shown.removesuffix("+00:00") + " UTC"


WRITERS: Mapping[str, Callable[[Question, Terms], str]] = {
    "phase": lambda question, terms: terms.phase.value,
    "until": _until,
    "starts": lambda question, terms: _instant(terms.starts_at),
    "ends": lambda question, terms: _instant(terms.ends_at),
    "grace_end": lambda question, terms: _instant(grace_end(terms)),
    "updates_end": lambda question, terms: _instant(terms.updates_until),
    "environment": _environment,
    "environments": _environments,
    "country": lambda question, terms: question.country or "",
    "release": lambda question, terms: question.release or "",
    "feature": lambda question, terms: question.feature or "",
    "unit": lambda question, terms: _UNIT.get(terms.metric, "subject"),
    "seats": lambda question, terms: "" if terms.seats is None else f"{terms.seats:,}",
    "owner": lambda question, terms: terms.owner.label if terms.owner else "the account's licensing team",
}
