"""Checkpoints of per-window outputs, so that a long recognition can resume.

A file per recording and model, and a record per window: its head, then the logits and, where they
are wanted, the embeddings. A window is found by the digest of its samples, so a cached output is
what the model would return again. A failure here never fails the recognition: where the disk is
full or a record is damaged, the model runs.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from emoscope.inference.forward import ClipOutput, ClipRunner
from emoscope.labels import COUNT
from emoscope.waveform import Array32, Samples

KEPT_S = 7 * 24 * 3600.0
"""Seconds after which the file of work that was not resumed is removed."""
WORTH_KEEPING_S = 120.0
"""Seconds of sound; a shorter recording is soon run again."""
SUFFIX = ".rows"
_HEAD = struct.Struct("<16sIII")
"""Digest of the window's samples; T; D; CRC-32 of the numbers that follow."""


class WindowCache:
    """Runs windows and caches their outputs in a file; cached windows are not run again.

    Safe in threads.

    Args:
        forward: runs the model.
        path: the file; created, or continued if it exists. None: nothing is cached.
        embedding: cache the embeddings as well. If not, outputs have embeddings of width 0.
    """

    def __init__(self, forward: ClipRunner, path: Path | None, *, embedding: bool) -> None:
        self._forward = forward
        self._embedding = embedding
        self.runs_at_once = forward.runs_at_once
        self._lock = threading.Lock()
        """Held while the file is read or written, not while the model runs."""
        self._places: dict[bytes, tuple[int, int, int, int]] = {}
        """Of each window where its numbers begin, T, D and their CRC-32."""
        self._file: BinaryIO | None = None
        self.found = 0
        """Windows that needed no run."""
        if path is not None:
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a+b", buffering=0)
                self._read_heads(self._file)

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order; without embeddings where they are not kept.

        Raises:
            ModelError: the model failed.
        """
        if self._file is None:  # all at once: a batch may be faster
            return [self._kept(output) for output in self._forward.run(clips)]
        return [self._one(clip) for clip in clips]

    def close(self) -> None:
        """Leave the file as it is."""
        if self._file is not None:
            self._file.close()

    def _one(self, clip: Samples) -> ClipOutput:
        key = hashlib.blake2b(np.ascontiguousarray(clip).data, digest_size=16).digest()
        with self._lock:
            output = self._read(key)
            if output is not None:
                self.found += 1
                return output
        output = self._kept(*self._forward.run([clip]))
        with self._lock:
            self._note(key, output)
        return output

    def _kept(self, output: ClipOutput) -> ClipOutput:
        """Return what is cached of an output."""
        if self._embedding:
            return output
        return ClipOutput(output.logits, output.embeddings[:, :0])

    def _read_heads(self, file: BinaryIO) -> None:
        """Learn where each window lies; what a killed writer left at the end is cut off."""
        end, at = file.seek(0, os.SEEK_END), 0
        while at + _HEAD.size <= end:
            file.seek(at)
            key, frames, dim, crc = _HEAD.unpack(file.read(_HEAD.size))
            following = at + _HEAD.size + 4 * frames * (COUNT + dim)
            if following > end:
                break
            self._places[key] = (at + _HEAD.size, frames, dim, crc)
            at = following
        file.truncate(at)

    def _read(self, key: bytes) -> ClipOutput | None:
        if self._file is None or key not in self._places:
            return None
        at, frames, dim, crc = self._places[key]
        try:
            self._file.seek(at)
            data = self._file.read(4 * frames * (COUNT + dim))
        except OSError:
            return None
        if zlib.crc32(data) != crc:
            return None
        numbers: Array32 = np.frombuffer(data, np.float32)
        logits, embeddings = np.split(numbers, [frames * COUNT])
        return ClipOutput(logits.reshape(frames, COUNT), embeddings.reshape(frames, dim))

    def _note(self, key: bytes, output: ClipOutput) -> None:
        if self._file is None:
            return
        data = output.logits.tobytes() + output.embeddings.tobytes()
        head = _HEAD.pack(key, *output.embeddings.shape, zlib.crc32(data))
        try:
            # Unbuffered, at the end of the file: two processes with the same work do no harm.
            self._file.write(head + data)
        except OSError:
            self._file.close()
            self._file = None


@contextmanager
def window_cache(
    forward: ClipRunner,
    folder: Path | None,
    work: Sequence[object],
    *,
    duration_s: float,
    embedding: bool,
) -> Iterator[WindowCache]:
    """Open the cache of one recognition; its file is removed when the block succeeds.

    Args:
        forward: runs the model.
        folder: created if needed; files in it older than ``KEPT_S`` are removed. None: nothing is
            cached.
        work: identifies recording and model; each value by its ``repr``.
        duration_s: seconds of the recording; one shorter than ``WORTH_KEEPING_S`` is not cached.
        embedding: cache the embeddings as well. If not, outputs have embeddings of width 0.
    """
    path = None
    if folder is not None and duration_s >= WORTH_KEEPING_S:
        _throw_away_old(folder)
        name = hashlib.sha256(repr((*work, embedding)).encode()).hexdigest()[:32]
        path = folder / f"{name}{SUFFIX}"
    cache = WindowCache(forward, path, embedding=embedding)
    try:
        yield cache
    finally:
        cache.close()
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _throw_away_old(folder: Path) -> None:
    now_s = time.time()
    with suppress(OSError):
        for path in folder.glob(f"*{SUFFIX}"):
            if now_s - path.stat().st_mtime > KEPT_S:
                path.unlink(missing_ok=True)
