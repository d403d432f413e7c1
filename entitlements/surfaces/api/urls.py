"""Addresses of the registry and of the access check under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from entitlements.surfaces.api import privacy, views
from entitlements.surfaces.api.checks import Check, CheckBulk

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("products", views.Products, basename="product")
router.register("features", views.Features, basename="feature")
router.register("releases", views.Releases, basename="release")
router.register("skus", views.SKUs, basename="sku")
router.register("sku-revisions", views.SKURevisions, basename="sku-revision")
router.register("region-groups", views.RegionGroups, basename="region-group")
router.register("accounts", views.Accounts, basename="account")
router.register("deployments", views.Deployments, basename="deployment")
router.register("agreements", views.Agreements, basename="agreement")
router.register("order-lines", views.OrderLines, basename="order-line")
router.register("entitlements", views.Entitlements, basename="entitlement")
router.register("people", views.People, basename="person")
router.register("seats", views.Seats, basename="seat")

urlpatterns = [
    *router.urls,
    path("entitlements/<uuid:id>/seats", views.EntitlementSeats.as_view(), name="entitlement-seats"),
    path("entitlements/<uuid:id>/seats/<uuid:seat_id>", views.EntitlementSeat.as_view(), name="entitlement-seat"),
    path("humans/<uuid:id>/erasure", privacy.Erasure.as_view(), name="human-erasure"),
    path("humans/<uuid:id>/holds", privacy.PersonHolds.as_view(), name="human-holds"),
    path("humans/<uuid:id>/holds/<uuid:hold_id>/lift", privacy.LiftedHold.as_view(), name="human-hold-lift"),
    path("check", Check.as_view(), name="check"),
    path("check/bulk", CheckBulk.as_view(), name="check-bulk"),
]
