"""Emergency permits over HTTP: taken, used, reviewed afterwards."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.api.base import ApiView, sender
from approvals.api.filters import PermitFilter
from approvals.api.serializers import ChangeRequestDetailSerializer, PersonReferenceSerializer
from approvals.api.views import parsed, told
from approvals.permits import queries, review, services
from approvals.permits.models import Permit
from approvals.requests import permissions
from foundation import clock
from foundation.api.idempotency import idempotent

LONG_TEXT = 20_000


class PermitDraftSerializer(serializers.Serializer[Any]):
    """A permit for the revision that you read."""

    digest = serializers.CharField(max_length=64, help_text="Of the revision that you read.")
    reason = serializers.CharField(max_length=LONG_TEXT, help_text="Why it can’t wait for its approvals.")


class PermitReviewDraftSerializer(serializers.Serializer[Any]):
    """What you say of a used permit."""

    digest = serializers.CharField(max_length=64, help_text="Of what was applied.")
    verdict = serializers.ChoiceField(choices=Permit.Outcome.choices)
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONG_TEXT)


class PermitReviewSerializer(serializers.Serializer[Any]):
    """What one reviewer said of a used permit."""

    role = serializers.CharField(source="stage.whom")
    verdict = serializers.ChoiceField(choices=Permit.Outcome.choices)
    comment = serializers.CharField(allow_blank=True)
    reviewer = PersonReferenceSerializer()
    decided_at = serializers.DateTimeField()


class PermitSerializer(serializers.Serializer[Any]):
    """A permit: whose, for what, why, until when, and what came of it."""

    id = serializers.UUIDField()
    change_request_id = serializers.UUIDField()
    number = serializers.IntegerField(source="change_request.number", help_text="Of the change request.")
    digest = serializers.CharField()
    user = PersonReferenceSerializer()
    reason = serializers.CharField()
    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)
    review_due_at = serializers.DateTimeField(allow_null=True)
    reviewed_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Permit.Outcome.choices, allow_blank=True, help_text="Empty: not yet.")
    reviews = PermitReviewSerializer(many=True)


class Permits(ApiView, GenericViewSet[Permit]):
    """Emergency permits, of the change requests that the reader may see."""

    queryset = Permit.objects.none()
    serializer_class = PermitSerializer
    filterset_class = PermitFilter
    ordering = ("-issued_at", "id")
    lookup_field = lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Permit]:
        """Those whose request the reader may see."""
        return queries.visible_permits(user=sender(self.request)).prefetch_related(
            "reviews__reviewer", "reviews__stage"
        )

    @extend_schema(summary="List emergency permits, newest first", tags=["permits"])
    def list(self, request: Request) -> Response:
        """One page of permits, used or not."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read an emergency permit", tags=["permits"])
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """One permit with its reviews."""
        return Response(PermitSerializer(services.visible_permit(permit_id=id, user=sender(request))).data)

    @extend_schema(
        summary="Take an emergency permit",
        request=PermitDraftSerializer,
        responses={201: PermitSerializer},
        tags=["permits"],
    )
    @idempotent
    def take(self, request: Request, id: uuid.UUID) -> Response:
        """Take a permit for the revision of this digest. Nothing is applied yet."""
        permissions.visible_request(user=sender(request), change_request_id=id)
        permit = services.take(
            change_request_id=id, user=sender(request), now=clock.now(), **parsed(PermitDraftSerializer, request)
        )
        return Response(PermitSerializer(permit).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Apply under an emergency permit",
        request=None,
        responses=ChangeRequestDetailSerializer,
        tags=["permits"],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def use(self, request: Request, id: uuid.UUID) -> Response:
        """Apply the permit's revision at once, whole; its review begins."""
        return told(request, services.use(permit_id=id, user=sender(request), now=clock.now()))

    @extend_schema(
        summary="Review an emergency",
        request=PermitReviewDraftSerializer,
        responses={201: PermitSerializer},
        tags=["permits"],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def reviews(self, request: Request, id: uuid.UUID) -> Response:
        """Say whether it was justified; the last one that is asked completes the review."""
        values = parsed(PermitReviewDraftSerializer, request)
        permit = review.review(permit_id=id, reviewer=sender(request), now=clock.now(), **values)
        return Response(PermitSerializer(permit).data, status=status.HTTP_201_CREATED)
