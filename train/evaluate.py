"""Figures of an exported file on held-out speakers, as `emoscope evaluate` computes them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data import EMOTIONS, INDEX, SCORED, TRAIN_CORPORA, Clip, Sound
from package import load_onnxruntime, metrics, softmax


def open_session(path: Path, threads: int = 1) -> Any:
    """The exported file, ready to run on the processor; 0 threads are one per core."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def frame_logits(session: Any, samples: np.ndarray) -> np.ndarray:
    """Logits `(T, 9)` of one waveform `(n,)`."""
    feed = {"waveform": samples[None], "lengths": np.array([len(samples)], dtype=np.int64)}
    (rows,) = session.run(["frame_logits"], feed)
    return np.asarray(rows[0])


def answers(path: Path, clips: Sequence[Clip], sound: Sound) -> np.ndarray:
    """Utterance logits `(clips, 9)`: the mean over each clip's own frames, as the product does."""
    session = open_session(path)
    rows = [frame_logits(session, sound.samples(clip)).mean(axis=0, dtype=float) for clip in clips]
    return np.array(rows).reshape(len(clips), len(EMOTIONS))


def kept_answers(path: Path, clips: Sequence[Clip], sound: Sound, folder: Path) -> np.ndarray:
    """`answers` to the clips of one corpus, computed once for a file and kept in a folder."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    kept = folder / f"answers_{digest}_{clips[0].corpus}_{clips[0].split}.npy"
    if not kept.exists():
        found = answers(path, clips, sound)
        np.save(kept.with_suffix(".tmp.npy"), found)
        kept.with_suffix(".tmp.npy").replace(kept)
    return np.asarray(np.load(kept))


def figures(logits: np.ndarray, clips: Sequence[Clip], corpus: str) -> dict[str, Any]:
    """All figures of one corpus, ready for the card; `confusion` is `(9, 9)` counts."""
    truth = np.array([clip.emotion for clip in clips])
    speakers = [clip.speaker for clip in clips]
    scores = softmax(logits)
    answer, own = scores.argmax(axis=1), metrics.restricted(truth, scores)

    def interval(of: np.ndarray) -> list[float]:
        found = metrics.interval(lambda at: metrics.measure(truth[at], of[at]).ua, speakers)
        return [round(limit, 4) for limit in found]

    nine = metrics.measure(truth, answer)
    return {
        "classes": len(SCORED[corpus]),
        "clips": len(clips),
        "speakers": len(set(speakers)),
        "uar": round(nine.ua, 4),
        "ci95": interval(answer),
        "uar_own_classes": round(metrics.measure(truth, own).ua, 4),
        "ci95_own_classes": interval(own),
        "wa": round(nine.wa, 4),
        "trained_on": corpus in TRAIN_CORPORA,
        "per_class_recall": {name: round(value, 4) for name, value in nine.recall.items()},
        "confusion": nine.confusion.tolist(),
    }


def recalls(logits: np.ndarray, clips: Sequence[Clip], *, own: bool) -> dict[str, float]:
    """Unweighted average recall per corpus; with `own`, only its own classes may be answered."""
    result = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        places = [place for place, clip in enumerate(clips) if clip.corpus == corpus]
        truth = np.array([clips[place].emotion for place in places])
        scores = softmax(logits[places])
        answer = metrics.restricted(truth, scores) if own else scores.argmax(axis=1)
        result[corpus] = metrics.measure(truth, answer).ua
    return result


def never_headline(logits: np.ndarray) -> float:
    """Share of clips that are answered `other` or `unknown`."""
    answer = logits.argmax(axis=1)
    return float(np.isin(answer, (INDEX["other"], INDEX["unknown"])).mean())


def milliseconds(path: Path, seconds: float = 4.0, runs: int = 15) -> float:
    """Median time of one core for a clip of so many seconds, as processor time."""
    session = open_session(path)
    samples = np.random.default_rng(0).standard_normal(int(seconds * 16_000)) * 0.1
    times_ms = []
    for _ in range(runs + 2):
        began = time.process_time()
        frame_logits(session, samples.astype(np.float32))
        times_ms.append(1000.0 * (time.process_time() - began))
    return float(np.median(times_ms[2:]))
