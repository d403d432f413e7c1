"""Who is told of what is applied, over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.announcements import subscribing
from approvals.announcements.models import GREATEST_HOURS, Subscription
from approvals.announcements.subscribing import Wanted
from approvals.announcements.words import in_words, names_in
from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from approvals.policies.conditions import OPERATORS
from approvals.roles import ROLES
from foundation import clock
from foundation.api.idempotency import idempotent
from foundation.identity.models import User

ROLE_CHOICES = [(role.name, role.name) for role in ROLES]


class ComparisonSerializer(serializers.Serializer[Any]):
    """One comparison of a fact, as in policies."""

    field = serializers.CharField(max_length=200, help_text="A fact that kinds declare: docs/facts.md.")
    operator = serializers.ChoiceField(choices=[(name, name) for name in OPERATORS])
    value = serializers.JSONField(help_text="A text, a whole number, true or false, or a list of texts.")


class WantedSerializer(serializers.Serializer[Any]):
    """Which applied changes are told."""

    name = serializers.CharField(max_length=100)
    conditions = ComparisonSerializer(many=True, required=False, help_text="All must hold. None: every change.")
    acknowledge_hours = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=GREATEST_HOURS,
        help_text="Of a role: within how many hours its holders say that they have read it.",
    )


class SubscriptionDraftSerializer(WantedSerializer):
    """A subscription of your own, or one of a role."""

    role = serializers.ChoiceField(
        choices=ROLE_CHOICES, required=False, allow_blank=True, help_text="Empty: your own. Of a role: administrators."
    )


class FollowingSerializer(serializers.Serializer[Any]):
    """Whether you are told of what a role is told of."""

    follows = serializers.BooleanField()


class SubscriptionSerializer(serializers.Serializer[Any]):
    """Which applied changes a role or the sender is told of."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=ROLE_CHOICES, allow_blank=True, help_text="Empty: your own.")
    name = serializers.CharField()
    conditions = ComparisonSerializer(many=True)
    words = serializers.CharField(help_text="The conditions in words.")
    acknowledge_hours = serializers.IntegerField(allow_null=True)
    follows = serializers.BooleanField(help_text="You are told by it.")
    may_change = serializers.BooleanField(help_text="You may change and end it.")
    created_at = serializers.DateTimeField()


def _shown(rows: list[Subscription], user: User) -> list[dict[str, Any]]:
    names = names_in(rows, user)
    return [
        {
            "id": row.id,
            "role": row.role,
            "name": row.name,
            "conditions": row.conditions,
            "words": in_words(subscription=row, names=names),
            "acknowledge_hours": row.acknowledge_hours,
            "follows": subscribing.follows_now(user=user, subscription=row),
            "may_change": subscribing.may_change(user=user, subscription=row),
            "created_at": row.created_at,
        }
        for row in rows
    ]


def _told(row: Subscription, user: User, code: int = status.HTTP_200_OK) -> Response:
    return Response(SubscriptionSerializer(_shown([row], user)[0]).data, status=code)


def _wanted(values: dict[str, Any]) -> Wanted:
    return Wanted(values["name"], values.get("conditions", ()), values.get("acknowledge_hours"))


class Subscriptions(ApiView):
    """Your own subscriptions and those of roles."""

    @extend_schema(
        operation_id="subscriptions_list",
        summary="List your subscriptions and those of roles",
        responses=SubscriptionSerializer(many=True),
        tags=["announcements"],
    )
    def get(self, request: Request) -> Response:
        """Those in force, at most 50 of a role and 50 of yours; none that names what you may not see."""
        user = sender(request)
        rows = subscribing.visible_subscriptions(user)
        return Response(SubscriptionSerializer(_shown(rows, user), many=True).data)

    @extend_schema(
        operation_id="subscriptions_create",
        summary="Subscribe to announcements",
        request=SubscriptionDraftSerializer,
        responses={201: SubscriptionSerializer},
        tags=["announcements"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """From now on; what was announced before is not told again."""
        values = parsed(SubscriptionDraftSerializer, request)
        user = sender(request)
        row = subscribing.subscribe(user=user, wanted=_wanted(values), role=values.get("role", ""), now=clock.now())
        return _told(row, user, status.HTTP_201_CREATED)


class SubscriptionDetail(ApiView):
    """One subscription."""

    @extend_schema(
        operation_id="subscriptions_retrieve",
        summary="Read a subscription",
        responses=SubscriptionSerializer,
        tags=["announcements"],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """One of yours, or of a role."""
        user = sender(request)
        return _told(subscribing.visible_subscription(user=user, subscription_id=id), user)

    @extend_schema(
        operation_id="subscriptions_change",
        summary="Change a subscription",
        request=WantedSerializer,
        responses=SubscriptionSerializer,
        tags=["announcements"],
    )
    def put(self, request: Request, id: uuid.UUID) -> Response:
        """The whole of it, from the next announcement on."""
        user = sender(request)
        subscribing.visible_subscription(user=user, subscription_id=id)
        values = parsed(WantedSerializer, request)
        return _told(subscribing.change(subscription_id=id, user=user, wanted=_wanted(values), now=clock.now()), user)

    @extend_schema(
        operation_id="subscriptions_end",
        summary="End a subscription",
        request=None,
        responses={204: None},
        tags=["announcements"],
    )
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Nothing more is announced by it; what was announced stays."""
        subscribing.end(subscription_id=id, user=sender(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class SubscriptionFollowing(ApiView):
    """Whether the sender is told of what a role is told of."""

    @extend_schema(
        operation_id="subscriptions_follow",
        summary="Follow a role’s subscription, or leave it",
        request=FollowingSerializer,
        responses=SubscriptionSerializer,
        tags=["announcements"],
    )
    def put(self, request: Request, id: uuid.UUID) -> Response:
        """Whatever roles you hold; what a role of yours has to acknowledge is not left."""
        user = sender(request)
        subscribing.visible_subscription(user=user, subscription_id=id)
        follows = parsed(FollowingSerializer, request)["follows"]
        return _told(subscribing.follow(subscription_id=id, user=user, follows=follows, now=clock.now()), user)
