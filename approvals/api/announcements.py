"""What was announced to the sender over HTTP, and that they have read it."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.announcements import reading, services
from approvals.announcements.models import Announcement
from approvals.api.base import ApiView, sender
from approvals.api.filters import AnnouncementFilter
from approvals.requests.models import Authorization
from foundation import clock
from foundation.api.idempotency import idempotent

# What nobody is told of has no basis here.
BASES = [(value, label) for value, label in Authorization.Basis.choices if value != Authorization.Basis.BOOTSTRAP]


class AnnouncementSerializer(serializers.Serializer[Any]):
    """One applied change that was told to the sender, and whether they have read it."""

    id = serializers.UUIDField()
    change_request_id = serializers.UUIDField()
    number = serializers.IntegerField(source="change_request.number", help_text="Of the change request.")
    title = serializers.CharField(source="change_request.title")
    summary = serializers.CharField(allow_null=True, help_text="What changed, in a sentence.")
    applied_at = serializers.DateTimeField(source="change_request.applied_at")
    basis = serializers.ChoiceField(
        source="change_request.authorization.basis", choices=BASES, help_text="By what authority it was applied."
    )
    reasons = serializers.ListField(child=serializers.CharField(), help_text="The subscriptions, as they were then.")
    created_at = serializers.DateTimeField(help_text="When it was announced.")
    acknowledge_by = serializers.DateTimeField(allow_null=True, help_text="Null: nobody asks for it.")
    acknowledged_at = serializers.SerializerMethodField(help_text="Null: not yet.")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_acknowledged_at(self, announcement: Announcement) -> Any:
        """When it was read, under whatever login."""
        read = getattr(announcement, "acknowledgment", None)
        return serializers.DateTimeField().to_representation(read.acknowledged_at) if read else None


class Announcements(ApiView, GenericViewSet[Announcement]):
    """Applied changes that were told to the sender."""

    queryset = Announcement.objects.none()
    serializer_class = AnnouncementSerializer
    filterset_class = AnnouncementFilter
    ordering = ("-created_at", "id")
    lookup_field = lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Announcement]:
        """Those for the sender, of changes that they may see now."""
        return reading.described(Announcement.objects.visible_to(sender(self.request)))

    @extend_schema(summary="List what was announced to you", tags=["announcements"])
    def list(self, request: Request) -> Response:
        """One page of applied changes that you were told of, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read an announcement", tags=["announcements"])
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """One announcement. Reading it here acknowledges nothing."""
        return self._told(id)

    @extend_schema(
        summary="Say that you have read an announcement",
        request=None,
        responses=AnnouncementSerializer,
        tags=["announcements"],
    )
    @idempotent
    def acknowledge(self, request: Request, id: uuid.UUID) -> Response:
        """It is kept for ever; saying it again changes nothing."""
        services.acknowledge(announcement_id=id, user=sender(request), now=clock.now())
        return self._told(id)

    def _told(self, id: uuid.UUID) -> Response:
        found = services.visible_announcement(user=sender(self.request), announcement_id=id)
        return Response(AnnouncementSerializer(found).data)
