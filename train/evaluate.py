"""Figures of an exported file on held-out speakers, with intervals over speakers."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data import CLASSES, EMOTIONS, INDEX, TRAIN_CORPORA, Clip, Sound

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from emoscope.telemetry import load_onnxruntime

RESAMPLES = 2_000


def open_session(path: Path, threads: int = 2) -> Any:
    """The exported file, ready to run on the processor; 0 threads are one per core."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answers(path: Path, clips: Sequence[Clip], sound: Sound, batch: int = 8) -> np.ndarray:
    """Utterance logits `(clips, 9)`: the mean over each clip's own frames, as the product does."""
    session = open_session(path)
    order = np.argsort([clip.size for clip in clips], kind="stable")
    logits = np.empty((len(clips), len(EMOTIONS)), dtype=np.float64)
    for first in range(0, len(clips), batch):
        places = order[first : first + batch]
        lengths = np.array([clips[place].size for place in places], dtype=np.int64)
        waveform = np.zeros((len(places), int(lengths.max())), dtype=np.float32)
        for row, place in enumerate(places):
            waveform[row, : lengths[row]] = sound.samples(clips[place])
        rows, _, counts = session.run(
            ["frame_logits", "frame_embeddings", "frame_counts"],
            {"waveform": waveform, "lengths": lengths},
        )
        for row, place in enumerate(places):
            logits[place] = rows[row, : counts[row]].mean(axis=0, dtype=np.float64)
    return logits


def confusion(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Counts `(9, 9)`: rows are the truth, columns the answer."""
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS)), dtype=np.int64)
    np.add.at(matrix, (truth, answer), 1)
    return matrix


def average_recall(matrix: np.ndarray) -> float:
    """Unweighted average recall over the classes that occur in `(9, 9)` counts."""
    totals = matrix.sum(axis=1)
    present = totals > 0
    return float((np.diag(matrix)[present] / totals[present]).mean())


def interval(per_speaker: np.ndarray, seed: int = 0) -> list[float]:
    """95 % bootstrap interval of the average recall, drawing speakers with replacement.

    `per_speaker` is `(speakers, 9, 9)`. With two speakers it can only show the two: it is honest
    about the speakers tested, not about all speakers there are.
    """
    random = np.random.default_rng(seed)
    speakers = len(per_speaker)
    draws = [
        average_recall(per_speaker[random.integers(0, speakers, speakers)].sum(axis=0))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return [round(float(low), 4), round(float(high), 4)]


def figures(logits: np.ndarray, clips: Sequence[Clip], corpus: str) -> dict[str, Any]:
    """All figures of one corpus, ready for the card; `confusion` is `(9, 9)` counts."""
    known = [INDEX[name] for name in CLASSES[corpus]]
    truth = np.array([clip.emotion for clip in clips])
    answer = logits.argmax(axis=1)
    closed = np.full_like(logits, -np.inf)
    closed[:, known] = logits[:, known]
    own_answer = closed.argmax(axis=1)
    speakers = sorted({clip.speaker for clip in clips})
    of_speaker = np.array([speakers.index(clip.speaker) for clip in clips])

    def by_speaker(answered: np.ndarray) -> np.ndarray:
        return np.stack(
            [
                confusion(truth[of_speaker == s], answered[of_speaker == s])
                for s in range(len(speakers))
            ]
        )

    nine, own = by_speaker(answer), by_speaker(own_answer)
    matrix = nine.sum(axis=0)
    recall = np.diag(matrix)[known] / matrix.sum(axis=1)[known]
    return {
        "classes": len(known),
        "clips": len(clips),
        "speakers": len(speakers),
        "uar": round(average_recall(matrix), 4),
        "ci95": interval(nine),
        "uar_own_classes": round(average_recall(own.sum(axis=0)), 4),
        "ci95_own_classes": interval(own),
        "wa": round(float((answer == truth).mean()), 4),
        "trained_on": corpus in TRAIN_CORPORA,
        "per_class_recall": {
            EMOTIONS[c]: round(float(r), 4) for c, r in zip(known, recall, strict=True)
        },
        "confusion": matrix.tolist(),
    }


def milliseconds(path: Path, seconds: float = 4.0, runs: int = 15) -> float:
    """Median time of one core for a clip of so many seconds."""
    session = open_session(path, threads=1)
    size = int(seconds * 16_000)
    waveform = np.random.default_rng(0).standard_normal((1, size)).astype(np.float32) * 0.1
    feed = {"waveform": waveform, "lengths": np.array([size], dtype=np.int64)}
    times_ms = []
    for _ in range(runs + 2):
        began = time.perf_counter()
        session.run(None, feed)
        times_ms.append(1000.0 * (time.perf_counter() - began))
    return float(np.median(times_ms[2:]))
