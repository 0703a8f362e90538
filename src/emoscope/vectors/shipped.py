"""Spaces that ship beside a model, used only for exactly that model."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from emoscope.paths.assets import ASSETS
from emoscope.vectors.spaces import Space, read_spaces

_FILE = ASSETS / "compact.spaces.npz"


def shipped_spaces(model_sha256: str) -> Mapping[str, Space]:
    """Return the spaces of a model by name; empty where none ship with it.

    Args:
        model_sha256: of the model file that the vectors come from.
    """
    made_for, spaces = _shipped()
    return spaces if made_for == model_sha256 else {}


@functools.cache
def _shipped() -> tuple[str, Mapping[str, Space]]:
    try:
        with _FILE.open("rb") as file:
            return read_spaces(file)
    except FileNotFoundError:
        return "", {}
