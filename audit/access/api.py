"""Who holds which rights, over HTTP."""

import json
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from audit.access import report
from audit.access.port import REGISTRY
from audit.access.report import Report, Row
from audit.access.views import csv_file
from foundation import clock
from foundation.api.base import ApiView, sender

FILTERS = [
    OpenApiParameter("text", str, description="A part of a login or name."),
    OpenApiParameter("role", str, description="Logins that hold the role."),
    OpenApiParameter("rule", str, description="Logins that a rule concerns; `any`: some rule, notes aside."),
]


class CsvRenderer(BaseRenderer):
    """Lets a reader ask for CSV alone; the lines themselves are sent as they are."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return a refusal, a problem document with a type of its own; what is CSV is never rendered."""
        return json.dumps(data).encode()


class HeldRightSerializer(serializers.Serializer[Any]):
    """One right."""

    sort = serializers.CharField()
    right = serializers.CharField()
    on = serializers.CharField(allow_blank=True, help_text="The account or product, if it is granted to you.")
    by_role = serializers.CharField(
        allow_blank=True, help_text="The role that holds it, if the login does by its role."
    )
    ends_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True, help_text="To the hour.")


class ConflictSerializer(serializers.Serializer[Any]):
    """Something that does not go together; a `note` is in one role by itself, and held by other means."""

    rule = serializers.CharField()
    weight = serializers.ChoiceField(choices=[("conflict", "conflict"), ("note", "note")])
    sentence = serializers.CharField()
    logins = serializers.ListField(child=serializers.UUIDField())


class AccessSerializer(serializers.Serializer[Any]):
    """One login with what it may do, where, and by what."""

    id = serializers.UUIDField()
    human_id = serializers.UUIDField()
    login = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    may = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="By capability, by what: a role, …"
    )
    accounts = serializers.CharField(help_text="In words.")
    products = serializers.CharField(help_text="In words.")
    limits = serializers.ListField(child=serializers.CharField())
    rights = HeldRightSerializer(many=True)


class AccessLogins(ApiView):
    """Every login with what it holds, by login name."""

    @extend_schema(
        summary="Read who holds which rights",
        parameters=FILTERS,
        responses=AccessSerializer(many=True),
        tags=["access"],
    )
    def get(self, request: Request) -> Response:
        """All that fit; where a right holds is told as far as that is granted to you."""
        given = {name: request.query_params.get(name, "") for name in ("text", "role", "rule")}
        found = report.read(user=sender(request), now=clock.now(), **given)
        return Response(AccessSerializer([_document(found, row) for row in found.rows], many=True).data)


class AccessConflicts(ApiView):
    """What does not go together."""

    @extend_schema(
        summary="Read which rights do not go together", responses=ConflictSerializer(many=True), tags=["access"]
    )
    def get(self, request: Request) -> Response:
        """Conflicts before notes."""
        found = report.read(user=sender(request), now=clock.now())
        told = [
            {"rule": one.rule, "weight": report.weight(one), "sentence": one.sentence, "logins": list(one.login_ids)}
            for one in found.conflicts
        ]
        return Response(ConflictSerializer(told, many=True).data)


class AccessAsCsv(ApiView):
    """Who holds which rights, as a file."""

    renderer_classes = (CsvRenderer, JSONRenderer)

    @extend_schema(
        summary="Export who holds which rights", responses={(200, "text/csv"): OpenApiTypes.STR}, tags=["access"]
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """One row a right; that it was taken is recorded."""
        return csv_file(report.rights_as_csv(user=sender(request), now=clock.now()), "access.csv")


def _document(found: Report, row: Row) -> dict[str, Any]:
    user = row.holder.user
    return {
        "id": user.pk,
        "human_id": user.human_id,
        "login": user.get_username(),
        "name": str(user),
        "is_active": user.is_active,
        "last_login": user.last_login,
        "roles": list(row.holder.roles),
        "may": {name: sorted(by) for name, by in row.holder.may.items()},
        "accounts": row.accounts,
        "products": row.products,
        "limits": list(row.limits),
        "rights": [
            {
                "sort": REGISTRY.sources[right.source].words,
                "right": found.words(right),
                "on": report.target_of(right, found.granted),
                "by_role": right.role if right.login_id is None else "",
                "ends_at": right.ends_at,
                "used_at": right.used_at,
            }
            for right in row.holder.rights
        ],
    }
