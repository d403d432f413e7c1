"""The log's own page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from audit.explorer.reading import check_may_read
from audit.publishing import reading
from foundation.identity.models import User
from foundation.web.portal import PortalPage


class LedgerPage(PortalPage):
    """The head of the log, where it was copied, and how anybody verifies it."""

    template_name = "audit/ledger.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        assert isinstance(request.user, User)  # noqa: S101  LoginRequiredMixin answers everybody else
        check_may_read(user=request.user)
        return self.page({"ledger": reading.state(), "configured": bool(settings.LEDGER_COPIES)})
