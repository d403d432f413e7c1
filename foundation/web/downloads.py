"""
Files from people, served so that no browser runs them: always as a download, of the stated type, in an empty sandbox.

Source: RFC 9110 sections 8.8, 13.1 and 14 (entity tags, conditions, ranges); RFC 6266 (Content-Disposition)
"""

import re

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{1,15})?-(?P<last>[0-9]{1,15})?", re.ASCII)


def serve(*, request: HttpRequest, name: str, media_type: str, content: bytes, digest: str) -> HttpResponse:
    """
    Answer with a file, or the part of it that is asked for; `digest` names its bytes and is their entity tag.

    304 if the reader has these bytes, 206 for one range of bytes, 416 for a range that it has not.
    """
    tag = f'"{digest}"'
    asked = request.headers.get("If-None-Match", "")
    if asked.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in asked.split(",")]:
        return _guarded(HttpResponse(status=304), name, media_type, tag)
    size = len(content)
    part = _part(request, tag=tag, size=size)
    if part is None:
        response = HttpResponse(content)
    elif part.start >= part.stop:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        response = HttpResponse(content[part.start : part.stop], status=206)
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Content-Length"] = str(len(response.content))
    return _guarded(response, name, media_type, tag)


def _part(request: HttpRequest, *, tag: str, size: int) -> range | None:
    """The one range of bytes that is asked for, empty if there is no such part; None for the whole file."""
    condition = request.headers.get("If-Range")
    found = _ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    # Several ranges, or other units, may be ignored; so may a range of bytes that have changed since.
    if found is None or (condition is not None and condition.strip() != tag):
        return None
    first, last = found["first"], found["last"]
    if first is None:
        return range(max(size - int(last), 0), size) if last else None
    if last is not None and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _guarded(response: HttpResponse, name: str, media_type: str, tag: str) -> HttpResponse:
    response["Content-Type"] = media_type
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    # It depends on who asks, and a right that is taken back counts at once.
    response["Cache-Control"] = "private, no-cache"
    return response
