"""The base of admin pages that are only read."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from foundation.web.admin import TenureAdmin


class ReadingAdmin(TenureAdmin):
    """Pages of a table that services, triggers or application write: nobody adds, edits or deletes its rows here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer no: rows come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: rows change through services."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer whether the table may be read, whatever permissions the app has."""
        return bool(self.has_view_permission(request))

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Refuse: nothing leads here."""
        raise RuntimeError(f"{type(self).__name__} shows rows and never saves one.")


def found_by(
    queryset: QuerySet[Any], text: str, *, uuids: Sequence[str], texts: Sequence[str] = ()
) -> tuple[QuerySet[Any], bool]:
    """
    Search without casting a key to text, which no index serves.

    Return the rows in which one of the columns `uuids` is the whole UUID that was typed or one of the columns `texts`
    holds the words, and that none of them comes twice; nothing typed finds everything.
    """
    words = text.strip()
    if not words:
        return queryset, False
    condition = Q(*((f"{column}__icontains", words) for column in texts), _connector=Q.OR) if texts else Q(pk__in=[])
    try:
        key = uuid.UUID(words)
    except ValueError:
        return queryset.filter(condition), False
    return queryset.filter(condition | Q(*((column, key) for column in uuids), _connector=Q.OR)), False
