"""A pack's bytes as an answer: always a download, a part at a time."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from audit.packs.models import EvidencePack
from foundation.web.downloads import POLICY


def sent(pack: EvidencePack, parts: Iterator[bytes]) -> StreamingHttpResponse:
    """The answer; its entity tag is the SHA-256 of the whole."""
    headers = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=pack.file_name) or "attachment",
        "Content-Length": str(pack.size),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": f'"{pack.sha256}"',
        # It depends on who asks, and each download is recorded.
        "Cache-Control": "private, no-store",
    }
    return StreamingHttpResponse(parts, content_type="application/zip", headers=headers)
