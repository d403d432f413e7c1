"""Addresses of audit: for programs under /api/v1/, for people at the root of the site."""

from django.urls import URLPattern, URLResolver, include, path

from audit.access import views as access
from audit.access.api import AccessAsCsv, AccessConflicts, AccessLogins
from audit.explorer import views
from audit.explorer.api import Events, EventsAsCsv
from audit.packs import views as packs
from audit.packs.api import Holds, PackContent, Packs
from audit.publishing.api import Ledger
from audit.publishing.views import LedgerPage
from audit.reviews import views as reviews
from audit.reviews.api import AccessReviews, ReviewEntries

api_patterns: list[URLPattern | URLResolver] = [
    path("events", Events.as_view({"get": "list"}), name="events"),
    path("events/export", EventsAsCsv.as_view({"get": "export"}), name="events-export"),
    path("events/<uuid:id>/proof", Ledger.as_view({"get": "inclusion"}), name="event-proof"),
    path("ledger", Ledger.as_view({"get": "state"}), name="ledger"),
    path("ledger/checkpoints", Ledger.as_view({"get": "list"}), name="ledger-checkpoints"),
    path("ledger/consistency", Ledger.as_view({"get": "consistency"}), name="ledger-consistency"),
    path("events/<uuid:id>", Events.as_view({"get": "retrieve"}), name="event"),
    path("access/logins", AccessLogins.as_view(), name="access-logins"),
    path("access/conflicts", AccessConflicts.as_view(), name="access-conflicts"),
    path("access/export", AccessAsCsv.as_view(), name="access-export"),
    path("access-reviews", AccessReviews.as_view({"get": "list", "post": "create"}), name="access-reviews"),
    path("access-reviews/<uuid:id>", AccessReviews.as_view({"get": "retrieve"}), name="access-review"),
    path("access-reviews/<uuid:id>/close", AccessReviews.as_view({"post": "close"}), name="access-review-close"),
    path("access-reviews/<uuid:id>/entries", ReviewEntries.as_view({"get": "list"}), name="review-entries"),
    path(
        "access-reviews/<uuid:id>/entries/<uuid:entry_id>/decision",
        ReviewEntries.as_view({"post": "decide"}),
        name="review-entry-decision",
    ),
    path(
        "access-reviews/<uuid:id>/entries/<uuid:entry_id>/assign",
        ReviewEntries.as_view({"post": "assign"}),
        name="review-entry-assign",
    ),
    path("evidence-packs", Packs.as_view({"get": "list", "post": "create"}), name="evidence-packs"),
    path("evidence-packs/<uuid:id>", Packs.as_view({"get": "retrieve"}), name="evidence-pack"),
    path("evidence-packs/<uuid:id>/content", PackContent.as_view(), name="evidence-pack-content"),
    path("legal-holds", Holds.as_view({"get": "list", "post": "create"}), name="legal-holds"),
    path("legal-holds/<uuid:id>/release", Holds.as_view({"post": "release"}), name="legal-hold-release"),
]

_pages = [
    path("", views.Explorer.as_view(), name="explorer"),
    path("export.csv", views.Export.as_view(), name="events-export"),
    path("ledger/", LedgerPage.as_view(), name="ledger"),
    path("<uuid:event_id>/", views.OneEvent.as_view(), name="event"),
    path("access/", access.Access.as_view(), name="access"),
    path("access/access.csv", access.RightsAsCsv.as_view(), name="access-csv"),
    path("access/conflicts.csv", access.ConflictsAsCsv.as_view(), name="conflicts-csv"),
    path("reviews/", reviews.Reviews.as_view(), name="reviews"),
    path("reviews/<uuid:review_id>/", reviews.Review.as_view(), name="review"),
    path("reviews/<uuid:review_id>/review.csv", reviews.ReviewAsCsv.as_view(), name="review-csv"),
    path("reviews/<uuid:review_id>/close/", reviews.Close.as_view(), name="review-close"),
    path("reviews/<uuid:review_id>/<uuid:entry_id>/decide/", reviews.Decide.as_view(), name="review-decide"),
    path("reviews/<uuid:review_id>/<uuid:entry_id>/assign/", reviews.Assign.as_view(), name="review-assign"),
    path("evidence/", packs.Packs.as_view(), name="packs"),
    path("evidence/verify_pack.py", packs.Program.as_view(), name="pack-program"),
    path("evidence/<uuid:pack_id>/", packs.Pack.as_view(), name="pack"),
    path("evidence/<uuid:pack_id>/download", packs.Download.as_view(), name="pack-download"),
    path("holds/", packs.Holds.as_view(), name="holds"),
    path("holds/<uuid:hold_id>/release/", packs.Release.as_view(), name="hold-release"),
]

portal_patterns: list[URLPattern | URLResolver] = [path("audit/", include((_pages, "audit")))]
