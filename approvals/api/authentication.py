"""Who sends a request: the bearer of a token, or a signed-in browser."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from foundation.identity.models import User


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Bearer tnr_…`; knox keeps hashes only, and its tokens expire."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, Any]:
        """
        Return the token's user and the token.

        :raises AuthenticationFailed: if it is unknown or expired, or its user is not active
        """
        # Tokens are ASCII: what is not could not even be looked up.
        if not token.isascii() or b"\x00" in token:
            raise AuthenticationFailed("Invalid token.")
        found: tuple[User, Any] = super().authenticate_credentials(token)
        return found


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


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes tokens in the OpenAPI document."""

    target_class = "approvals.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return dict(build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer"))  # noqa: S106


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes names and passwords in the OpenAPI document."""

    target_class = "approvals.api.authentication.PasswordAuthentication"
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "basic"}
