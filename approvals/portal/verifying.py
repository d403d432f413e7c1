"""What is done with an applied change: criteria ticked, acting back."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from approvals import governed
from approvals.governed import Occasion
from approvals.portal import files, reading
from approvals.portal.actions import refusal
from approvals.portal.views import ChangeAction, SignedInPage
from approvals.requests import permissions as request_permissions
from approvals.requests.models import ChangeRequest
from approvals.verification import acting_back, services
from approvals.verification.errors import NothingToActBack
from foundation.api.problems import Problem, problem_of
from foundation.canonical import jsonable
from foundation.errors import DomainError, InvalidInput


class Verify(ChangeAction):
    """Tick a criterion with evidence, or mark it as not met."""

    def act(self, change_request: ChangeRequest) -> str:
        """Record what was seen."""
        posted = self.request.POST
        verdicts = {"met": True, "unmet": False}
        number, verdict = posted.get("criterion", ""), posted.get("verdict", "")
        if not number.isdecimal() or len(number) > 9 or verdict not in verdicts:
            raise InvalidInput("Say of which criterion, and whether it is met.")
        verified = services.verify(
            change_request_id=change_request.id,
            criterion=int(number),
            met=verdicts[verdict],
            user=self.user,
            now=self.now,
            result=posted.get("result", ""),
            link=posted.get("link", ""),
            attachment_id=_attachment(posted.get("attachment", "")),
            upload=files.posted(self.request),
        )
        if verified.closed_at is not None:
            return "Every criterion is met: the change is verified and closed."
        return "What you saw is kept." if verdicts[verdict] else "What you saw is kept, and its author is told."

    kept: ClassVar[tuple[str, ...]] = ("criterion", "result", "link", "attachment")

    def refuse(self, number: int, error: DomainError) -> HttpResponse:
        """Tell why it was not kept; what was typed stays in its form."""
        typed: dict[str, Any] = {name: self.request.POST.get(name, "") for name in self.kept}
        return self.show(number, refused=self.problem(error), typed=typed)


def _attachment(text: str) -> UUID | None:
    """Which file of the change the form names; nothing is none."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("Choose one of the files of the change.") from None


class ActBack(SignedInPage):
    """What acting back on a change would do, and the click that does it."""

    template_name = "changes/act_back.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the inverse with its plan and what it can't restore; nothing is written."""
        return self.show(number)

    def show(self, number: int, refused: Problem | None = None) -> HttpResponse:
        """Show the inverse as it would be now, with what was refused, if anything."""
        change_request = reading.found(number=number, user=self.user)
        acting_back.check_awaits(change_request)
        outlook = acting_back.look(change_request=change_request, user=self.user, now=self.now)
        presenter, planned = governed.presenter(), outlook.planned
        context = {
            "change_request": change_request,
            "outlook": outlook,
            "refused": refused,
            "why_not": refusal(lambda: acting_back.check_may_act_back(user=self.user, change_request=change_request)),
            "why_not_file": refusal(
                lambda: request_permissions.check_may_edit(user=self.user, change_request=change_request)
            ),
            "filed": acting_back.open_inverse(change_request),
        }
        if planned is not None:
            document = jsonable(planned.plan.document)
            context["plan_template"] = presenter.template_name
            context["plan_context"] = presenter.context(
                document=document,
                occasion=Occasion(user=self.user, now=self.now, change_request_id=change_request.id),
            )
            context["plan"] = document
        return self.page(context, status=refused.status if refused else 200)

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Act back, or file the inverse as a draft."""
        change_request = reading.found(number=number, user=self.user)
        try:
            if request.POST.get("how") == "file":
                inverse = acting_back.file_inverse(change_request_id=change_request.id, user=self.user, now=self.now)
                told = "The inverse is filed as a draft. Send it to review."
            else:
                inverse = acting_back.act_back(
                    change_request_id=change_request.id,
                    user=self.user,
                    now=self.now,
                    seen=request.POST.get("seen", ""),
                )
                told = f"Change {number} is acted back by this change. Somebody else verifies it."
        except NothingToActBack as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("approvals:change-request", args=[number]))
        except DomainError as error:
            return self.show(number, refused=problem_of(error))
        messages.success(request, told)
        return HttpResponseRedirect(reverse("approvals:change-request", args=[inverse.number]))
