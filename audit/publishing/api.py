"""The log over HTTP: its head, its keys, and proofs, in the formats of docs/ledger.md."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from audit.explorer.reading import check_may_read
from audit.publishing import reading
from audit.sealing.models import Checkpoint
from foundation.api.base import ApiView, sender

SIZES = [
    OpenApiParameter("first", int, required=True, description="Events of the older head, 1 or more."),
    OpenApiParameter("second", int, required=True, description="Events of the newer head, at least as many."),
]
HASH = "Base64 of 32 bytes."


class CheckpointSerializer(serializers.Serializer[Any]):
    """A signed head: `note` is a C2SP tlog-checkpoint, which the rest repeats."""

    size = serializers.IntegerField(help_text="How many events it covers.")
    root = serializers.CharField(help_text=HASH)  # type: ignore[assignment]  # a field of that name
    signed_at = serializers.DateTimeField()
    note = serializers.CharField()


class CopySerializer(serializers.Serializer[Any]):
    """The last head that a place outside has."""

    target = serializers.CharField(help_text="Its URL, without credentials.")
    size = serializers.IntegerField()
    copied_at = serializers.DateTimeField()


class LedgerSerializer(serializers.Serializer[Any]):
    """The log. Pin its first name and its keys once, obtained otherwise than from here."""

    origin = serializers.CharField(help_text="Its name, the first line of its checkpoints.")
    keys = serializers.ListField(child=serializers.CharField(), help_text="C2SP verifier keys.")
    checkpoint = CheckpointSerializer(allow_null=True)
    waiting = serializers.IntegerField(help_text="Events that are not sealed yet.")
    copies = CopySerializer(many=True)


class ConsistencySerializer(serializers.Serializer[Any]):
    """A proof of RFC 9162 §2.1.4."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()
    hashes = serializers.ListField(child=serializers.CharField(help_text=HASH))


class InclusionSerializer(serializers.Serializer[Any]):
    """A proof of RFC 9162 §2.1.3 that the event's `content` is in the log."""

    index = serializers.IntegerField(help_text="The event's number, from 0.")
    leaf_hash = serializers.CharField(help_text=f"SHA-256 of a zero byte and the event's content. {HASH}")
    hashes = serializers.ListField(child=serializers.CharField(help_text=HASH))
    checkpoint = CheckpointSerializer()


class Ledger(ApiView, GenericViewSet[Checkpoint]):
    """The log of all events."""

    queryset = Checkpoint.objects.none()
    serializer_class = CheckpointSerializer
    filter_backends = ()
    ordering = ("-size",)
    reads_may_conflict = True  # There is no proof of what is not sealed.

    @extend_schema(summary="Read the ledger's head and keys", responses=LedgerSerializer, tags=["ledger"])
    def state(self, request: Request) -> Response:
        """Name, keys, the last checkpoint, how many events wait, and what was copied where."""
        check_may_read(user=sender(request))
        return Response(LedgerSerializer(reading.state()).data)

    @extend_schema(summary="List checkpoints, newest first", tags=["ledger"])
    def list(self, request: Request) -> Response:
        """One page of signed heads."""
        check_may_read(user=sender(request))
        page = self.paginate_queryset(Checkpoint.objects.all()) or ()
        return self.get_paginated_response(self.get_serializer([reading.head(one) for one in page], many=True).data)

    @extend_schema(
        summary="Prove that an older head begins a newer one",
        parameters=SIZES,
        responses=ConsistencySerializer,
        tags=["ledger"],
    )
    def consistency(self, request: Request) -> Response:
        """Hashes that lead from one root to the other."""
        check_may_read(user=sender(request))
        first, second = (reading.whole(request.query_params.get(name, ""), name=name) for name in ("first", "second"))
        return Response(ConsistencySerializer(reading.consistency(first=first, second=second)).data)

    @extend_schema(
        summary="Prove that an event is in the ledger",
        parameters=[OpenApiParameter("size", int, description="Of an older head; of the last one unless given.")],
        responses=InclusionSerializer,
        tags=["ledger"],
    )
    def inclusion(self, request: Request, id: uuid.UUID) -> Response:
        """Hashes that lead from the event to the head's root, and that head."""
        asked = request.query_params.get("size")
        size = None if asked is None else reading.whole(asked, name="size")
        return Response(InclusionSerializer(reading.inclusion(user=sender(request), event_id=id, size=size)).data)
