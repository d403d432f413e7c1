"""Freezes over HTTP."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.api.openapi import documented
from approvals.api.records import Amends, Creates, Retires
from approvals.freezes import listing
from approvals.freezes.calendar import DAY
from approvals.freezes.gate import rule_of
from approvals.freezes.listing import Named
from approvals.freezes.models import Freeze
from foundation import clock

AHEAD = 90 * DAY


class FreezeFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """How a list of freezes is narrowed down."""

    name = filters.CharFilter()
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Freeze
        fields: list[str] = []


class SpanSerializer(serializers.Serializer[Any]):
    """A time in which a freeze lasts."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    name = serializers.CharField(allow_blank=True, help_text="The holiday.")


class FreezeSerializer(serializers.ModelSerializer[Freeze]):
    """A time in which changes are not applied."""

    holidays_of = serializers.ListField(child=serializers.CharField())
    countries = serializers.ListField(child=serializers.CharField())
    account_ids = serializers.SerializerMethodField(help_text="Those that are granted to the reader.")
    product_ids = serializers.SerializerMethodField(help_text="Those that are granted to the reader.")
    others = serializers.SerializerMethodField(help_text="It names accounts or products that the reader may not see.")
    spans = serializers.SerializerMethodField(help_text="When it lasts, from now on for 90 days.")

    class Meta:
        model = Freeze
        fields = [
            "id", "version", "retired_at", "name", "reason", "starts_at", "ends_at", "zone", "holidays_of",
            "everything", "account_ids", "product_ids", "countries", "stops_review", "allows_emergency", "others",
            "spans",
        ]  # fmt: skip

    def get_account_ids(self, freeze: Freeze) -> list[UUID]:
        """Return the accounts that the reader may see."""
        return list(self._named(freeze).accounts)

    def get_product_ids(self, freeze: Freeze) -> list[UUID]:
        """Return the products that the reader may see."""
        return list(self._named(freeze).products)

    def get_others(self, freeze: Freeze) -> bool:
        """Tell whether there are more."""
        told = self._named(freeze)
        return told.other_accounts or told.other_products

    @extend_schema_field(SpanSerializer(many=True))
    def get_spans(self, freeze: Freeze) -> Any:
        """Return when it lasts."""
        now = clock.now()
        spans = [] if freeze.retired_at else rule_of(freeze).spans(now, now + AHEAD)
        return SpanSerializer(spans, many=True).data

    def _named(self, freeze: Freeze) -> Named:
        return listing.named(freeze, self._names(freeze))

    def _names(self, freeze: Freeze) -> Mapping[UUID, str]:
        # Once for a whole page.
        shown = self.root.instance
        page = [shown] if isinstance(shown, Freeze) else list(shown or [freeze])
        known: dict[str, Any] = self.context  # type: ignore[assignment]  # a mapping in the stubs only
        if "names" not in known:
            known["names"] = listing.names_for(page, known["request"].user)
        names: Mapping[UUID, str] = known["names"]
        return names


@documented
class Freezes(Creates, Amends, Retires):
    """Times in which changes are not applied."""

    queryset = Freeze.objects.none()
    visible = staticmethod(listing.visible_freezes)
    serializer_class = FreezeSerializer
    filterset_class = FreezeFilter
    ordering = ("id",)
    create_kind = "freeze.create"
    amend_kind = "freeze.amend"
    retire_kind = "freeze.retire"
