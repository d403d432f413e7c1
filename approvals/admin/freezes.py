"""Admin pages of closed accounting periods. Freezes name accounts and products: their pages are the registry's."""

from typing import ClassVar

from django.contrib import admin

from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.freezes.models import AccountingPeriod


class AccountingPeriodForm(ProposalForm):
    """A closed period."""

    class Meta:
        model = AccountingPeriod
        exclude: ClassVar[list[str]] = []


@admin.register(AccountingPeriod)
class AccountingPeriodAdmin(ProposingAdmin):
    """Times whose books are closed: what reaches back into them is named to finance and legal."""

    form = AccountingPeriodForm
    create_kind = "accounting_period.close"
    amend_kind = "accounting_period.amend"
    retire_kind = "accounting_period.reopen"
    retire_verb = "Open again"
    list_display = ("label", "starts_at", "ends_at", "zone")
    list_filter = (UseFilter,)
    search_fields = ("label",)
    ordering = ("-starts_at", "label")
    fieldsets = ((None, {"fields": ("label", "starts_at", "ends_at", "zone")}),)
