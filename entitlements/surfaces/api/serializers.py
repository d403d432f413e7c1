"""Records of the registry in JSON. References are ids (`product_id`), as in the payloads of changes."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.directory.models import Account, Deployment, Person
from entitlements.grants.models import Entitlement, Seat

BASE = ["id", "version", "retired_at"]


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(serializers.JSONField):
    """An object of names and values."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class RowsField(serializers.JSONField):
    """Rows: objects in a list."""


class ProductSerializer(serializers.ModelSerializer[Product]):
    """Something that is licensed."""

    class Meta:
        model = Product
        fields = [*BASE, "code", "name", "licensor", "category", "description", "purl"]


class FeatureSerializer(serializers.ModelSerializer[Feature]):
    """A gate of a product."""

    product_id = serializers.UUIDField()

    class Meta:
        model = Feature
        fields = [*BASE, "product_id", "code", "name", "type", "unit", "description"]


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """A version of a product."""

    product_id = serializers.UUIDField()

    class Meta:
        model = Release
        fields = [*BASE, "product_id", "version_name", "planned_on", "released_on", "end_of_life_on"]


class SKUSerializer(serializers.ModelSerializer[SKU]):
    """What can be ordered of a product."""

    product_id = serializers.UUIDField()
    counterpart_id = serializers.UUIDField(allow_null=True)
    foreign_part_numbers = ObjectField()

    class Meta:
        model = SKU
        fields = [*BASE, "product_id", "code", "name", "edition", "purpose", "counterpart_id", "foreign_part_numbers"]


class SKURevisionSerializer(serializers.ModelSerializer[SKURevision]):
    """The terms of a SKU. `features` maps codes to true or false, a number, or null for unlimited."""

    sku_id = serializers.UUIDField()
    product_id = serializers.UUIDField(source="sku.product_id")
    features = ObjectField()

    class Meta:
        model = SKURevision
        fields = [
            *BASE,
            "sku_id",
            "product_id",
            "number",
            "effective_on",
            "metric",
            "features",
            "seats_minimum",
            "seats_maximum",
            "countries",
            "hosting_countries",
            "environments",
            "releases",
            "support_level",
            "compliance_obligations",
            "export_class",
            "list_price",
            "currency",
        ]


class RegionGroupSerializer(serializers.ModelSerializer[RegionGroup]):
    """A named set of countries; its revision rises when the set changes."""

    class Meta:
        model = RegionGroup
        fields = [*BASE, "code", "name", "countries", "revision"]


class AccountSerializer(serializers.ModelSerializer[Account]):
    """An organization."""

    parent_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = Account
        fields = [*BASE, "code", "name", "type", "parent_id", "country", "time_zone"]


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """Where an account runs a product."""

    account_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    release_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = Deployment
        fields = [*BASE, "account_id", "product_id", "name", "environment", "hosting_country", "release_id"]


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    """Commercial terms. The notice deadline is derived from the end and the notice days."""

    licensee_id = serializers.UUIDField()
    owner_id = serializers.UUIDField(allow_null=True)
    documents = RowsField()
    clauses = RowsField()
    consents = RowsField()
    screenings = RowsField()
    exchange_rates = RowsField()
    notice_deadline_on = serializers.DateField(read_only=True, allow_null=True)

    class Meta:
        model = Agreement
        fields = [
            *BASE,
            "reference",
            "title",
            "side",
            "licensor",
            "licensee_id",
            "purchaser",
            "reseller",
            "covered_accounts",
            "covers_descendants",
            "assignability",
            "documents",
            "clauses",
            "consents",
            "screenings",
            "exchange_rates",
            "starts_at",
            "ends_at",
            "renewal",
            "renewal_months",
            "notice_days",
            "notice_served_on",
            "notice_deadline_on",
            "price_cap_percent",
            "termination_terms",
            "true_up_terms",
            "bridge_days_total",
            "bridge_count_total",
            "bridge_seats",
            "bridge_countries",
            "bridge_production_use",
            "bridge_price",
            "bridge_needs_written_consent",
            "budget",
            "currency",
            "owner_id",
        ]


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """What was ordered. `periods` are rows of starts_at, ends_at, quantity (null: unlimited) and unit_price."""

    agreement_id = serializers.UUIDField()
    sku_revision_id = serializers.UUIDField()
    product_id = serializers.UUIDField(source="sku_revision.sku.product_id")
    periods = RowsField()

    class Meta:
        model = OrderLine
        fields = [
            *BASE,
            "agreement_id",
            "reference",
            "sku_revision_id",
            "product_id",
            "starts_at",
            "ends_at",
            "periods",
            "billing",
            "list_price",
            "discount_percent",
            "currency",
            "proration",
            "credit_rule",
            "co_term_on",
            "purchase_order",
            "purchase_order_on",
            "purchase_order_amount",
            "cancelable_on",
            "tax_percent",
            "cost_center",
            "gl_code",
        ]


class EntitlementSerializer(serializers.ModelSerializer[Entitlement]):
    """A right of use. `seats` null is explicitly unlimited; `seats_used` is the operational counter."""

    account_id = serializers.UUIDField()
    product_id = serializers.UUIDField(source="sku.product_id")
    order_line_id = serializers.UUIDField()
    sku_id = serializers.UUIDField()
    sku_revision_id = serializers.UUIDField()
    owner_id = serializers.UUIDField(allow_null=True)
    replaces_id = serializers.UUIDField(allow_null=True)
    seats_used = serializers.IntegerField(source="pool.used")
    region_groups = ObjectField()
    feature_overrides = ObjectField()
    attributes = ObjectField()

    class Meta:
        model = Entitlement
        fields = [
            *BASE,
            "reference",
            "account_id",
            "product_id",
            "order_line_id",
            "sku_id",
            "sku_revision_id",
            "phase",
            "seats",
            "seats_used",
            "countries",
            "region_groups",
            "environments",
            "feature_overrides",
            "support_level",
            "starts_at",
            "ends_at",
            "updates_until",
            "support_until",
            "grace_seconds",
            "enforcement",
            "owner_id",
            "replaces_id",
            "withdrawn_at",
            "notes",
            "attributes",
        ]


class PersonSerializer(serializers.ModelSerializer[Person]):
    """Someone who can hold a seat. Names and mails are deliberately absent."""

    account_id = serializers.UUIDField()

    class Meta:
        model = Person
        fields = ["id", "account_id", "country", "registered_at", "left_at"]


class SeatSerializer(serializers.ModelSerializer[Seat]):
    """One unit of an entitlement, held by a person or a device."""

    entitlement_id = serializers.UUIDField()
    person_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = Seat
        fields = ["id", "entitlement_id", "person_id", "device", "taken_at", "released_at", "over_granted"]


class SeatRequestSerializer(serializers.Serializer[Any]):
    """Who gets a seat: a person or a device."""

    person_id = serializers.UUIDField(required=False)
    device = serializers.CharField(required=False, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Return the holder.

        :raises rest_framework.serializers.ValidationError: unless it is exactly one of the two
        """
        if len(attrs) != 1:
            raise serializers.ValidationError("Name a person or a device, and not both.")
        return attrs
