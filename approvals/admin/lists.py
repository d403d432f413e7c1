"""What lists of governed records share."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter


class UseFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """In use or retired; in use unless something else is chosen."""

    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Return what can be chosen besides all."""
        return [("current", "In use"), ("retired", "Retired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows chosen."""
        if self.value() in {"current", "retired"}:
            return queryset.filter(retired_at__isnull=self.value() == "current")
        return queryset
