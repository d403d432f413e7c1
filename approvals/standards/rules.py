"""
Whether items are inside a template's bounds: pure, over values.

Note "Unknown does not hold": the contrary of policies. A policy only adds approvals, so there what is unknown asks for
more of them; a template takes them away, so here a bound on an unknown value is not kept.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from approvals.facts import FactType, FactUnit
from approvals.policies.conditions import (
    UNKNOWN,
    Compiled,
    Declared,
    Facts,
    Item,
    NotEvaluable,
    compiled,
    read_item,
)

JSON = Any
COUNTED = frozenset({FactUnit.INTEGER, FactUnit.DECIMAL})


@dataclass(frozen=True)
class Citation:
    """The version of a template that a revision cites; part of what its digest covers."""

    template_id: uuid.UUID
    name: str
    version: int


@dataclass(frozen=True)
class TemplateRow:
    """A template as values: what `approvals.standards.models.StandardTemplate` holds of its bounds."""

    name: str
    kinds: Sequence[str]
    conditions: Sequence[Mapping[str, JSON]]


def unmet(*, template: TemplateRow, facts: Sequence[Facts], declared: Declared) -> tuple[str, ...]:
    """
    Sentences for what keeps items out of a template's bounds, each named once; empty if every item is inside.

    A bound that cannot be evaluated is not kept, and neither is one on an unknown value.
    """
    if not template.conditions:
        return (f"The template “{template.name}” has no bounds, so it covers nothing.",)
    try:
        bounds = [compiled(condition=condition, declared=declared) for condition in template.conditions]
        items = [read_item(facts=one, declared=declared) for one in facts]
    except NotEvaluable as error:
        return (f"The template “{template.name}” cannot be evaluated: {error}.",)
    found = [sentence for item in items for sentence in _unmet_of(item, template, bounds)]
    return tuple(dict.fromkeys(found))


def _unmet_of(item: Item, template: TemplateRow, bounds: Sequence[Compiled]) -> list[str]:
    kind = str(item.shown.get("kind"))
    if kind not in template.kinds:
        return [f"The template “{template.name}” does not pre-approve {kind}; it covers {', '.join(template.kinds)}."]
    return [sentence for bound in bounds if (sentence := _why_outside(bound, item))]


def _why_outside(bound: Compiled, item: Item) -> str:
    name = bound.field.replace("_", " ")
    value = item.values.get(bound.field, UNKNOWN)
    if value is UNKNOWN:
        return f"{name.capitalize()} has no limit or is not known; allowed is {allowed(bound)}."
    if bound.compare(value, bound.value):
        return ""
    shown = item.shown[bound.field]
    said = ", ".join(map(str, shown)) if isinstance(shown, list | tuple) else str(shown)
    return f"{name.capitalize()} is {said or 'none'}{unit_of(bound)}; allowed is {allowed(bound)}."


def allowed(bound: Compiled) -> str:
    """A bound's comparison and value in words: at most 50."""
    return bound.words.removeprefix("is ")


def unit_of(bound: Compiled) -> str:
    """The unit of a bound's fact, with a space before it, where it is worth saying."""
    unit = bound.fact.unit
    return f" {unit}" if unit not in ("", "currency", "UTC") else ""


def in_words(*, conditions: Sequence[Mapping[str, JSON]], declared: Declared) -> tuple[str, ...]:
    """Each bound as people read it: seats after: at most 50 seats."""
    said = []
    for condition in conditions:
        try:
            bound = compiled(condition=condition, declared=declared)
        except NotEvaluable as error:
            said.append(f"A bound that cannot be evaluated, so nothing is covered: {error}")
        else:
            said.append(f"{bound.field.replace('_', ' ').capitalize()}: {allowed(bound)}{unit_of(bound)}")
    return tuple(said)


def misfits(
    *, kinds: Sequence[str], conditions: Sequence[Mapping[str, JSON]], facts: Sequence[str], declared: Declared
) -> tuple[str, ...]:
    """
    Sentences for bounds that no change of a pre-approved kind could keep, because the kind does not have the fact, and
    for accumulated facts that are no numbers.
    """
    found = []
    for kind in kinds:
        own: Mapping[str, FactType] = declared.get(kind, {})
        for field in (str(condition.get("field")) for condition in conditions):
            if field not in own:
                found.append(f"A change of the kind {kind} has no “{field}”, so it would never be inside this bound.")
        for fact in facts:
            if fact not in own or own[fact].type not in COUNTED:
                found.append(f"A change of the kind {kind} has no number “{fact}” that could be added up.")
    return tuple(dict.fromkeys(found))


def amount(*, fact: str, facts: Facts, declared: Declared) -> Decimal | None:
    """How much of a fact an item moves, up or down; None if that is not known."""
    try:
        value = read_item(facts=facts, declared=declared).values.get(fact, UNKNOWN)
    except NotEvaluable:
        return None
    return None if value is UNKNOWN else abs(Decimal(value))


def beyond(
    *,
    fact: str,
    at_most: int,
    items: Sequence[Facts],
    earlier: Sequence[Facts],
    declared: Declared,
) -> tuple[str, ...]:
    """
    Sentences for accounts for which items would move more of a fact than a template allows, earlier ones included.

    What is moved up and what is moved down both count, so that nothing is made room for by undoing it.
    """
    name = fact.replace("_", " ")
    totals: dict[str, Decimal] = {}
    for one in (*earlier, *items):
        moved = amount(fact=fact, facts=one, declared=declared)
        accounts = [str(account) for account in one.get("accounts") or ()]
        if moved is None or not accounts:
            return (f"How much of “{name}” this and the earlier ones move, and for whom, is not known.",)
        for account in accounts:
            totals[account] = totals.get(account, Decimal(0)) + moved
    asked = {str(account) for one in items for account in one["accounts"]}
    return tuple(
        f"Accumulated {name} of one account would be {totals[account]} in 30 days; allowed is at most {at_most}."
        for account in sorted(asked)
        if totals[account] > at_most
    )
