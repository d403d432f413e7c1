"""How lists of change requests, policies and templates are narrowed down."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from approvals.announcements.models import Announcement, AnnouncementQuerySet
from approvals.authority.models import AuthorityLimit, Delegation, DelegationQuerySet
from approvals.permits.models import Permit, PermitQuerySet
from approvals.policies.models import Policy
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Item
from approvals.requests.states import Status
from approvals.standards.models import StandardTemplate
from approvals.verification.reads import awaiting_verification
from foundation import clock


class ChangeRequestFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of change requests."""

    status = filters.MultipleChoiceFilter(choices=Status.choices, help_text="Any of these.")
    source = filters.CharFilter()
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    open = filters.BooleanFilter(method="filter_open", help_text="It may still be applied.")
    mine = filters.BooleanFilter(method="filter_mine", help_text="Proposed under any login of yours.")
    awaiting_me = filters.BooleanFilter(method="filter_awaiting_me", help_text="You may decide on it now.")
    to_verify = filters.BooleanFilter(method="filter_to_verify", help_text="Applied; you may verify it now.")
    record_id = filters.UUIDFilter(method="filter_record", help_text="Its current revision changes this record.")

    class Meta:
        model = ChangeRequest
        fields: list[str] = []

    def filter_open(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those that may still be applied, or the others."""
        return rows.open() if value else rows.exclude(pk__in=ChangeRequest.objects.all().open())

    def filter_mine(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those of the reader."""
        return rows.written_by(self.request.user) if value else rows

    def filter_awaiting_me(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those that wait for the reader."""
        return awaiting_decision_of(rows, user=self.request.user, now=clock.now()) if value else rows

    def filter_to_verify(self, rows: ChangeRequestQuerySet, name: str, value: bool) -> QuerySet[ChangeRequest]:
        """Those that the reader may verify."""
        return awaiting_verification(rows, user=self.request.user) if value else rows

    def filter_record(self, rows: QuerySet[ChangeRequest], name: str, value: Any) -> QuerySet[ChangeRequest]:
        """Those that touch a record."""
        return rows.filter(Exists(Item.objects.filter(revision=OuterRef("current_revision"), record_id=value)))


class AnnouncementFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of announcements."""

    acknowledged = filters.BooleanFilter(
        field_name="acknowledgment", lookup_expr="isnull", exclude=True, help_text="You have said that you read it."
    )
    overdue = filters.BooleanFilter(method="filter_overdue", help_text="You should have said so by now.")
    change_request_id = filters.UUIDFilter()

    class Meta:
        model = Announcement
        fields: list[str] = []

    def filter_overdue(self, rows: AnnouncementQuerySet, name: str, value: bool) -> QuerySet[Announcement]:
        """Those that should have been acknowledged, or the others."""
        late = Announcement.objects.unread().filter(acknowledge_by__lte=clock.now())
        return rows.filter(pk__in=late) if value else rows.exclude(pk__in=late)


class PolicyFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of policies."""

    name = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Policy
        fields: list[str] = []


class DelegationFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of delegations."""

    in_force = filters.BooleanFilter(method="filter_in_force", help_text="By which somebody may decide now.")

    class Meta:
        model = Delegation
        fields: list[str] = []

    def filter_in_force(self, rows: DelegationQuerySet, name: str, value: bool) -> QuerySet[Delegation]:
        """Those in force now, or the others."""
        current = Delegation.objects.in_force_at(clock.now())
        return rows.filter(pk__in=current) if value else rows.exclude(pk__in=current)


class LimitFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of authority limits."""

    human_id = filters.UUIDFilter(field_name="human")
    role = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = AuthorityLimit
        fields: list[str] = []


class StandardTemplateFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of standard templates."""

    name = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = StandardTemplate
        fields: list[str] = []


class PermitFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of emergency permits."""

    to_review = filters.BooleanFilter(method="filter_to_review", help_text="Used, and its review is not complete.")

    class Meta:
        model = Permit
        fields: list[str] = []

    def filter_to_review(self, rows: PermitQuerySet, name: str, value: bool) -> QuerySet[Permit]:
        """Those that wait for their review, or the others."""
        return rows.to_review() if value else rows.exclude(pk__in=Permit.objects.to_review())
