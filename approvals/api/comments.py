"""The discussion of a change request over HTTP."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.api.base import ApiView, sender
from approvals.api.serializers import PersonReferenceSerializer
from approvals.api.views import parsed
from approvals.discussion import services
from approvals.discussion.models import GREATEST_LENGTH, Comment
from approvals.requests import permissions
from foundation import clock
from foundation.api.idempotency import idempotent


class CommentDraftSerializer(serializers.Serializer[Any]):
    """What is to be said; `@name` tells that person, if they see the change request."""

    text = serializers.CharField(max_length=GREATEST_LENGTH)


class CommentSerializer(serializers.Serializer[Any]):
    """What somebody said, about which revision, and who was mentioned and told."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="In the order in which they were said, from 1.")
    author = PersonReferenceSerializer()
    text = serializers.CharField()
    revision = serializers.IntegerField(source="revision.number")
    mentions = serializers.ListField(child=serializers.UUIDField(), help_text="Ids of the logins that were told.")
    created_at = serializers.DateTimeField()


class Comments(ApiView, GenericViewSet[Comment]):
    """What people say about one change request. It is kept as it was said, and is no part of any digest."""

    queryset = Comment.objects.none()
    serializer_class = CommentSerializer
    filter_backends = ()
    ordering = ("number",)

    def get_queryset(self) -> QuerySet[Comment]:
        """
        Those of the request in the address, oldest first.

        :raises NotFound: if there is no such request, or the reader may not see it
        """
        change_request = permissions.visible_request(user=sender(self.request), change_request_id=self.kwargs["id"])
        return (
            Comment.objects.filter(change_request=change_request)
            .select_related("author", "revision")
            .defer("revision__content", "revision__document")
        )

    @extend_schema(summary="Read the discussion of a change request", tags=["change-requests"])
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """One page of comments, oldest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary="Comment on a change request",
        request=CommentDraftSerializer,
        responses={201: CommentSerializer},
        tags=["change-requests"],
    )
    @idempotent
    def create(self, request: Request, id: uuid.UUID) -> Response:
        """Say something, in whatever state the request is; those mentioned and the author are told by mail."""
        permissions.visible_request(user=sender(request), change_request_id=id)
        written = services.comment(
            change_request_id=id,
            author=sender(request),
            text=parsed(CommentDraftSerializer, request)["text"],
            now=clock.now(),
        )
        return Response(CommentSerializer(written).data, status=status.HTTP_201_CREATED)
