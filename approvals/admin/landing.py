"""Where people go once something is proposed: the change request, which asks for what is still missing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse

from approvals.requests.models import ChangeRequest
from approvals.requests.rules import REQUIRED
from approvals.requests.services import current

PORTAL_PAGE = "approvals:change-request"


def url_of(change_request: ChangeRequest) -> str:
    """Return the request's page in the portal, or in the admin where the portal is not served."""
    for key in (change_request.number, change_request.pk):
        try:
            return reverse(PORTAL_PAGE, args=[key])
        except NoReverseMatch:
            continue
    return reverse("admin:approvals_changerequest_change", args=[change_request.pk])


def go_to(request: HttpRequest, change_request: ChangeRequest) -> HttpResponse:
    """Tell what was filed and what is missing, and lead there."""
    rationale = current(change_request).rationale
    missing = [name.replace("_", " ") for name in REQUIRED if not rationale.get(name)]
    asked = (
        f" Before it goes to review, say: {', '.join(missing)}." if missing else " Send it to review when it is ready."
    )
    messages.success(request, f"Change {change_request.number} is filed as a draft; nothing has changed yet.{asked}")
    return HttpResponseRedirect(url_of(change_request))
