"""Holding back reminders, and choosing how to be reminded."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from approvals.portal import waits
from approvals.portal.views import ChangeAction, SignedInPage
from approvals.reminders.services import acknowledge, choose_frequency, snooze
from approvals.requests.models import ChangeRequest
from foundation.errors import InvalidInput


class Snooze(ChangeAction):
    """No reminder until later."""

    def act(self, change_request: ChangeRequest) -> str:
        """Put it off."""
        chosen = self.request.POST.get("for", "")
        until = waits.until(chosen=chosen, change_request=change_request, user=self.user, now=self.now)
        if until is None:
            raise InvalidInput("Say for how long you put it off.")
        snooze(change_request_id=change_request.id, user=self.user, until=until, now=self.now)
        return "You are not reminded of it until then. It stays yours to do."


class Seen(ChangeAction):
    """No reminder more until it is due."""

    def act(self, change_request: ChangeRequest) -> str:
        """Keep that the reader has seen it."""
        acknowledge(change_request_id=change_request.id, user=self.user, now=self.now)
        return "You are not reminded of it until it is due."


class Frequency(SignedInPage):
    """How the reader is reminded."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send readers who follow the form's address to the profile."""
        return HttpResponseRedirect(reverse("profile"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        choose_frequency(user=self.user, frequency=request.POST.get("frequency", ""))
        messages.success(request, "How you are reminded is saved.")
        return HttpResponseRedirect(reverse("profile"))
