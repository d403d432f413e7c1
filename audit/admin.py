"""Admin pages of the ledger: read, and nothing else."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter

from audit import contributors
from audit.explorer import reading
from audit.ledger.models import NEWEST_FIRST, Event
from foundation.identity.models import User
from foundation.web.reading import ReadingAdmin, found_by


class TypeFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Events of one type."""

    title = "type"
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the types that an app registered."""
        return [(name, name) for name in sorted(contributors.event_types())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the events of the type chosen."""
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadingAdmin):
    """The ledger's events, newest first, each as a sentence."""

    list_display = ("recorded_at", "sentence", "subject_label")
    list_display_links = ("recorded_at", "sentence")
    list_filter = (TypeFilter, ("recorded_at", RangeDateTimeFilter))
    date_hierarchy = "recorded_at"
    search_fields = ("type", "subject_label")
    search_help_text = "Words of type or subject, or the whole id of an event, record, change request or user."
    ordering = NEWEST_FIRST
    fields = (
        "recorded_at",
        "sentence",
        "type",
        "actor_name",
        "subject_type",
        "subject_label",
        "subject_id",
        "change_request_id",
        "data",
    )
    readonly_fields = ("sentence", "actor_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Return the events that the user may see, with their actors' names in the same query."""
        if not isinstance(request.user, User):
            return Event.objects.none()
        return Event.objects.visible_to(request.user).with_actors().newest_first().defer("content", "words")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Find by words of type and subject, or by a whole UUID."""
        return found_by(
            queryset,
            search_term,
            uuids=("id", "subject_id", "change_request_id", "actor_id"),
            texts=("type", "subject_label"),
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show an event; what it holds that is sensitive is noted as read."""
        if context.get("original") is not None:
            reading.note(context["original"])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead back: an event has no history, it is one."""
        return HttpResponseRedirect(reverse("admin:audit_event_change", args=[object_id]))

    @admin.display(description="What happened")
    def sentence(self, obj: Event) -> str:
        """Return the event told to a person."""
        return reading.sentence(obj, self.actor_name(obj))

    @admin.display(description="By")
    def actor_name(self, obj: Event) -> str:
        """Return who acted."""
        return getattr(obj, "named", None) or reading.THE_SYSTEM
