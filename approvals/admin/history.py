"""The history of a governed record: what changed when, by whom, by which change request; read and never edited."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from approvals.admin import landing
from approvals.admin.words import changes_between
from approvals.requests.models import ChangeRequest
from audit.reads.collecting import gave_fields
from foundation.identity.models import User
from foundation.web.admin import HistoryAdmin


class ReadHistory(HistoryAdmin):
    """History pages: only of records that the user may see, each version with its change request."""

    object_history_list_template = "proposing/history_list.html"
    object_history_form_template = "proposing/history_form.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; what is sensitive of its rows is noted as read."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            self._note(self.list_display, shown.result_list)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the record, or one version of it; what is sensitive is noted as read."""
        if context.get("original") is not None:
            self._note_whole(context["original"])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _note(self, fields: Any, records: Any) -> None:
        gave_fields(self.opts.label_lower, fields, records)

    def _note_whole(self, record: Any) -> None:
        self._note([field.name for field in self.opts.concrete_fields], [record])

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """
        Show the record's versions.

        :raises Http404: if the user may not see the record
        """
        self._note_whole(self.visible_record(request, object_id))
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """
        Show one version, with nothing to edit.

        :raises Http404: if the user may not see the record
        """
        self._note_whole(self.visible_record(request, object_id))
        request.reads_history = True  # type: ignore[attr-defined]  # carried to the permissions of this request
        return super().history_form_view(request, object_id, version_id, extra_context)

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: Any, foreign_keys_are_objs: bool = True
    ) -> None:
        """Add to each version what it changed in words, and the change request if the user may see it."""
        rows = list(historical_records)
        numbers = {row.change_request_number for row in rows if row.change_request_number}
        seen = self._requests(request, numbers)
        for row, earlier in zip(rows, [*rows[1:], None], strict=True):
            row.change_request = seen.get(row.change_request_number)
            row.changes = changes_between(earlier, row, fields=self._columns) if earlier is not None else []

    def visible_record(self, request: HttpRequest, object_id: str) -> Any:
        """Return the record if the user may see it; the page's class says which."""
        raise NotImplementedError

    @cached_property
    def _columns(self) -> list[Any]:
        return list(self.model._meta.concrete_fields)

    @staticmethod
    def _requests(request: HttpRequest, numbers: set[int]) -> dict[int, dict[str, Any]]:
        if not isinstance(request.user, User):
            return {}
        found = ChangeRequest.objects.visible_to(request.user).filter(number__in=numbers)
        return {row.number: {"request": row, "url": landing.url_of(row)} for row in found}
