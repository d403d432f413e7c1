"""Which paths answer programs and which answer people."""

from django.http import HttpRequest

# Answered with problem documents and instants in UTC; everything else is a page.
PROGRAM_PREFIXES = ("/api/", "/ofrep/", "/scim/", "/livez", "/readyz", "/metrics")


def is_for_programs(request: HttpRequest) -> bool:
    """Tell whether the path belongs to an interface for programs."""
    return request.path_info.startswith(PROGRAM_PREFIXES)
