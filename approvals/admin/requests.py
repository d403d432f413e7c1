"""Admin pages of change requests: read here, decided on in the portal."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from approvals import governed
from approvals.admin import landing
from approvals.admin.access import may_read
from approvals.requests import given_out, schedules
from approvals.requests.models import ChangeRequest
from approvals.requests.rules import REQUIRED
from approvals.requests.services import current
from approvals.requests.states import DONE, PRESENTATIONS, Status
from approvals.verification.rules import criteria
from foundation.identity.models import User
from foundation.web.reading import ReadingAdmin

_TONES = {"neutral": "", "info": "info", "success": "success", "warning": "warning", "danger": "danger"}
STATUS_LABELS = {status.label: _TONES[PRESENTATIONS[status].tone] for status in Status}
_UNTITLED = "–"


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadingAdmin):
    """Requests to change governed records, newest first."""

    list_display = ("number", "title", "status_shown", "waits_for", "created_by", "created_at", "source")
    list_display_links = ("number", "title")
    list_select_related = ("created_by",)
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", RangeDateTimeFilter))
    date_hierarchy = "created_at"
    search_fields = ("title", "number__exact")
    ordering = ("-number",)
    fields = (
        "number",
        "title",
        "status_shown",
        "waits_for",
        "page",
        "created_by",
        "created_at",
        "summary",
        "changes",
        "rationale",
        "schedule",
        "applied_at",
        "applied_by",
        "verification",
    )
    readonly_fields = (
        "status_shown",
        "waits_for",
        "page",
        "summary",
        "changes",
        "rationale",
        "schedule",
        "verification",
    )

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer for everybody of staff with a role."""
        return may_read(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChangeRequest]:
        """Return the requests whose every account and product the user may see (INV-12)."""
        requests: QuerySet[ChangeRequest] = super().get_queryset(request)
        if not isinstance(request.user, User):
            return requests.none()
        return requests.filter(pk__in=ChangeRequest.objects.visible_to(request.user).values("pk"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Find by words of the title, or by number."""
        number = search_term.strip().lstrip("#")
        if number.isdecimal() and len(number) <= 18:
            return queryset.filter(number=int(number)), False
        return queryset.filter(title__icontains=search_term.strip()) if search_term.strip() else queryset, False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the request's events in the ledger."""
        return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?q={object_id}")

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def status_shown(self, obj: ChangeRequest) -> str:
        """Return the status in words."""
        return obj.status_label

    @admin.display(description="Waits for")
    def waits_for(self, obj: ChangeRequest) -> str:
        """Return who acts next."""
        return PRESENTATIONS[Status(obj.status)].owner

    @admin.display(description="Where it is decided")
    def page(self, obj: ChangeRequest) -> str:
        """Return a link to the request's page."""
        return format_html('<a class="underline" href="{}">Change {}</a>', landing.url_of(obj), obj.number)

    @admin.display(description="What would happen")
    def summary(self, obj: ChangeRequest) -> str:
        """Return the first line of the plan."""
        return str(current(obj).plan.get("summary") or _UNTITLED)

    @admin.display(description="Changes")
    def changes(self, obj: ChangeRequest) -> str:
        """Return each record's difference."""
        plan = current(obj).plan
        given_out.note(obj, plan)
        return format_html_join("", '<p class="mb-2"><strong>{}</strong><br>{}</p>', _told(plan))

    @admin.display(description="When")
    def schedule(self, obj: ChangeRequest) -> str:
        """Return the window in which the clock applies it, if there is one."""
        window = schedules.of(current(obj).document)
        return f"To be applied {window.local}" if window else "When somebody applies it, after the last approval"

    @admin.display(description="After application")
    def verification(self, obj: ChangeRequest) -> str:
        """Return each criterion with what was seen of it last."""
        if obj.status not in DONE or obj.system:
            return _UNTITLED
        found = criteria(change_request=obj, revision=current(obj))
        rows = (
            (one.text, f"{one.latest}, by {one.latest.checked_by}" if one.latest else "not checked") for one in found
        )
        return format_html_join("", '<p class="mb-2"><strong>{}</strong> {}</p>', rows)

    @admin.display(description="Why")
    def rationale(self, obj: ChangeRequest) -> str:
        """Return the reasons, and which are missing."""
        rows = (
            (name.replace("_", " ").capitalize(), _listed(current(obj).rationale.get(name)) or "not said yet")
            for name in REQUIRED
        )
        return format_html_join("", '<p class="mb-2"><strong>{}:</strong> {}</p>', rows)


def _told(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            f"{_kind_title(change['kind'])}: {change['label']}",
            format_html_join("", "{}: {} → {}<br>", [(*_values(line),) for line in change["lines"]]),
        )
        for change in plan.get("changes", [])
    ]


def _kind_title(name: str) -> str:
    known = governed.kinds().get(name)
    return known.title if known is not None else name


def _values(line: dict[str, Any]) -> tuple[str, str, str]:
    return (
        line["label"][:1].upper() + line["label"][1:],
        _listed(line["old"]) or _UNTITLED,
        _listed(line["new"]) or _UNTITLED,
    )


def _listed(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(str(part) for part in value)
    return "" if value is None else str(value)
