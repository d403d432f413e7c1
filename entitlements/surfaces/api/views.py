"""The registry over HTTP: reads of what is granted to the reader; writes file change requests."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, body, sender
from approvals.api.openapi import documented, filing
from approvals.api.records import Amends, Creates, ReadOnly, Retires
from approvals.api.views import parsed
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, Release, SKURevision
from entitlements.directory.models import Account, Deployment, Person
from entitlements.grants.models import Entitlement, Seat
from entitlements.surfaces import seats, visibility
from entitlements.surfaces.api import filters, serializers
from foundation import clock
from foundation.api.idempotency import idempotent

ENDS_AT = OpenApiParameter(
    name="ends_at",
    required=True,
    type={"type": "string", "format": "date-time"},
    description="When the right of use is to end, not in the past; before its start it is taken back.",
)


@documented
class Products(Creates, Amends, Retires):
    """Products."""

    queryset = Product.objects.none()
    visible = staticmethod(visibility.products)
    serializer_class = serializers.ProductSerializer
    filterset_class = filters.ProductFilter
    ordering = ("code",)
    create_kind, amend_kind, retire_kind = "product.create", "product.amend", "product.retire"


@documented
class Features(Creates, Amends, Retires):
    """Features of products."""

    queryset = Feature.objects.none()
    visible = staticmethod(visibility.features)
    serializer_class = serializers.FeatureSerializer
    filterset_class = filters.FeatureFilter
    ordering = ("id",)
    create_kind, amend_kind, retire_kind = "feature.create", "feature.amend", "feature.retire"


@documented
class Releases(Creates, Amends, Retires):
    """Releases of products."""

    queryset = Release.objects.none()
    visible = staticmethod(visibility.releases)
    serializer_class = serializers.ReleaseSerializer
    filterset_class = filters.ReleaseFilter
    ordering = ("id",)
    create_kind, amend_kind, retire_kind = "release.create", "release.amend", "release.retire"


@documented
class SKUs(Creates, Amends, Retires):
    """SKUs of products; their terms are in their revisions."""

    queryset = SKU.objects.none()
    visible = staticmethod(visibility.skus)
    serializer_class = serializers.SKUSerializer
    filterset_class = filters.SKUFilter
    ordering = ("code",)
    create_kind, amend_kind, retire_kind = "sku.create", "sku.amend", "sku.retire"


@documented
class SKURevisions(Creates, Retires):
    """Terms of SKUs; granted terms are immutable, so they are not amended but revised by a new one."""

    queryset = SKURevision.objects.none()
    visible = staticmethod(visibility.sku_revisions)
    serializer_class = serializers.SKURevisionSerializer
    filterset_class = filters.SKURevisionFilter
    ordering = ("id",)
    create_kind, retire_kind = "skurevision.create", "skurevision.retire"


@documented
class RegionGroups(Creates, Amends, Retires):
    """Named sets of countries."""

    queryset = RegionGroup.objects.none()
    visible = staticmethod(visibility.region_groups)
    serializer_class = serializers.RegionGroupSerializer
    filterset_class = filters.RegionGroupFilter
    ordering = ("code",)
    create_kind, amend_kind, retire_kind = "regiongroup.create", "regiongroup.amend", "regiongroup.retire"


@documented
class Accounts(Creates, Amends, Retires):
    """Accounts."""

    queryset = Account.objects.none()
    visible = staticmethod(visibility.accounts)
    serializer_class = serializers.AccountSerializer
    filterset_class = filters.AccountFilter
    ordering = ("code",)
    create_kind, amend_kind, retire_kind = "account.create", "account.amend", "account.retire"


@documented
class Deployments(Creates, Amends, Retires):
    """Deployments of products by accounts."""

    queryset = Deployment.objects.none()
    visible = staticmethod(visibility.deployments)
    serializer_class = serializers.DeploymentSerializer
    filterset_class = filters.DeploymentFilter
    ordering = ("id",)
    create_kind, amend_kind, retire_kind = "deployment.create", "deployment.amend", "deployment.retire"


@documented
class Agreements(Creates, Amends, Retires):
    """Agreements; one is shown to who may see its licensee and every account that it covers."""

    queryset = Agreement.objects.none()
    visible = staticmethod(visibility.agreements)
    serializer_class = serializers.AgreementSerializer
    filterset_class = filters.AgreementFilter
    ordering = ("reference",)
    create_kind, amend_kind, retire_kind = "agreement.create", "agreement.amend", "agreement.retire"


@documented
class OrderLines(Creates, Amends, Retires):
    """Order lines."""

    queryset = OrderLine.objects.none()
    visible = staticmethod(visibility.order_lines)
    serializer_class = serializers.OrderLineSerializer
    filterset_class = filters.OrderLineFilter
    ordering = ("reference",)
    create_kind, amend_kind, retire_kind = "orderline.create", "orderline.amend", "orderline.retire"


@documented
class People(ReadOnly):
    """People who can hold seats, by UUID."""

    queryset = Person.objects.none()
    visible = staticmethod(visibility.people)
    serializer_class = serializers.PersonSerializer
    filterset_class = filters.PersonFilter
    ordering = ("id",)


@documented
class Seats(ReadOnly):
    """Seats held and released."""

    queryset = Seat.objects.none()
    visible = staticmethod(visibility.seats)
    serializer_class = serializers.SeatSerializer
    filterset_class = filters.SeatFilter
    ordering = ("id",)


@documented
class Entitlements(Creates, Amends, Retires):
    """Entitlements; each is shown to who may see both its account and its product."""

    queryset = Entitlement.objects.none()
    visible = staticmethod(visibility.entitlements)
    serializer_class = serializers.EntitlementSerializer
    filterset_class = filters.EntitlementFilter
    ordering = ("reference",)
    create_kind, amend_kind, retire_kind = "entitlement.grant", "entitlement.amend", "entitlement.retire"

    @filing("entitlement.retire", request=None, parameters=[ENDS_AT])
    @idempotent
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """File a change request that would end the right of use; nothing is deleted."""
        payload = {name: request.query_params[name] for name in ("ends_at",) if name in request.query_params}
        return self.file(request, self.retire_kind, payload)

    @filing("entitlement.extend")
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent
    def extend(self, request: Request, id: uuid.UUID) -> Response:
        """File a change request that would move the end later."""
        return self.file(request, "entitlement.extend", body(request))

    @filing("entitlement.move")
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent
    def move(self, request: Request, id: uuid.UUID) -> Response:
        """File a change request that would move the entitlement to another revision of its SKU."""
        return self.file(request, "entitlement.move", body(request))


class EntitlementSeats(ApiView):
    """Seats of one entitlement: operational, given at once."""

    @extend_schema(
        summary="Give a seat",
        request=serializers.SeatRequestSerializer,
        responses={201: serializers.SeatSerializer},
        tags=["entitlements"],
    )
    @idempotent
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Give a seat of the entitlement to a person or a device."""
        holder: dict[str, Any] = parsed(serializers.SeatRequestSerializer, request)
        seat = seats.give(entitlement_id=id, user=sender(request), now=clock.now(), **holder)
        return Response(serializers.SeatSerializer(seat).data, status=status.HTTP_201_CREATED)


class EntitlementSeat(ApiView):
    """One seat of one entitlement."""

    @extend_schema(summary="Take a seat back", request=None, responses={204: None}, tags=["entitlements"])
    def delete(self, request: Request, id: uuid.UUID, seat_id: uuid.UUID) -> Response:
        """Take the seat back at once."""
        seats.take_back(entitlement_id=id, seat_id=seat_id, user=sender(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
