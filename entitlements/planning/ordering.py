"""In which order the sections of a plan stand: each role sees first what it signs for."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

ORDER = (
    "losing",
    "changes",
    "coverage",
    "cost",
    "parties",
    "notice",
    "clauses",
    "consent",
    "screening",
    "hosting",
    "gaining",
    "seats",
    "rules",
    "delivery",
)  # fmt: skip
# What cannot be applied as it is concerns everybody.
ALWAYS_FIRST = ("moved", "broken")
FIRST: Mapping[str, tuple[str, ...]] = {
    "finance": ("cost", "notice", "changes"),
    "procurement": ("cost", "parties", "notice", "changes"),
    "legal": ("clauses", "parties", "notice", "consent", "screening", "hosting"),
    "licensing": ("changes", "losing", "gaining", "seats", "coverage"),
    "product": ("changes", "losing", "gaining", "seats", "coverage"),
    "security": ("hosting", "screening", "changes"),
    "it_operations": ("coverage", "delivery", "hosting", "changes"),
}


class Named(Protocol):
    """Something with a section's name."""

    @property
    def name(self) -> str:
        """The section's name."""


N = TypeVar("N", bound=Named)


def ordered(sections: Sequence[N], *, role: str) -> list[N]:
    """The sections in a role's order; one that no order names comes last."""
    names = tuple(dict.fromkeys((*ALWAYS_FIRST, *FIRST.get(role, ()), *ORDER)))
    rank = {name: index for index, name in enumerate(names)}
    return sorted(sections, key=lambda section: rank.get(section.name, len(names)))
