"""Making of the int8 variant of a model, and its agreement with the exact one.

Half of the recordings show what activations are like on average and at most
(``emotion2vec.quantize``); all are compared. One model is in memory at a time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoscope.audio.decode import decode
from emoscope.backends.base import Backend
from emoscope.emotion2vec.convert import convert_int8, convert_open
from emoscope.inference.forward import ClipOutput, Forward
from emoscope.models import variants
from emoscope.models.catalog import LocalModel, Variant
from emoscope.paths.assets import SAMPLE_FOLDER
from emoscope.results.agreement import Agreement
from emoscope.results.track import Track
from emoscope.waveform import Array32, Samples

BackendOpener = Callable[[Path], Backend]

PRECISION = "int8"


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """Outputs of one model for the built-in recordings, and CPU time."""

    outputs: list[ClipOutput]
    cpu_s: float


def make_int8(local: LocalModel, official: Path, *, open_backend: BackendOpener) -> LocalModel:
    """Write ``<name>.int8.onnx``, compare it, and write it into the card, agreed or not.

    Args:
        local: the exact model, on this machine.
        official: folder of the official files that it was converted from.
        open_backend: loads an ONNX file.

    Raises:
        ModelError: the official files are not those of this model, or a model fails.
        ExtraMissingError: the extra ``convert`` is not installed.
        OSError: the model's folder cannot be written.
    """
    clips = built_in_clips()
    with tempfile.TemporaryDirectory(dir=local.folder) as folder:
        path = Path(folder) / "open.onnx"
        convert_open(official, path)
        mean, peaks = _activations(open_backend(path), clips[::2])
    file = convert_int8(official, local, mean, peaks)
    agreement = compare(local.onnx_path, local.folder / file.path, open_backend, clips)
    return variants.record_variant(local, Variant(PRECISION, file, agreement))


def built_in_clips() -> list[Samples]:
    """The sample recordings of the package, English and Chinese in turn."""
    return [decode(path).samples for path in sorted(SAMPLE_FOLDER.glob("*.wav"))]


def compare(
    exact: Path, int8: Path, open_backend: BackendOpener, clips: Sequence[Samples] | None = None
) -> Agreement:
    """Run the exact and the int8 model on the same clips and compare their outputs.

    Args:
        exact: ONNX file of the exact model.
        int8: ONNX file of the int8 variant.
        open_backend: loads an ONNX file.
        clips: samples at 16 kHz, each of shape ``(n,)``; the built-in recordings by default.

    Raises:
        ModelError: a file is no model of the contract, or a model failed.
    """
    clips = built_in_clips() if clips is None else clips
    theirs, ours = _ask(open_backend(exact), clips), _ask(open_backend(int8), clips)
    pairs = list(zip(ours.outputs, theirs.outputs, strict=True))
    cosines = [_cosines(one.embeddings, other.embeddings) for one, other in pairs]
    scores = [(_scores(one), _scores(other)) for one, other in pairs]
    return Agreement(
        clips=len(pairs),
        same_top=sum(int(one.argmax() == other.argmax()) for one, other in scores),
        cosine=round(float(np.concatenate(cosines).mean()), 6),
        lowest_cosine=round(min(float(rows.mean()) for rows in cosines), 6),
        score_difference=round(max(float(np.abs(one - two).max()) for one, two in scores), 6),
        speedup=round(theirs.cpu_s / max(ours.cpu_s, 1e-9), 2),
    )


def _ask(backend: Backend, clips: Sequence[Samples]) -> _Answers:
    forward = Forward(backend)
    forward.run(clips[:1])  # the first run of a session also allocates
    started_s = time.process_time()  # of all threads; others' work does not count
    outputs = [forward.run([clip])[0] for clip in clips]
    return _Answers(outputs, time.process_time() - started_s)


def _activations(backend: Backend, clips: Sequence[Samples]) -> tuple[Array32, Array32]:
    """Mean and largest magnitude over all frames of all clips, ``(D,)`` each."""
    forward, frames = Forward(backend), 0
    total, peaks = np.zeros(backend.dim, np.float64), np.zeros(backend.dim, np.float32)
    for clip in clips:
        (output,) = forward.run([clip])
        total += output.embeddings.sum(axis=0, dtype=np.float64)
        np.maximum(peaks, np.abs(output.embeddings).max(axis=0), out=peaks)
        frames += len(output.embeddings)
    return (total / frames).astype(np.float32), peaks


def _cosines(ours: Array32, theirs: Array32) -> NDArray[np.float64]:
    """Of each frame, ``(T, D)`` twice to ``(T,)``."""
    one, two = ours.astype(np.float64), theirs.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return np.asarray((one * two).sum(axis=1) / np.maximum(lengths, 1e-30))


def _scores(output: ClipOutput) -> NDArray[np.float64]:
    """Of the whole clip, ``(9,)``."""
    return Track(output.logits).utterance.values
