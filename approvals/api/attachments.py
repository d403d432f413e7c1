"""The files of a change request over HTTP."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.api.base import ApiView, sender
from approvals.api.serializers import PersonReferenceSerializer
from approvals.api.views import parsed
from approvals.attachments.models import Attachment
from approvals.attachments.services import Upload, attach, attachment_of, content_of, visible_attachment
from approvals.requests import permissions
from foundation import clock
from foundation.web.downloads import serve


class UploadSerializer(serializers.Serializer[Any]):
    """A file, and the comment of one's own that it belongs to, if any."""

    file = serializers.FileField(allow_empty_file=True)
    comment = serializers.UUIDField(required=False, help_text="Id of a comment that you wrote.")


class AttachmentSerializer(serializers.Serializer[Any]):
    """A file of a change request; its bytes stand at `/content`."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="In the order in which they were attached, from 1.")
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(source="blob.size", help_text="In bytes.")
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 of the bytes, in hex; also their ETag.")
    author = PersonReferenceSerializer()
    revision = serializers.IntegerField(source="revision.number", help_text="The one that was current then.")
    comment = serializers.UUIDField(source="comment_id", allow_null=True)
    created_at = serializers.DateTimeField()


class Attachments(ApiView, GenericViewSet[Attachment]):
    """Files attached to one change request. They are kept as they are, and are no part of any digest of a revision."""

    queryset = Attachment.objects.none()
    serializer_class = AttachmentSerializer
    parser_classes = (MultiPartParser,)
    renderer_classes = (JSONRenderer,)
    filter_backends = ()
    ordering = ("number",)

    def get_queryset(self) -> QuerySet[Attachment]:
        """
        Those of the request in the address, in the order in which they were attached.

        :raises NotFound: if there is no such request, or the reader may not see it
        """
        change_request = permissions.visible_request(user=sender(self.request), change_request_id=self.kwargs["id"])
        return (
            Attachment.objects.filter(change_request=change_request)
            .select_related("author", "revision", "blob")
            .defer("revision__content", "revision__document", "blob__content")
        )

    @extend_schema(summary="List the files of a change request", tags=["change-requests"])
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """One page of files, in the order in which they were attached."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary="Attach a file to a change request",
        request={"multipart/form-data": UploadSerializer},
        responses={201: AttachmentSerializer},
        tags=["change-requests"],
    )
    def create(self, request: Request, id: uuid.UUID) -> Response:
        """
        Attach a file, in whatever state the request is. Sent again, the same bytes under the same name are refused with
        `already_attached` and the id that they have, so nothing is kept twice.
        """
        change_request = permissions.visible_request(user=sender(request), change_request_id=id)
        sent = parsed(UploadSerializer, request)
        kept = attach(
            change_request_id=id,
            author=sender(request),
            file=Upload(name=sent["file"].name or "", content=sent["file"].read()),
            comment_id=sent.get("comment"),
            now=clock.now(),
        )
        told = AttachmentSerializer(attachment_of(change_request, kept.id)).data
        return Response(told, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Read about a file of a change request", tags=["change-requests"])
    def retrieve(self, request: Request, id: uuid.UUID, attachment_id: uuid.UUID) -> Response:
        """Name, type, size, digest, who attached it and when."""
        file = visible_attachment(user=sender(request), change_request_id=id, attachment_id=attachment_id)
        return Response(AttachmentSerializer(file).data)

    @extend_schema(
        summary="Download a file of a change request",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes.")],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="You have these bytes."),
            416: OpenApiResponse(description="There is no such range."),
        },
        tags=["change-requests"],
    )
    def content(self, request: Request, id: uuid.UUID, attachment_id: uuid.UUID) -> HttpResponse:
        """The bytes, with the file's own type, always as a download."""
        file = visible_attachment(user=sender(request), change_request_id=id, attachment_id=attachment_id)
        return serve(
            request=request._request,
            name=file.name,
            media_type=file.media_type,
            content=content_of(file),
            digest=file.blob_id,
        )
