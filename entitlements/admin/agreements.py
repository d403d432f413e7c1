"""Admin pages of agreements and order lines."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter

from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from entitlements.admin.agreement_forms import AgreementForm, OrderLineForm
from entitlements.admin.catalog import names_of_countries
from entitlements.admin.seeing import Seen
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.directory.models import Account
from entitlements.surfaces import visibility
from foundation.templatetags.tenure import day, money, whole

BRIDGE = (
    "What may be granted without a new order when a transition is late, so that nobody loses access. "
    "Every limit is a total over the agreement's life; without days there is no bridge right."
)


@admin.register(Agreement)
class AgreementAdmin(Seen, ProposingAdmin):
    """The commercial terms under which everything is ordered."""

    sees = staticmethod(visibility.agreements)
    form = AgreementForm
    list_display = ("reference", "title", "side", "licensor", "licensee", "starts_at", "ends_at", "renewal", "notice")
    list_select_related = ("licensee",)
    list_filter = (
        ("licensee", AutocompleteSelectFilter),
        ("side", ChoicesDropdownFilter),
        ("renewal", ChoicesDropdownFilter),
        ("ends_at", RangeDateTimeFilter),
        UseFilter,
    )
    date_hierarchy = "ends_at"
    search_fields = ("reference", "title", "licensor", "licensee__name")
    ordering = ("reference",)
    autocomplete_fields = ("licensee", "owner")
    readonly_fields = ("notice",)
    labels: ClassVar[dict[str, str]] = {
        "side": "We are the",
        "renewal": "At the end it",
        "renewal_months": "Renews for, in months",
        "notice_days": "Notice, in days",
        "covers_descendants": "Covers the accounts below",
        "price_cap_percent": "Price cap, in percent",
        "bridge_days_total": "Bridge: days in total",
        "bridge_count_total": "Bridge: how often in total",
        "bridge_seats": "Bridge: seats",
        "bridge_production_use": "Bridge: production use",
        "bridge_price": "Bridge: price",
        "bridge_needs_written_consent": "Bridge: needs written consent",
        "true_up_terms": "True-up terms",
    }
    shown_as: ClassVar[dict[str, str]] = {
        "covered_accounts": "covered_accounts_shown",
        "bridge_countries": "bridge_countries_shown",
    }
    fieldsets = (
        (None, {"fields": ("reference", "title", "side", "licensor", "licensee", "purchaser", "reseller", "owner")}),
        (
            "Term",
            {
                "fields": (
                    "starts_at",
                    "ends_at",
                    "renewal",
                    "renewal_months",
                    "notice_days",
                    "notice",
                    "notice_served_on",
                )
            },
        ),
        ("Coverage", {"fields": ("covered_accounts", "covers_descendants", "assignability")}),
        ("Money", {"fields": ("currency", "budget", "price_cap_percent", "exchange_rates")}),
        (
            "Bridge right",
            {
                "description": BRIDGE,
                "fields": (
                    "bridge_days_total",
                    "bridge_count_total",
                    "bridge_seats",
                    "bridge_countries",
                    "bridge_production_use",
                    "bridge_price",
                    "bridge_needs_written_consent",
                ),
            },
        ),
        ("Terms", {"fields": ("termination_terms", "true_up_terms")}),
        ("Documents and clauses", {"fields": ("documents", "clauses", "consents", "screenings")}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form, offering only accounts that the user may see."""
        form = super().get_form(request, obj, change, **kwargs)
        if "covered_accounts" in form.base_fields:
            form.base_fields["covered_accounts"].queryset = self.admin_site._registry[Account].get_queryset(request)
        return form

    @admin.display(description="Notice deadline")
    def notice(self, obj: Agreement) -> str:
        """Return the last day on which notice still ends it; it follows from the end and the days of notice."""
        return day(obj.notice_deadline_on if obj.pk and obj.starts_at else None)

    @admin.display(description="Covered accounts")
    def covered_accounts_shown(self, obj: Agreement) -> str:
        """Return the covered accounts by name."""
        return ", ".join(Account.objects.filter(id__in=obj.covered_accounts).values_list("name", flat=True)) or "–"

    @admin.display(description="Bridge: regions")
    def bridge_countries_shown(self, obj: Agreement) -> str:
        """Return the countries of bridges."""
        return names_of_countries(obj.bridge_countries)


@admin.register(OrderLine)
class OrderLineAdmin(Seen, ProposingAdmin):
    """What was ordered under an agreement: the right that entitlements share out."""

    sees = staticmethod(visibility.order_lines)
    form = OrderLineForm
    list_display = ("reference", "agreement", "terms", "starts_at", "ends_at", "quantity", "price", "billing")
    list_select_related = ("agreement", "sku_revision__sku")
    list_filter = (
        ("agreement", AutocompleteSelectFilter),
        ("billing", ChoicesDropdownFilter),
        ("starts_at", RangeDateTimeFilter),
        ("ends_at", RangeDateTimeFilter),
        UseFilter,
    )
    date_hierarchy = "starts_at"
    search_fields = ("reference", "purchase_order", "agreement__reference", "sku_revision__sku__code", "cost_center")
    ordering = ("reference",)
    autocomplete_fields = ("agreement", "sku_revision")
    labels: ClassVar[dict[str, str]] = {
        "sku_revision": "SKU revision",
        "discount_percent": "Discount, in percent",
        "tax_percent": "Tax, in percent",
        "purchase_order_on": "Purchase order date",
        "purchase_order_amount": "Purchase order amount, net",
        "cancelable_on": "May be canceled from",
        "gl_code": "GL code",
        "co_term_on": "Co-term date",
    }
    shown_as: ClassVar[dict[str, str]] = {"periods": "periods_shown"}
    fieldsets = (
        (None, {"fields": ("agreement", "reference", "sku_revision", "starts_at", "ends_at")}),
        (
            "Quantity and price",
            {"fields": ("currency", "billing", "periods", "list_price", "discount_percent", "tax_percent")},
        ),
        (
            "Order",
            {"fields": ("purchase_order", "purchase_order_on", "purchase_order_amount", "cost_center", "gl_code")},
        ),
        ("Proration, credit, end", {"fields": ("proration", "credit_rule", "co_term_on", "cancelable_on")}),
    )

    @admin.display(description="SKU revision", ordering="sku_revision")
    def terms(self, obj: OrderLine) -> str:
        """Return the SKU revision that was ordered."""
        return str(obj.sku_revision)

    @admin.display(description="Quantity")
    def quantity(self, obj: OrderLine) -> str:
        """Return the largest quantity of any period."""
        quantities = [period["quantity"] for period in obj.periods]
        return "unlimited" if None in quantities else whole(max(quantities, default=0))

    @admin.display(description="Highest unit price")
    def price(self, obj: OrderLine) -> str:
        """Return the highest unit price of any period."""
        return money(max((Decimal(period["unit_price"]) for period in obj.periods), default=None), obj.currency)

    @admin.display(description="Periods")
    def periods_shown(self, obj: OrderLine) -> str:
        """Return the periods in words."""
        return "; ".join(
            f"{in_the_readers_zone(period['starts_at'])} to {in_the_readers_zone(period['ends_at'])}: "
            f"{'unlimited' if period['quantity'] is None else whole(period['quantity'])} at "
            f"{money(Decimal(period['unit_price']), obj.currency)}"
            for period in obj.periods
        )


def in_the_readers_zone(value: str | None) -> str:
    """Return an instant of a JSON row as people read it; none is the line's end."""
    if value is None:
        return "the line's end"
    local = timezone.localtime(datetime.fromisoformat(value))
    return f"{local.day} {local:%b %Y, %H:%M %Z}"
