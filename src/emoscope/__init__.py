"""Emoscope: self-hosted speech emotion recognition (看见声音里的情绪).

    >>> import emoscope
    >>> result = emoscope.recognize("speech.wav")  # doctest: +SKIP
    >>> result.emotion.title, result.confidence  # doctest: +SKIP
    ('快乐 (Happy)', 0.853)

Importing this package loads nothing heavy; the names below are fetched when first used.
"""

# No future import here: it would bind the name ``annotations``, and hide the module of that name.

import importlib
from typing import TYPE_CHECKING

from emoscope import telemetry
from emoscope._version import __version__
from emoscope.messages import errors as _sentences  # noqa: F401 - fills the table of codes

if TYPE_CHECKING:
    from emoscope.audio.sound_array import SoundArray
    from emoscope.errors import EmoscopeError
    from emoscope.export import annotations as annotations
    from emoscope.labels import EMOTIONS, Emotion
    from emoscope.limits import Limits
    from emoscope.lists.rows import read_list
    from emoscope.multichannel import MultichannelResult, recognize_channels
    from emoscope.once import recognize, recognize_many
    from emoscope.recognizer import Recognizer, load
    from emoscope.results.answers import AnswerStream
    from emoscope.results.data_frame import to_frame
    from emoscope.results.embeddings import embeddings, save_embeddings
    from emoscope.results.quality import Quality
    from emoscope.results.result import Failure, Result
    from emoscope.results.scores import Scores
    from emoscope.results.segments import Segment
    from emoscope.results.track import Track
    from emoscope.results.utterances import GivenSpan, Utterance, UtteranceRules
    from emoscope.waveform import Span, Waveform

_HOMES = {
    "AnswerStream": "results.answers",
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
    "embeddings": "results.embeddings",
    "load": "recognizer",
    "read_list": "lists.rows",
    "recognize": "once",
    "recognize_channels": "multichannel",
    "recognize_many": "once",
    "save_embeddings": "results.embeddings",
    "to_frame": "results.data_frame",
}

__all__ = [
    "EMOTIONS",
    "AnswerStream",
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
    "embeddings",
    "load",
    "read_list",
    "recognize",
    "recognize_channels",
    "recognize_many",
    "save_embeddings",
    "to_frame",
]


_MODULES = {
    "annotations": "export.annotations",
    "audinterface": "audinterface",
    "evaluate": "evaluate",
    "export": "export",
    "fusion": "fusion",
    "sklearn": "sklearn",
    "vectors": "vectors",
}
"""Modules that are there after ``import emoscope`` alone, and are imported when first used."""

telemetry.disable()


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"emoscope.{_MODULES[name]}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"emoscope.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'emoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
