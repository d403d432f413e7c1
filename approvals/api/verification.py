"""What becomes of an applied change, over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.api.serializers import ChangeRequestDetailSerializer, PersonReferenceSerializer
from approvals.api.views import LOCATION, parsed, told
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.services import current
from approvals.requests.states import Status
from approvals.verification import acting_back, reads, rules, services
from approvals.verification.models import GREATEST_LENGTH, LONGEST_LINK
from foundation import clock
from foundation.api.idempotency import idempotent
from foundation.errors import InvalidInput


class TickDraftSerializer(serializers.Serializer[Any]):
    """What somebody saw of a criterion: met with evidence (a result, a link or a file), or not met with the reason."""

    criterion = serializers.IntegerField(min_value=1, help_text="Its place among the acceptance criteria, from 1.")
    met = serializers.BooleanField()
    result = serializers.CharField(max_length=GREATEST_LENGTH, required=False, allow_blank=True)
    link = serializers.CharField(max_length=LONGEST_LINK, required=False, allow_blank=True)
    attachment_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="A file of the change: attach it first, then cite it here."
    )


class EvidenceFileSerializer(serializers.Serializer[Any]):
    """A file of the change that is evidence of a criterion. It can't be removed."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(source="blob.size", help_text="In bytes.")
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 of the bytes, in hex.")


class TickSerializer(serializers.Serializer[Any]):
    """What somebody saw of a criterion, and when."""

    number = serializers.IntegerField(help_text="In the order in which they were given, from 1.")
    met = serializers.BooleanField()
    result = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)
    file = EvidenceFileSerializer(allow_null=True)
    checked_by = PersonReferenceSerializer()
    checked_at = serializers.DateTimeField()


class CriterionSerializer(serializers.Serializer[Any]):
    """An acceptance criterion with all that was seen of it; the last tick counts."""

    number = serializers.IntegerField()
    text = serializers.CharField()
    state = serializers.ChoiceField(choices=["open", "met", "unmet"])
    ticks = TickSerializer(many=True)


class VerificationSerializer(serializers.Serializer[Any]):
    """How far the verification of a change is."""

    status = serializers.ChoiceField(choices=Status.choices)
    due_at = serializers.DateTimeField(allow_null=True, help_text="Null unless it awaits verification.")
    overdue = serializers.BooleanField()
    closed_at = serializers.DateTimeField(allow_null=True)
    criteria = CriterionSerializer(many=True)


class Verification(ApiView):
    """The acceptance criteria of one change request and what was seen of them once it was applied."""

    @extend_schema(
        summary="Read the verification of a change", responses=VerificationSerializer, tags=["change-requests"]
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Each criterion with its ticks, oldest first."""
        return _told(permissions.visible_request(user=sender(request), change_request_id=id))

    @extend_schema(
        summary="Verify a criterion of an applied change",
        request=TickDraftSerializer,
        responses=VerificationSerializer,
        tags=["change-requests"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Say whether a criterion is met, with evidence; when all are, the change closes."""
        permissions.visible_request(user=sender(request), change_request_id=id)
        values = parsed(TickDraftSerializer, request)
        return _told(services.verify(change_request_id=id, user=sender(request), now=clock.now(), **values))


class OutlookSerializer(serializers.Serializer[Any]):
    """What acting back on a change would do now."""

    in_one_click = serializers.BooleanField(help_text="The inverse is covered by what was approved.")
    why_not = serializers.ListField(child=serializers.CharField())
    restored = serializers.ListField(child=serializers.CharField())
    lost = serializers.ListField(child=serializers.CharField(), help_text="What can't be restored.")
    conflicts = serializers.ListField(child=serializers.CharField(), help_text="What others changed since.")
    digest = serializers.CharField(help_text="Names what is told here; send it when you act back.")
    plan = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        allow_null=True,
        source="planned.plan.document",
        default=None,
        help_text="What the inverse would do: docs/plan-document.md.",
    )


class ActBackSerializer(serializers.Serializer[Any]):
    """How to act back: by one click on what was read, or by filing the inverse as a draft."""

    digest = serializers.CharField(required=False, max_length=64, help_text="Of the outlook that was read.")
    file = serializers.BooleanField(default=False, help_text="File it as a draft, to be approved.")


class Inverse(ApiView):
    """The inverse of one applied change that is not closed."""

    reads_may_conflict = True  # There is none of what is not applied, or closed.

    @extend_schema(summary="Read what acting back would do", responses=OutlookSerializer, tags=["change-requests"])
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """What would be restored now, what can't be, and whether one click may do it. Nothing is written."""
        change_request = permissions.visible_request(user=sender(request), change_request_id=id)
        outlook = acting_back.look(change_request=change_request, user=sender(request), now=clock.now())
        return Response(OutlookSerializer(outlook).data)

    @extend_schema(
        summary="Act back on a change",
        request=ActBackSerializer,
        responses={201: ChangeRequestDetailSerializer},
        parameters=[LOCATION],
        tags=["change-requests"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Apply the inverse that was approved with the change, or file it as a draft; the answer is the inverse."""
        permissions.visible_request(user=sender(request), change_request_id=id)
        values = parsed(ActBackSerializer, request)
        if values["file"]:
            inverse = acting_back.file_inverse(change_request_id=id, user=sender(request), now=clock.now())
        else:
            if "digest" not in values:
                raise InvalidInput(
                    "Say which inverse you read: send the digest of GET inverse, or file it as a draft.",
                    errors=[{"field": "digest", "message": "This field is required."}],
                )
            inverse = acting_back.act_back(
                change_request_id=id, user=sender(request), now=clock.now(), seen=values["digest"]
            )
        return told(request, inverse, code=status.HTTP_201_CREATED)


def _told(change_request: ChangeRequest) -> Response:
    now = clock.now()
    document = {
        "status": change_request.status,
        "due_at": reads.due_at(change_request),
        "overdue": reads.is_overdue(change_request, now=now),
        "closed_at": change_request.closed_at,
        "criteria": rules.criteria(change_request=change_request, revision=current(change_request)),
    }
    return Response(VerificationSerializer(document).data)
