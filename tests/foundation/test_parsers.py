"""JSON bodies that are refused, and those that are not."""

import io

import pytest
from rest_framework.exceptions import ParseError

from foundation.api.parsers import GREATEST_DEPTH, StrictJSONParser, read_json


class TestReadJson:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"nul",
            b'{"a": 1, "a": 2}',
            b'{"b": {"a": 1, "\\u0061": 2}}',
            b"NaN",
            b"[Infinity]",
            b"[-Infinity]",
            b"[1e999]",
            b'"\\u0000"',
            b'{"\\u0000": 1}',
            b'"\\ud800"',
            b'{"\\udfff": 1}',
            b'["\\ude00\\ud83d"]',
            b"\xff\xfe",
            b'"\xed\xa0\x80"',
            b"[" * 100 + b"]" * 100,
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"1" * 5000,
            b"[" + b"1" * 401 + b"]",
            b"1 2",
        ],
    )
    def test_refuses_what_has_no_one_meaning_or_cannot_be_stored(self, body: bytes) -> None:
        with pytest.raises(ParseError):
            read_json(body)

    @pytest.mark.parametrize(
        ("body", "value"),
        [
            (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
            (b'"\\ud83d\\ude00"', "\U0001f600"),
            ("“é”".encode().join([b'"', b'"']), "“é”"),
            (b"[" * GREATEST_DEPTH + b"]" * GREATEST_DEPTH, ...),
            (b"123456789012345678901234567890", 123456789012345678901234567890),
        ],
    )
    def test_reads_the_rest(self, body: bytes, value: object) -> None:
        assert value is ... or read_json(body) == value


class TestStrictJSONParser:
    def test_reads_the_stream(self) -> None:
        assert StrictJSONParser().parse(io.BytesIO(b'{"a": 1}'), parser_context={"encoding": "zlib"}) == {"a": 1}
