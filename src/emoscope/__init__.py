"""Emoscope: self-hosted speech emotion recognition (看见声音里的情绪).

    >>> import emoscope
    >>> result = emoscope.recognize("speech.wav")  # doctest: +SKIP
    >>> result.emotion.title, result.confidence  # doctest: +SKIP
    ('快乐 (Happy)', 0.853)

Importing this package loads nothing heavy; the names below are fetched when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from emoscope import telemetry
from emoscope._version import __version__
from emoscope.messages import errors as _sentences  # noqa: F401 - fills the table of codes

if TYPE_CHECKING:
    from emoscope.audio.sound_array import SoundArray
    from emoscope.errors import EmoscopeError
    from emoscope.labels import EMOTIONS, Emotion
    from emoscope.limits import Limits
    from emoscope.multichannel import MultichannelResult, recognize_channels
    from emoscope.recognizer import Recognizer, load, recognize, recognize_many
    from emoscope.results.quality import Quality
    from emoscope.results.result import Failure, Result
    from emoscope.results.scores import Scores
    from emoscope.results.segments import Segment
    from emoscope.results.track import Track
    from emoscope.results.utterances import GivenSpan, Utterance, UtteranceRules
    from emoscope.waveform import Span, Waveform

_HOMES = {
    "MultichannelResult": "multichannel",
    "EMOTIONS": "labels",
    "Emotion": "labels",
    "EmoscopeError": "errors",
    "Failure": "results.result",
    "GivenSpan": "results.utterances",
    "Limits": "limits",
    "Quality": "results.quality",
    "Recognizer": "recognizer",
    "Result": "results.result",
    "Scores": "results.scores",
    "Segment": "results.segments",
    "SoundArray": "audio.sound_array",
    "Span": "waveform",
    "Track": "results.track",
    "Utterance": "results.utterances",
    "UtteranceRules": "results.utterances",
    "Waveform": "waveform",
    "load": "recognizer",
    "recognize": "recognizer",
    "recognize_channels": "multichannel",
    "recognize_many": "recognizer",
}

__all__ = [
    "EMOTIONS",
    "EmoscopeError",
    "Emotion",
    "Failure",
    "GivenSpan",
    "Limits",
    "MultichannelResult",
    "Quality",
    "Recognizer",
    "Result",
    "Scores",
    "Segment",
    "SoundArray",
    "Span",
    "Track",
    "Utterance",
    "UtteranceRules",
    "Waveform",
    "__version__",
    "load",
    "recognize",
    "recognize_channels",
    "recognize_many",
]


telemetry.disable()


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(f"emoscope.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'emoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
