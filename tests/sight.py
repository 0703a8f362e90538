"""How different two colours look, to usual eyes and to those with colour blindness."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

Lab: TypeAlias = tuple[float, float, float]

EYES = {
    # Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
    "usual": np.eye(3),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    """Linear RGB of ``#rrggbb``, 0 to 1."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(eyes: str, colour: str) -> Lab:
    """CIE L*a*b* under D65 of a colour as these eyes see it."""
    share = XYZ @ np.clip(EYES[eyes] @ linear(colour), 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return float(116 * y - 16), float(500 * (x - y)), float(200 * (y - z))


def ciede2000(one: Lab, other: Lab) -> float:
    """Colour difference; about 2 is just visible."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    a1, a2 = (a * (1.5 - 0.5 * _weight(mean_c)) for a in (a1, a2))
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / math.sqrt(20 + (lightness - 50) ** 2)
    s_c = 1 + 0.045 * chroma
    s_h = 1 + 0.015 * chroma * _turned(hue)
    by_l, by_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    by_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / s_h
    angle = math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2)))
    cross = -2 * _weight(chroma) * math.sin(angle) * by_c * by_h
    return math.sqrt(by_l**2 + by_c**2 + by_h**2 + cross)


def _weight(chroma: float) -> float:
    return math.sqrt(chroma**7 / (chroma**7 + 25**7))


def _turned(hue: float) -> float:
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + sum(w * math.cos(math.radians(n * hue + shift)) for w, n, shift in terms)
