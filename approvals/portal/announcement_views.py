"""The pages of announcements: reading them, and choosing what one is told of."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from approvals.announcements import services, subscribing
from approvals.portal import announced
from approvals.portal.signed_in import SignedInPage
from foundation.errors import DomainError


class Announcements(SignedInPage):
    """What was announced to the reader."""

    template_name = "changes/announcements.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of it."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        return self.page({"listing": announced.listing(user=self.user, parameters=parameters, now=self.now)})


class Read(SignedInPage):
    """That the reader has read an announcement."""

    def get(self, request: HttpRequest, announcement_id: UUID) -> HttpResponse:
        """Send readers who follow the form's address to the list."""
        return HttpResponseRedirect(reverse("approvals:announcements"))

    def post(self, request: HttpRequest, announcement_id: UUID) -> HttpResponse:
        """Keep it, and go back to where it was said."""
        read = services.acknowledge(announcement_id=announcement_id, user=self.user, now=self.now)
        messages.success(request, f"You have read that change {read.change_request.number} was applied.")
        back = request.POST.get("back", "")
        safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
        return HttpResponseRedirect(back if safe else reverse("approvals:announcements"))


class Subscriptions(SignedInPage):
    """What the reader and their roles are told of, and a form that adds to it."""

    template_name = "changes/subscriptions.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return self.page({"subscriptions": announced.subscriptions(user=self.user)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Subscribe; what is refused stays in the form."""
        try:
            row = subscribing.subscribe(
                user=self.user, wanted=announced.wanted(request.POST), role=request.POST.get("role", ""), now=self.now
            )
        except DomainError as refusal:
            shown = announced.subscriptions(user=self.user, posted=request.POST)
            return self.page({"subscriptions": shown, "refused": refusal.message}, status=refusal.status)
        messages.success(request, f"“{row}” is told of what is applied from now on.")
        return HttpResponseRedirect(reverse("approvals:subscriptions"))


class SubscriptionAction(SignedInPage):
    """Something done with a subscription, then the page of subscriptions again."""

    def get(self, request: HttpRequest, subscription_id: UUID) -> HttpResponse:
        """Send readers who follow the form's address to the page."""
        return HttpResponseRedirect(reverse("approvals:subscriptions"))

    def post(self, request: HttpRequest, subscription_id: UUID) -> HttpResponse:
        """Do it, or tell why it is refused."""
        try:
            messages.success(request, self.act(subscription_id))
        except DomainError as refusal:
            shown = announced.subscriptions(user=self.user)
            return self.page({"subscriptions": shown, "refused_action": refusal.message}, status=refusal.status)
        return HttpResponseRedirect(reverse("approvals:subscriptions"))

    template_name = "changes/subscriptions.html"

    def act(self, subscription_id: UUID) -> str:
        """Make the service call and say what was done."""
        raise NotImplementedError


class Follow(SubscriptionAction):
    """Follow what a role is told of, or leave it."""

    def act(self, subscription_id: UUID) -> str:
        """Keep it."""
        follows = self.request.POST.get("follows") == "yes"
        row = subscribing.follow(subscription_id=subscription_id, user=self.user, follows=follows, now=self.now)
        return f"You are told by “{row}” from now on." if follows else f"You are no longer told by “{row}”."


class End(SubscriptionAction):
    """The end of a subscription."""

    def act(self, subscription_id: UUID) -> str:
        """End it."""
        row = subscribing.end(subscription_id=subscription_id, user=self.user, now=self.now)
        return f"“{row}” is ended. What was announced stays."


class Edit(SubscriptionAction):
    """The name of a subscription, and by when it is to be acknowledged; its conditions stay."""

    def act(self, subscription_id: UUID) -> str:
        """Keep it."""
        row = subscribing.visible_subscription(user=self.user, subscription_id=subscription_id)
        asked = announced.wanted(self.request.POST)
        kept = subscribing.Wanted(asked.name, row.conditions, asked.acknowledge_hours)
        changed = subscribing.change(subscription_id=row.id, user=self.user, wanted=kept, now=self.now)
        return f"“{changed}” is saved."
