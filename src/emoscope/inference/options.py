"""Options of recognition by what the result then holds, for the overloads of ``recognize``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

from emoscope.events import Listener
from emoscope.models.head_file import Head
from emoscope.paths.choices import EmbeddingRequest, Granularity
from emoscope.results.display import ProgressListener
from emoscope.results.utterances import UtteranceChoice, UtteranceRules

ByFrame: TypeAlias = Literal["frame"]
"""The result has a track."""
ByRow: TypeAlias = Literal[True, "frame"]
"""The result has the embedding of each frame."""
ByMean: TypeAlias = Literal["utterance"]
"""The result has the mean embedding alone."""


class Options(TypedDict, total=False):
    """Options of ``Recognizer.recognize`` that do not change what a result holds."""

    utterances: UtteranceChoice
    name: str
    listener: Listener


class WithoutEmbedding(Options, total=False):
    """No embedding."""

    embedding: Literal[False]


class WithGranularity(Options, total=False):
    """Perhaps a track."""

    granularity: Granularity


class AllOptions(Options, total=False):
    """Perhaps a track, perhaps an embedding."""

    granularity: Granularity
    embedding: EmbeddingRequest


class SharedOptions(TypedDict, total=False):
    """The same for the function ``recognize``, whose model is shared."""

    model: str | os.PathLike[str]
    utterances: UtteranceChoice
    heads: Sequence[str | Head]


class SharedWithoutEmbedding(SharedOptions, total=False):
    """No embedding."""

    embedding: Literal[False]


class SharedWithGranularity(SharedOptions, total=False):
    """Perhaps a track."""

    granularity: Granularity


class SharedAll(SharedOptions, total=False):
    """Perhaps a track, perhaps an embedding."""

    granularity: Granularity
    embedding: EmbeddingRequest


class ManyOptions(TypedDict, total=False):
    """Options of ``Recognizer.recognize_many`` but for ``granularity``."""

    embedding: EmbeddingRequest
    utterances: bool | UtteranceRules
    workers: int
    progress: bool | ProgressListener


class ManyWithGranularity(ManyOptions, total=False):
    """Perhaps a track."""

    granularity: Granularity


class SharedManyOptions(ManyOptions, total=False):
    """The same for the function ``recognize_many``, whose model is shared."""

    model: str | os.PathLike[str]
    heads: Sequence[str | Head]


class SharedManyWithGranularity(SharedManyOptions, total=False):
    """Perhaps a track."""

    granularity: Granularity
