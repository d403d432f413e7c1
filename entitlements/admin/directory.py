"""Admin pages of accounts, deployments and people."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter

from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.admin.sharing import ProposingInline
from entitlements.admin.fields import CountryField, TimeZoneField
from entitlements.admin.seeing import Seen, SeenReadingAdmin
from entitlements.directory.models import Account, Deployment, Person
from entitlements.surfaces import visibility
from foundation.web.reading import found_by


class AccountForm(ProposalForm):
    """An account."""

    country = CountryField()
    time_zone = TimeZoneField(help_text="The zone in which its dates are meant.")

    class Meta:
        model = Account
        exclude: ClassVar[list[str]] = []


class DeploymentForm(ProposalForm):
    """A deployment."""

    hosting_country = CountryField()

    class Meta:
        model = Deployment
        exclude: ClassVar[list[str]] = []


class DeploymentInline(Seen, ProposingInline):
    """An account's deployments."""

    model = Deployment
    sees = staticmethod(visibility.deployments)
    fields = ("name", "product", "environment", "hosting_country", "release")
    autocomplete_fields = ("product", "release")
    ordering = ("name",)


@admin.register(Account)
class AccountAdmin(Seen, ProposingAdmin):
    """Customers, subsidiaries, business units: a tree. A grant on an account covers those below it."""

    sees = staticmethod(visibility.accounts)
    form = AccountForm
    list_display = ("name", "code", "type", "parent", "country", "time_zone")
    list_select_related = ("parent",)
    list_filter = (("type", ChoicesDropdownFilter), ("parent", AutocompleteSelectFilter), UseFilter)
    search_fields = ("name", "code")
    ordering = ("name",)
    autocomplete_fields = ("parent",)
    inlines = (DeploymentInline,)
    fieldsets = ((None, {"fields": ("code", "name", "type", "parent", "country", "time_zone")}),)


@admin.register(Deployment)
class DeploymentAdmin(Seen, ProposingAdmin):
    """Where accounts run products. A trial used in a production deployment is refused and reported."""

    sees = staticmethod(visibility.deployments)
    form = DeploymentForm
    list_display = ("name", "account", "product", "environment", "hosting_country", "release")
    list_select_related = ("account", "product", "release__product")
    list_filter = (
        ("account", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
        ("environment", ChoicesDropdownFilter),
        UseFilter,
    )
    search_fields = ("name", "account__name", "product__name")
    ordering = ("account__name", "name")
    autocomplete_fields = ("account", "product", "release")
    fieldsets = ((None, {"fields": ("account", "product", "name", "environment", "hosting_country", "release")}),)


@admin.register(Person)
class PersonAdmin(SeenReadingAdmin):
    """People who can hold a seat, by UUID; names are in a record that can be erased, and are not shown here."""

    sees = staticmethod(visibility.people)
    list_display = ("id", "account", "country", "registered_at", "left_at")
    list_select_related = ("account",)
    list_filter = (("account", AutocompleteSelectFilter), ("registered_at", RangeDateTimeFilter))
    search_fields = ("id__exact", "human_id__exact")
    ordering = ("-registered_at", "id")
    fields = ("id", "human_id", "account", "country", "registered_at", "left_at")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Find by a whole UUID; anything else finds nobody."""
        return found_by(queryset, search_term, uuids=("id", "human_id"))
