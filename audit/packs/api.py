"""Evidence packs and legal holds over HTTP."""

import json
import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from audit.packs import holds, port, services
from audit.packs.models import EvidencePack, LegalHold
from audit.packs.sending import sent
from audit.packs.states import Status
from foundation import clock
from foundation.api.base import ApiView, sender
from foundation.api.idempotency import idempotent

LOCATION = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201], description="Where it is read.")
# Registered when the apps start, which is after this module is read.
KINDS = ("approvals.changerequest", "audit.period", "entitlements.account", "entitlements.entitlement")


class ZipRenderer(BaseRenderer):
    """Lets a reader ask for a zip alone; the bytes themselves are sent as they are."""

    media_type = "application/zip"
    format = "zip"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return a refusal, a problem document with a type of its own; what is a zip is never rendered."""
        return json.dumps(data).encode()


class LoginSerializer(serializers.Serializer[Any]):
    """A login, by name."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="__str__")


class PackDraftSerializer(serializers.Serializer[Any]):
    """What a pack is to be about."""

    kind = serializers.ChoiceField(choices=KINDS)
    subject_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="The record; of an audit period there is none."
    )
    since = serializers.DateTimeField(required=False, allow_null=True, help_text="Not of a change request.")
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="Now, unless given or earlier.")
    purpose = serializers.CharField(required=False, allow_blank=True, max_length=services.LONGEST_PURPOSE)
    older = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100_000,
        trim_whitespace=False,
        help_text="A signed checkpoint; the pack proves that the ledger continues it.",
    )
    keep_days = serializers.IntegerField(required=False, min_value=1, max_value=36_525)


class PackSerializer(serializers.Serializer[Any]):
    """A pack, and how far it is: `done` of `total` steps."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS)
    subject_id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    purpose = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Status.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    problem = serializers.CharField(allow_blank=True, help_text="Why it failed.")
    asked_by = LoginSerializer()
    asked_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    keep_until = serializers.DateTimeField(allow_null=True, help_text="It expires then, unless a hold keeps it.")
    events = serializers.IntegerField(source="event_count", allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="In bytes.")
    sha256 = serializers.CharField(allow_blank=True, help_text="Of the whole file, in hex.")
    manifest = serializers.CharField(allow_blank=True, help_text="SHA-256 of its manifest, which the ledger sealed.")


class Packs(ApiView, GenericViewSet[EvidencePack]):
    """Evidence packs, newest first, as far as everything in them is granted to the reader."""

    queryset = EvidencePack.objects.none()
    serializer_class = PackSerializer
    filter_backends = ()
    ordering = ("-asked_at", "id")

    def get_queryset(self) -> QuerySet[EvidencePack]:
        """Return those that the reader may see."""
        return EvidencePack.objects.visible_to(sender(self.request)).select_related("asked_by")

    @extend_schema(summary="List evidence packs", tags=["evidence-packs"])
    def list(self, request: Request) -> Response:
        """One page of packs, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PackSerializer(page, many=True).data)

    @extend_schema(
        summary="Ask for an evidence pack",
        request=PackDraftSerializer,
        responses={201: PackSerializer},
        parameters=[LOCATION],
        tags=["evidence-packs"],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask; a worker makes it in the background. That somebody asked is recorded."""
        serializer = PackDraftSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        pack = services.ask(user=sender(request), now=clock.now(), **serializer.validated_data)
        headers = {"Location": f"/api/v1/evidence-packs/{pack.id}"}
        return Response(PackSerializer(pack).data, status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Read an evidence pack", responses=PackSerializer, tags=["evidence-packs"])
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """How far it is, and by which digests it is known."""
        return Response(PackSerializer(services.visible_pack(user=sender(request), pack_id=id)).data)


class PackContent(ApiView):
    """The bytes of one pack."""

    renderer_classes = (ZipRenderer, JSONRenderer)
    reads_may_conflict = True  # There are none of what is not ready.

    @extend_schema(
        summary="Download an evidence pack",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
        tags=["evidence-packs"],
    )
    def get(self, request: Request, id: uuid.UUID) -> HttpResponseBase:
        """The zip. That it was taken is recorded before the first byte leaves."""
        pack, parts = services.download(user=sender(request), pack_id=id, where="API", now=clock.now())
        return sent(pack, parts)


class HoldDraftSerializer(serializers.Serializer[Any]):
    """What is to be held, and why; without a record everything."""

    kind = serializers.ChoiceField(choices=[kind for kind in KINDS if kind != port.PERIOD], required=False)
    subject_id = serializers.UUIDField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=holds.LONGEST_REASON)


class ReleaseSerializer(serializers.Serializer[Any]):
    """Why a hold ends."""

    reason = serializers.CharField(max_length=holds.LONGEST_REASON)


class HoldSerializer(serializers.Serializer[Any]):
    """A legal hold."""

    id = serializers.UUIDField()
    kind = serializers.CharField(allow_blank=True)
    subject_id = serializers.UUIDField(allow_null=True)
    everything = serializers.BooleanField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    reason = serializers.CharField()
    placed_by = LoginSerializer()
    placed_at = serializers.DateTimeField()
    released_by = LoginSerializer(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)
    release_reason = serializers.CharField(allow_blank=True)


class Holds(ApiView, GenericViewSet[LegalHold]):
    """Legal holds, newest first, those that were released too."""

    queryset = LegalHold.objects.none()
    serializer_class = HoldSerializer
    filter_backends = ()
    ordering = ("-placed_at", "id")

    @extend_schema(summary="List legal holds", tags=["legal-holds"])
    def list(self, request: Request) -> Response:
        """One page of holds, newest first."""
        page = self.paginate_queryset(holds.visible(sender(request)))
        return self.get_paginated_response(HoldSerializer(page, many=True).data)

    @extend_schema(
        summary="Place a legal hold",
        request=HoldDraftSerializer,
        responses={201: HoldSerializer},
        tags=["legal-holds"],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Hold a change request, an entitlement, an account, or everything: nothing that concerns it expires."""
        serializer = HoldDraftSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = {"kind": "", "subject_id": None} | serializer.validated_data
        hold = holds.place(user=sender(request), now=clock.now(), **asked)
        return Response(HoldSerializer(hold).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Release a legal hold", request=ReleaseSerializer, responses=HoldSerializer, tags=["legal-holds"]
    )
    @idempotent
    def release(self, request: Request, id: uuid.UUID) -> Response:
        """End it; what only it kept may expire again."""
        serializer = ReleaseSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        hold = holds.release(user=sender(request), hold_id=id, now=clock.now(), **serializer.validated_data)
        return Response(HoldSerializer(hold).data)
