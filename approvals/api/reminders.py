"""What waits for the sender over HTTP, and holding back reminders of it."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from approvals.reminders import services
from approvals.reminders.models import Attention, ReminderPreference
from approvals.reminders.waiting import APPLY, DECIDE, MEND, waiting_for
from foundation import clock
from foundation.api.idempotency import idempotent


class WaitingSerializer(serializers.Serializer[Any]):
    """One thing that waits for the sender."""

    change_request_id = serializers.UUIDField(source="change_request.id")
    number = serializers.IntegerField(source="change_request.number")
    title = serializers.CharField(source="change_request.title")
    what = serializers.ChoiceField(choices=[(name, name) for name in (DECIDE, MEND, APPLY)])
    since = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(source="attention.snoozed_until", allow_null=True, default=None)
    acknowledged_at = serializers.DateTimeField(source="attention.acknowledged_at", allow_null=True, default=None)


class SnoozeSerializer(serializers.Serializer[Any]):
    """Until when no reminder is wanted."""

    until = serializers.DateTimeField(help_text="At most 14 days away, and not after it is due.")


class AttentionSerializer(serializers.Serializer[Any]):
    """What the sender said of what waits for them."""

    change_request_id = serializers.UUIDField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)


class PreferenceSerializer(serializers.Serializer[Any]):
    """How the sender is reminded."""

    frequency = serializers.ChoiceField(choices=ReminderPreference.Frequency.choices)


def _told(attention: Attention) -> Response:
    return Response(AttentionSerializer(attention).data)


class WaitingList(ApiView):
    """Everything that waits for the sender."""

    @extend_schema(
        operation_id="waiting_list",
        summary="List what waits for you",
        responses=WaitingSerializer(many=True),
        tags=["change-requests"],
    )
    def get(self, request: Request) -> Response:
        """Decisions, requests that came back, approved changes to apply; what is due first."""
        return Response(WaitingSerializer(waiting_for(sender(request), clock.now()), many=True).data)


class Snooze(ApiView):
    """Puts off reminders."""

    @extend_schema(
        operation_id="change_requests_snooze",
        summary="Put off reminders of a change request",
        request=SnoozeSerializer,
        responses=AttentionSerializer,
        tags=["change-requests"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Until an instant; what waits stays yours to do."""
        until = parsed(SnoozeSerializer, request)["until"]
        return _told(services.snooze(change_request_id=id, user=sender(request), until=until, now=clock.now()))


class Acknowledge(ApiView):
    """Says that something was seen."""

    @extend_schema(
        operation_id="change_requests_acknowledge",
        summary="Say that you have seen what waits for you on a change request",
        request=None,
        responses=AttentionSerializer,
        tags=["change-requests"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """No reminder more until it is due."""
        return _told(services.acknowledge(change_request_id=id, user=sender(request), now=clock.now()))


class Preference(ApiView):
    """How the sender is reminded."""

    @extend_schema(
        operation_id="reminder_preference", summary="How you are reminded", responses=PreferenceSerializer, tags=["you"]
    )
    def get(self, request: Request) -> Response:
        """By a daily mail, or at once."""
        return Response({"frequency": services.frequency_of(sender(request))})

    @extend_schema(
        operation_id="reminder_preference_choose",
        summary="Choose how you are reminded",
        request=PreferenceSerializer,
        responses=PreferenceSerializer,
        tags=["you"],
    )
    def put(self, request: Request) -> Response:
        """By a daily mail, or at once."""
        chosen = services.choose_frequency(
            user=sender(request), frequency=parsed(PreferenceSerializer, request)["frequency"]
        )
        return Response({"frequency": chosen.frequency})
