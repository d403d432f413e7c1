"""Delegations and authority limits over HTTP."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.api.base import ApiView, sender
from approvals.api.filters import DelegationFilter, LimitFilter
from approvals.api.openapi import documented
from approvals.api.records import Amends, Creates, Retires
from approvals.api.serializers import PersonReferenceSerializer
from approvals.api.views import parsed
from approvals.authority import services
from approvals.authority.models import AuthorityLimit, Delegation
from approvals.roles import VIEW_REQUESTS
from foundation import clock
from foundation.api.idempotency import idempotent
from foundation.errors import InvalidInput, NotPermitted
from foundation.identity.models import User


class DelegationDraftSerializer(serializers.Serializer[Any]):
    """Who shall decide for you, as what, and until when."""

    delegate = serializers.CharField(max_length=150, help_text="Their login.")
    role = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text="Empty: every role of yours that decides.",
    )
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Null: now.")
    ends_at = serializers.DateTimeField(help_text="At most 92 days after the start.")
    reason = serializers.CharField(max_length=services.LONGEST_REASON)


class DelegationSerializer(serializers.Serializer[Any]):
    """One human decides for another, for a while."""

    id = serializers.UUIDField()
    delegator = PersonReferenceSerializer()
    delegate = PersonReferenceSerializer()
    role = serializers.CharField(help_text="Empty: every role of the delegator that decides.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class Delegations(ApiView, GenericViewSet[Delegation]):
    """Who decides for the sender, and for whom the sender decides."""

    queryset = Delegation.objects.none()
    serializer_class = DelegationSerializer
    filterset_class = DelegationFilter
    ordering = ("-created_at", "id")
    lookup_field = lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Delegation]:
        """Those that the sender's human gave or received."""
        return Delegation.objects.of_either(sender(self.request)).select_related("delegator", "delegate")

    @extend_schema(summary="List your delegations", tags=["delegations"])
    def list(self, request: Request) -> Response:
        """One page of those that you gave or received, newest first; revoked ones too."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary="Let somebody decide for you",
        request=DelegationDraftSerializer,
        responses={201: DelegationSerializer},
        tags=["delegations"],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Give a delegation of what you decide yourself; it never reaches further."""
        values = parsed(DelegationDraftSerializer, request)
        services.check_may_delegate(user=sender(request))
        now = clock.now()
        given = services.delegate(
            delegator=sender(request),
            delegate=named(values["delegate"]),
            role=values["role"],
            starts_at=values["starts_at"] or now,
            ends_at=values["ends_at"],
            reason=values["reason"],
            now=now,
        )
        return Response(DelegationSerializer(given).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Revoke a delegation", request=None, responses=DelegationSerializer, tags=["delegations"])
    @idempotent
    def revoke(self, request: Request, id: uuid.UUID) -> Response:
        """End one that you gave or received; decisions by it that are not applied count no longer."""
        revoked = services.revoke(delegation_id=id, user=sender(request), now=clock.now())
        return Response(DelegationSerializer(revoked).data)


def named(login: str) -> User:
    """
    The active user of a login.

    :raises InvalidInput: if there is none
    """
    found = User.objects.filter(username=login.strip(), is_active=True).first()
    if found is None:
        sentence = f"Nobody signs in as {login}. Name somebody by their login."
        raise InvalidInput(sentence, errors=[{"field": "delegate", "message": sentence}])
    return found


class AuthorityLimitSerializer(serializers.ModelSerializer[AuthorityLimit]):
    """Up to what a human decides in a role."""

    human_id = serializers.UUIDField(source="human", help_text="Of whatever login.")

    class Meta:
        model = AuthorityLimit
        fields = [
            "id",
            "version",
            "retired_at",
            "human_id",
            "role",
            "seats",
            "money",
            "currency",
            "starts_at",
            "ends_at",
        ]


def visible_limits(user: User) -> QuerySet[AuthorityLimit]:
    """
    All authority limits, for who may read change requests.

    :raises NotPermitted: if the user may not
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read authority limits. Ask an administrator for a role.")
    return AuthorityLimit.objects.all()


@documented
class AuthorityLimits(Creates, Amends, Retires):
    """Up to what approvers decide: seats that a change adds, money that it commits."""

    queryset = AuthorityLimit.objects.none()
    visible = staticmethod(visible_limits)
    serializer_class = AuthorityLimitSerializer
    filterset_class = LimitFilter
    ordering = ("id",)
    create_kind = "authority_limit.create"
    amend_kind = "authority_limit.amend"
    retire_kind = "authority_limit.retire"
