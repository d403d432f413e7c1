"""The base of change control's pages."""

from foundation.identity.models import User
from foundation.web.portal import PortalPage


class SignedInPage(PortalPage):
    """A page of a signed-in person, with their own type."""

    @property
    def user(self) -> User:
        """Who is signed in; LoginRequiredMixin answers everybody else."""
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101  see above
        return user
