"""Recognition by a model that is loaded once and kept: ``recognize`` and ``recognize_many``."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from typing import Unpack, overload

from emoscope.audio.inputs import Source
from emoscope.inference.options import (
    ByFrame,
    ByMean,
    ByRow,
    SharedAll,
    SharedManyOptions,
    SharedManyWithGranularity,
    SharedOptions,
    SharedWithGranularity,
    SharedWithoutEmbedding,
)
from emoscope.models import catalog
from emoscope.models.head_file import Head
from emoscope.paths.choices import EmbeddingRequest, Granularity
from emoscope.recognizer import Recognizer, load
from emoscope.results.answers import AnswerStream
from emoscope.results.display import ProgressListener
from emoscope.results.result import Result
from emoscope.results.track import Track
from emoscope.results.utterances import UtteranceChoice, UtteranceRules
from emoscope.waveform import Array32


@functools.lru_cache(maxsize=4)
def load_once(model: str) -> Recognizer:
    """Return the recognizer of a model, loaded at the first call with that name."""
    return load(model)


@overload
def recognize(
    source: Source, *, granularity: ByFrame, embedding: ByRow, **more: Unpack[SharedOptions]
) -> Result[Track, Array32, Array32]: ...
@overload
def recognize(
    source: Source, *, granularity: ByFrame, embedding: ByMean, **more: Unpack[SharedOptions]
) -> Result[Track, None, Array32]: ...
@overload
def recognize(
    source: Source, *, granularity: ByFrame, **more: Unpack[SharedWithoutEmbedding]
) -> Result[Track]: ...
@overload
def recognize(
    source: Source, *, embedding: ByRow, **more: Unpack[SharedWithGranularity]
) -> Result[Track | None, Array32, Array32]: ...
@overload
def recognize(
    source: Source, *, embedding: ByMean, **more: Unpack[SharedWithGranularity]
) -> Result[Track | None, None, Array32]: ...
@overload
def recognize(source: Source, **more: Unpack[SharedAll]) -> Result: ...
def recognize(
    source: Source,
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: EmbeddingRequest = False,
    utterances: UtteranceChoice = False,
    heads: Sequence[str | Head] = (),
) -> Result:
    """Say which emotion a recording holds.

    The model is loaded at the first call with its name (a second or two) and stays in memory, as
    do those of the last four names. Sound of any format, rate and number of channels, up to four
    hours, is brought to 16 kHz mono; nothing leaves the machine. Several threads may call at once.
    For a device, a backend or limits of your own, use ``load`` and ``Recognizer.recognize``.

    Args:
        source: a path; the bytes of a file; an open binary file; ``(samples, rate_hz)``;
            a ``SoundArray`` or ``Waveform``; or a data set's ``{"array", "sampling_rate"}`` or
            ``{"bytes", "path"}``.
        model: a name of ``emoscope models list``, a folder, or ``auto``: the large model, if here.
        granularity: ``utterance`` gives one answer; ``frame`` adds the track of 20 ms rows, the
            segments and their summary.
        embedding: True keeps the frame embeddings, float32 of shape ``(T, D)``; ``utterance``
            their mean alone, shape ``(D,)``.
        utterances: recognize each utterance alone as well: True cuts at pauses, rules say how,
            and spans in seconds are recognized as given.
        heads: names of ``emoscope head list``, or heads; their answers stand beside the emotions.

    Returns:
        The emotion, its confidence, nine scores, the reasons to abstain if there are any, and what
        was asked for besides.

    Raises:
        InputError: the recording or a parameter cannot be used.
        HeadError: a head is unknown, damaged, or of another model.
        ModelError: the model cannot be loaded, or it failed.
        StoreError: long sound does not fit into the folder for temporary files.
    """
    return (
        load_once(os.fspath(model))
        .configured(heads=heads)
        .recognize(source, granularity=granularity, embedding=embedding, utterances=utterances)
    )


@overload
def recognize_many(
    sources: Iterable[Source], *, granularity: ByFrame, **more: Unpack[SharedManyOptions]
) -> AnswerStream[Track]: ...
@overload
def recognize_many(
    sources: Iterable[Source], **more: Unpack[SharedManyWithGranularity]
) -> AnswerStream: ...
def recognize_many(
    sources: Iterable[Source],
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: EmbeddingRequest = False,
    utterances: bool | UtteranceRules = False,
    heads: Sequence[str | Head] = (),
    workers: int = 1,
    progress: bool | ProgressListener = False,
) -> AnswerStream:
    """Recognize a list of recordings; one that cannot be used gives a ``Failure`` in its place.

    Each is recognized when its answer is asked for, or a little ahead by workers, so that a list
    of any length needs the memory of a few recordings. The model is loaded once and stays in
    memory, and each answer is that of ``recognize``.

    Args:
        sources: each a path; the bytes of a file; an open binary file; ``(samples, rate_hz)``; a
            ``SoundArray`` or ``Waveform``; or the audio of a data set's row. Read lazily.
        model: a name of ``emoscope models list``, a folder, or ``auto``: the large model, if here.
        granularity: ``utterance`` gives one answer each; ``frame`` adds the track of 20 ms rows,
            the segments and their summary.
        embedding: True keeps the frame embeddings, float32 of shape ``(T, D)``; ``utterance``
            their mean alone, shape ``(D,)``.
        utterances: recognize each utterance alone as well: True, or rules.
        heads: names of ``emoscope head list``, or heads; their answers stand beside the emotions.
        workers: recordings that are recognized side by side, in threads.
        progress: True shows a line on standard error; a function is called after each answer with
            the answers so far, how many there will be (or None), and the failures.

    Returns:
        An iterator with one result or failure per source, in the order of ``sources``. Its
        ``to_frame()`` makes a pandas table of what is left, ``close()`` ends the work.

    Raises:
        RequestError: a parameter cannot be used.
        SourceTypeError: ``sources`` is one recording.
        HeadError: a head is unknown, damaged, or of another model.
        ModelError: the model cannot be loaded.
    """
    recognizer = load_once(os.fspath(model)).configured(heads=heads)
    return recognizer.recognize_many(
        sources,
        granularity=granularity,
        embedding=embedding,
        utterances=utterances,
        workers=workers,
        progress=progress,
    )
