"""The pages of who holds which rights."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from audit.access import report
from audit.access.conflicts import rules
from foundation.identity.models import User
from foundation.web.portal import PortalPage

SHOWN = 50


class SignedIn(PortalPage):
    """A page of a signed-in person."""

    @property
    def user(self) -> User:
        """Who is signed in; LoginRequiredMixin answers everybody else."""
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101  see above
        return user


class Access(SignedIn):
    """Every login: what it may do, where, by what; and what does not go together."""

    template_name = "audit/access.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them."""
        given = {name: request.GET.get(name, "").strip() for name in ("text", "role", "rule")}
        found = report.read(user=self.user, now=self.now, **given)
        page = Paginator(found.rows, SHOWN).get_page(request.GET.get("page"))
        rows = [(row, [found.told(right) for right in row.holder.rights]) for row in page.object_list]
        heavy = [one for one in found.conflicts if not one.is_note]
        return self.page(
            {
                "rows": rows,
                "page": page,
                "given": given,
                "query": urlencode({name: value for name, value in given.items() if value}),
                "heavy": heavy,
                "notes": [one for one in found.conflicts if one.is_note],
                "roles": sorted(found.population.roster.of_role),
                "rules": rules(),
            }
        )


class RightsAsCsv(SignedIn):
    """One row a right."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send it."""
        return csv_file(report.rights_as_csv(user=self.user, now=self.now), "access.csv")


class ConflictsAsCsv(SignedIn):
    """One row a conflict."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send it."""
        return csv_file(report.conflicts_as_csv(user=self.user, now=self.now), "conflicts.csv")


def csv_file(rows: Iterable[str], name: str) -> StreamingHttpResponse:
    """Lines of CSV as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)
