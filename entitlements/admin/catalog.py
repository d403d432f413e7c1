"""Admin pages of the catalog."""

from typing import ClassVar

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter

from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.admin.sharing import ProposingInline
from entitlements.admin.catalog_forms import RegionGroupForm, SKUForm, SKURevisionForm
from entitlements.admin.seeing import Seen
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.catalog.regions import country_name
from entitlements.surfaces import visibility


def names_of_countries(codes: list[str]) -> str:
    """Return countries as people read them."""
    return ", ".join(f"{country_name(code)} ({code})" for code in codes) or "–"


class FeatureInline(Seen, ProposingInline):
    """A product's features."""

    model = Feature
    sees = staticmethod(visibility.features)
    fields = ("code", "name", "type", "unit")
    leaves = frozenset({"description"})
    ordering = ("code",)


class ReleaseInline(Seen, ProposingInline):
    """A product's releases."""

    model = Release
    sees = staticmethod(visibility.releases)
    fields = ("version_name", "planned_on", "released_on", "end_of_life_on")
    ordering = ("-released_on", "version_name")


@admin.register(Product)
class ProductAdmin(Seen, ProposingAdmin):
    """Products, with their features and releases."""

    sees = staticmethod(visibility.products)
    list_display = ("name", "code", "licensor", "category")
    list_filter = (UseFilter,)
    search_fields = ("name", "code", "licensor", "purl")
    ordering = ("name",)
    inlines = (FeatureInline, ReleaseInline)
    labels: ClassVar[dict[str, str]] = {"purl": "Package URL (purl)"}
    fieldsets = ((None, {"fields": ("code", "name", "licensor", "category", "description", "purl")}),)


@admin.register(Feature)
class FeatureAdmin(Seen, ProposingAdmin):
    """Gates of products."""

    sees = staticmethod(visibility.features)
    list_display = ("code", "name", "product", "type", "unit")
    list_select_related = ("product",)
    list_filter = (("product", AutocompleteSelectFilter), ("type", ChoicesDropdownFilter), UseFilter)
    search_fields = ("code", "name", "product__name")
    ordering = ("product__name", "code")
    autocomplete_fields = ("product",)
    fieldsets = ((None, {"fields": ("product", "code", "name", "type", "unit", "description")}),)


@admin.register(Release)
class ReleaseAdmin(Seen, ProposingAdmin):
    """Versions of products."""

    sees = staticmethod(visibility.releases)
    list_display = ("version_name", "product", "planned_on", "released_on", "end_of_life_on")
    list_select_related = ("product",)
    list_filter = (
        ("product", AutocompleteSelectFilter),
        ("released_on", RangeDateFilter),
        ("end_of_life_on", RangeDateFilter),
        UseFilter,
    )
    search_fields = ("version_name", "product__name")
    ordering = ("product__name", "-released_on", "version_name")
    autocomplete_fields = ("product",)
    fieldsets = ((None, {"fields": ("product", "version_name", "planned_on", "released_on", "end_of_life_on")}),)


@admin.register(SKU)
class SKUAdmin(Seen, ProposingAdmin):
    """What can be ordered of a product; the terms are in its revisions."""

    sees = staticmethod(visibility.skus)
    form = SKUForm
    list_display = ("code", "name", "product", "edition", "purpose", "counterpart")
    list_select_related = ("product", "counterpart")
    list_filter = (("product", AutocompleteSelectFilter), ("purpose", ChoicesDropdownFilter), UseFilter)
    search_fields = ("code", "name", "edition", "product__name")
    ordering = ("code",)
    autocomplete_fields = ("product", "counterpart")
    fieldsets = (
        (None, {"fields": ("product", "code", "name", "edition", "purpose", "counterpart", "foreign_part_numbers")}),
    )


@admin.register(SKURevision)
class SKURevisionAdmin(Seen, ProposingAdmin):
    """Terms of SKUs. Granted terms never change: a new revision is made from one, and entitlements are moved to it."""

    sees = staticmethod(visibility.sku_revisions)
    form = SKURevisionForm
    list_display = ("__str__", "product", "metric", "support_level", "list_price", "currency", "effective_on")
    list_select_related = ("sku__product",)
    list_filter = (
        ("sku", AutocompleteSelectFilter),
        ("metric", ChoicesDropdownFilter),
        ("effective_on", RangeDateFilter),
        UseFilter,
    )
    search_fields = ("sku__code", "sku__name")
    ordering = ("sku__code", "-number")
    labels: ClassVar[dict[str, str]] = {
        "sku": "SKU",
        "seats_minimum": "Fewest seats",
        "seats_maximum": "Most seats (empty: no limit)",
        "effective_on": "Effective from",
    }
    autocomplete_fields = ("sku",)
    shown_as: ClassVar[dict[str, str]] = {
        "features": "features_shown",
        "countries": "countries_shown",
        "hosting_countries": "hosting_countries_shown",
        "environments": "environments_shown",
    }
    fieldsets = (
        (None, {"fields": ("sku", "effective_on", "metric", "features", "releases")}),
        ("Seats", {"fields": ("seats_minimum", "seats_maximum")}),
        ("Where", {"fields": ("countries", "hosting_countries", "environments")}),
        ("Support and obligations", {"fields": ("support_level", "compliance_obligations", "export_class")}),
        ("List price", {"fields": ("list_price", "currency")}),
    )

    @admin.display(description="Product", ordering="sku__product__name")
    def product(self, obj: SKURevision) -> str:
        """Return the SKU's product."""
        return str(obj.sku.product)

    @admin.display(description="Features")
    def features_shown(self, obj: SKURevision) -> str:
        """Return the limits in words."""
        words = {True: "yes", False: "no", None: "unlimited"}
        limits = (
            f"{code}: {words[limit] if limit is None or isinstance(limit, bool) else limit}"
            for code, limit in sorted(obj.features.items())
        )
        return "; ".join(limits) or "–"

    @admin.display(description="Regions of use")
    def countries_shown(self, obj: SKURevision) -> str:
        """Return the countries of use."""
        return names_of_countries(obj.countries)

    @admin.display(description="Hosting regions")
    def hosting_countries_shown(self, obj: SKURevision) -> str:
        """Return the hosting countries."""
        return names_of_countries(obj.hosting_countries)

    @admin.display(description="Environments allowed")
    def environments_shown(self, obj: SKURevision) -> str:
        """Return the environments."""
        return ", ".join(obj.environments)


@admin.register(RegionGroup)
class RegionGroupAdmin(Seen, ProposingAdmin):
    """Named sets of countries."""

    sees = staticmethod(visibility.region_groups)
    form = RegionGroupForm
    list_display = ("code", "name", "countries_counted", "revision")
    list_filter = (UseFilter,)
    search_fields = ("code", "name")
    ordering = ("code",)
    shown_as: ClassVar[dict[str, str]] = {"countries": "countries_shown"}
    fieldsets = ((None, {"fields": ("code", "name", "countries")}),)

    @admin.display(description="Countries")
    def countries_counted(self, obj: RegionGroup) -> int:
        """Return how many countries the group has."""
        return len(obj.countries)

    @admin.display(description="Countries")
    def countries_shown(self, obj: RegionGroup) -> str:
        """Return the group's countries."""
        return names_of_countries(obj.countries)
