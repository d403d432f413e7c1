"""Admin pages show the same rows as every other surface (INV-12)."""

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from approvals.admin.access import may_read
from foundation.identity.models import User
from foundation.web.reading import ReadingAdmin


class Seen:
    """Rows that a user may see, as `sees` says."""

    sees: ClassVar["staticmethod[[User], QuerySet[Any]]"]

    def visible(self, queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return those of the rows that the user may see, in one query."""
        if not isinstance(request.user, User):
            return queryset.none()
        return queryset.filter(pk__in=type(self).sees(request.user).values("pk"))


class SeenReadingAdmin(Seen, ReadingAdmin):
    """Pages of an operational table, read by everybody of staff with a role."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible rows."""
        return self.visible(super().get_queryset(request), request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer for everybody of staff with a role."""
        return may_read(request)
