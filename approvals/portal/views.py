"""The pages of change control: my work, all changes, one change and what is done with it."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from approvals.attachments.services import comment_with_file
from approvals.portal import after, discussion, editing, files, inbox, reading, tied, waits
from approvals.portal.signed_in import SignedInPage as SignedInPage
from approvals.printing import documents
from approvals.requests import application, replanning, review, services
from approvals.requests.errors import StaleDigest
from approvals.requests.models import ChangeRequest
from approvals.requests.replanning import Both
from approvals.worklists.services import note_opened
from foundation.api.problems import Problem, problem_of
from foundation.errors import DomainError, InvalidInput

DECIDED = {
    "approve": "Your approval is recorded.",
    "ask_for_changes": "Your questions went back to the author.",
    "reject": "The change is rejected and closed.",
}


class Work(SignedInPage):
    """What waits for the reader."""

    template_name = "changes/work.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return self.page({"work": inbox.work(user=self.user, now=self.now), "now": self.now})


class Changes(SignedInPage):
    """All changes that the reader may see, filtered."""

    template_name = "changes/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them."""
        parameters = {name: str(value) for name, value in request.GET.items()}
        return self.page({"listing": inbox.listing(user=self.user, parameters=parameters, now=self.now)})


class Change(SignedInPage):
    """One change request."""

    template_name = "changes/request.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show it; of who could decide it is kept that they were shown this revision."""
        return self.show(number)

    def show(self, number: int, **more: Any) -> HttpResponse:
        """Show the request as it stands now, with what was refused, if anything."""
        shown = reading.read(number=number, user=self.user, now=self.now)
        if self.request.method == "GET" and shown.in_review and not shown.why_not_decide:
            note_opened(reader=self.user, revision=shown.revision, now=self.now)
        attached = files.read(change_request=shown.change_request, user=self.user)
        refused = more.get("refused")
        return self.page(
            {
                "reading": shown,
                "change_request": shown.change_request,
                "discussion": discussion.read(
                    change_request=shown.change_request, user=self.user, files=attached.of_comments
                ),
                "files": attached,
                "tickets": tied.section(change_request=shown.change_request, user=self.user, now=self.now),
                "after": after.read(change_request=shown.change_request, user=self.user, now=self.now),
                "waiting": waits.of_request(change_request=shown.change_request, user=self.user, now=self.now),
                "now": self.now,
            }
            | more,
            status=refused.status if refused else 200,
        )


class Printed(SignedInPage):
    """One change request as a PDF: complete, the same for every role."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Send it."""
        change_request = reading.found(number=number, user=self.user)
        content = documents.printed(change_request=change_request, user=self.user, now=self.now)
        name = f"change-{number}-revision-{services.current(change_request).number}.pdf"
        headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-cache"}
        return HttpResponse(content, content_type="application/pdf", headers=headers)


class ChangeAction(Change):
    """Something done with a request: one service call, then its page again; a refusal is told where it was asked."""

    done: ClassVar[str]

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Send readers who follow the form's address to the page."""
        return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Do it."""
        try:
            told = self.act(reading.found(number=number, user=self.user))
        except DomainError as error:
            return self.refuse(number, error)
        messages.success(request, told)
        address = reverse("approvals:change-request", args=[number])
        htmx = getattr(request, "htmx", False)
        return HttpResponseClientRedirect(address) if htmx else HttpResponseRedirect(address)

    def act(self, change_request: ChangeRequest) -> str:
        """Make the service call and say what was done."""
        raise NotImplementedError

    def refuse(self, number: int, error: DomainError) -> HttpResponse:
        """
        Tell why it was not done.

        The part for htmx leaves the form alone, so that a decision never takes up a digest that is not on the screen.
        """
        refused = self.problem(error)
        more = {"refused": refused, "stale": isinstance(error, StaleDigest)}
        if getattr(self.request, "htmx", False):
            return render(self.request, "changes/refusal.html", more | {"number": number}, status=refused.status)
        return self.show(number, comment=self.request.POST.get("comment", ""), **more)

    def problem(self, error: DomainError) -> Problem:
        """The refusal as the page tells it."""
        return problem_of(error) or Problem(error.code, error.title, error.status, error.message)


class Decide(ChangeAction):
    """Approve, ask for changes, or reject, on the digest that was on the screen."""

    def act(self, change_request: ChangeRequest) -> str:
        """Record the decision."""
        verdict, comment = self.request.POST.get("verdict", ""), self.request.POST.get("comment", "")
        decide: Callable[..., ChangeRequest] | None = {
            "approve": review.approve,
            "ask_for_changes": review.ask_for_changes,
            "reject": review.reject,
        }.get(verdict)
        if decide is None:
            raise InvalidInput("Say whether you approve, ask for changes, or reject.")
        decide(
            change_request_id=change_request.id,
            digest=self.request.POST.get("digest", ""),
            reviewer=self.user,
            now=self.now,
            comment=comment,
            on_behalf_of=_login(self.request.POST.get("on_behalf_of", "")),
        )
        return DECIDED[verdict]


def _login(text: str) -> UUID | None:
    """For whom the form says that its sender decides; nothing is for themselves."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("Say for whom you decide.") from None


class Comment(Change):
    """Something said about a request; the page is shown again where it was said."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Send readers who follow the form's address to the page."""
        return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Say it; what is refused stays in the form."""
        change_request = reading.found(number=number, user=self.user)
        text = request.POST.get("text", "")
        try:
            said = comment_with_file(
                change_request_id=change_request.id,
                author=self.user,
                text=text,
                file=files.posted(request),
                now=self.now,
            )
        except DomainError as error:
            response = self.show(number, said=text, comment_refused=error.message)
            response.status_code = error.status
            return response
        count = len(said.mentions)
        told = f" {count} {'person is' if count == 1 else 'people are'} told of it." if count else ""
        messages.success(request, f"Your comment is kept.{told}")
        return HttpResponseRedirect(f"{reverse('approvals:change-request', args=[number])}#comment-{said.id}")


class Submit(ChangeAction):
    """Send a draft to review."""

    def act(self, change_request: ChangeRequest) -> str:
        """Submit it."""
        services.submit(change_request_id=change_request.id, author=self.user, now=self.now)
        return "The change is in review. Whoever is asked finds it under “My work”."


class Replan(ChangeAction):
    """Plan a request again on what stands now."""

    def act(self, change_request: ChangeRequest) -> str:
        """Write the new revision."""
        both = self.request.POST.get("both", "")
        replanning.replan(
            change_request_id=change_request.id,
            author=self.user,
            now=self.now,
            both=Both(both) if both in {one.value for one in Both} else None,
            expected_digest=self.request.POST.get("digest"),
        )
        return "Planned again on what stands now, as a new revision. Earlier decisions count no longer."


class Withdraw(ChangeAction):
    """Close a request without applying it."""

    def act(self, change_request: ChangeRequest) -> str:
        """Withdraw it."""
        services.withdraw(change_request_id=change_request.id, user=self.user, now=self.now)
        return "The change is withdrawn."


class Apply(ChangeAction):
    """Apply an approved request."""

    def act(self, change_request: ChangeRequest) -> str:
        """Apply it."""
        application.apply(change_request_id=change_request.id, user=self.user, now=self.now)
        return "The change is applied, whole."


class Edit(SignedInPage):
    """The form that edits a request; saving writes a new revision."""

    template_name = "changes/edit.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the form."""
        return self.page({"form": editing.form(number=number, user=self.user, now=self.now), "digest": None})

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Save, or tell what is refused with what was typed."""
        posted = {name: str(value) for name, value in request.POST.items()}
        try:
            self.save(reading.found(number=number, user=self.user).id, number, posted)
        except DomainError as error:
            form = editing.form(number=number, user=self.user, now=self.now, posted=posted)
            refused = problem_of(error)
            return self.page(
                {
                    "form": form,
                    "refused": refused,
                    "digest": posted.get("digest"),
                    "stale": isinstance(error, StaleDigest),
                },
                status=error.status,
            )
        messages.success(request, "Saved as a new revision, and planned again. Earlier decisions count no longer.")
        return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))

    def save(self, change_request_id: UUID, number: int, posted: dict[str, str]) -> None:
        """Write the new revision."""
        asked = editing.amendment(number=number, user=self.user, posted=posted)
        services.amend(
            change_request_id=change_request_id,
            author=self.user,
            now=self.now,
            drafts=asked.drafts,
            rationale=asked.rationale,
            waiver=asked.waiver,
            schedule=asked.schedule,
            raised=asked.raised,
            title=asked.title,
            expected_digest=asked.expected_digest,
        )
