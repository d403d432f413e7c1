"""The base of every governed record over HTTP: reads answer at once, writes file a change request and answer 202."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from approvals.api.base import ApiView, body, sender
from approvals.api.filing import file_one
from approvals.api.views import told
from approvals.records.models import GovernedModel
from audit.reads.collecting import gave_fields
from foundation import clock
from foundation.api.conditional import check_if_match, is_not_modified, set_etag
from foundation.api.idempotency import idempotent
from foundation.identity.models import User

NAMES = ("reference", "name", "code", "version_name")


class ReadOnly(ApiView, GenericViewSet[Any]):
    """
    Records of one sort that the reader may see.

    A subclass says which (`visible`, one query whatever the number of rows), how they are ordered and shown.
    """

    visible: ClassVar["staticmethod[[User], QuerySet[Any]]"]
    ordering: ClassVar[tuple[str, ...]]
    lookup_field = lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    payload_pointer = ""  # the body is the payload

    def get_queryset(self) -> QuerySet[Any]:
        """What the reader may see."""
        return type(self).visible(sender(self.request))

    def get_object(self) -> Any:
        """
        The record named by the address.

        :raises Http404: if there is none, or the reader may not see it
        """
        found = self.get_queryset().filter(id=self.kwargs["id"]).first()
        if found is None:
            raise Http404
        return found

    def list(self, request: Request) -> Response:
        """One page of what is granted to the reader."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        self.note(page or ())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """One record, with its version as ETag."""
        record = self.get_object()
        self.note([record])
        if not isinstance(record, GovernedModel):
            return Response(self.get_serializer(record).data)
        if is_not_modified(request=request, version=record.version):
            response = Response(status=status.HTTP_304_NOT_MODIFIED)
        else:
            response = Response(self.get_serializer(record).data)
        set_etag(response, record.version)
        return response

    def note(self, records: Sequence[Any]) -> None:
        """Note which records are handed out, as far as what is shown of them is sensitive."""
        serializer: Any = self.get_serializer()
        model = serializer.Meta.model
        gave_fields(model._meta.label_lower, serializer.fields, records)

    def file(self, request: Request, kind_name: str, payload: dict[str, Any]) -> Response:
        """File a change of the record named by the address, as the version that its sender read."""
        record = self.get_object()
        check_if_match(request=request, version=record.version)
        change_request = file_one(
            kind_name=kind_name,
            payload=payload,
            author=sender(request),
            now=clock.now(),
            target_id=record.id,
            base_version=record.version,
            label=str(record),
        )
        return told(request, change_request, code=status.HTTP_202_ACCEPTED)


class Creates(ReadOnly):
    """Records that can be proposed."""

    create_kind: ClassVar[str]

    @idempotent
    def create(self, request: Request) -> Response:
        """File a change request that would make the record."""
        payload = body(request)
        label = next((str(payload[name]) for name in NAMES if payload.get(name)), "")
        change_request = file_one(
            kind_name=self.create_kind, payload=payload, author=sender(request), now=clock.now(), label=label
        )
        return told(request, change_request, code=status.HTTP_202_ACCEPTED)


class Amends(ReadOnly):
    """Records whose amendment can be proposed."""

    amend_kind: ClassVar[str]

    @idempotent
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        """File a change request that would change the fields given."""
        return self.file(request, self.amend_kind, body(request))


class Retires(ReadOnly):
    """Records whose retirement can be proposed."""

    retire_kind: ClassVar[str]

    @idempotent
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """File a change request that would retire the record; nothing is deleted."""
        return self.file(request, self.retire_kind, {})
