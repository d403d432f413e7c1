"""Collects the addresses of change control: for programs under /api/v1/, for people at the root."""

from approvals.api.urls import urlpatterns as api_patterns
from approvals.portal.urls import urlpatterns as portal_patterns

__all__ = ["api_patterns", "portal_patterns"]
