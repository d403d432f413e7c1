"""
Conditions over typed facts: pure, over values.

A condition names a fact, a comparison and a value. Which comparisons a fact has follows from the type that its kind
declares, and the value must be of that type: `check` says so in words before a policy is filed, `compiled` refuses it
again when the policy is read.

Note "Unknown holds": a fact that an item's kind declares and the item does not have (the seats of an unlimited
entitlement, the end of a perpetual one) is unknown, and a condition on it counts as holding. Policies only add
approvals, so what is unknown asks for more of them, never for fewer.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from approvals.facts import FactType, FactUnit

JSON = Any
Facts = Mapping[str, JSON]
Declared = Mapping[str, Mapping[str, FactType]]
"""The facts that each kind declares, by the kind's name and the fact's."""
Condition = Mapping[str, JSON]


class NotEvaluable(Exception):
    """A condition that does not fit the declared facts; the message says why, for the person who can mend it."""


class _Unknown:
    """The value of a fact that is declared and absent."""


UNKNOWN = _Unknown()
_MISSING = object()


@dataclass(frozen=True)
class Comparison:
    """
    One way to compare: its words after the fact's value, and whether the value is a list.

    `said` are its words after a fact that is told by its own sentence: above {value}.
    """

    words: str
    compare: Callable[[Any, Any], bool]
    takes_list: bool = False
    said: str = ""


def _in(fact: Any, value: frozenset[Any]) -> bool:
    return fact in value


def _not_in(fact: Any, value: frozenset[Any]) -> bool:
    return fact not in value


def _shares(fact: frozenset[Any], value: frozenset[Any]) -> bool:
    return not fact.isdisjoint(value)


def _shares_none(fact: frozenset[Any], value: frozenset[Any]) -> bool:
    return fact.isdisjoint(value)


_SAME = {"is": Comparison("is", operator.eq), "is_not": Comparison("is not", operator.ne)}
_ORDER = {
    "at_least": Comparison("at least", operator.ge, said="at least {value}"),
    "more_than": Comparison("more than", operator.gt, said="above {value}"),
    "at_most": Comparison("at most", operator.le, said="at most {value}"),
    "less_than": Comparison("less than", operator.lt, said="below {value}"),
}
_AMONG = {
    "in": Comparison("one of", _in, takes_list=True),
    "any_of": Comparison("one of", _in, takes_list=True),
    "none_of": Comparison("none of", _not_in, takes_list=True),
}
_SETS = {
    "any_of": Comparison("any of", _shares, takes_list=True),
    "none_of": Comparison("none of", _shares_none, takes_list=True),
}
COMPARISONS: Mapping[FactUnit, Mapping[str, Comparison]] = {
    FactUnit.TEXT: _SAME | _AMONG,
    FactUnit.TEXTS: _SETS,
    FactUnit.INTEGER: _SAME | _ORDER,
    FactUnit.DECIMAL: _SAME | _ORDER,
    FactUnit.BOOLEAN: _SAME,
    FactUnit.INSTANT: _ORDER,
}
OPERATORS = tuple(dict.fromkeys(name for comparisons in COMPARISONS.values() for name in comparisons))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition whose value was read under its fact's type; `said` is its threshold after the fact's own sentence."""

    field: str
    compare: Callable[[Any, Any], bool]
    value: Any
    words: str
    fact: FactType
    said: str


@dataclass(frozen=True)
class Item:
    """One item's facts, read under their types: declared and absent ones are UNKNOWN."""

    values: Mapping[str, Any]
    shown: Facts


def read_item(*, facts: Facts, declared: Declared) -> Item:
    """
    An item's facts under the types that its kind declares.

    What cannot be read under its type is unknown.

    :raises NotEvaluable: if no app declares the kind
    """
    own = declared.get(str(facts.get("kind")))
    if own is None:
        raise NotEvaluable(f"no app declares the facts of “{facts.get('kind')}”")
    return Item({name: _read_fact(fact, facts.get(name)) for name, fact in own.items()}, facts)


def compiled(*, condition: Condition, declared: Declared) -> Compiled:
    """
    A condition ready to be compared.

    :raises NotEvaluable: if it names a fact that no kind declares, a comparison that the fact's type does not have, or
        a value of another type
    """
    name, comparison, value = (condition.get(key, _MISSING) for key in ("field", "operator", "value"))
    if _MISSING in (name, comparison, value):
        raise NotEvaluable("a condition needs a fact, a comparison and a value")
    fact = _declared_fact(str(name), declared)
    comparisons = COMPARISONS[fact.type]
    found = comparisons.get(str(comparison))
    if found is None:
        raise NotEvaluable(
            f"“{name}” is {_TYPE_WORDS[fact.type]}, which has no comparison “{comparison}”: use one of "
            f"{', '.join(comparisons)}"
        )
    read = _read_value(fact, value, found)
    _check_chosen(fact, read, declared)
    words = f"{found.words} {_listed(value)}"
    said = found.said.format(value=f"{_listed(value)}{_unit(fact)}") if found.said else ""
    return Compiled(fact.name, found.compare, read, words, fact, said)


def check(*, conditions: Sequence[Condition], declared: Declared) -> tuple[str, ...]:
    """Sentences for what is wrong with conditions; empty if they can be evaluated."""
    found = []
    for position, condition in enumerate(conditions, start=1):
        try:
            compiled(condition=condition, declared=declared)
        except NotEvaluable as error:
            found.append(f"Condition {position}: {error}.")
    return tuple(found)


def holds(*, conditions: Sequence[Compiled], values: Mapping[str, Any]) -> bool:
    """Whether every condition holds of one item's values; see the note "Unknown holds"."""
    for condition in conditions:
        fact = values.get(condition.field, _MISSING)
        # Of another kind: the policy is not about this item.
        if fact is _MISSING:
            return False
        if fact is not UNKNOWN and not condition.compare(fact, condition.value):
            return False
    return True


def explain(*, conditions: Sequence[Compiled], item: Item) -> str:
    """Why conditions hold of an item, in words that people read: without kinds and ids."""
    return "; ".join(_explain(condition, item) for condition in conditions if condition.field not in _UNSAID)


_UNSAID = frozenset({"kind", "record_type", "accounts", "products"})


def _explain(condition: Compiled, item: Item) -> str:
    name = condition.field.replace("_", " ")
    value = item.values[condition.field]
    if value is UNKNOWN:
        return f"{name} has no limit or is not known, {condition.words}"
    told = _listed(_meant(condition, item.shown[condition.field]))
    if not condition.fact.says:
        return f"{name} is {told}{_unit(condition.fact)}, {condition.words}"
    if condition.fact.type is FactUnit.BOOLEAN:
        yes, _, no = condition.fact.says.partition("|")
        return yes if value else no or f"not: {yes}"
    sentence = condition.fact.says.format(value=told)
    return f"{sentence}, {condition.said}" if condition.said else sentence


def _meant(condition: Compiled, shown: JSON) -> JSON:
    """What made a condition hold: of several texts those that it names, else the whole value."""
    if condition.compare is not _shares:
        return shown
    return [text for text in shown if text in condition.value]


def _listed(value: JSON) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _check_chosen(fact: FactType, value: Any, declared: Declared) -> None:
    """Refuse values that the fact never has, whichever kind declares it: such a condition would never hold."""
    declaring = [facts[fact.name] for facts in declared.values() if fact.name in facts]
    if not all(one.choices for one in declaring):
        return
    choices = {choice for one in declaring for choice in one.choices}
    wrong = sorted((value if isinstance(value, frozenset) else {value}) - choices)
    if wrong:
        raise NotEvaluable(f"“{fact.name}” is never {', '.join(wrong)}: use one of {', '.join(sorted(choices))}")


def _unit(fact: FactType) -> str:
    if fact.unit == "percent":
        return " %"
    return f" {fact.unit}" if fact.unit not in ("", "currency", "UTC") else ""


def _declared_fact(name: str, declared: Declared) -> FactType:
    for facts in declared.values():
        if name in facts:
            return facts[name]
    known = sorted({fact for facts in declared.values() for fact in facts})
    raise NotEvaluable(f"no kind of change has a fact “{name}”: use one of {', '.join(known)}")


_TYPE_WORDS: Mapping[FactUnit, str] = {
    FactUnit.TEXT: "a text",
    FactUnit.TEXTS: "a list of texts",
    FactUnit.INTEGER: "a whole number",
    FactUnit.DECIMAL: "a number",
    FactUnit.BOOLEAN: "yes or no",
    FactUnit.INSTANT: "an instant with its offset, such as 2027-01-01T00:00:00Z",
}


def _read_fact(fact: FactType, value: JSON) -> Any:
    if value is None:
        return UNKNOWN
    try:
        return _READERS[fact.type](value)
    except ValueError:
        return UNKNOWN


def _read_value(fact: FactType, value: JSON, comparison: Comparison) -> Any:
    listed = value if isinstance(value, list | tuple) else [value]
    element = FactUnit.TEXT if fact.type is FactUnit.TEXTS else fact.type
    if not comparison.takes_list and isinstance(value, list | tuple):
        raise NotEvaluable(f"“{fact.name}” is compared with one value, not with a list")
    if not listed:
        raise NotEvaluable(f"“{fact.name}” is compared with an empty list")
    try:
        read = [_READERS[element](one) for one in listed]
    except ValueError:
        raise NotEvaluable(f"“{fact.name}” is compared with {value!r}, which is not {_TYPE_WORDS[element]}") from None
    return frozenset(read) if comparison.takes_list else read[0]


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _texts(value: JSON) -> frozenset[str]:
    if not isinstance(value, list | tuple):
        raise ValueError(value)
    return frozenset(map(_text, value))


def _integer(value: JSON) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(value)
    return value


def _decimal(value: JSON) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(value)
    try:
        read = Decimal(value)
    except InvalidOperation:
        raise ValueError(value) from None
    if not read.is_finite():
        raise ValueError(value)
    return read


def _boolean(value: JSON) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _instant(value: JSON) -> datetime:
    read = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if read.tzinfo is None:
        raise ValueError(value)
    return read


_READERS: Mapping[FactUnit, Callable[[JSON], Any]] = {
    FactUnit.TEXT: _text,
    FactUnit.TEXTS: _texts,
    FactUnit.INTEGER: _integer,
    FactUnit.DECIMAL: _decimal,
    FactUnit.BOOLEAN: _boolean,
    FactUnit.INSTANT: _instant,
}
