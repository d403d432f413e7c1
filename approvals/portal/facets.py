"""
The port through which the apps above offer filters over what they govern.

Approvals knows the ids that items touch, not what they are called: an app registers, for accounts and for products, the
names that a reader may choose from.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from foundation.identity.models import User

Choice = tuple[uuid.UUID, str]


@dataclass(frozen=True)
class Facet:
    """A filter: the query parameter, its label, the scope's column, and the choices that a reader may see."""

    name: str
    label: str
    column: Literal["account_id", "product_id"]
    choices: Callable[[User], Sequence[Choice]]


_FACETS: dict[str, Facet] = {}


def register_facets(*new: Facet) -> None:
    """Make filters known; one of the same name is replaced."""
    _FACETS.update({facet.name: facet for facet in new})


def facets() -> tuple[Facet, ...]:
    """All registered filters, in the order of registration."""
    return tuple(_FACETS.values())
