"""Folder of the files that ship in the package: the built-in model, networks, sample recordings."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parent.parent / "assets"
SAMPLE_FOLDER = ASSETS / "samples"
"""Recordings of our own, and ``samples.json``, which describes them."""
