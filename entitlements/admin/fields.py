"""Form fields for what the registry's records hold: countries, environments, limits by feature."""

import zoneinfo
from typing import Any

import pycountry
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
)

from entitlements.catalog.models import Environment, Product, RegionGroup
from entitlements.catalog.regions import CURRENCY_CODES, country_name
from entitlements.directory.models import Account, AccountUserGrant, ProductUserGrant


def country_choices() -> list[tuple[str, str]]:
    """Return every country, by its common name."""
    named = [
        (country.alpha_2, f"{country_name(country.alpha_2)} ({country.alpha_2})") for country in pycountry.countries
    ]
    return sorted(named, key=lambda choice: choice[1])


def region_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the region groups in use, then every country."""
    groups = RegionGroup.objects.filter(retired_at__isnull=True).order_by("code")
    return [
        ("Region groups", [(group.code, f"{group.name} ({len(group.countries)} countries)") for group in groups]),
        ("Countries", country_choices()),
    ]


class CountryField(forms.ChoiceField):
    """One country, or none."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        super().__init__(choices=lambda: [("", "–"), *country_choices()], widget=UnfoldAdminSelect2Widget, **options)


class CountriesField(forms.MultipleChoiceField):
    """Several countries."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("choices", country_choices)
        super().__init__(widget=UnfoldAdminSelect2MultipleWidget, **options)


class RegionsField(CountriesField):
    """Countries and region groups; groups are expanded to their countries when the change is planned."""

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "help_text", "Countries and region groups. A group is expanded to its countries when planned."
        )
        super().__init__(choices=region_choices, **options)


class EnvironmentsField(forms.MultipleChoiceField):
    """Where a product may run."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Environment.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget, **options)


class CurrencyField(forms.ChoiceField):
    """One currency."""

    def __init__(self, **options: Any) -> None:
        choices = [("", "–"), *((code, code) for code in sorted(CURRENCY_CODES))]
        super().__init__(choices=choices, widget=UnfoldAdminSelect2Widget, **options)


class AccountsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """Several accounts, found by typing; a page that narrows its accounts narrows `queryset`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Account.objects.order_by("name"), widget=_found_by_typing(AccountUserGrant), **options
        )


class ProductsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """Several products, found by typing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Product.objects.order_by("name"), widget=_found_by_typing(ProductUserGrant), **options
        )


def _found_by_typing(grant: type[AccountUserGrant] | type[ProductUserGrant]) -> AutocompleteSelectMultiple:
    # The admin's search end point asks which reference is being filled; that of a grant stands for every such list.
    return AutocompleteSelectMultiple(grant._meta.get_field("content_object"), admin.site)


class TimeZoneField(forms.ChoiceField):
    """A zone of the IANA time-zone database."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("initial", "UTC")
        zones = [(name, name) for name in sorted(zoneinfo.available_timezones())]
        super().__init__(choices=zones, widget=UnfoldAdminSelect2Widget, **options)
