"""The pages of erasure: finding somebody, what an erasure takes and leaves, holding them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from approvals.portal.signed_in import SignedInPage
from entitlements.privacy import permissions, reading, services
from foundation.errors import Conflict, DomainError, InvalidInput


class Privacy(SignedInPage):
    """Somebody is looked for by what is known of them; it is posted, so that no name stands in an address."""

    template_name = "entitlements/privacy.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        permissions.check_may_look(user=self.user)
        return self.page({"text": "", "found": None})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show who could be meant."""
        text = request.POST.get("text", "")
        return self.page({"text": text, "found": reading.search(user=self.user, text=text)})


class OneHuman(SignedInPage):
    """One human: what would be erased, what would remain, and the holds."""

    template_name = "entitlements/human.html"

    def get(self, request: HttpRequest, human_id: UUID) -> HttpResponse:
        """Show it; that it was read is recorded."""
        return self.shown(human_id)

    def shown(self, human_id: UUID, refusal: DomainError | None = None) -> HttpResponse:
        """Show the page, with what was refused."""
        human = services.look(key=human_id, user=self.user)
        context = {
            "preview": reading.preview(human=human, user=self.user),
            "bases": services.BASES,
            "may_erase": self.user.has_perm(permissions.ERASE),
            "may_hold": self.user.has_perm(permissions.HOLD) and human.human_id != self.user.human_id,
            "refused": refusal.message if refusal else "",
        }
        return self.page(context, status=refusal.status if refusal else 200)


class Erase(OneHuman):
    """Erases one human."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, human_id: UUID) -> HttpResponse:
        """Erase, if the reader has said that they mean it."""
        try:
            if request.POST.get("sure") != "yes":
                raise InvalidInput("Tick that you have read what is erased and can’t be brought back.")
            services.erase(key=human_id, user=self.user, basis=request.POST.get("basis", ""), now=self.now)
        except (InvalidInput, Conflict) as refusal:
            return self.shown(human_id, refusal)
        messages.success(request, "Erased. Everything reads “a person whose details were erased” now.")
        return redirect("human", human_id)


class Hold(OneHuman):
    """Places a hold."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, human_id: UUID) -> HttpResponse:
        """Hold them."""
        try:
            services.place_hold(key=human_id, user=self.user, reason=request.POST.get("reason", ""), now=self.now)
        except (InvalidInput, Conflict) as refusal:
            return self.shown(human_id, refusal)
        messages.success(request, "Held. Nothing of them is erased before the hold is lifted.")
        return redirect("human", human_id)


class Lift(OneHuman):
    """Lifts a hold."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, human_id: UUID, hold_id: UUID) -> HttpResponse:
        """Lift it."""
        reason = request.POST.get("reason", "")
        try:
            services.lift_hold(key=human_id, hold_id=hold_id, user=self.user, reason=reason, now=self.now)
        except (InvalidInput, Conflict) as refusal:
            return self.shown(human_id, refusal)
        messages.success(request, "The hold is lifted.")
        return redirect("human", human_id)
