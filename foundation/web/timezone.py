"""Instants in the zone of whoever reads them."""

import logging
import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from foundation.web.surfaces import is_for_programs

logger = logging.getLogger(__name__)


class ReaderTimeZoneMiddleware:
    """
    Activate the reader's time zone for pages: the signed-in user's own, else the installation's.

    Programs are answered in UTC, whoever signed in: the serializers write instants in the active zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_for_programs(request):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """Return the zone in which this request's reader reads."""
    chosen = getattr(getattr(request, "user", None), "time_zone", "")
    if chosen:
        try:
            return zoneinfo.ZoneInfo(chosen)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            # Checked when it was chosen; a later tzdata may have dropped it.
            logger.warning("The time zone %r of a user is no longer known; the installation's is shown.", chosen)
    return zoneinfo.ZoneInfo(settings.READER_TIME_ZONE)
