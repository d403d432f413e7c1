"""How the catalog changes: payloads and kinds of products, features, releases, SKUs, their revisions, region groups."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from approvals.governed import FactType, FactUnit, Kind, Operation, Preparation, Scope, Undone
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind, known, referred_row
from approvals.records.payloads import Code, Currency, Name, Payload, RetirePayload, Text, partial
from approvals.records.restoring import Restoration
from approvals.records.undoing import RestoreKind
from entitlements.catalog.aspects import NOBODYS, Aspect
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.catalog.regions import check_countries, check_currency, expand
from foundation.errors import InvalidInput

Row = Mapping[str, Any]
Limit = bool | Annotated[int, Field(ge=0)] | None
EnvironmentName = Literal["trial", "staging", "production"]
SupportName = Literal["none", "community", "business_hours", "around_the_clock"]
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]


class ProductPayload(Payload):
    """A product."""

    code: Code
    name: Name
    licensor: Text = ""
    category: Text = ""
    description: Text = ""
    purl: Text = ""


class FeaturePayload(Payload):
    """A feature of a product."""

    product_id: UUID
    code: Code
    name: Name
    type: Literal["switch", "quota", "metered"] = "switch"
    unit: Text = ""
    description: Text = ""


class ReleasePayload(Payload):
    """A release of a product."""

    product_id: UUID
    version_name: Annotated[str, Field(min_length=1, max_length=50)]
    planned_on: date | None = None
    released_on: date | None = None
    end_of_life_on: date | None = None


class SKUPayload(Payload):
    """A SKU of a product."""

    product_id: UUID
    code: Code
    name: Name
    edition: Text = ""
    purpose: Literal["trial", "production"] = "production"
    counterpart_id: UUID | None = None
    foreign_part_numbers: dict[str, str] = {}


class SKURevisionPayload(Payload):
    """The terms of a SKU; `countries` and `hosting_countries` take countries and region groups."""

    sku_id: UUID
    effective_on: date | None = None
    metric: Literal["named_user", "concurrent", "device", "metered"] = "named_user"
    features: dict[Code, Limit] = {}
    seats_minimum: Annotated[int, Field(ge=0, le=1_000_000_000)] = 1
    seats_maximum: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    countries: Annotated[list[str], Field(min_length=1)]
    hosting_countries: list[str] = []
    environments: Annotated[list[EnvironmentName], Field(min_length=1)]
    releases: list[str] | None = None
    support_level: SupportName = "none"
    compliance_obligations: list[Text] = []
    export_class: Text = ""
    list_price: Money | None = None
    currency: Currency | Literal[""] = ""


class RegionGroupPayload(Payload):
    """A named set of countries."""

    code: Code
    name: Name
    countries: Annotated[list[str], Field(min_length=1)]


def product_of_sku(sku_id: UUID | str, preparation: Preparation) -> UUID:
    """The product of a SKU, pending or stored."""
    return UUID(str(referred_row(SKU, sku_id, preparation)["product_id"]))


def product_scope(row: Row, preparation: Preparation) -> Scope:
    """The scope of a record that names its product."""
    return Scope(product_ids=frozenset({UUID(str(row["product_id"]))}))


class _OfProduct(RecordKind):
    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The record's product."""
        return product_scope(row, preparation)


class _Product(RecordKind):
    aspects = {
        "code": (Aspect.DELIVERY,),
        "name": NOBODYS,
        "licensor": (Aspect.CLAUSES,),
        "category": NOBODYS,
        "description": NOBODYS,
        "purl": (Aspect.DELIVERY,),
        "retired_at": (Aspect.FEATURES,),
    }

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The product itself."""
        return Scope(product_ids=frozenset({UUID(str(row["id"]))}))


class _Feature(_OfProduct):
    aspects = {
        "product_id": (Aspect.FEATURES,),
        "code": (Aspect.FEATURES, Aspect.DELIVERY),
        "name": NOBODYS,
        "type": (Aspect.FEATURES,),
        "unit": (Aspect.FEATURES,),
        "description": NOBODYS,
        "retired_at": (Aspect.FEATURES,),
    }


class _Release(_OfProduct):
    aspects = {
        "product_id": (Aspect.FEATURES,),
        "version_name": (Aspect.FEATURES,),
        "planned_on": (Aspect.FEATURES,),
        "released_on": (Aspect.FEATURES,),
        "end_of_life_on": (Aspect.SUPPORT,),
        "retired_at": (Aspect.FEATURES,),
    }

    def label(self, row: Row, preparation: Preparation) -> str:
        """The product's name and the release."""
        return f"{referred_row(Product, row['product_id'], preparation)['name']} {row['version_name']}"


class _SKU(_OfProduct):
    aspects = {
        "product_id": (Aspect.FEATURES,),
        "code": (Aspect.COST,),
        "name": NOBODYS,
        "edition": (Aspect.FEATURES,),
        "purpose": (Aspect.FEATURES,),
        "counterpart_id": (Aspect.FEATURES,),
        "foreign_part_numbers": (Aspect.COST,),
        "retired_at": (Aspect.FEATURES,),
    }

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse a counterpart of another product, or for the same purpose."""
        if after["counterpart_id"] is None:
            return
        counterpart = referred_row(SKU, after["counterpart_id"], preparation)
        if counterpart["product_id"] != after["product_id"] or counterpart["purpose"] == after["purpose"]:
            raise InvalidInput(
                f"{counterpart['code']} is no counterpart of {after['code']}: a counterpart is a SKU of "
                "the same product, one for trial and one for production."
            )

    def label(self, row: Row, preparation: Preparation) -> str:
        """The SKU's code."""
        return str(row["code"])


class _SKURevision(RecordKind):
    own_facts = (
        FactType("countries", FactUnit.TEXTS, "", "The countries of use.", says="countries of use are {value}"),
        FactType("hosting_countries", FactUnit.TEXTS, "", "The countries in which it may be hosted."),
        FactType("list_price", FactUnit.DECIMAL, "currency", "The list price of one seat and billing period."),
        FactType("currency", FactUnit.TEXT, "", "The currency of the list price; empty without one."),
        FactType("export_class", FactUnit.TEXT, "", "The export class."),
    )
    aspects = {
        "sku_id": (Aspect.FEATURES,),
        "number": NOBODYS,
        "effective_on": (Aspect.TERM,),
        "metric": (Aspect.SEATS,),
        "features": (Aspect.FEATURES,),
        "seats_minimum": (Aspect.SEATS,),
        "seats_maximum": (Aspect.SEATS,),
        "countries": (Aspect.REGIONS,),
        "hosting_countries": (Aspect.HOSTING,),
        "environments": (Aspect.DELIVERY,),
        "releases": (Aspect.FEATURES,),
        "support_level": (Aspect.SUPPORT,),
        "compliance_obligations": (Aspect.COMPLIANCE,),
        "export_class": (Aspect.COMPLIANCE,),
        "list_price": (Aspect.PRICE,),
        "currency": (Aspect.PRICE,),
        "retired_at": (Aspect.FEATURES,),
    }

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The product of the SKU."""
        return Scope(product_ids=frozenset({product_of_sku(row["sku_id"], preparation)}))

    def label(self, row: Row, preparation: Preparation) -> str:
        """The SKU's code and the revision's number."""
        return f"{referred_row(SKU, row['sku_id'], preparation)['code']} r{row['number']}"

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Countries, price, export class."""
        return known({fact.name: after[fact.name] for fact in self.own_facts})


class _RegionGroup(RecordKind):
    aspects = {
        "code": NOBODYS,
        "name": NOBODYS,
        "countries": (Aspect.REGIONS,),
        "revision": (Aspect.REGIONS,),
        "retired_at": (Aspect.REGIONS,),
    }

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse what is not a country."""
        check_countries(after["countries"])

    def label(self, row: Row, preparation: Preparation) -> str:
        """The group's code."""
        return str(row["code"])


class CreateProduct(_Product, CreateKind):
    """Add a product."""


class AmendProduct(_Product, AmendKind):
    """Amend a product."""


class RetireProduct(_Product, RetireKind):
    """Retire a product."""


class CreateFeature(_Feature, CreateKind):
    """Add a feature."""


class AmendFeature(_Feature, AmendKind):
    """Amend a feature."""


class RetireFeature(_Feature, RetireKind):
    """Retire a feature."""


class CreateRelease(_Release, CreateKind):
    """Add a release."""


class AmendRelease(_Release, AmendKind):
    """Amend a release."""


class RetireRelease(_Release, RetireKind):
    """Retire a release."""


class CreateSKU(_SKU, CreateKind):
    """Add a SKU."""


class AmendSKU(_SKU, AmendKind):
    """Amend a SKU; its terms change by a new revision."""


class RetireSKU(_SKU, RetireKind):
    """Retire a SKU."""


class ReviseSKU(_SKURevision, CreateKind):
    """Add the next revision of a SKU's terms; entitlements stay on the revision under which they were sold."""

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The terms, with groups expanded and the next number."""
        values = payload.model_dump()
        values["countries"], _ = expand(values["countries"])
        values["hosting_countries"], _ = expand(values["hosting_countries"])
        stored = SKURevision.objects.filter(sku_id=values["sku_id"]).count()
        pending = sum(
            1
            for (table, _key), row in preparation.pending.items()
            if table == SKURevision._meta.db_table and row["sku_id"] == str(values["sku_id"])
        )
        return values | {"number": stored + pending + 1}

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse currencies and features that do not exist."""
        check_currency(after["currency"])
        product_id = product_of_sku(after["sku_id"], preparation)
        known = set(
            Feature.objects.filter(product_id=product_id, retired_at__isnull=True).values_list("code", flat=True)
        ) | {
            row["code"]
            for (table, _key), row in preparation.pending.items()
            if table == Feature._meta.db_table and row["product_id"] == str(product_id)
        }
        unknown = sorted(set(after["features"]) - known)
        if unknown:
            raise InvalidInput(
                f"The product has no feature {', '.join(unknown)}. Add it to the product first, "
                "in the same request if you like.",
                features=unknown,
            )


class RetireSKURevision(_SKURevision, RetireKind):
    """Sell a revision no longer; entitlements under it stand."""


class CreateRegionGroup(_RegionGroup, CreateKind):
    """Add a region group."""


class AmendRegionGroup(_RegionGroup, AmendKind):
    """
    Amend a region group; its revision rises with its set, and entitlements stay on the set they were expanded from.
    """

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The changed values, and the next revision if the set changes."""
        values = super().values(before=before, payload=payload, preparation=preparation)
        if "countries" in values and sorted(values["countries"]) != sorted(before["countries"]):
            values["revision"] = before["revision"] + 1
        return values


class RetireRegionGroup(_RegionGroup, RetireKind):
    """Retire a region group."""


class RestoreProduct(_Product, RestoreKind):
    """Restore a product."""


class RestoreFeature(_Feature, RestoreKind):
    """Restore a feature."""


class RestoreRelease(_Release, RestoreKind):
    """Restore a release."""


class RestoreSKU(_SKU, RestoreKind):
    """Restore a SKU."""


class RestoreSKURevision(RetireSKURevision, RestoreKind):
    """Sell a revision again, or sell a new one no longer: its terms are immutable."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The values of before the item."""
        return RestoreKind.values(self, before=before, payload=payload, preparation=preparation)


class RestoreRegionGroup(_RegionGroup, RestoreKind):
    """Restore a region group; its revision rises with its set, also back to a former one."""

    def restoration(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """The former set under the next revision."""
        found = super().restoration(undone=undone, row=row, now=now)
        values = {name: value for name, value in found.values.items() if name != "revision"}
        if "countries" in values:
            values["revision"] = row["revision"] + 1
        restored = () if undone.item.operation is not Operation.INSERT and not values else found.restored
        return replace(found, values=values, restored=restored)


KINDS: tuple[Kind, ...] = (
    CreateProduct(name="product.create", title="Add product", model=Product, payload=ProductPayload),
    AmendProduct(name="product.amend", title="Amend product", model=Product, payload=partial(ProductPayload)),
    RetireProduct(name="product.retire", title="Retire product", model=Product, payload=RetirePayload),
    RestoreProduct(model=Product),
    CreateFeature(name="feature.create", title="Add feature", model=Feature, payload=FeaturePayload),
    AmendFeature(
        name="feature.amend",
        title="Amend feature",
        model=Feature,
        payload=partial(FeaturePayload, without=("product_id", "code")),
    ),
    RetireFeature(name="feature.retire", title="Retire feature", model=Feature),
    RestoreFeature(model=Feature),
    CreateRelease(name="release.create", title="Add release", model=Release, payload=ReleasePayload),
    AmendRelease(
        name="release.amend",
        title="Amend release",
        model=Release,
        payload=partial(ReleasePayload, without=("product_id",)),
    ),
    RetireRelease(name="release.retire", title="Retire release", model=Release),
    RestoreRelease(model=Release),
    CreateSKU(name="sku.create", title="Add SKU", model=SKU, payload=SKUPayload),
    AmendSKU(name="sku.amend", title="Amend SKU", model=SKU, payload=partial(SKUPayload, without=("product_id",))),
    RetireSKU(name="sku.retire", title="Retire SKU", model=SKU),
    RestoreSKU(model=SKU),
    ReviseSKU(name="skurevision.create", title="Revise SKU terms", model=SKURevision, payload=SKURevisionPayload),
    RetireSKURevision(name="skurevision.retire", title="Retire SKU revision", model=SKURevision),
    RestoreSKURevision(model=SKURevision),
    CreateRegionGroup(
        name="regiongroup.create", title="Add region group", model=RegionGroup, payload=RegionGroupPayload
    ),
    AmendRegionGroup(
        name="regiongroup.amend",
        title="Amend region group",
        model=RegionGroup,
        payload=partial(RegionGroupPayload, without=("code",)),
    ),
    RetireRegionGroup(name="regiongroup.retire", title="Retire region group", model=RegionGroup),
    RestoreRegionGroup(model=RegionGroup),
)
