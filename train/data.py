"""Which clips exist, and their sound as one memory-mapped array per corpus.

The folder given by `--data` holds `clips.csv` and one `<corpus>.tar` of 16 kHz mono Ogg Opus files
per corpus; a subfolder `more` holds further ones in the same form. Decoding happens once; the
samples are kept as int16 in the cache folder, outside the repository.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000
EMOTIONS = (
    "angry",
    "disgusted",
    "fearful",
    "happy",
    "neutral",
    "other",
    "sad",
    "surprised",
    "unknown",
)
INDEX = {name: index for index, name in enumerate(EMOTIONS)}
OTHER, UNKNOWN = INDEX["other"], INDEX["unknown"]

TRAIN_CORPORA = ("ravdess", "nemo", "emodb", "indianemo", "cremad")
FOREIGN_CORPORA = ("turev", "tess", "ased", "savee", "indowave", "emotiontts")
"""Evaluated only, never trained or tuned on."""

# The classes that a corpus's labels or listeners can name. Emodb has seven with boredom, which is
# `other` here, and no `surprised`; listeners of cremad chose among six.
CLASSES: dict[str, tuple[str, ...]] = {
    "ravdess": ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"),
    "nemo": ("angry", "fearful", "happy", "neutral", "sad", "surprised"),
    "emodb": ("angry", "disgusted", "fearful", "happy", "neutral", "other", "sad"),
    "indianemo": ("angry", "fearful", "happy", "neutral"),
    "turev": ("angry", "happy", "neutral", "sad"),
    "tess": ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"),
    "ased": ("angry", "fearful", "happy", "neutral", "sad"),
    "cremad": ("angry", "disgusted", "fearful", "happy", "neutral", "sad"),
    "savee": ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"),
    "indowave": ("disgusted", "happy", "neutral", "surprised"),
    "emotiontts": ("angry", "happy", "neutral", "sad"),
}
SCORED = CLASSES | {"cremad": ("happy", "sad")}
"""The classes of the test: of cremad's clips only two emotions were meant."""


def is_fair(row: Mapping[str, str]) -> bool:
    """Whether a clip of the list says something about a model that is tested on it.

    Of emotiontts only the sentences that are spoken in every emotion do: in the others the words
    tell. Of cremad, beyond training, only those whose emotion at least half of the listeners heard.
    """
    if row["corpus"] == "emotiontts":
        return row["text_id"].startswith("plain")
    if row["corpus"] == "cremad" and row["split"] != "train":
        return row["emotion"] in SCORED["cremad"] and float(row["rater_agreement"] or 0) >= 0.5
    return True


@dataclass(frozen=True)
class Clip:
    """One recording of the list; `start` and `size` are samples in its corpus's array."""

    path: str
    corpus: str
    speaker: str
    sex: str
    language: str
    emotion: int
    split: str
    text_id: str
    target: tuple[float, ...]
    """What it teaches, nine shares that sum to one: the label, or what listeners voted."""
    start: int
    size: int
    age: int | None = None
    """Of the speaker in years, where the list tells it."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.size / RATE_HZ


class Sound:
    """The samples of the corpora, memory-mapped."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    @lru_cache(maxsize=16)  # noqa: B019 - one Sound lives as long as the process
    def _corpus(self, corpus: str) -> np.ndarray:
        return np.load(self._cache / f"{corpus}.npy", mmap_mode="r")

    def samples(self, clip: Clip, start: int = 0, size: int | None = None) -> np.ndarray:
        """Samples `(size,)` float32 in [-1, 1], from `start` within the clip."""
        stop = clip.size if size is None else min(clip.size, start + size)
        cut = self._corpus(clip.corpus)[clip.start + start : clip.start + stop]
        return cut.astype(np.float32) / 32768.0


def decode_corpus(folder: Path, corpus: str, cache: Path) -> Path:
    """Decode one tar into `<corpus>.npy` (all samples, int16) and `<corpus>.json` (path: span)."""
    target = cache / f"{corpus}.npy"
    index = cache / f"{corpus}.json"
    if target.exists() and index.exists():
        return target
    pieces: list[np.ndarray] = []
    spans: dict[str, tuple[int, int]] = {}
    position = 0
    with tarfile.open(folder / f"{corpus}.tar") as tar:
        for member in tar:
            source = tar.extractfile(member) if member.isfile() else None
            if source is None or not member.name.endswith(".opus"):
                continue
            samples, rate_hz = soundfile.read(io.BytesIO(source.read()), dtype="int16")
            if rate_hz != RATE_HZ or samples.ndim != 1:
                raise ValueError(f"{member.name}: expected 16 kHz mono, got {rate_hz} Hz")
            pieces.append(samples)
            spans[member.name] = (position, len(samples))
            position += len(samples)
    # The array first and under a name of this process, the index last: its presence means "whole".
    temporary = cache / f".{corpus}.{os.getpid()}.tmp.npy"
    np.save(temporary, np.concatenate(pieces))
    temporary.replace(target)
    index.write_text(json.dumps(spans), encoding="utf-8")
    return target


def load_clips(folder: Path, cache: Path, corpora: Iterable[str]) -> list[Clip]:
    """All clips of the corpora that have one of our classes, decoding whatever the cache lacks."""
    wanted = tuple(corpora)
    cache.mkdir(parents=True, exist_ok=True)
    places = {
        corpus: next(at for at in (folder, folder / "more") if (at / f"{corpus}.tar").is_file())
        for corpus in wanted
    }
    with ProcessPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(decode_corpus, places[corpus], corpus, cache) for corpus in wanted]
        for job in jobs:
            job.result()
    spans = {
        corpus: json.loads((cache / f"{corpus}.json").read_text(encoding="utf-8"))
        for corpus in wanted
    }
    clips: list[Clip] = []
    for listing in sorted({place / "clips.csv" for place in places.values()}):
        with listing.open(encoding="utf-8", newline="") as lines:
            clips += [
                _clip(row, *spans[row["corpus"]][row["path"]])
                for row in csv.DictReader(lines)
                if row["corpus"] in spans and row["emotion"] and is_fair(row)
            ]
    return clips


def _clip(row: dict[str, str], start: int, size: int) -> Clip:
    corpus, emotion = row["corpus"], INDEX[row["emotion"]]
    return Clip(
        path=row["path"],
        corpus=corpus,
        speaker=row["speaker"],
        sex=row["sex"],
        language=row["language"],
        emotion=emotion,
        split=row["split"],
        text_id=row["text_id"],
        target=target_of(emotion, row["notes"]),
        start=start,
        size=size,
        age=age_of(row["notes"]),
    )


def age_of(notes: str) -> int | None:
    """A speaker's age in years, which stands in the notes as `age 51` or `aged 64`."""
    found = re.search(r"\baged? (\d+)", notes)
    return int(found.group(1)) if found else None


def target_of(emotion: int, notes: str) -> tuple[float, ...]:
    """Shares of the nine classes: listeners' votes where there are any, else the label.

    Votes stand in the notes as `angry=1 … sad=0`.
    """
    shares = np.zeros(len(EMOTIONS))
    votes = re.findall(r"\b([a-z]+)=(\d+)", notes) if "votes" in notes else []
    for name, count in votes:
        if name in INDEX:
            shares[INDEX[name]] += float(count)
    if not shares.any():
        shares[emotion] = 1.0
    return tuple((shares / shares.sum()).tolist())


def original_emotions(folder: Path, corpus: str) -> dict[str, str]:
    """What the makers of a corpus called the emotion of each clip, by path."""
    found = {}
    for listing in (folder / "clips.csv", folder / "more" / "clips.csv"):
        if listing.is_file():
            with listing.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    if row["corpus"] == corpus:
                        found[row["path"]] = row["emotion_original"]
    return found


def choose(clips: Sequence[Clip], split: str, corpora: Iterable[str]) -> list[Clip]:
    """The clips of one split of some corpora."""
    wanted = set(corpora)
    return [clip for clip in clips if clip.split == split and clip.corpus in wanted]
