"""Admin pages of emergency permits: read and never edited."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from approvals.admin import landing
from approvals.admin.access import may_read
from approvals.permits.models import Permit
from approvals.permits.queries import visible_permits
from foundation.identity.models import User
from foundation.web.reading import ReadingAdmin


@admin.register(Permit)
class PermitAdmin(ReadingAdmin):
    """Emergency permits, newest first."""

    list_display = ("issued_at", "change", "user", "used_at", "review_due_at", "outcome")
    list_select_related = ("change_request", "user")
    list_filter: ClassVar[list[Any]] = ["outcome"]
    ordering = ("-issued_at",)
    fields = (
        "change",
        "user",
        "reason",
        "issued_at",
        "expires_at",
        "used_at",
        "review_due_at",
        "reviewed_at",
        "outcome",
        "said",
    )
    readonly_fields = ("change", "said")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer for everybody of staff with a role."""
        return may_read(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permit]:
        """Return the permits whose request the user may see (INV-12)."""
        permits: QuerySet[Permit] = super().get_queryset(request)
        if not isinstance(request.user, User) or not may_read(request):
            return permits.none()
        return permits.filter(pk__in=visible_permits(user=request.user).values("pk"))

    @admin.display(description="Change")
    def change(self, obj: Permit) -> str:
        """Return a link to the change's page."""
        url = landing.url_of(obj.change_request)
        return format_html('<a class="underline" href="{}">Change {}</a>', url, obj.change_request.number)

    @admin.display(description="Reviews")
    def said(self, obj: Permit) -> str:
        """Return what reviewers said."""
        rows = obj.reviews.select_related("reviewer").order_by("decided_at", "id")
        lines = ((row.verdict_label, row.reviewer, row.comment) for row in rows)
        return format_html_join("", '<p class="mb-2"><strong>{}</strong>: {} {}</p>', lines) or "–"
