"""Admin pages of freezes: which accounts and products they name is known here."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from approvals.admin.fields import LinesField
from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.freezes import listing
from approvals.freezes.models import Freeze
from entitlements.admin.fields import AccountsField, CountriesField, ProductsField, TimeZoneField
from entitlements.directory.access import visible_accounts, visible_products
from foundation.identity.models import User


class FreezeForm(ProposalForm):
    """A freeze."""

    zone = TimeZoneField(help_text="In which the holidays' days begin and end.")
    holidays_of = LinesField(
        required=False, help_text="Instead of a start and an end: countries or parts of them, one a line (DE, DE-BY)."
    )
    account_ids = AccountsField(required=False, label="Accounts", help_text="And every account below them.")
    product_ids = ProductsField(required=False, label="Products")
    countries = CountriesField(required=False, help_text="Changes of rights that are used there.")
    everything = forms.BooleanField(required=False, help_text="Every change, whatever it touches.")

    class Meta:
        model = Freeze
        exclude: ClassVar[list[str]] = []


@admin.register(Freeze)
class FreezeAdmin(ProposingAdmin):
    """
    Times in which changes are not applied.

    Here are those whose every account and product is granted to the reader; the portal lists all.
    """

    form = FreezeForm
    list_display = ("name", "starts_at", "ends_at", "holidays", "stops_review")
    list_filter = (UseFilter,)
    search_fields = ("name", "reason")
    ordering = ("name",)
    shown_as: ClassVar[dict[str, str]] = {
        "holidays_of": "holidays", "account_ids": "accounts", "product_ids": "products", "countries": "countries_shown",
    }  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "reason")}),
        ("When", {"fields": ("starts_at", "ends_at", "zone", "holidays_of")}),
        ("What", {"fields": ("everything", "account_ids", "product_ids", "countries")}),
        ("What it stops", {"fields": ("stops_review", "allows_emergency")}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form, which offers only accounts and products that the user may see."""
        form = super().get_form(request, obj, change, **kwargs)
        user = request.user
        if isinstance(user, User):
            for name, seen in (("account_ids", visible_accounts(user)), ("product_ids", visible_products(user))):
                if name in form.base_fields:
                    form.base_fields[name].queryset = seen.order_by("name", "id")
        return form

    def visible(self, queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return those that name nothing which the reader may not see."""
        user = request.user
        if not isinstance(user, User):
            return queryset.none()
        freezes = list(Freeze.objects.all())
        names = listing.names_for(freezes, user)
        told = {freeze.id: listing.named(freeze, names) for freeze in freezes}
        return queryset.filter(
            pk__in=[key for key, one in told.items() if not one.other_accounts and not one.other_products]
        )

    @admin.display(description="Holidays of")
    def holidays(self, obj: Freeze) -> str:
        """Return the places in words."""
        return ", ".join(obj.holidays_of) or "–"

    @admin.display(description="Accounts")
    def accounts(self, obj: Freeze) -> str:
        """Return their names; who opens the page may see all of them."""
        return ", ".join(listing.named(obj, listing.names_for([obj], None)).accounts.values()) or "–"

    @admin.display(description="Products")
    def products(self, obj: Freeze) -> str:
        """Return their names; who opens the page may see all of them."""
        return ", ".join(listing.named(obj, listing.names_for([obj], None)).products.values()) or "–"

    @admin.display(description="Countries")
    def countries_shown(self, obj: Freeze) -> str:
        """Return the countries in words."""
        return ", ".join(obj.countries) or "–"
