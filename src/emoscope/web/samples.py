"""Bundled sample recordings."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from emoscope.errors import RequestError
from emoscope.paths.assets import SAMPLE_FOLDER


@dataclass(frozen=True, slots=True)
class Sample:
    """Bundled sample recording."""

    file: str
    language: str
    emotion: str
    title_zh: str
    title_en: str


@functools.cache
def samples() -> tuple[Sample, ...]:
    """Return the samples in the package, as their list names them."""
    listed: list[dict[str, Any]] = json.loads(
        SAMPLE_FOLDER.joinpath("samples.json").read_text("utf-8")
    )
    return tuple(
        Sample(s["file"], s["language"], s["emotion"], s["title_zh"], s["title_en"]) for s in listed
    )


def sample_bytes(file: str) -> bytes:
    """Return a sample's file.

    Raises:
        RequestError: no sample has this name.
    """
    if file not in {sample.file for sample in samples()}:
        raise RequestError("route_not_found")
    return SAMPLE_FOLDER.joinpath(file).read_bytes()
