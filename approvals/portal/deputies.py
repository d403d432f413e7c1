"""The page where people let others decide for them, and where they see for whom they decide."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from approvals.authority import services
from approvals.portal import delegations
from approvals.portal.views import SignedInPage
from foundation.errors import DomainError


class Delegations(SignedInPage):
    """Delegations of the reader: given, received, and a form that gives one."""

    template_name = "changes/delegations.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.page({"delegations": delegations.read(user=self.user, now=self.now)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Give one; what is refused stays in the form."""
        posted = {name: str(value) for name, value in request.POST.items()}
        try:
            given = delegations.give(user=self.user, posted=posted, now=self.now)
        except DomainError as error:
            shown = delegations.read(user=self.user, now=self.now, posted=posted)
            return self.page({"delegations": shown, "refused": error.message}, status=error.status)
        messages.success(request, f"{given.delegate} decides for you. You can revoke it at any time.")
        return HttpResponseRedirect(reverse("approvals:delegations"))


class Revoke(SignedInPage):
    """The end of a delegation."""

    def post(self, request: HttpRequest, delegation_id: UUID) -> HttpResponse:
        """Revoke it."""
        services.revoke(delegation_id=delegation_id, user=self.user, now=self.now)
        messages.success(request, "The delegation is revoked. Decisions by it that are not applied count no longer.")
        return HttpResponseRedirect(reverse("approvals:delegations"))
