"""The revisions of a change request over HTTP, and what changed from one to another."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.requests import permissions, rounds
from approvals.requests.differences import Part
from approvals.requests.services import current


class CompareSerializer(serializers.Serializer[Any]):
    """Two revisions by their numbers."""

    older = serializers.IntegerField(required=False, min_value=1, max_value=10**6)
    newer = serializers.IntegerField(required=False, min_value=1, max_value=10**6)


class ValueChangeSerializer(serializers.Serializer[Any]):
    """A value in words; null: there was none, or there is none any more."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)


class TextPartSerializer(serializers.Serializer[Any]):
    """A stretch of a text."""

    part = serializers.ChoiceField(choices=[(part.value, part.value) for part in Part])
    text = serializers.CharField(trim_whitespace=False)


class TextChangeSerializer(serializers.Serializer[Any]):
    """A text compared word by word."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    parts = TextPartSerializer(many=True)


class ItemChangeSerializer(serializers.Serializer[Any]):
    """A record's change that was added, removed, or asks for something else."""

    change = serializers.ChoiceField(choices=[(name, name) for name in ("added", "removed", "changed")])
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    lines = ValueChangeSerializer(many=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    """What changed from one revision to another."""

    older = serializers.IntegerField()
    newer = serializers.IntegerField()
    values = ValueChangeSerializer(many=True)
    texts = TextChangeSerializer(many=True)
    items = ItemChangeSerializer(many=True)
    stages = ValueChangeSerializer(many=True)


class DifferenceView(ApiView):
    """What changed between two revisions of a change request."""

    @extend_schema(
        operation_id="change_requests_difference",
        summary="Compare two revisions of a change request",
        parameters=[
            OpenApiParameter("older", int, description="Number of a revision; else the one that concerns you."),
            OpenApiParameter("newer", int, description="Number of a revision; else the current one."),
        ],
        responses=DifferenceSerializer,
        tags=["change-requests"],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """
        Whole values, old and new. Without numbers: from the latest revision on which you decided or changes were
        asked, to the current one.
        """
        change_request = permissions.visible_request(user=sender(request), change_request_id=id)
        asked = CompareSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        older = asked.validated_data.get("older") or rounds.number_to_compare(
            change_request=change_request, user=sender(request)
        )
        newer = asked.validated_data.get("newer") or current(change_request).number
        found = rounds.difference(change_request=change_request, older=older, newer=newer)
        return Response(DifferenceSerializer({"older": older, "newer": newer, **found.as_document()}).data)
