"""How lists of the registry are narrowed down. References are compared as ids, so that a filter tells nothing."""

from datetime import datetime

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Metric, Product, RegionGroup, Release, SKURevision
from entitlements.directory.models import Account, Deployment, Person
from entitlements.grants.models import Entitlement, EntitlementQuerySet, Phase, Seat


class Retired(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Records that can be retired."""

    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)


class OfProduct(Retired):
    """Records of a product."""

    product_id = filters.UUIDFilter()


class ProductFilter(Retired):
    """Filters of products."""

    code = filters.CharFilter()
    category = filters.CharFilter()

    class Meta:
        model = Product
        fields: list[str] = []


class FeatureFilter(OfProduct):
    """Filters of features."""

    code = filters.CharFilter()
    type = filters.ChoiceFilter(choices=Feature.Type.choices)

    class Meta:
        model = Feature
        fields: list[str] = []


class ReleaseFilter(OfProduct):
    """Filters of releases."""

    version_name = filters.CharFilter()

    class Meta:
        model = Release
        fields: list[str] = []


class SKUFilter(OfProduct):
    """Filters of SKUs."""

    code = filters.CharFilter()
    purpose = filters.ChoiceFilter(choices=SKU.Purpose.choices)

    class Meta:
        model = SKU
        fields: list[str] = []


class SKURevisionFilter(Retired):
    """Filters of SKU revisions."""

    sku_id = filters.UUIDFilter()
    product_id = filters.UUIDFilter(field_name="sku__product_id")
    metric = filters.ChoiceFilter(choices=Metric.choices)

    class Meta:
        model = SKURevision
        fields: list[str] = []


class RegionGroupFilter(Retired):
    """Filters of region groups."""

    code = filters.CharFilter()
    country = filters.CharFilter(field_name="countries", method="filter_country", help_text="It has this country.")

    class Meta:
        model = RegionGroup
        fields: list[str] = []

    def filter_country(self, rows: QuerySet[RegionGroup], name: str, value: str) -> QuerySet[RegionGroup]:
        """Those with a country."""
        return rows.filter(countries__contains=[value.upper()])


class AccountFilter(Retired):
    """Filters of accounts."""

    code = filters.CharFilter()
    parent_id = filters.UUIDFilter()
    country = filters.CharFilter(lookup_expr="iexact")
    type = filters.ChoiceFilter(choices=Account.Type.choices)

    class Meta:
        model = Account
        fields: list[str] = []


class DeploymentFilter(OfProduct):
    """Filters of deployments."""

    account_id = filters.UUIDFilter()
    name = filters.CharFilter()
    environment = filters.CharFilter()

    class Meta:
        model = Deployment
        fields: list[str] = []


class AgreementFilter(Retired):
    """Filters of agreements."""

    reference = filters.CharFilter()
    licensee_id = filters.UUIDFilter()
    side = filters.ChoiceFilter(choices=Agreement.Side.choices)
    renewal = filters.ChoiceFilter(choices=Agreement.Renewal.choices)
    ends_before = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="lt")
    ends_after = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="gte")

    class Meta:
        model = Agreement
        fields: list[str] = []


class OrderLineFilter(Retired):
    """Filters of order lines."""

    reference = filters.CharFilter()
    agreement_id = filters.UUIDFilter()
    sku_revision_id = filters.UUIDFilter()
    product_id = filters.UUIDFilter(field_name="sku_revision__sku__product_id")
    purchase_order = filters.CharFilter()

    class Meta:
        model = OrderLine
        fields: list[str] = []


class EntitlementFilter(Retired):
    """Filters of entitlements."""

    reference = filters.CharFilter()
    account_id = filters.UUIDFilter()
    product_id = filters.UUIDFilter(field_name="sku__product_id")
    sku_id = filters.UUIDFilter()
    order_line_id = filters.UUIDFilter()
    phase = filters.ChoiceFilter(choices=Phase.choices)
    country = filters.CharFilter(method="filter_country", help_text="It may be used there.")
    in_force_at = filters.IsoDateTimeFilter(
        method="filter_in_force_at", help_text="It gives a right then, without grace."
    )
    ends_before = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="lt")
    ends_after = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="gte")

    class Meta:
        model = Entitlement
        fields: list[str] = []

    def filter_country(self, rows: EntitlementQuerySet, name: str, value: str) -> QuerySet[Entitlement]:
        """Those that may be used in a country."""
        return rows.filter(countries__contains=[value.upper()])

    def filter_in_force_at(self, rows: EntitlementQuerySet, name: str, value: datetime) -> QuerySet[Entitlement]:
        """Those in force at an instant."""
        return rows.in_force_at(value)


class PersonFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of people."""

    account_id = filters.UUIDFilter()
    country = filters.CharFilter(lookup_expr="iexact")
    left = filters.BooleanFilter(field_name="left_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Person
        fields: list[str] = []


class SeatFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of seats."""

    entitlement_id = filters.UUIDFilter()
    person_id = filters.UUIDFilter()
    device = filters.CharFilter()
    held = filters.BooleanFilter(field_name="released_at", lookup_expr="isnull")

    class Meta:
        model = Seat
        fields: list[str] = []
