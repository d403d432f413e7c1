"""Addresses of audit: for programs under /api/v1/, for people at the root of the site."""

from django.urls import URLPattern, URLResolver, include, path

from audit.explorer import views
from audit.explorer.api import Events, EventsAsCsv
from audit.packs import views as packs
from audit.packs.api import Holds, PackContent, Packs
from audit.publishing.api import Ledger
from audit.publishing.views import LedgerPage

api_patterns: list[URLPattern | URLResolver] = [
    path("events", Events.as_view({"get": "list"}), name="events"),
    path("events/export", EventsAsCsv.as_view({"get": "export"}), name="events-export"),
    path("events/<uuid:id>/proof", Ledger.as_view({"get": "inclusion"}), name="event-proof"),
    path("ledger", Ledger.as_view({"get": "state"}), name="ledger"),
    path("ledger/checkpoints", Ledger.as_view({"get": "list"}), name="ledger-checkpoints"),
    path("ledger/consistency", Ledger.as_view({"get": "consistency"}), name="ledger-consistency"),
    path("events/<uuid:id>", Events.as_view({"get": "retrieve"}), name="event"),
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
    path("evidence/", packs.Packs.as_view(), name="packs"),
    path("evidence/verify_pack.py", packs.Program.as_view(), name="pack-program"),
    path("evidence/<uuid:pack_id>/", packs.Pack.as_view(), name="pack"),
    path("evidence/<uuid:pack_id>/download", packs.Download.as_view(), name="pack-download"),
    path("holds/", packs.Holds.as_view(), name="holds"),
    path("holds/<uuid:hold_id>/release/", packs.Release.as_view(), name="hold-release"),
]

portal_patterns: list[URLPattern | URLResolver] = [path("audit/", include((_pages, "audit")))]
