"""How lists of change requests and policies are narrowed down."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from approvals.policies.models import Policy
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Item
from approvals.requests.states import Status


class ChangeRequestFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of change requests."""

    status = filters.MultipleChoiceFilter(choices=Status.choices, help_text="Any of these.")
    source = filters.CharFilter()
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    open = filters.BooleanFilter(method="filter_open", help_text="Somebody can still act on it.")
    mine = filters.BooleanFilter(method="filter_mine", help_text="Proposed under any login of yours.")
    awaiting_me = filters.BooleanFilter(method="filter_awaiting_me", help_text="You may decide on it now.")
    record_id = filters.UUIDFilter(method="filter_record", help_text="Its current revision changes this record.")

    class Meta:
        model = ChangeRequest
        fields: list[str] = []

    def filter_open(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those that are open, or those that are closed."""
        return rows.open() if value else rows.exclude(pk__in=ChangeRequest.objects.all().open())

    def filter_mine(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those of the reader."""
        return rows.written_by(self.request.user) if value else rows

    def filter_awaiting_me(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those that wait for the reader."""
        return rows.awaiting_decision_of(self.request.user) if value else rows

    def filter_record(self, rows: QuerySet[ChangeRequest], name: str, value: Any) -> QuerySet[ChangeRequest]:
        """Those that touch a record."""
        return rows.filter(Exists(Item.objects.filter(revision=OuterRef("current_revision"), record_id=value)))


class PolicyFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of policies."""

    name = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Policy
        fields: list[str] = []
