"""
The one palette of portal and admin: the primary color, and the tones in which states are shown.

`static/tenure/palette.css` is generated from here (`python -m foundation.web.palette`), and the admin's settings take
`PRIMARY`. A tone is never the only sign: every badge has a mark and a word.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

# Petrol, by lightness as unfold names it: far from the tones of success, danger and information.
PRIMARY: Mapping[str, str] = {
    "50": "#ecfafd",
    "100": "#cff1f8",
    "200": "#a4e2f0",
    "300": "#67cbe3",
    "400": "#2fabcb",
    "500": "#138fb1",
    "600": "#0e7490",
    "700": "#155e75",
    "800": "#164e63",
    "900": "#143f52",
    "950": "#082836",
}


@dataclass(frozen=True)
class Tone:
    """
    How a state looks, as pairs of (light mode, dark mode): text, background and border. `mark` stands before the word.

    Text on its background has a contrast of 4.5 or more (tested).
    """

    text: tuple[str, str]
    background: tuple[str, str]
    border: tuple[str, str]
    mark: str


TONES: Mapping[str, Tone] = {
    "neutral": Tone(("#3f4853", "#d3dae2"), ("#eef1f4", "#2a323c"), ("#c9d1d9", "#4a5562"), "○"),
    "info": Tone(("#1d4fa8", "#a9ccff"), ("#e6f0ff", "#15294a"), ("#b3cff8", "#2f5597"), "◐"),
    "success": Tone(("#14632f", "#8ee2ab"), ("#e3f6e9", "#10331d"), ("#a5dbb7", "#24703f"), "✓"),
    "warning": Tone(("#7a4a00", "#f7cd7f"), ("#fff3d9", "#3b2a08"), ("#efcd85", "#7d5a14"), "!"),
    "danger": Tone(("#a31621", "#ffb3b3"), ("#fdeaea", "#431418"), ("#f2b4b7", "#8d2b31"), "✕"),
}


def tone(name: str) -> Tone:
    """
    The tone of this name.

    :raises KeyError: if there is none
    """
    return TONES[name]


def stylesheet() -> str:
    """The palette as custom properties, as it stands in static/tenure/palette.css."""
    lines = ["/* Generated: python -m foundation.web.palette > static/tenure/palette.css */", ":root {"]
    lines += [f"  --tn-primary-{shade}: {color};" for shade, color in PRIMARY.items()]
    for name, values in TONES.items():
        for part in ("text", "background", "border"):
            light, dark = getattr(values, part)
            lines.append(f"  --tn-{name}-{part}: light-dark({light}, {dark});")
    return "\n".join([*lines, "}", ""])


if __name__ == "__main__":
    sys.stdout.write(stylesheet())
