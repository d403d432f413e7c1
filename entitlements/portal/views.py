"""The registry's pages for people: entitlements, accounts, coverage, checks, guidance."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from approvals.portal import reading as changes
from approvals.portal.signed_in import SignedInPage
from approvals.requests import given_out
from approvals.requests.services import current
from entitlements.directory.services import names_of
from entitlements.planning.shown import CHANGES_SHOWN, shown_change
from entitlements.portal import access, coverage, entitlement, lists


class Entitlements(SignedInPage):
    """The entitlements that the reader may see."""

    template_name = "entitlements/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        return self.page({"listing": lists.entitlements(user=self.user, parameters=parameters, now=self.now)})


class Entitlement(SignedInPage):
    """One entitlement."""

    template_name = "entitlements/entitlement.html"

    def get(self, request: HttpRequest, entitlement_id: UUID) -> HttpResponse:
        """Show it."""
        return self.page({"reading": entitlement.read(entitlement_id=entitlement_id, user=self.user, now=self.now)})


class Holders(SignedInPage):
    """Who holds the seats of an entitlement, by name."""

    template_name = "entitlements/holders.html"

    def get(self, request: HttpRequest, entitlement_id: UUID) -> HttpResponse:
        """Show a page of them."""
        reading = entitlement.read(entitlement_id=entitlement_id, user=self.user, now=self.now)
        page = Paginator(entitlement.holders(reading.entitlement), 100).get_page(request.GET.get("page"))
        names = names_of(page.object_list)
        return self.page({"reading": reading, "page": page, "names": [names[key] for key in page.object_list]})


class Accounts(SignedInPage):
    """The accounts granted to the reader."""

    template_name = "entitlements/accounts.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        return self.page({"listing": lists.accounts(user=self.user, parameters=parameters, now=self.now)})


class AccountCoverage(SignedInPage):
    """What an account will be able to use in the coming half year."""

    template_name = "entitlements/account.html"

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show it."""
        return self.page({"reading": coverage.read(code=code, user=self.user, now=self.now)})


class CheckAccess(SignedInPage):
    """May this person use this?"""

    template_name = "entitlements/check.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask, and show the answer."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        return self.page({"asking": access.ask(user=self.user, parameters=parameters, now=self.now)})


class ReasonCodes(SignedInPage):
    """What every reason of a check means, and who can do something about it."""

    template_name = "entitlements/reason_codes.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them all; each has its anchor."""
        return self.page({"codes": access.guidance()})


class PlanChanges(SignedInPage):
    """A further page of what a large change request changes."""

    template_name = "entitlements/plan_changes.html"
    partial_template_name = "entitlements/plan_changes_partial.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show it."""
        change_request = changes.found(number=number, user=self.user)
        plan = current(change_request).plan
        given_out.note(change_request, plan)
        page = Paginator(plan.get("changes", ()), CHANGES_SHOWN).get_page(request.GET.get("page"))
        return self.page(
            {
                "change_request": change_request,
                "page": page,
                "changes": [shown_change(change) for change in page.object_list],
                "address": reverse("plan-changes", args=[number]),
                "further": page.paginator.count - page.end_index(),
            }
        )
