"""Text can be read on its ground: WCAG AA, by arithmetic."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files

import pytest

from emoscope.labels import EMOTIONS, SILENCE
from sight import EYES, Lab, ciede2000, lab

_STATIC = files("emoscope.web") / "static"
STYLE = _STATIC.joinpath("style.css").read_text("utf-8")
FIGURE_STYLE = _STATIC.joinpath("figure.css").read_text("utf-8")
TEXT_ON_GROUND = [
    *((text, ground) for text in ("ink", "soft") for ground in ("paper", "ground", "tint")),
    *((text, "accent-tint") for text in ("ink", "soft", "accent")),
    *(("accent", ground) for ground in ("paper", "ground")),
    ("accent-ink", "accent"),
    *((text, "red-tint") for text in ("ink", "soft", "red")),
    ("red", "paper"),
    *((text, "amber-tint") for text in ("ink", "amber")),
]


def colours(selector: str, style: str = STYLE) -> dict[str, str]:
    block = re.search(rf"^{re.escape(selector)} {{(.*?)^}}", style, re.MULTILINE | re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--emo-([a-z-]+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", [":root", ".dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_has_contrast(look: str, text: str, ground: str) -> None:
    palette = colours(look)

    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize("look", [":root", ".dark"])
def test_emotions_can_be_seen(look: str) -> None:
    """Graphics need 3:1; each bar stands beside its number, so the worst may be near it."""
    paper = colours(look)["paper"]
    emotions = colours(look, FIGURE_STYLE)

    for emotion in EMOTIONS:
        assert contrast(emotions[emotion.key], paper) >= 2.9, emotion.key


def test_light_colours_are_those_of_files() -> None:
    """Reports, SVG and pictures are on white paper and take the colours of ``labels.py``."""
    light = colours(":root", FIGURE_STYLE)

    assert light == {e.key: e.colour for e in (*EMOTIONS, SILENCE)}


@pytest.mark.parametrize("eyes", EYES)
def test_dark_colours_can_be_told_apart_by_all_eyes(eyes: str) -> None:
    """CIEDE2000 of 12 and more between any two, as docs/web.md says."""
    dark = colours(".dark", FIGURE_STYLE)
    seen = {e.key: lab(eyes, dark[e.key]) for e in EMOTIONS}

    nearest = min(
        (ciede2000(a, b), one, other)
        for (one, a), (other, b) in itertools.combinations(seen.items(), 2)
    )

    assert nearest[0] >= 12, nearest


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_is_ciede2000(one: Lab, other: Lab, expected: float) -> None:
    """Pairs of Sharma, Wu, Dalal 2005, table 1."""
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


def test_every_font_is_the_machine_s_own() -> None:
    assert "url(" not in STYLE
