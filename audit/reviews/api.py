"""Access reviews over HTTP."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from audit.reviews import opening, permissions, reading, services
from audit.reviews.models import LONGEST_REASON, AccessReview, ReviewDecision, ReviewEntry
from audit.reviews.opening import Part, Wanted
from audit.reviews.reading import Progress
from foundation import clock
from foundation.api.base import ApiView, sender
from foundation.api.idempotency import idempotent

MOST_NAMED = 200


class ReviewPartSerializer(serializers.Serializer[Any]):
    """Roles by name, accounts (with those below) and products by id; nothing said: everything."""

    roles = serializers.ListField(child=serializers.CharField(max_length=150), required=False, max_length=MOST_NAMED)
    accounts = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_NAMED)
    products = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_NAMED)


class ReviewOwnerSerializer(ReviewPartSerializer):
    """Who looks at a part; each right goes to the first who may review it."""

    login = serializers.CharField(max_length=150)


class ReviewDraftSerializer(serializers.Serializer[Any]):
    """A review to be opened."""

    name = serializers.CharField(max_length=200)
    due_at = serializers.DateTimeField()
    scope = ReviewPartSerializer(required=False)
    owners = serializers.ListField(child=ReviewOwnerSerializer(), min_length=1, max_length=MOST_NAMED)


class ReviewSerializer(serializers.Serializer[Any]):
    """A review, and how far it is."""

    id = serializers.UUIDField(source="review.id")
    name = serializers.CharField(source="review.name")
    scope = ReviewPartSerializer(source="review.scope")
    state = serializers.ChoiceField(choices=["Open", "Overdue", "Closed"])
    due_at = serializers.DateTimeField(source="review.due_at")
    opened_by = serializers.UUIDField(source="review.opened_by_id", help_text="The login that opened it.")
    opened_at = serializers.DateTimeField(source="review.opened_at")
    closed_at = serializers.DateTimeField(source="review.closed_at", allow_null=True)
    entries = serializers.IntegerField(source="count")
    decided = serializers.IntegerField()
    revoked = serializers.IntegerField()


class EntryDecisionSerializer(serializers.Serializer[Any]):
    """What the reviewer said of a right."""

    verdict = serializers.ChoiceField(choices=ReviewDecision.Verdict.choices)
    reason = serializers.CharField()
    was_there = serializers.BooleanField(allow_null=True, help_text="Whether it was still held when it was revoked.")
    decided_by = serializers.UUIDField(source="decided_by_id")
    decided_at = serializers.DateTimeField()


class ReviewEntrySerializer(serializers.Serializer[Any]):
    """One right as it stood when the review was opened."""

    id = serializers.UUIDField(source="entry.id")
    position = serializers.IntegerField(source="entry.position")
    sort = serializers.CharField()
    holder = serializers.UUIDField(
        source="entry.holder_id", allow_null=True, help_text="The login; null: a whole role."
    )
    role = serializers.CharField(source="entry.role", allow_blank=True)
    right = serializers.CharField(source="words")
    on = serializers.CharField(source="entry.target_words", allow_blank=True)
    ends_at = serializers.DateTimeField(source="entry.ends_at", allow_null=True)
    used_at = serializers.DateTimeField(source="entry.used_at", allow_null=True)
    reviewer = serializers.UUIDField(source="entry.reviewer_id")
    decision = EntryDecisionSerializer(allow_null=True)
    granted_again = serializers.BooleanField(source="again", help_text="It was revoked, and stands now.")


class EntryVerdictSerializer(serializers.Serializer[Any]):
    """Keep a right, or revoke it, and why."""

    verdict = serializers.ChoiceField(choices=ReviewDecision.Verdict.choices)
    reason = serializers.CharField(max_length=LONGEST_REASON)


class EntryReviewerSerializer(serializers.Serializer[Any]):
    """Who is to look at a right."""

    login = serializers.CharField(max_length=150)


class AccessReviews(ApiView, GenericViewSet[AccessReview]):
    """Reviews: all for whoever opens some, else those in which something is yours to review."""

    queryset = AccessReview.objects.none()
    serializer_class = ReviewSerializer
    filter_backends = ()
    ordering = ("-opened_at", "id")
    lookup_field = lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[AccessReview]:
        """Those that the sender may see."""
        return permissions.visible_reviews(sender(self.request))

    @extend_schema(summary="List access reviews", tags=["access"])
    def list(self, request: Request) -> Response:
        """One page of them, newest first."""
        page = self.paginate_queryset(self.get_queryset()) or ()
        counted = {one.review.id: one for one in _progress([one.id for one in page])}
        return self.get_paginated_response(ReviewSerializer([counted[one.id] for one in page], many=True).data)

    @extend_schema(
        summary="Open an access review",
        request=ReviewDraftSerializer,
        responses={201: ReviewSerializer},
        tags=["access"],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Freeze what stands now, and give each right somebody who may review it."""
        permissions.check_may_open(sender(request))
        values = parsed(ReviewDraftSerializer, request)
        wanted = Wanted(
            name=values["name"],
            due_at=values["due_at"],
            scope=_part(values.get("scope") or {}),
            owners=[(owner["login"], _part(owner)) for owner in values["owners"]],
        )
        review = opening.open_review(user=sender(request), wanted=wanted, now=clock.now())
        return Response(ReviewSerializer(_progress([review.id])[0]).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Read an access review", tags=["access"])
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """How far it is."""
        review = permissions.visible_review(user=sender(request), review_id=id)
        return Response(ReviewSerializer(_progress([review.id])[0]).data)

    @extend_schema(summary="Close an access review", request=None, responses=ReviewSerializer, tags=["access"])
    @idempotent
    def close(self, request: Request, id: uuid.UUID) -> Response:
        """Close it, once everything is decided."""
        review = services.close(review_id=id, user=sender(request), now=clock.now())
        return Response(ReviewSerializer(_progress([review.id])[0]).data)


class ReviewEntries(ApiView, GenericViewSet[ReviewEntry]):
    """The rights of a review: all for whoever opens some, else those that are yours to review."""

    queryset = ReviewEntry.objects.none()
    serializer_class = ReviewEntrySerializer
    filter_backends = ()
    ordering = ("position",)

    @extend_schema(summary="List the rights of an access review", tags=["access"])
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """One page of them, in order."""
        review = permissions.visible_review(user=sender(request), review_id=id)
        page = self.paginate_queryset(reading.entries_of(review, user=sender(request))) or ()
        shown = reading.shown(page, user=sender(request), now=clock.now())
        return self.get_paginated_response(ReviewEntrySerializer(shown, many=True).data)

    @extend_schema(
        summary="Keep a right or revoke it",
        request=EntryVerdictSerializer,
        responses={201: ReviewEntrySerializer},
        tags=["access"],
    )
    @idempotent
    def decide(self, request: Request, id: uuid.UUID, entry_id: uuid.UUID) -> Response:
        """Decide once; revoking is carried out with it, or nothing is decided."""
        values = parsed(EntryVerdictSerializer, request)
        decision = services.decide(review_id=id, entry_id=entry_id, user=sender(request), now=clock.now(), **values)
        return Response(_entry(decision.entry, request), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Give a right to another reviewer",
        request=EntryReviewerSerializer,
        responses=ReviewEntrySerializer,
        tags=["access"],
    )
    @idempotent
    def assign(self, request: Request, id: uuid.UUID, entry_id: uuid.UUID) -> Response:
        """Let somebody else look at it, who has nothing of it."""
        permissions.check_may_open(sender(request))
        values = parsed(EntryReviewerSerializer, request)
        entry = services.assign(
            review_id=id, entry_id=entry_id, user=sender(request), login=values["login"], now=clock.now()
        )
        return Response(_entry(entry, request))


def parsed(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """
    The request's body as its serializer reads it.

    :raises ValidationError: if it does not fit
    """
    read = serializer(data=request.data)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values


def _progress(ids: list[uuid.UUID]) -> list[Progress]:
    return reading.progress(AccessReview.objects.filter(id__in=ids), now=clock.now())


def _part(values: dict[str, Any]) -> Part:
    return Part(values.get("roles") or (), values.get("accounts") or (), values.get("products") or ())


def _entry(entry: ReviewEntry, request: Request) -> Any:
    found = ReviewEntry.objects.select_related("holder", "reviewer", "decision").get(id=entry.id)
    (shown,) = reading.shown([found], user=sender(request), now=clock.now())
    return ReviewEntrySerializer(shown).data
