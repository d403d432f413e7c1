"""The pages of standard templates and emergency permits, and what is done with them on the page of a change."""

import uuid

from django.http import HttpRequest, HttpResponse

from approvals.permits import review, services
from approvals.portal import permits, standards
from approvals.portal.views import ChangeAction, SignedInPage
from approvals.requests import services as requests
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Waiver
from approvals.requests.services import current
from foundation.errors import InvalidInput


class Templates(SignedInPage):
    """All standard templates, with their bounds in words."""

    template_name = "changes/templates.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.page({"templates": standards.templates(user=self.user, now=self.now)})


class Permits(SignedInPage):
    """All emergency permits that the reader may see."""

    template_name = "changes/permits.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.page({"listing": permits.listing(user=self.user, now=self.now), "now": self.now})


class ChooseTemplate(ChangeAction):
    """Cite a standard template in a draft, or drop it: a new revision."""

    def act(self, change_request: ChangeRequest) -> str:
        """Write the new revision."""
        waiver = current(change_request).document["waiver"]
        requests.amend(
            change_request_id=change_request.id,
            author=self.user,
            now=self.now,
            waiver=Waiver(**waiver) if waiver else None,
            template_id=identified(self.request.POST.get("template", "")),
            expected_digest=self.request.POST.get("digest", ""),
        )
        chosen = bool(self.request.POST.get("template"))
        return "The draft cites the template now." if chosen else "The draft cites no template: its stages are asked."


class TakePermit(ChangeAction):
    """Take an emergency permit for the revision that was on the screen."""

    def act(self, change_request: ChangeRequest) -> str:
        """Take it."""
        services.take(
            change_request_id=change_request.id,
            digest=self.request.POST.get("digest", ""),
            user=self.user,
            reason=self.request.POST.get("reason", ""),
            now=self.now,
        )
        return "You hold an emergency permit for this change. Nothing is applied yet: use it below before it expires."


class UsePermit(ChangeAction):
    """Apply a change under an emergency permit."""

    def act(self, change_request: ChangeRequest) -> str:
        """Use it, once it was confirmed."""
        if self.request.POST.get("confirmed") != "yes":
            raise InvalidInput("Confirm that you apply this without its approvals and answer for it afterwards.")
        services.use(
            permit_id=identified(self.request.POST.get("permit", "")) or uuid.UUID(int=0), user=self.user, now=self.now
        )
        return "The change is applied under your permit. Everybody who would have been asked reviews that now."


class ReviewPermit(ChangeAction):
    """Say whether an emergency was justified."""

    def act(self, change_request: ChangeRequest) -> str:
        """Record it."""
        review.review(
            permit_id=identified(self.request.POST.get("permit", "")) or uuid.UUID(int=0),
            digest=self.request.POST.get("digest", ""),
            reviewer=self.user,
            verdict=self.request.POST.get("verdict", ""),
            comment=self.request.POST.get("comment", ""),
            now=self.now,
        )
        return "Your review of the emergency is recorded."


def identified(text: str) -> uuid.UUID | None:
    """
    The id in a form's value; None if it is empty.

    :raises InvalidInput: if it is none
    """
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise InvalidInput("This page is out of date. Open it again.") from None
