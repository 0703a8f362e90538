"""Inference over one recording with heads: their logits travel beside the embeddings.

A head is linear, so its logits are faded between windows, spread over gaps and cached with the
embeddings, and memory holds C numbers per frame where the D of the embedding are not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emoscope.audio.missing import gaps_of
from emoscope.audio.prepare import PreparedAudio
from emoscope.events import Listener
from emoscope.inference.forward import ClipOutput
from emoscope.inference.resume import window_cache
from emoscope.inference.windowed import ClipRunner, WindowedInference, run_windows
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
    windows_kept: int = 0
    """Windows that an earlier attempt had run."""


class HeadRunner:
    """Runs the model, and heads on its embeddings.

    Args:
        forward: runs the model.
        heads: classifiers on the embedding.
        embedding: keep the embeddings, before the logits of the heads.
    """

    def __init__(self, forward: ClipRunner, heads: Sequence[Head], *, embedding: bool) -> None:
        self._forward, self._heads, self._embedding = forward, heads, embedding

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip; its rows are the embedding, if kept, and all heads' logits.

        Raises:
            ModelError: the model failed.
        """
        return [ClipOutput(one.logits, self._rows(one)) for one in self._forward.run(clips)]

    def _rows(self, output: ClipOutput) -> Array32:
        kept = [output.embeddings] if self._embedding else []
        return np.hstack([*kept, *(head.logits(output.embeddings) for head in self._heads)])


def infer_recording(
    forward: ClipRunner,
    recording: PreparedAudio,
    heads: Sequence[Head] = (),
    *,
    model_sha256: str,
    by_frame: bool,
    embedding: bool,
    listener: Listener,
    checkpoint_dir: Path | None,
) -> RecordingOutput:
    """Run the model, and heads with classes of their own, over a prepared recording.

    Args:
        forward: runs the model.
        recording: what ``Recognizer.decode`` returned.
        heads: those on the embedding are applied; those of corrections are left out.
        model_sha256: of the model that runs, for the cache of windows.
        by_frame: run the speech detector as well, and give the time axis of heads.
        embedding: return the frame embeddings.
        listener: called with progress.
        checkpoint_dir: folder of the cache of windows; None: nothing is cached.

    Raises:
        ModelError: the model failed.
        StoreError: the embeddings do not fit into the folder for temporary files.
    """
    sound = recording.sound
    heads = [head for head in heads if head.kind == "classes"]
    key: list[object] = [recording.source, model_sha256, *(head.sha256 for head in heads)]
    if heads:
        forward = HeadRunner(forward, heads, embedding=embedding)
        key += [embedding]
    wanted = embedding or bool(heads)
    with window_cache(
        forward, checkpoint_dir, key, duration_s=sound.duration_s, embedding=wanted
    ) as cache:
        track, rows = run_windows(
            sound,
            WindowedInference(cache, find_speech=by_frame),
            gaps_of(recording.waveform),
            embedding=wanted,
            listener=listener,
        )
    if rows is None:
        return RecordingOutput(track, windows_kept=cache.found)
    border = rows.shape[1] - sum(len(head.labels) for head in heads)
    duration_s = recording.waveform.duration_s if by_frame else None
    answers = _answers(heads, rows[:, border:], track, duration_s)
    return RecordingOutput(track, rows[:, :border] if embedding else None, answers, cache.found)


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
