"""Every address that the project answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from approvals import urls as change_control
from audit import urls as audit
from entitlements import urls as registry

# The document tells what the software does, nothing of this installation: everybody may read it.
EVERYBODY = {"authentication_classes": [], "permission_classes": [AllowAny]}

api_patterns: list[URLPattern | URLResolver] = [
    *change_control.api_patterns,
    *registry.api_patterns,
    *audit.api_patterns,
    path("openapi.json", SpectacularJSONAPIView.as_view(**EVERYBODY), name="openapi"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", include((api_patterns, "api"))),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api:openapi", template_name="api/docs.html", **EVERYBODY),
        name="api-docs",
    ),
    *change_control.portal_patterns,
    *registry.portal_patterns,
    *audit.portal_patterns,
]

handler400 = "foundation.web.errors.bad_request"
handler403 = "foundation.web.errors.permission_denied"
handler404 = "foundation.web.errors.page_not_found"
handler500 = "foundation.web.errors.server_error"
