"""Sample recordings of the package: their list, and their results by the built-in model.

``assets/samples/samples.json`` lists the recordings. Beside each lies its result, which
``scripts/make_sample_results.py`` wrote, so that a page shows it without a model: the form of
``result.json``, with logits rounded to ``DECIMALS`` and without the scores, which follow from them.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoscope.paths.assets import SAMPLE_FOLDER
from emoscope.results.json_type import EmotionKey, JsonType
from emoscope.results.result import Result

SEQUENCE = "emodb_sequence.wav"
"""One speaker says one sentence neutrally, happily, angrily and sadly."""
DECIMALS = 2
"""Of a logit; a score moves by a quarter of a percent at most."""


@dataclass(frozen=True, slots=True)
class Sample(JsonType):
    """Sample recording: 16 kHz, mono, 16 bit."""

    file: str
    language: str
    """Code of the language that is spoken (ISO 639-1)."""
    emotion: EmotionKey
    """What the actor expresses; of several, the first."""
    text: str
    """What is said."""
    title_zh: str
    title_en: str
    duration_s: float
    licence: str
    source: str
    """Corpus, its makers, and the clips in it."""
    sha256: str
    """Of the file."""
    audio: str
    """File for a browser: an MP3 of the recording where there is one, else the recording."""

    @property
    def path(self) -> Path:
        """Where the recording lies."""
        return SAMPLE_FOLDER / self.file


@functools.cache
def samples() -> tuple[Sample, ...]:
    """Return the samples of the package, in the order of their list."""
    listed: list[dict[str, Any]] = json.loads(
        SAMPLE_FOLDER.joinpath("samples.json").read_text("utf-8")
    )
    return tuple(Sample.from_dict(entry | {"audio": _audio_of(entry["file"])}) for entry in listed)


def sample_named(file: str) -> Sample:
    """Return a sample by the name of its recording or of its MP3, which is untrusted.

    Raises:
        KeyError: no sample has this name.
    """
    for sample in samples():
        if file in (sample.file, sample.audio):
            return sample
    raise KeyError(file)


def sample_path(file: str) -> Path:
    """Return where a recording, or the MP3 of one, lies; its name is untrusted.

    Raises:
        KeyError: no sample has such a file.
    """
    if not any(file in (one.file, one.audio) for one in samples()):
        raise KeyError(file)
    return SAMPLE_FOLDER / file


@functools.cache
def sample_result(file: str) -> Result:
    """Return the frame result that the built-in model gave for a sample when it was shipped.

    Raises:
        KeyError: no sample has this name.
    """
    return Result.from_dict(json.loads(result_path(sample_named(file)).read_text("utf-8")))


def result_path(sample: Sample) -> Path:
    """Return where a sample's result lies."""
    return sample.path.with_suffix(".json")


def compact_document(result: Result) -> dict[str, Any]:
    """Return what ``sample_result`` reads: short rows, and nothing of the machine that ran it.

    Raises:
        ValueError: the result has no track.
    """
    data = result.to_dict()
    if result.track is None:
        raise ValueError("a sample is recognized frame by frame")
    rows = result.track.logits.astype(float).round(DECIMALS).tolist()
    return data | {"frames": data["frames"] | {"logits": rows, "scores": []}} | {"log": []}


def _audio_of(file: str) -> str:
    mp3 = f"{file.removesuffix('.wav')}.mp3"
    return mp3 if SAMPLE_FOLDER.joinpath(mp3).is_file() else file
