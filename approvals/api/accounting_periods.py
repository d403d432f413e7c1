"""Closed accounting periods over HTTP."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from approvals.api.openapi import documented
from approvals.api.records import Amends, Creates, Retires
from approvals.freezes.models import AccountingPeriod
from approvals.roles import VIEW_REQUESTS
from foundation.errors import NotPermitted
from foundation.identity.models import User


class AccountingPeriodFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """How a list of closed periods is narrowed down."""

    label = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = AccountingPeriod
        fields: list[str] = []


class AccountingPeriodSerializer(serializers.ModelSerializer[AccountingPeriod]):
    """A time whose books are closed."""

    class Meta:
        model = AccountingPeriod
        fields = ["id", "version", "retired_at", "label", "starts_at", "ends_at", "zone"]


def visible_periods(user: User) -> QuerySet[AccountingPeriod]:
    """
    All closed periods, for who may read change requests.

    :raises NotPermitted: if the user may not
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read accounting periods. Ask an administrator for a role.")
    return AccountingPeriod.objects.all()


@documented
class AccountingPeriods(Creates, Amends, Retires):
    """Times whose books are closed: what reaches back into them is named to finance and legal."""

    queryset = AccountingPeriod.objects.none()
    visible = staticmethod(visible_periods)
    serializer_class = AccountingPeriodSerializer
    filterset_class = AccountingPeriodFilter
    ordering = ("id",)
    create_kind = "accounting_period.close"
    amend_kind = "accounting_period.amend"
    retire_kind = "accounting_period.reopen"
