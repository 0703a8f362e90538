"""Inference over one recording with heads: their logits travel beside the embeddings.

A head is linear, so its logits are faded between windows, spread over gaps and cached with the
embeddings, and memory holds C numbers per frame where the D of the embedding are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emoscope.audio.missing import gaps_of
from emoscope.audio.prepare import PreparedAudio
from emoscope.events import Listener
from emoscope.inference.forward import ClipOutput, ClipRunner
from emoscope.inference.resume import WindowCache, window_cache
from emoscope.inference.windowed import WindowedInference, run_windows
from emoscope.models.head_file import Head
from emoscope.results.heads import Adaptation, HeadAnswer, head_answer
from emoscope.results.track import Track
from emoscope.waveform import Array32, Samples


@dataclass(frozen=True, slots=True, eq=False)
class RecordingOutput:
    """Model outputs of one recording, on the time axis of its medium."""

    track: Track
    embedding: Array32 | None = None
    """Shape ``(T, D)``, when asked for."""
    heads: tuple[HeadAnswer, ...] = ()
    """Answers of the heads with classes of their own, in order."""


class HeadRunner:
    """Runs the model, and heads on its embeddings.

    Args:
        forward: runs the model.
        heads: classifiers on the embedding.
        embedding: keep the embeddings, before the logits of the heads.
    """

    def __init__(self, forward: ClipRunner, heads: Sequence[Head], *, embedding: bool) -> None:
        self._forward, self._heads, self._embedding = forward, heads, embedding
        self.runs_at_once = forward.runs_at_once

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip; its rows are the embedding, if kept, and all heads' logits.

        Raises:
            ModelError: the model failed.
        """
        return [ClipOutput(one.logits, self._rows(one)) for one in self._forward.run(clips)]

    def _rows(self, output: ClipOutput) -> Array32:
        kept = [output.embeddings] if self._embedding else []
        return np.hstack([*kept, *(head.logits(output.embeddings) for head in self._heads)])


class HeadColumns:
    """Columns of a row: the embedding, if kept, and the logits of each head.

    Args:
        heads: of all kinds; those of corrections have no columns.
        embedding: whether the embedding is kept.
    """

    def __init__(self, heads: Sequence[Head], *, embedding: bool) -> None:
        self.all_heads = heads
        self.heads = [head for head in heads if head.kind == "classes"]
        self.embedding = embedding
        self.wanted = embedding or bool(self.heads)
        """Whether rows have a column at all."""

    def runner(self, forward: ClipRunner) -> ClipRunner:
        """Return what gives such rows: the model, and heads on it where there are some."""
        if not self.heads:
            return forward
        return HeadRunner(forward, self.heads, embedding=self.embedding)

    def output(
        self, track: Track, rows: Array32 | None, duration_s: float | None
    ) -> RecordingOutput:
        """Split rows into the embedding and the answers of heads.

        Args:
            track: logits of the model.
            rows: shape ``(T, columns)``; None where no column is wanted.
            duration_s: length of the recording, for the segments of heads; None: no time axis.
        """
        if rows is None:
            return RecordingOutput(track)
        border = rows.shape[1] - sum(len(head.labels) for head in self.heads)
        answers = _answers(self.heads, rows[:, border:], track, duration_s)
        return RecordingOutput(track, rows[:, :border] if self.embedding else None, answers)


@contextmanager
def recording_cache(
    forward: ClipRunner,
    recording: PreparedAudio,
    columns: HeadColumns,
    *,
    model_sha256: str,
    checkpoint_dir: Path | None,
) -> Iterator[WindowCache]:
    """Open the cache of the windows of a recording; it runs the model and the heads.

    Args:
        forward: runs the model.
        recording: what ``Recognizer.decode`` returned.
        columns: of the rows that are cached.
        model_sha256: of the model that runs.
        checkpoint_dir: folder of the cache; None: nothing is cached.
    """
    key: list[object] = [recording.source, model_sha256, *(one.sha256 for one in columns.heads)]
    if columns.heads:
        key += [columns.embedding]
    with window_cache(
        columns.runner(forward),
        checkpoint_dir,
        key,
        duration_s=recording.sound.duration_s,
        embedding=columns.wanted,
    ) as cache:
        yield cache


def infer_recording(
    runner: ClipRunner,
    recording: PreparedAudio,
    columns: HeadColumns,
    *,
    by_frame: bool,
    listener: Listener,
) -> RecordingOutput:
    """Run the model, and heads with classes of their own, over a prepared recording.

    Args:
        runner: gives rows with these columns.
        recording: what ``Recognizer.decode`` returned.
        columns: of the rows.
        by_frame: run the speech detector as well, and give the time axis of heads.
        listener: called with progress.

    Raises:
        ModelError: the model failed.
        StoreError: the embeddings do not fit into the folder for temporary files.
    """
    track, rows = run_windows(
        recording.sound,
        WindowedInference(runner, find_speech=by_frame, at_once=runner.runs_at_once),
        gaps_of(recording.waveform),
        embedding=columns.wanted,
        listener=listener,
    )
    return columns.output(track, rows, recording.waveform.duration_s if by_frame else None)


def adapted(track: Track, heads: Sequence[Head]) -> tuple[Track, Adaptation | None]:
    """Return a track with the head of corrections applied, where there is one, and what it changed.

    Args:
        track: logits of the model.
        heads: of the recognition.
    """
    head = next((one for one in heads if one.kind == "corrections"), None)
    return (track, None) if head is None else head.adapt(track)


def _answers(
    heads: Sequence[Head], logits: Array32, track: Track, duration_s: float | None
) -> tuple[HeadAnswer, ...]:
    """Make the answer of each head from the columns of logits that are its own."""
    found, at = [], 0
    for head in heads:
        rows = logits[:, at : at + len(head.labels)]
        at += len(head.labels)
        found.append(
            head_answer(
                head.name,
                head.sha256,
                head.labels,
                rows,
                speech=track.speech,
                duration_s=duration_s,
            )
        )
    return tuple(found)
