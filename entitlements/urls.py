"""Collects the addresses of the registry."""

from entitlements.surfaces.api.urls import urlpatterns as api_patterns

__all__ = ["api_patterns"]
