"""The pages of evidence packs and legal holds."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from audit.packs import forms, holds, port, services
from audit.packs.building import VERIFIER
from audit.packs.models import EvidencePack, LegalHold
from audit.packs.sending import sent
from audit.sealing import keys
from foundation.canonical import digest
from foundation.errors import DomainError
from foundation.identity.models import User
from foundation.web.downloads import serve
from foundation.web.portal import PortalPage

PACKS_SHOWN = 25
HOLDS_SHOWN = 200


@dataclass(frozen=True)
class Shown:
    """A pack as people meet it, and the holds that keep it."""

    pack: EvidencePack
    holds: Sequence[LegalHold]

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.pack.done // self.pack.total if self.pack.total else 0

    @property
    def kind(self) -> str:
        """What sort of thing it is about, in words."""
        kind = port.scope_kinds().get(self.pack.kind)
        return kind.words if kind else str(self.pack.kind)

    @property
    def address(self) -> str | None:
        """The page of the thing, if there is one."""
        kind = port.scope_kinds().get(self.pack.kind)
        return kind.address(subject_id=self.pack.subject_id) if kind and self.pack.subject_id else None


def shown(packs: Sequence[EvidencePack]) -> list[Shown]:
    """Packs with the holds that keep them, in one query however many they are."""
    concerned = {pack.id: {*pack.held_by, pack.subject_id} for pack in packs}
    found = holds.covering({one for ids in concerned.values() for one in ids if one}).order_by("placed_at", "id")
    in_force = list(found)
    return [
        Shown(pack, [hold for hold in in_force if hold.everything or hold.subject_id in concerned[pack.id]])
        for pack in packs
    ]


class _Page(PortalPage):
    @property
    def user(self) -> User:
        """Who is signed in; LoginRequiredMixin answers everybody else."""
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101  see above
        return user

    def given(self, values: Any) -> dict[str, str]:
        """What was sent, by name."""
        return {name: str(value) for name, value in values.items()}


class Packs(_Page):
    """The packs that the reader may see, and the form that asks for one."""

    template_name = "audit/packs.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.shown(self.given(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask for one; what is refused stays in the form."""
        posted = self.given(request.POST)
        try:
            pack = services.ask(user=self.user, now=self.now, **forms.asked(posted))
        except DomainError as refusal:
            return self.shown({**posted, "subject": posted.get("subject", "")}, refusal)
        return HttpResponseRedirect(reverse("audit:pack", args=[pack.id]))

    def shown(self, posted: Mapping[str, str], refusal: DomainError | None = None) -> HttpResponse:
        """Show the page, with what was refused."""
        known = {} if refusal else posted
        form = forms.form(user=self.user, posted=known, now=self.now)
        found = EvidencePack.objects.visible_to(self.user).select_related("asked_by").order_by("-asked_at", "id")
        page = Paginator(found, PACKS_SHOWN).get_page(posted.get("page"))
        context = {
            "form": form,
            "posted": {**form.posted, **posted},
            "page": page,
            "packs": shown(list(page)),
            "refused": refusal.message if refusal else "",
            "may_see_holds": holds.may_manage(self.user) or self.user.has_perm(port.VIEW_LEDGER),
        }
        return self.page(context, status=refusal.status if refusal else 200)


class Pack(_Page):
    """One pack: how far it is, what keeps it, how to check it."""

    template_name = "audit/pack.html"
    partial_template_name = "audit/pack_state.html"

    def get(self, request: HttpRequest, pack_id: uuid.UUID) -> HttpResponse:
        """Show it; its state alone while it is asked for again and again."""
        pack = services.visible_pack(user=self.user, pack_id=pack_id)
        return self.page({"shown": shown([pack])[0], "keys": keys.verifiers(), "origin": keys.origin()})


class Download(_Page):
    """A pack's bytes; that they were taken is recorded first."""

    def get(self, request: HttpRequest, pack_id: uuid.UUID) -> HttpResponseBase:
        """Send them."""
        pack, parts = services.download(user=self.user, pack_id=pack_id, where="portal", now=self.now)
        return sent(pack, parts)


class Program(_Page):
    """The program that checks a pack, for whoever wants it from here and not from the pack."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send it."""
        content = VERIFIER.read_bytes()
        return serve(
            request=request, name=VERIFIER.name, media_type="text/x-python", content=content, digest=digest(content)
        )


class Holds(_Page):
    """Legal holds: what is held, why, and, for those who may, placing one."""

    template_name = "audit/holds.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.shown(self.given(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Place one; what is refused stays in the form."""
        posted = self.given(request.POST)
        try:
            hold = self._placed(posted)
        except DomainError as refusal:
            holds.check_may_see(self.user)
            return self.shown(posted, refusal)
        messages.success(request, f"Nothing that concerns {hold.label} expires until the hold is released.")
        return HttpResponseRedirect(reverse("audit:holds"))

    def _placed(self, posted: Mapping[str, str]) -> LegalHold:
        kind = posted.get("kind", "")
        subject_id = forms.subject_of(port.scope_kind(kind), posted.get("subject", "")) if kind else None
        return holds.place(
            user=self.user, kind=kind, subject_id=subject_id, reason=posted.get("reason", ""), now=self.now
        )

    def shown(self, posted: Mapping[str, str], refusal: DomainError | None = None) -> HttpResponse:
        """Show the page, with what was refused."""
        found = holds.visible(self.user).order_by("-placed_at", "id")
        context = {
            "in_force": found.filter(released_at__isnull=True),
            "released": found.filter(released_at__isnull=False)[:HOLDS_SHOWN],
            "may_manage": holds.may_manage(self.user),
            "kinds": [kind for kind in port.scope_kinds().values() if kind.name != port.PERIOD],
            "posted": posted,
            "refused": refusal.message if refusal else "",
        }
        return self.page(context, status=refusal.status if refusal else 200)


class Release(_Page):
    """The end of a hold."""

    def post(self, request: HttpRequest, hold_id: uuid.UUID) -> HttpResponse:
        """Release it."""
        hold = holds.release(user=self.user, hold_id=hold_id, reason=request.POST.get("reason", ""), now=self.now)
        messages.success(request, f"The hold on {hold.label} is released.")
        return HttpResponseRedirect(reverse("audit:holds"))
