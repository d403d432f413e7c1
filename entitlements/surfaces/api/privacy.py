"""Erasing and holding people over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from entitlements.privacy import permissions, reading, services
from entitlements.privacy.models import PersonHold
from entitlements.privacy.reading import Preview
from foundation import clock
from foundation.api.idempotency import idempotent


class CountedSerializer(serializers.Serializer[Any]):
    """So many of something, and why they go or stay."""

    words = serializers.CharField()
    count = serializers.IntegerField()
    why = serializers.CharField(allow_blank=True)


class PersonHoldSerializer(serializers.Serializer[Any]):
    """A hold on a human."""

    id = serializers.UUIDField()
    reason = serializers.CharField()
    placed_by = serializers.UUIDField(source="placed_by_id", help_text="The login that placed it.")
    placed_at = serializers.DateTimeField()
    lift_reason = serializers.CharField(allow_blank=True)
    lifted_by = serializers.UUIDField(source="lifted_by_id", allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)


class ErasureSerializer(serializers.Serializer[Any]):
    """What an erasure takes and leaves; `refused` is empty if it may happen now, by you."""

    human_id = serializers.UUIDField()
    name = serializers.CharField()
    is_known = serializers.BooleanField(help_text="Whether anything is left to erase.")
    erased = CountedSerializer(many=True)
    remains = CountedSerializer(many=True)
    refused = serializers.CharField(allow_blank=True)
    holds = PersonHoldSerializer(many=True)


class ErasingSerializer(serializers.Serializer[Any]):
    """Why somebody is erased."""

    basis = serializers.ChoiceField(choices=[(key, words) for key, words in services.BASES.items()])


class PersonHoldReasonSerializer(serializers.Serializer[Any]):
    """Why somebody is held, or why a hold is lifted."""

    reason = serializers.CharField(max_length=services.LONGEST_REASON)


class Erasure(ApiView):
    """What is known of a human by name, and erasing it; `id` is theirs, or that of a login or person of theirs."""

    @extend_schema(summary="See what an erasure would do", responses=ErasureSerializer, tags=["privacy"])
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """What would be erased and what would remain, and the holds; that it was read is recorded."""
        human = services.look(key=id, user=sender(request))
        return Response(_document(reading.preview(human=human, user=sender(request))))

    @extend_schema(
        summary="Erase what is known of a human by name",
        request=ErasingSerializer,
        responses=ErasureSerializer,
        tags=["privacy"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Erase it, unless they are held or can still sign in. It can't be brought back."""
        permissions.check_may_erase(user=sender(request))
        values = parsed(ErasingSerializer, request)
        human = services.erase(key=id, user=sender(request), basis=values["basis"], now=clock.now())
        return Response(_document(reading.preview(human=human, user=sender(request))))


class PersonHolds(ApiView):
    """The holds on a human."""

    @extend_schema(summary="List the holds on a human", responses=PersonHoldSerializer(many=True), tags=["privacy"])
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """All of them, oldest first, lifted ones too."""
        permissions.check_may_look(user=sender(request))
        human_id = permissions.human_of(user=sender(request), key=id)
        rows = PersonHold.objects.filter(human_id=human_id).order_by("placed_at", "id")
        return Response(PersonHoldSerializer(rows, many=True).data)

    @extend_schema(
        summary="Hold a human",
        request=PersonHoldReasonSerializer,
        responses={201: PersonHoldSerializer},
        tags=["privacy"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Hold them: nothing of them is erased before it is lifted."""
        permissions.check_may_hold(user=sender(request))
        values = parsed(PersonHoldReasonSerializer, request)
        hold = services.place_hold(key=id, user=sender(request), reason=values["reason"], now=clock.now())
        return Response(PersonHoldSerializer(hold).data, status=status.HTTP_201_CREATED)


class LiftedHold(ApiView):
    """Lifting a hold."""

    @extend_schema(
        summary="Lift a hold", request=PersonHoldReasonSerializer, responses=PersonHoldSerializer, tags=["privacy"]
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID, hold_id: uuid.UUID) -> Response:
        """Lift it, once."""
        permissions.check_may_hold(user=sender(request))
        values = parsed(PersonHoldReasonSerializer, request)
        hold = services.lift_hold(
            key=id, hold_id=hold_id, user=sender(request), reason=values["reason"], now=clock.now()
        )
        return Response(PersonHoldSerializer(hold).data)


def _document(preview: Preview) -> Any:
    human = preview.human
    return ErasureSerializer(
        {
            "human_id": human.human_id,
            "name": str(human),
            "is_known": human.is_known,
            "erased": preview.erased,
            "remains": preview.remains,
            "refused": preview.refused,
            "holds": [*human.holds, *human.past_holds],
        }
    ).data
