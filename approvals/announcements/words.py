"""What a subscription asks for, in words: accounts and products by name, where the reader may know them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from approvals import governed
from approvals.announcements.models import Subscription
from approvals.announcements.rules import named_ids
from approvals.governed import Scope
from approvals.policies.conditions import NotEvaluable, compiled
from foundation.identity.models import User

_SUBJECTS = {
    "aspects_touched": "what changes is",
    "fields_touched": "the field is",
    "accounts": "the account is",
    "products": "the product is",
    "people_losing_access": "people losing access are",
    "people_gaining_access": "people gaining access are",
}


def names_in(subscriptions: Sequence[Subscription], user: User) -> Mapping[UUID, str]:
    """What the accounts and products that subscriptions name are called, in two queries however many there are."""
    rows = [condition for one in subscriptions for condition in one.conditions]
    return governed.access().names(scope=Scope(named_ids(rows, "accounts"), named_ids(rows, "products")), user=user)


def in_words(*, subscription: Subscription, names: Mapping[UUID, str]) -> str:
    """Which changes a subscription is about, as the rest of a sentence: “every change”, “changes where …”."""
    if not subscription.conditions:
        return "every change"
    return "changes where " + ", and ".join(_said(condition, names) for condition in subscription.conditions)


def _said(condition: Mapping[str, Any], names: Mapping[UUID, str]) -> str:
    field = str(condition.get("field", ""))
    fact = field.replace("_", " ")
    try:
        bound = compiled(condition=condition, declared=governed.declared_facts())
    except NotEvaluable:
        return f"{fact} can’t be compared any more (everything matches)"
    words = bound.words.removesuffix(_listed(condition["value"])).removeprefix("is ")
    value = condition["value"]
    shown = [_named(str(one), names) for one in value] if isinstance(value, list) else [_value(value, names)]
    return f"{_SUBJECTS.get(field, f'{fact} is')} {words}{', '.join(shown)}"


def _value(value: Any, names: Mapping[UUID, str]) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else _named(str(value), names)


def _named(text: str, names: Mapping[UUID, str]) -> str:
    try:
        return names.get(UUID(text), text)
    except ValueError:
        return text.replace("_", " ")


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
