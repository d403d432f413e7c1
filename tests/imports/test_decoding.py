from __future__ import annotations

import pytest

from entitlements.imports import decoding
from entitlements.imports.decoding import Unreadable, decode


class TestDecode:
    @pytest.mark.parametrize(
        ("data", "encoding"),
        [
            (b"caf\xc3\xa9", "UTF-8"),
            (b"\xef\xbb\xbfcaf\xc3\xa9", "UTF-8 with byte order mark"),
            ("café".encode("utf-16"), "UTF-16"),
            (b"\xfe\xff" + "café".encode("utf-16-be"), "UTF-16"),
            (b"caf\xe9", "Windows-1252"),
        ],
    )
    def test_says_which_encoding_it_found(self, data: bytes, encoding: str) -> None:
        decoded = decode(data)
        assert (decoded.text, decoded.encoding) == ("café", encoding)
        assert bool(decoded.note) == (encoding == "Windows-1252")

    def test_keeps_utf8_when_only_a_byte_of_it_is_broken(self) -> None:
        decoded = decode("Øien, Nygård".encode() + b"\xff")
        assert decoded.encoding == "UTF-8"
        assert decoded.text == "Øien, Nygård\udcff"
        assert "not UTF-8" in decoded.note

    def test_does_not_take_an_encoded_surrogate_for_windows(self) -> None:
        assert decode(b"a\xed\xa0\x80").encoding == "UTF-8"

    def test_marks_what_windows_1252_has_no_character_for(self) -> None:
        assert decode(b"caf\xe9 \x81 \xe9").text == "café \udc81 é"

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b" \r\n\t", "empty"),
            (b"PK\x03\x04rest", "an Excel workbook"),
            (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
            (b"%PDF-1.7", "a PDF"),
            (b"\xff\xfea", "breaks off"),
        ],
    )
    def test_refuses_what_is_no_text(self, data: bytes, words: str) -> None:
        with pytest.raises(Unreadable, match=words):
            decode(data)

    def test_refuses_what_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decoding, "MAX_BYTES", 10)
        with pytest.raises(Unreadable, match="Split it"):
            decode(b"01234567890")

    def test_refuses_too_many_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decoding, "MAX_LINES", 3)
        with pytest.raises(Unreadable, match="more than 3 lines"):
            decode(b"a\n\n\n\n")
