"""Who asks for a token: somebody with a name and a password."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request


class PasswordAuthentication(BasicAuthentication):
    """`Authorization: Basic …` for the token end point alone, under the same lockout as the sign-in page."""

    www_authenticate_realm = "tenure"

    def authenticate_credentials(self, userid: str, password: str, request: Request | None = None) -> tuple[Any, None]:
        """
        Return the user of a name and a password.

        :raises Throttled: if too many attempts failed
        :raises AuthenticationFailed: if they do not fit
        """
        if "\x00" in userid or "\x00" in password:
            raise AuthenticationFailed("Invalid username or password.")
        # axes leaves its verdict on Django's request, not on DRF's wrapper.
        sender = request._request if request is not None else None
        try:
            user, _ = super().authenticate_credentials(userid, password, sender)  # type: ignore[arg-type]
        except AuthenticationFailed:
            if getattr(sender, "axes_locked_out", False):
                # The lockout is told here, as a problem: axes' middleware would put a page in its place.
                sender.axes_locked_out = False  # type: ignore[union-attr]
                raise Throttled(detail="Too many sign-ins failed. Wait, then try again.") from None
            raise
        return user, None


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes names and passwords in the OpenAPI document."""

    target_class = "approvals.api.authentication.PasswordAuthentication"
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "basic"}
