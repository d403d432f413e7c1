"""What is done with the list of changes: filters kept and shared, the list as a table, several approvals at once."""

from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse

from approvals.portal import exports, inbox
from approvals.portal.signed_in import SignedInPage
from approvals.worklists import services
from approvals.worklists.services import Chosen
from audit.reads.collecting import gave_export, without_words
from foundation.errors import DomainError, InvalidInput


class Save(SignedInPage):
    """Keep the filter that is in force."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send readers who follow the form's address to the list."""
        return HttpResponseRedirect(reverse("approvals:changes"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it, or say why not, and show the list again."""
        parameters = dict(parse_qsl(request.POST.get("query", "")))
        try:
            saved = services.save(
                owner=self.user,
                name=request.POST.get("name", ""),
                parameters=parameters,
                role=request.POST.get("role", ""),
                now=self.now,
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(f"{reverse('approvals:changes')}?{urlencode(parameters)}")
        messages.success(request, f"Saved as “{saved.name}”.")
        return HttpResponseRedirect(f"{reverse('approvals:changes')}?{urlencode({'filter': saved.slug})}")


class Remove(Save):
    """Remove a filter of the reader's own."""

    def post(self, request: HttpRequest, slug: str = "") -> HttpResponse:
        """Remove it."""
        try:
            messages.success(request, f"The filter “{services.remove(owner=self.user, slug=slug)}” is removed.")
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("approvals:changes"))

    def get(self, request: HttpRequest, slug: str = "") -> HttpResponse:
        """Send readers who follow the form's address to the list."""
        return HttpResponseRedirect(reverse("approvals:changes"))


class Export(SignedInPage):
    """The list with the filter in force, all of its pages, as CSV."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send it line by line."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        filtered = services.resolved(user=self.user, parameters=parameters)
        found, _ = inbox.matching(user=self.user, parameters=filtered, now=self.now)
        gave_export("changes", "CSV", filter=without_words(filtered, "text"))
        headers = {"Content-Disposition": 'attachment; filename="changes.csv"', "Cache-Control": "private, no-cache"}
        return StreamingHttpResponse(exports.rows(found), content_type="text/csv; charset=utf-8", headers=headers)


class Approve(SignedInPage):
    """Several approvals, each on the digest that was beside it, and only of what the reader opened."""

    template_name = "changes/outcomes.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send readers who follow the form's address to what waits for them."""
        return HttpResponseRedirect(f"{reverse('approvals:changes')}?whose=awaiting")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Decide on each in its own transaction, and list what became of it."""
        try:
            outcomes = services.approve_opened(
                reviewer=self.user,
                chosen=[_chosen(value) for value in request.POST.getlist("chosen")],
                comment=request.POST.get("comment", ""),
                now=self.now,
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(f"{reverse('approvals:changes')}?whose=awaiting")
        approved = sum(outcome.approved for outcome in outcomes)
        return self.page({"outcomes": outcomes, "approved": approved})


def _chosen(value: str) -> Chosen:
    number, _, digest = value.partition(":")
    if not number.isdecimal() or len(number) > 17:
        raise InvalidInput("Choose changes from the list.")
    return Chosen(int(number), digest)
