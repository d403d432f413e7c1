"""The pages of access reviews: the list with opening one; one campaign; deciding, giving to others, closing."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit import subjects
from audit.access.port import Roster
from audit.access.views import SignedIn, csv_file
from audit.reviews import opening, permissions, reading, services
from audit.reviews.models import AccessReview
from audit.reviews.opening import Part, Wanted
from foundation.errors import DomainError, InvalidInput

SHOWN = 50
OWNERS = 3


class Reviews(SignedIn):
    """The campaigns that the reader may see, and opening one."""

    template_name = "audit/reviews.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.shown({})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open one."""
        try:
            review = opening.open_review(user=self.user, wanted=wanted_from(request), now=self.now)
        except DomainError as refusal:
            chosen = {name: request.POST.getlist(name) for name in ("roles", "accounts")}
            return self.shown(request.POST.dict() | chosen, refusal)
        messages.success(request, "The review is open. Its reviewers are told by mail.")
        return redirect("audit:review", review.id)

    def shown(self, posted: Mapping[str, Any], refusal: DomainError | None = None) -> HttpResponse:
        """Show the page, with what was typed and refused."""
        found = permissions.visible_reviews(self.user).order_by("-opened_at", "id")
        may_open = permissions.may_open(self.user)
        context = {
            "reviews": reading.progress(found[:SHOWN], now=self.now),
            "may_open": may_open,
            "roles": sorted(Roster.read().of_role) if may_open else (),
            "accounts": subjects.directory().accounts(self.user) if may_open else (),
            "owners": [
                (n, posted.get(f"owner_{n}", ""), posted.get(f"owner_{n}_role", "")) for n in range(1, OWNERS + 1)
            ],
            "posted": posted,
            "refused": refusal.message if refusal else "",
            "zone": timezone.get_current_timezone(),
        }
        return self.page(context, status=refusal.status if refusal else 200)


class Review(SignedIn):
    """One campaign: how far it is, and its entries that the reader may see."""

    template_name = "audit/review.html"

    def get(self, request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
        """Show it."""
        return self.shown(permissions.visible_review(user=self.user, review_id=review_id))

    def shown(self, review: AccessReview, refusal: DomainError | None = None) -> HttpResponse:
        """Show a page of it, with what was refused."""
        (progress,) = reading.progress(AccessReview.objects.filter(id=review.id), now=self.now)
        only = self.request.GET.get("only", "")
        found = reading.entries_of(review, user=self.user)
        if only == "open":
            found = found.filter(decision__isnull=True)
        if only == "mine":
            found = found.filter(reviewer_human_id=self.user.human_id)
        page = Paginator(found, SHOWN).get_page(self.request.GET.get("page"))
        context = {
            "progress": progress,
            "page": page,
            "entries": reading.shown(list(page.object_list), user=self.user, now=self.now),
            "only": only,
            "mine": review.entries.of_reviewer(self.user).undecided().count(),
            "may_open": permissions.may_open(self.user),
            "refused": refusal.message if refusal else "",
        }
        return self.page(context, status=refusal.status if refusal else 200)


class _Step(Review):
    http_method_names = ("post",)
    done = ""

    def post(self, request: HttpRequest, review_id: uuid.UUID, **keys: uuid.UUID) -> HttpResponse:
        """Do it, and lead back."""
        review = permissions.visible_review(user=self.user, review_id=review_id)
        try:
            self.step(request, review, **keys)
        except DomainError as refusal:
            return self.shown(review, refusal)
        messages.success(request, self.done)
        return redirect("audit:review", review_id)

    def step(self, request: HttpRequest, review: AccessReview, **keys: uuid.UUID) -> None:
        """Do what the page is for."""
        raise NotImplementedError


class Decide(_Step):
    """Keeps or revokes one right."""

    done = "Your decision is recorded."

    def step(self, request: HttpRequest, review: AccessReview, **keys: uuid.UUID) -> None:
        """Decide."""
        services.decide(
            review_id=review.id,
            entry_id=keys["entry_id"],
            user=self.user,
            verdict=request.POST.get("verdict", ""),
            reason=request.POST.get("reason", ""),
            now=self.now,
        )


class Assign(_Step):
    """Gives one entry to somebody else."""

    done = "Somebody else reviews it now."

    def step(self, request: HttpRequest, review: AccessReview, **keys: uuid.UUID) -> None:
        """Assign."""
        login = request.POST.get("login", "")
        services.assign(review_id=review.id, entry_id=keys["entry_id"], user=self.user, login=login, now=self.now)


class Close(_Step):
    """Closes a campaign."""

    done = "The review is closed."

    def step(self, request: HttpRequest, review: AccessReview, **keys: uuid.UUID) -> None:
        """Close."""
        services.close(review_id=review.id, user=self.user, now=self.now)


class ReviewAsCsv(SignedIn):
    """A campaign as evidence."""

    def get(self, request: HttpRequest, review_id: uuid.UUID) -> StreamingHttpResponse:
        """Send it."""
        review = permissions.visible_review(user=self.user, review_id=review_id)
        return csv_file(reading.as_csv(review=review, user=self.user, now=self.now), "review.csv")


def wanted_from(request: HttpRequest) -> Wanted:
    """
    The campaign that the form asks for; its time is local, in the reader's zone.

    :raises InvalidInput: if the time is none
    """
    posted = request.POST
    text = posted.get("due_at", "")
    try:
        due_at = parse_datetime(text)
    except ValueError:
        due_at = None
    if due_at is None:
        raise InvalidInput("Say until when it is due.")
    owners = [
        (login, Part(roles=[role] if role else []))
        for n in range(1, OWNERS + 1)
        if (login := posted.get(f"owner_{n}", "").strip())
        for role in (posted.get(f"owner_{n}_role", ""),)
    ]
    return Wanted(
        name=posted.get("name", ""),
        due_at=timezone.make_aware(due_at) if due_at.tzinfo is None else due_at,
        scope=Part(
            roles=[role for role in posted.getlist("roles") if role],
            accounts=[uuid.UUID(key) for key in posted.getlist("accounts") if _is_uuid(key)],
        ),
        owners=owners,
    )


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
