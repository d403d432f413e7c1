"""Views that the tests of the API's and the portal's bases ask."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django_filters import rest_framework as filters
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import generics, serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from foundation import clock
from foundation.api.conditional import IF_MATCH_PARAMETER, check_if_match, etag_of, is_not_modified
from foundation.api.idempotency import idempotent
from foundation.errors import Conflict, NotFound
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from foundation.web.portal import PortalPage


class ItemSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    count = serializers.IntegerField(min_value=0)


class ThingSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    items = ItemSerializer(many=True, required=False)


class Things(APIView):
    """Makes one login for each request, so that effects can be counted."""

    @idempotent
    def post(self, request: Request) -> Response:
        serializer = ThingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        title = serializer.validated_data["title"]
        user = User.objects.create(username=f"{title}-{User.objects.count()}")
        if title == "refused":
            raise Conflict("This is refused. Ask for something else.", limit=3)
        if title == "broken":
            raise ZeroDivisionError
        return Response({"id": str(user.id), "b": 1, "a": 2}, status=201, headers={"Location": f"/api/{user.id}"})


class UserFilter(filters.FilterSet):
    joined_before = filters.IsoDateTimeFilter(field_name="date_joined", lookup_expr="lt")

    class Meta:
        model = User
        fields = ["username", "is_active"]


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username", "date_joined"]


class Users(generics.ListAPIView[User]):
    queryset = User.objects.all()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    ordering = ("-date_joined",)


class Versioned(APIView):
    header_parameters = (IF_MATCH_PARAMETER,)

    def get(self, request: Request) -> Response:
        if is_not_modified(request=request, version=7):
            return Response(status=status.HTTP_304_NOT_MODIFIED)
        return Response({}, headers={"ETag": etag_of(7)})

    def put(self, request: Request) -> Response:
        check_if_match(request=request, version=7)
        return Response({})


class Raises(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, what: str) -> Response:
        if what == "permission":
            raise PermissionDenied
        if what == "missing":
            raise NotFound("There is no such thing.")
        if what == "constraint":
            message = OutboxMessage(kind="x", payload={}, created_at=clock.now(), next_attempt_at=clock.now())
            message.status = "nonsense"
            message.save()
        if what == "deadlock":
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")
        if what == "range":
            list(User.objects.extra(where=["'a'::integer = 1"]))
        raise ZeroDivisionError


class Slow(UserRateThrottle):
    THROTTLE_RATES = {"user": "1/hour"}


class Throttled(APIView):
    permission_classes = (AllowAny,)
    throttle_classes = (Slow,)

    def get(self, request: Request) -> Response:
        return Response({})


class Page(PortalPage):
    template_name = "foundation/problem.html"
    partial_template_name = "foundation/problem_partial.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if "refuse" in request.GET:
            raise Conflict("The request was withdrawn. Open a new one.")
        return self.page({"problem": {"title": "Hello", "detail": self.now.isoformat()}})


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [
    path("api/things/", Things.as_view()),
    path("api/users/", Users.as_view()),
    path("api/versioned/", Versioned.as_view()),
    path("api/raises/<str:what>/", Raises.as_view()),
    path("api/throttled/", Throttled.as_view()),
    path("api/broken/", broken),
    path("api/schema/", SpectacularJSONAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[])),
    path("page/", Page.as_view()),
    path("broken/", broken),
    path("admin/", admin.site.urls),
]
handler400 = "foundation.web.errors.bad_request"
handler403 = "foundation.web.errors.permission_denied"
handler404 = "foundation.web.errors.page_not_found"
handler500 = "foundation.web.errors.server_error"
