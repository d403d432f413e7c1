"""Admin pages of the foundation's own tables. Logins and roles have theirs in the registry, where grants are known."""

import knox.admin  # noqa: F401  registers its page, which is taken away below
from django.contrib import admin
from knox.models import AuthToken
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from foundation.outbox.models import OutboxMessage
from foundation.web.reading import ReadingAdmin

# Its page would write tokens past the interface that scopes them and records their events.
admin.site.unregister(AuthToken)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadingAdmin):
    """What is to leave the database, and how far it got."""

    list_display = ("kind", "status", "attempts", "created_at", "next_attempt_at", "done_at", "dead_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("kind", "key")
    ordering = ("-created_at", "id")
    fields = (
        "kind",
        "key",
        "status",
        "attempts",
        "created_at",
        "next_attempt_at",
        "leased_until",
        "done_at",
        "dead_at",
        "last_error",
    )
