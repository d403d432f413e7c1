"""Change requests over HTTP: each action parses, reads the clock, makes one domain call and renders."""

import json
import uuid
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from approvals import governed
from approvals.api import reading
from approvals.api.base import ApiView, sender
from approvals.api.facts import raised_from
from approvals.api.filing import SOURCE
from approvals.api.filters import ChangeRequestFilter
from approvals.api.serializers import (
    AmendmentSerializer,
    ApprovalSerializer,
    ApproversSerializer,
    ChangeRequestDetailSerializer,
    ChangeRequestSerializer,
    KindSerializer,
    ObjectionSerializer,
    PlanRequestSerializer,
    PlanSerializer,
    ProposalSerializer,
    ReplanSerializer,
)
from approvals.api.values import drafts_from, rationale_from, schedule_from, waiver_from
from approvals.printing import documents
from approvals.requests import application, permissions, replanning, review, services
from approvals.requests.models import ChangeRequest
from approvals.requests.replanning import Both
from approvals.requests.schedules import Former
from foundation import clock
from foundation.api.idempotency import idempotent

S = TypeVar("S", bound=Serializer[Any])
LOCATION = OpenApiParameter(
    name="Location",
    location=OpenApiParameter.HEADER,
    type=str,
    response=[201, 202],
    description="Where the change request is read.",
)


class PdfRenderer(BaseRenderer):
    """Lets a reader ask for a PDF alone; the bytes themselves are sent as they are."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return a refusal, a problem document with a type of its own; what is a PDF is never rendered."""
        return json.dumps(data).encode()


def parsed(serializer_class: type[S], request: Request) -> dict[str, Any]:
    """
    The body's values.

    :raises rest_framework.exceptions.ValidationError: naming each value that does not fit
    """
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def told(request: Request, change_request: ChangeRequest, *, code: int = status.HTTP_200_OK) -> Response:
    """Answer with the change request as its reader meets it; a new one says where it is."""
    document = reading.read(change_request_id=change_request.id, user=sender(request), now=clock.now())
    headers = {}
    if code in (status.HTTP_201_CREATED, status.HTTP_202_ACCEPTED):
        headers["Location"] = reverse("api:change-request-detail", kwargs={"id": change_request.id})
    return Response(ChangeRequestDetailSerializer(document).data, status=code, headers=headers)


class ChangeRequests(ApiView, GenericViewSet[ChangeRequest]):
    """Change requests: the only way in which a governed record changes."""

    queryset = ChangeRequest.objects.none()
    serializer_class = ChangeRequestSerializer
    filterset_class = ChangeRequestFilter
    ordering = ("-number",)
    lookup_field = lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Begin a request; whatever is asked of a change request, who may not see it learns nothing of it.

        :raises NotFound: if there is none, or the sender may not see all that it touches
        """
        super().initial(request, *args, **kwargs)
        if "id" in kwargs:
            permissions.visible_request(user=sender(request), change_request_id=kwargs["id"])

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        """Those that the reader may see."""
        return reading.visible_requests(user=sender(self.request))

    @extend_schema(summary="List change requests, newest first")
    def list(self, request: Request) -> Response:
        """One page of the requests whose every account and product is granted to the reader."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read a change request", responses=ChangeRequestDetailSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Revisions, digest, items old → new, plan, stages, decisions, and what the reader may do now."""
        document = reading.read(change_request_id=id, user=sender(request), now=clock.now())
        return Response(ChangeRequestDetailSerializer(document).data)

    @extend_schema(
        summary="A change request as a PDF",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["get"], renderer_classes=[PdfRenderer, JSONRenderer])
    def pdf(self, request: Request, id: uuid.UUID) -> HttpResponse:
        """Complete, tagged, the same for every role and at any time; the digest stands on every page."""
        change_request = permissions.visible_request(user=sender(request), change_request_id=id)
        content = documents.printed(change_request=change_request, user=sender(request), now=clock.now())
        # Bytes, whatever form of a refusal the reader would take: no renderer is asked.
        return HttpResponse(content, content_type=PdfRenderer.media_type)

    @extend_schema(
        summary="Propose a change",
        request=ProposalSerializer,
        responses={201: ChangeRequestDetailSerializer},
        parameters=[LOCATION],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """File a draft with its plan; no governed record is written."""
        values = parsed(ProposalSerializer, request)
        change_request = services.propose(
            title=values["title"],
            drafts=drafts_from(values["items"]),
            author=sender(request),
            now=clock.now(),
            rationale=rationale_from(values.get("rationale")),
            waiver=waiver_from(values.get("waiver")),
            schedule=schedule_from(values.get("schedule")),
            raised=raised_from(values.get("risk")),
            template_id=values.get("template_id"),
            source=SOURCE,
        )
        return told(request, change_request, code=status.HTTP_201_CREATED)

    @extend_schema(summary="Who has to approve, and who could", responses=ApproversSerializer)
    @action(detail=True, methods=["get"])
    def approvers(self, request: Request, id: uuid.UUID) -> Response:
        """Each stage with its reasons, the people who could give it, and those of its role who could not and why."""
        document = reading.approvers(change_request_id=id, user=sender(request), now=clock.now())
        return Response(ApproversSerializer(document).data)

    @extend_schema(
        summary="Edit a change request", request=AmendmentSerializer, responses=ChangeRequestDetailSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def amend(self, request: Request, id: uuid.UUID) -> Response:
        """Write a new revision; decisions on earlier ones are kept and count no longer."""
        values = parsed(AmendmentSerializer, request)
        change_request = services.amend(
            change_request_id=id,
            author=sender(request),
            now=clock.now(),
            drafts=drafts_from(values["items"]) if "items" in values else None,
            rationale=rationale_from(values.get("rationale")),
            waiver=waiver_from(values.get("waiver")),
            schedule=schedule_from(values["schedule"]) if "schedule" in values else Former.KEPT,
            raised=raised_from(values["risk"]) if "risk" in values else Former.KEPT,
            template_id=values.get("template_id", Former.KEPT),
            title=values.get("title"),
            expected_digest=values.get("digest"),
        )
        return told(request, change_request)

    @extend_schema(
        summary="Plan again on what stands now", request=ReplanSerializer, responses=ChangeRequestDetailSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def replan(self, request: Request, id: uuid.UUID) -> Response:
        """Ask for the same on the records as they stand, in a new revision; `both` says whose value holds."""
        values = parsed(ReplanSerializer, request)
        change_request = replanning.replan(
            change_request_id=id,
            author=sender(request),
            now=clock.now(),
            both=Both(values["both"]) if "both" in values else None,
            expected_digest=values.get("digest"),
        )
        return told(request, change_request)

    @extend_schema(summary="Send to review", request=None, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def submit(self, request: Request, id: uuid.UUID) -> Response:
        """Send the current revision to review."""
        return told(request, services.submit(change_request_id=id, author=sender(request), now=clock.now()))

    @extend_schema(summary="Approve", request=ApprovalSerializer, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def approve(self, request: Request, id: uuid.UUID) -> Response:
        """Say yes to the revision of this digest."""
        values = parsed(ApprovalSerializer, request)
        return told(request, review.approve(change_request_id=id, reviewer=sender(request), now=clock.now(), **values))

    @extend_schema(summary="Ask for changes", request=ObjectionSerializer, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"], url_path="ask-for-changes")
    @idempotent
    def ask_for_changes(self, request: Request, id: uuid.UUID) -> Response:
        """Send the request back to its author."""
        values = parsed(ObjectionSerializer, request)
        return told(
            request, review.ask_for_changes(change_request_id=id, reviewer=sender(request), now=clock.now(), **values)
        )

    @extend_schema(summary="Reject", request=ObjectionSerializer, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def reject(self, request: Request, id: uuid.UUID) -> Response:
        """Close the request without applying it."""
        values = parsed(ObjectionSerializer, request)
        return told(request, review.reject(change_request_id=id, reviewer=sender(request), now=clock.now(), **values))

    @extend_schema(summary="Apply", request=None, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def apply(self, request: Request, id: uuid.UUID) -> Response:
        """Write every item of the approved request in one transaction; of a scheduled one, inside its window."""
        return told(request, application.apply(change_request_id=id, user=sender(request), now=clock.now()))

    @extend_schema(summary="Withdraw", request=None, responses=ChangeRequestDetailSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, id: uuid.UUID) -> Response:
        """Close the request in its author's name."""
        return told(request, services.withdraw(change_request_id=id, user=sender(request), now=clock.now()))


class Plans(ApiView):
    """Dry runs."""

    @extend_schema(
        summary="Plan a change without filing it",
        request=PlanRequestSerializer,
        responses=PlanSerializer,
        tags=["plans"],
    )
    def post(self, request: Request) -> Response:
        """What the items would do, who would have to approve them, and which templates cover them. Nothing is kept."""
        values = parsed(PlanRequestSerializer, request)
        now = clock.now()
        planned = services.preview(
            drafts=drafts_from(values["items"]),
            user=sender(request),
            now=now,
            schedule=schedule_from(values.get("schedule")),
            raised=raised_from(values.get("risk")),
        )
        return Response(PlanSerializer(reading.preview(planned, author=sender(request), now=now)).data)


class Kinds(ApiView):
    """The kinds of change that items can have."""

    @extend_schema(summary="List the kinds of change", responses=KindSerializer(many=True), tags=["kinds"])
    def get(self, request: Request) -> Response:
        """Every kind with its payload's JSON Schema and its facts, by name."""
        declared = governed.declared_facts()
        rows = [
            {
                "name": kind.name,
                "title": kind.title,
                "operation": kind.operation.value,
                "payload": kind.payload.model_json_schema(),
                "facts": list(declared[name].values()),
            }
            for name, kind in sorted(governed.kinds().items())
        ]
        return Response(KindSerializer(rows, many=True).data)
