"""Forms of the catalog's admin pages."""

from typing import Any, ClassVar

from django import forms

from approvals.admin.fields import LimitField, LinesField, MappingField
from approvals.admin.forms import ProposalForm
from entitlements.admin.fields import CountriesField, EnvironmentsField, RegionsField
from entitlements.catalog.models import SKU, RegionGroup, SKURevision


class SKUForm(ProposalForm):
    """A SKU."""

    foreign_part_numbers = MappingField(
        key="System",
        value="Part number",
        value_field=forms.CharField(max_length=200),
        required=False,
        help_text="What other systems call this SKU. Empty a row to remove it.",
    )

    class Meta:
        model = SKU
        exclude: ClassVar[list[str]] = []


class SKURevisionForm(ProposalForm):
    """The terms of a SKU."""

    features = MappingField(
        key="Feature (code)",
        value="Limit",
        value_field=LimitField(),
        required=False,
        help_text="yes or no for a switch, a whole number for a quota or metered amount, unlimited for no limit.",
    )
    countries = RegionsField(label="Regions of use")
    hosting_countries = RegionsField(label="Hosting regions", required=False)
    environments = EnvironmentsField(label="Environments allowed")
    releases = LinesField(
        required=False, label="Releases covered", help_text="One release a line. Empty: all releases."
    )
    compliance_obligations = LinesField(required=False, help_text="One obligation a line.")

    class Meta:
        model = SKURevision
        exclude: ClassVar[list[str]] = []

    def value_of(self, name: str) -> Any:
        """Return a payload's value; no release named means every release."""
        value = super().value_of(name)
        return value or None if name == "releases" else value


class RegionGroupForm(ProposalForm):
    """A region group."""

    countries = CountriesField(help_text="Entitlements stay on the set they were expanded from when the set changes.")

    class Meta:
        model = RegionGroup
        exclude: ClassVar[list[str]] = []
