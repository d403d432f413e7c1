"""Collects the addresses of the registry: for programs under /api/v1/, for people at the root."""

from entitlements.portal.urls import urlpatterns as portal_patterns
from entitlements.surfaces.api.urls import urlpatterns as api_patterns

__all__ = ["api_patterns", "portal_patterns"]
