"""Signing in and out, and one's own profile."""

import zoneinfo

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from foundation.errors import InvalidInput
from foundation.identity import services
from foundation.identity.models import User
from foundation.web.portal import PortalPage


class SignIn(LoginView):
    """The sign-in page; django-axes counts failures and locks out."""

    template_name = "registration/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Signing out; by POST only."""


class Profile(PortalPage):
    """The reader's own profile: name, roles, time zone."""

    template_name = "registration/profile.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return self.shown(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the time zone that was chosen."""
        user = request.user
        assert isinstance(user, User)  # noqa: S101  LoginRequiredMixin answers everybody else
        try:
            services.choose_time_zone(user=user, time_zone=request.POST.get("time_zone", ""))
        except InvalidInput as error:
            return self.shown(request, refused=error.message, status=error.status)
        messages.success(request, "Your time zone is saved. Every instant is now shown in it.")
        return HttpResponseRedirect(reverse("profile"))

    def shown(self, request: HttpRequest, refused: str = "", status: int = 200) -> HttpResponse:
        """Render the profile."""
        roles = request.user.groups.order_by("name").values_list("name", flat=True)
        context = {
            "roles": roles,
            "zones": sorted(zoneinfo.available_timezones()),
            "shown_zone": timezone.get_current_timezone_name(),
            "refused": refused,
        }
        return self.page(context, status=status)
