"""The one place that reads the wall clock; everything below a view, task or command is handed `now`."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """Return the present instant, timezone-aware in UTC."""
    return timezone.now()
