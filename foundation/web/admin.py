"""The base of every admin page: registry tables are read here, and nothing is deleted or edited in bulk."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

# A change list of 100 rows is 620 kB of markup.
ROWS_PER_PAGE = 25


class TenureAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """
    Pages of one table, without delete and without bulk actions.

    What a save does is the subclass's to say: the base of governed records, in approvals, proposes instead.
    """

    list_per_page = ROWS_PER_PAGE
    list_max_show_all = ROWS_PER_PAGE
    show_full_result_count = False
    actions = None
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: records end, they are not deleted."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return none: a change of many records is one change request with many items."""
        return {}


class HistoryAdmin(SimpleHistoryAdmin, TenureAdmin):  # type: ignore[misc]  # simple-history has no types
    """
    Pages of one table whose rows keep their history, which is shown and never edited.

    simple-history's own form checks no permission on POST, even where reverting is disabled: only reading reaches it.
    """

    history_list_per_page = ROWS_PER_PAGE

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """
        Show the record's history.

        :raises PermissionDenied: if the request would do anything but read
        """
        _check_reads(request)
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """
        Show the record as it was at one version.

        :raises PermissionDenied: if the request would do anything but read
        """
        _check_reads(request)
        response: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return response

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer yes: going back is a change like any other, and is proposed."""
        return True


def _check_reads(request: HttpRequest) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise PermissionDenied("History is read, never edited. To go back to an earlier state, propose a change.")
