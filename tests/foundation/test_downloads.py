"""Files from people: downloads in an empty sandbox, whole or in part."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from foundation.web.downloads import serve

CONTENT = b"0123456789"
DIGEST = "a" * 64


def asked(name: str = "a.pdf", **headers: str) -> HttpResponse:
    request = RequestFactory().get("/", headers=headers)
    return serve(request=request, name=name, media_type="application/pdf", content=CONTENT, digest=DIGEST)


class TestServe:
    def test_is_always_a_download_in_a_sandbox(self) -> None:
        answer = asked()

        assert answer.content == CONTENT
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == 'attachment; filename="a.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert answer["Cache-Control"] == "private, no-cache"
        assert answer["ETag"] == f'"{DIGEST}"'
        assert answer["Content-Length"] == "10"

    @pytest.mark.parametrize(
        ("name", "header"),
        [
            ("Zürich.pdf", "attachment; filename*=utf-8''Z%C3%BCrich.pdf"),
            ('a"; filename=b.exe', 'attachment; filename="a\\"; filename=b.exe"'),
        ],
    )
    def test_quotes_the_name(self, name: str, header: str) -> None:
        assert asked(name)["Content-Disposition"] == header

    @pytest.mark.parametrize("tags", [f'"{DIGEST}"', f'W/"{DIGEST}"', f'"b", "{DIGEST}"', "*"])
    def test_sends_nothing_that_the_reader_has(self, tags: str) -> None:
        answer = asked(**{"If-None-Match": tags})

        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", f'"{DIGEST}"')

    @pytest.mark.parametrize(
        ("asked_for", "content", "told"),
        [
            ("bytes=0-3", b"0123", "bytes 0-3/10"),
            ("bytes=8-", b"89", "bytes 8-9/10"),
            ("bytes=8-99", b"89", "bytes 8-9/10"),
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-99", CONTENT, "bytes 0-9/10"),
        ],
    )
    def test_sends_the_part_that_is_asked_for(self, asked_for: str, content: bytes, told: str) -> None:
        answer = asked(Range=asked_for)

        assert (answer.status_code, answer.content, answer["Content-Range"]) == (206, content, told)
        assert answer["Content-Disposition"].startswith("attachment")

    @pytest.mark.parametrize("asked_for", ["bytes=10-", "bytes=99-100", "bytes=-0"])
    def test_has_no_part_beyond_the_end(self, asked_for: str) -> None:
        answer = asked(Range=asked_for)

        assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */10", b"")

    @pytest.mark.parametrize(
        "asked_for", ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=a-b", "nonsense"]
    )
    def test_sends_all_if_the_range_cannot_be_used(self, asked_for: str) -> None:
        assert (asked(Range=asked_for).status_code, asked(Range=asked_for).content) == (200, CONTENT)

    def test_sends_all_if_the_reader_has_part_of_other_bytes(self) -> None:
        assert asked(Range="bytes=0-3", **{"If-Range": '"b"'}).content == CONTENT
        assert asked(Range="bytes=0-3", **{"If-Range": f'"{DIGEST}"'}).content == b"0123"
