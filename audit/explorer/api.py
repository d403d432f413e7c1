"""The explorer over HTTP."""

import json
import uuid
from datetime import UTC
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import GenericViewSet

from audit.explorer import exports, filters, pages, reading
from audit.explorer.pages import Found
from audit.explorer.views import csv_of
from audit.ledger.models import Event
from foundation.api.base import ApiView, sender
from foundation.api.pagination import CursorPages

TEXTS = {
    "actor": "Who acted, under any login: the human’s id, a login, or a name.",
    "account": "Id of an account; the units below it are included.",
    "object": "Id of a record that the event is about or speaks of, or words of its label.",
    "change": "Number of a change request.",
    "since": "From this day or instant on; without an offset in UTC.",
    "until": "Before this instant, or to the end of this day; without an offset in UTC.",
    "kind": "`app.entity`, or one type: `app.entity.past_tense`.",
    "text": "Words that the event holds, each a beginning from three letters on.",
}
FILTERS = [OpenApiParameter(name, str, description=text) for name, text in TEXTS.items()]


class CsvRenderer(BaseRenderer):
    """Lets a reader ask for CSV alone; the lines themselves are sent as they are."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return a refusal, a problem document with a type of its own; what is CSV is never rendered."""
        return json.dumps(data).encode()


@extend_schema_field(OpenApiTypes.OBJECT)
class _Data(serializers.JSONField):
    """What the event holds, by name."""


class ActorSerializer(serializers.Serializer[Any]):
    """Who acted; null in `actor` is the system itself."""

    id = serializers.UUIDField(help_text="The login.")
    human_id = serializers.UUIDField(help_text="The human, the same for all their logins.")
    name = serializers.CharField()


class SubjectSerializer(serializers.Serializer[Any]):
    """What the event is about."""

    type = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a field of that name


class ChangeReferenceSerializer(serializers.Serializer[Any]):
    """The change request that it belongs to."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """One event as a sentence."""

    id = serializers.UUIDField()
    type = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    sentence = serializers.CharField()
    actor = ActorSerializer(allow_null=True)
    subject = SubjectSerializer(allow_null=True)
    change_request = ChangeReferenceSerializer(allow_null=True)


class EventDetailSerializer(EventSerializer):
    """One event, whole: `content` is the canonical JSON that is hashed, `sha256` its digest."""

    data = _Data()  # type: ignore[assignment]  # a field of that name
    content = serializers.CharField()
    sha256 = serializers.CharField()


class EventPages(CursorPages):
    """Pages by keyset over instant and position: however many events share an instant, none is shown twice."""

    def paginate_queryset(self, queryset: Found | Any, request: Request, view: Any = None) -> list[Any]:
        """Return one page's rows of what was found."""
        self.request = request
        rows = self.get_page_size(request)
        self.shown = pages.page_of(queryset, cursor=request.query_params.get("cursor", ""), rows=rows)
        return list(reading.with_names(self.shown.events))

    def get_next_link(self) -> str | None:
        """Return the address of the page of older events."""
        return self._link(self.shown.older)

    def get_previous_link(self) -> str | None:
        """Return the address of the page of newer events."""
        return self._link(self.shown.newer)

    def _link(self, cursor: str | None) -> str | None:
        assert self.request is not None  # noqa: S101  paginate_queryset was called
        return cursor and replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)


class Events(ApiView, GenericViewSet[Event]):
    """What happened, newest first, as far as the reader may see it."""

    queryset = Event.objects.none()
    serializer_class = EventSerializer
    pagination_class = EventPages
    filter_backends = ()
    ordering = ("-recorded_at", "-position")

    @extend_schema(summary="Explore what happened", parameters=FILTERS, tags=["events"])
    def list(self, request: Request) -> Response:
        """One page of events, newest first; reading sensitive records is an event, too."""
        found: Any = reading.found(user=sender(request), parameters=_parameters(request), zone=UTC)
        page = self.paginate_queryset(found) or ()
        told = [_document(event) for event in page]
        return self.get_paginated_response(EventSerializer(told, many=True).data)

    @extend_schema(summary="Read one event", responses=EventDetailSerializer, tags=["events"])
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """One event with its data, the bytes that are hashed, and their digest."""
        event = reading.one(user=sender(request), event_id=id)
        document = _document(event) | {
            "data": event.data,
            "content": bytes(event.content).decode(),
            "sha256": reading.digest_of(event),
        }
        return Response(EventDetailSerializer(document).data)

    @extend_schema(
        summary="Export what happened",
        parameters=FILTERS,
        filters=False,
        responses={(200, "text/csv"): OpenApiTypes.STR},
        tags=["events"],
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        """All events that fit, as CSV; that it was taken is recorded first."""
        rows = exports.exported(user=sender(request), parameters=_parameters(request), zone=UTC)
        return csv_of(rows)


class EventsAsCsv(Events):
    """The events that fit, as a file."""

    renderer_classes = (CsvRenderer, JSONRenderer)


def _parameters(request: Request) -> dict[str, str]:
    return {name: request.query_params[name] for name in filters.NAMES if name in request.query_params}


def _document(event: Event) -> dict[str, Any]:
    told = reading.told(event)
    has_subject = bool(event.subject_type)
    return {
        "id": event.id,
        "type": event.type,
        "recorded_at": event.recorded_at,
        "sentence": told.sentence,
        "actor": None
        if event.actor_id is None
        else {"id": event.actor_id, "human_id": event.actor_human_id, "name": told.actor},
        "subject": {"type": event.subject_type, "id": event.subject_id, "label": event.subject_label}
        if has_subject
        else None,
        "change_request": None
        if event.change_request_id is None
        else {"id": event.change_request_id, "number": told.change_number},
    }
