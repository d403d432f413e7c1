"""Who sends a request: the bearer of a token."""

import contextlib
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from foundation import clock
from foundation.api.models import TokenUse
from foundation.identity.models import User

# The tokens whose use this process has written, by the hour that is now.
_NOTED: dict[datetime, set[str]] = {}


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
        _note_use(found[1], clock.now())
        return found


def _note_use(token: AuthToken, now: datetime) -> None:
    """Keep when a token was last used, to the hour: a process writes it once an hour, other requests cost nothing."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if hour not in _NOTED:
        _NOTED.clear()
    noted = _NOTED.setdefault(hour, set())
    if token.digest in noted:
        return
    # A token that is revoked at this moment has no use to keep.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        TokenUse.objects.bulk_create(
            [TokenUse(token=token, used_at=hour)],
            update_conflicts=True,
            unique_fields=["token"],
            update_fields=["used_at"],
        )
    noted.add(token.digest)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes tokens in the OpenAPI document."""

    target_class = "foundation.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return dict(build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer"))  # noqa: S106
