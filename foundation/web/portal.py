"""The base of portal pages."""

from typing import Any, ClassVar

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from foundation import clock
from foundation.errors import DomainError
from foundation.web.errors import refuse


class PortalPage(LoginRequiredMixin, View):
    """
    A page for signed-in people: parse, read `self.now`, make one domain call, `self.page(context)`.

    A domain error becomes a page with its sentence and status. A request of htmx gets `partial_template_name`, if the
    page has one, or the problem's part alone.
    """

    template_name: ClassVar[str]
    partial_template_name: ClassVar[str] = ""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Read the clock, once for the whole request."""
        super().setup(request, *args, **kwargs)
        self.now = clock.now()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request, or tell why it is refused."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return refuse(request, error)

    def page(self, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """Render the page, or its part for htmx."""
        partial = self.partial_template_name if getattr(self.request, "htmx", False) else ""
        return render(self.request, partial or self.template_name, context or {}, status=status)

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]  # django-stubs know only redirects
        """Send the person to sign in: the whole page, also where htmx asked for a part of it."""
        response = super().handle_no_permission()
        if getattr(self.request, "htmx", False) and "Location" in response:
            return HttpResponseClientRedirect(response["Location"])
        return response
