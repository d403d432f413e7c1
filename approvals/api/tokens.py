"""
API tokens: a person's own, made with a session or a name and password, expiring, kept as hashes.

A token cannot make another: who steals one cannot outlive it.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import events
from approvals.api.authentication import PasswordAuthentication
from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from audit.services import NewEvent, Subject, record
from foundation import clock
from foundation.api.authentication import BearerAuthentication
from foundation.errors import Conflict, NotFound
from foundation.identity.models import User

GREATEST_DAYS = 90
GREATEST_COUNT = 20


class TooManyTokens(Conflict):
    """A person holds as many tokens as one may."""

    code = "too_many_tokens"
    title = "Too many tokens"


@transaction.atomic
def issue(*, user: User, days: int, now: datetime) -> tuple[AuthToken, str]:
    """
    Make a token for a user that expires after some days, and answer it with its secret, which is not kept.

    :raises TooManyTokens: if the user holds 20 that have not expired
    """
    User.objects.select_for_update().get(id=user.id)
    if AuthToken.objects.filter(user=user, expiry__gt=now).count() >= GREATEST_COUNT:
        raise TooManyTokens(f"You hold {GREATEST_COUNT} tokens. Revoke one that is not needed.")
    made: tuple[AuthToken, str] = AuthToken.objects.create(user=user, expiry=timedelta(days=days))
    _record(events.BEARER_ISSUED, user, now, token=made[0].token_key, expires_at=made[0].expiry)
    return made


@transaction.atomic
def revoke(*, user: User, token_id: str, now: datetime) -> None:
    """
    Revoke one of a user's own tokens.

    :raises NotFound: if the user has no such token
    """
    deleted, _ = AuthToken.objects.filter(user=user, token_key=token_id).delete()
    if not deleted:
        raise NotFound("You have no such token, or it has expired.")
    _record(events.BEARER_REVOKED, user, now, token=token_id)


def _record(event_type: str, user: User, now: datetime, **data: Any) -> None:
    subject = Subject(type="foundation.user", id=user.id, label=f"login {user.id}")
    record(event=NewEvent(type=event_type, actor=user, subject=subject, data=data), now=now)


class TokenRequestSerializer(serializers.Serializer[Any]):
    """How long a token is to live."""

    days = serializers.IntegerField(min_value=1, max_value=GREATEST_DAYS, default=GREATEST_DAYS)


class TokenSerializer(serializers.Serializer[Any]):
    """A token, without its secret; `id` is the secret's beginning."""

    id = serializers.CharField(source="token_key")
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)


class NewTokenSerializer(TokenSerializer):
    """A new token with its secret, which is shown this once."""

    token = serializers.CharField()


class Tokens(ApiView):
    """The sender's own tokens."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return who may ask: making a token takes a session or a password, never another token."""
        if self.request is not None and self.request.method == "POST":
            return [PasswordAuthentication(), SessionAuthentication()]
        return [BearerAuthentication(), SessionAuthentication()]

    @extend_schema(summary="List your tokens", responses=TokenSerializer(many=True), tags=["tokens"])
    def get(self, request: Request) -> Response:
        """The sender's tokens that have not expired."""
        rows = AuthToken.objects.filter(user=sender(request), expiry__gt=clock.now()).order_by("created", "digest")
        return Response(TokenSerializer(rows, many=True).data)

    @extend_schema(
        summary="Make a token",
        request=TokenRequestSerializer,
        responses={201: NewTokenSerializer},
        tags=["tokens"],
    )
    def post(self, request: Request) -> Response:
        """Make a token; after eight failed passwords the name is locked for a quarter of an hour."""
        values = parsed(TokenRequestSerializer, request)
        row, secret = issue(user=sender(request), days=values["days"], now=clock.now())
        row.token = secret
        response = Response(NewTokenSerializer(row).data, status=status.HTTP_201_CREATED)
        response["Cache-Control"] = "no-store"
        return response


class Token(ApiView):
    """One of the sender's own tokens."""

    @extend_schema(summary="Revoke one of your tokens", request=None, responses={204: None}, tags=["tokens"])
    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke it at once."""
        revoke(user=sender(request), token_id=token_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
