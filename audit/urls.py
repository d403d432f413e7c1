"""Addresses of audit: for programs under /api/v1/, for people at the root of the site."""

from django.urls import URLPattern, URLResolver, include, path

from audit.explorer import views
from audit.explorer.api import Events, EventsAsCsv
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
]

_pages = [
    path("", views.Explorer.as_view(), name="explorer"),
    path("export.csv", views.Export.as_view(), name="events-export"),
    path("ledger/", LedgerPage.as_view(), name="ledger"),
    path("<uuid:event_id>/", views.OneEvent.as_view(), name="event"),
]

portal_patterns: list[URLPattern | URLResolver] = [path("audit/", include((_pages, "audit")))]
