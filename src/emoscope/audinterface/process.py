"""Process functions for ``audinterface.Feature`` and ``audinterface.Process``."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emoscope.audio.sound_array import SoundArray
from emoscope.errors import InputError
from emoscope.labels import COUNT, KEYS
from emoscope.models.catalog import AUTO
from emoscope.once import load_once
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.waveform import Array32, Array64

NAMES = list(KEYS)
"""Names of the nine scores, for ``audinterface.Feature(feature_names=…)``."""


def signal_scores(
    signal: NDArray[Any],
    sampling_rate: int,
    *,
    model: str | os.PathLike[str] = AUTO,
    on_failure: Literal["raise", "nan"] = "nan",
) -> Array64:
    """Return the nine scores of a signal, float64 of shape ``(9,)``, in the order of ``NAMES``.

    Args:
        signal: shape ``(channels, n)`` or ``(n,)``; the channels are mixed.
        sampling_rate: samples per second; any rate is resampled to 16 kHz.
        model: a name of ``emoscope models list``, a folder, or ``auto``.
        on_failure: what becomes of a signal that cannot be used, such as one that is silent or
            shorter than 0.1 s: ``nan`` scores, or ``raise`` its error.

    Raises:
        InputError: the signal cannot be used, and ``on_failure`` is ``raise``.
        ModelError: the model cannot be loaded, or it failed.
    """
    result = _result(load_once(os.fspath(model)), signal, sampling_rate, on_failure, mean=False)
    return np.full(COUNT, np.nan) if result is None else result.scores.values


def signal_embedding(
    signal: NDArray[Any],
    sampling_rate: int,
    *,
    model: str | os.PathLike[str] = AUTO,
    on_failure: Literal["raise", "nan"] = "nan",
) -> Array32:
    """Return the embedding of a signal, its mean over time, float32 of shape ``(D,)``.

    Args:
        signal: shape ``(channels, n)`` or ``(n,)``; the channels are mixed.
        sampling_rate: samples per second; any rate is resampled to 16 kHz.
        model: a name of ``emoscope models list``, a folder, or ``auto``.
        on_failure: what becomes of a signal that cannot be used, such as one that is silent or
            shorter than 0.1 s: ``nan`` numbers, or ``raise`` its error.

    Raises:
        InputError: the signal cannot be used, and ``on_failure`` is ``raise``.
        ModelError: the model cannot be loaded, or it failed.
    """
    recognizer = load_once(os.fspath(model))
    result = _result(recognizer, signal, sampling_rate, on_failure, mean=True)
    found = None if result is None else result.utterance_embedding
    return np.full(recognizer.embedding_size, np.nan, np.float32) if found is None else found


def _result(
    recognizer: Recognizer,
    signal: NDArray[Any],
    sampling_rate: int,
    on_failure: Literal["raise", "nan"],
    *,
    mean: bool,
) -> Result | None:
    """Return the result of a signal; None where it cannot be used."""
    sound = SoundArray(signal, sampling_rate, 0)
    try:
        return recognizer.recognize(sound, embedding="utterance" if mean else False)
    except InputError:
        if on_failure == "raise":
            raise
        return None
