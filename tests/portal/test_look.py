"""The palette, the vendored files, and that a state looks the same everywhere."""

import hashlib
import re
from pathlib import Path

import pytest

from approvals.requests.states import PRESENTATIONS
from foundation.web import palette

CHECKOUT = Path(__file__).resolve().parents[2]


def luminance(color: str) -> float:
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class TestPalette:
    @pytest.mark.parametrize("name", list(palette.TONES))
    @pytest.mark.parametrize("mode", [0, 1])
    def test_can_be_read(self, name: str, mode: int) -> None:
        tone = palette.TONES[name]

        assert contrast(tone.text[mode], tone.background[mode]) >= 4.5

    def test_is_what_the_stylesheet_says(self) -> None:
        assert (CHECKOUT / "static/tenure/palette.css").read_text() == palette.stylesheet()

    def test_has_the_tone_of_every_status_with_a_mark_of_its_own(self) -> None:
        assert {presentation.tone for presentation in PRESENTATIONS.values()} <= set(palette.TONES)
        assert len({tone.mark for tone in palette.TONES.values()}) == len(palette.TONES)


class TestVendoredFiles:
    @pytest.mark.parametrize("folder", ["static/vendor", "tests/vendor"])
    def test_are_what_was_obtained(self, folder: str) -> None:
        listed = re.findall(
            r"^\| `([^`]+)`.*`([0-9a-f]{64})` \|$", (CHECKOUT / folder / "VENDORED.md").read_text(), re.M
        )

        assert listed
        for name, digest in listed:
            assert hashlib.sha256((CHECKOUT / folder / name).read_bytes()).hexdigest() == digest

    def test_say_where_the_font_is(self) -> None:
        from django.contrib.staticfiles import finders

        for name in re.findall(r'url\("\.\./([^"]+)"\)', (CHECKOUT / "static/tenure/tenure.css").read_text()):
            assert finders.find(name), name


class TestTemplates:
    @pytest.mark.parametrize(
        "path",
        [
            path
            for folder in ("templates", "approvals/templates/changes", "audit/templates", "entitlements/templates")
            for path in sorted((CHECKOUT / folder).rglob("*.html"))
        ],
        ids=lambda path: path.name,
    )
    def test_hold_neither_style_nor_script(self, path: Path) -> None:
        text = path.read_text()

        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|\|\s*safe|autoescape off", text)
