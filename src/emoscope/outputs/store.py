"""Run store: one directory per recognition, written atomically.

A run is written under a temporary name and renamed, so a directory that exists is complete, and
other programs may poll the folder. Two runs in one second: the second gets the suffix ``_2``.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.audio.wav import write_wav
from emoscope.errors import RunDamagedError, RunNotFoundError
from emoscope.events import Step
from emoscope.files import (
    TEMPORARY,
    is_abandoned,
    new_folder,
    replace_file,
    sync_folder,
    temporary_name,
    translated_os_errors,
    write_new,
)
from emoscope.outputs.index import RunIndex
from emoscope.outputs.latest import LATEST, latest_name, write_latest
from emoscope.outputs.ownership import RunAccess, write_owner
from emoscope.outputs.writing import write_json_lines, write_npy
from emoscope.paths.choices import Keep
from emoscope.results.result import Result
from emoscope.waveform import RATE_HZ, Samples, Waveform

RUN_NAME = re.compile(r"outputs_\d{8}_\d{6}(_\d{1,6})?", re.ASCII)
AUDIO, RESULT, EMBEDDING = "processed_audio.wav", "result.json", "embedding.npy"
UTTERANCE_EMBEDDINGS = "utterances.npy"
"""Mean embedding of each utterance, where both were asked for."""
CORRECTIONS, TITLE, WORDS = "corrections.json", "title.json", "words.json"
"""What a person may put beside a result later."""
MEDIA_TYPES = {
    AUDIO: "audio/wav",
    RESULT: "application/json",
    EMBEDDING: "application/octet-stream",
    UTTERANCE_EMBEDDINGS: "application/octet-stream",
    CORRECTIONS: "application/json",
    WORDS: "application/json",
}
"""The files a run may have, and what they are on the wire."""


_TAKEN = {errno.EEXIST, errno.ENOTEMPTY}
_STALE_S, _YOUNG_S = 3600.0, 5.0
_MODE = 0o600
"""Voices are for the owner of the folder only."""
_PIECE = 1 << 20
"""Samples read at once."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run: one directory of outputs."""

    path: Path
    result: Result
    kept: bool = True
    """False where nothing is stored; then there is no directory at ``path``."""

    @property
    def name(self) -> str:
        """``outputs_YYYYMMDD_HHMMSS``, with a suffix when that was taken; empty if not kept."""
        return self.path.name if self.kept else ""

    def files(self) -> tuple[str, ...]:
        """Names of the files that are there, in a fixed order."""
        if not self.kept:
            return ()
        return tuple(name for name in MEDIA_TYPES if (self.path / name).is_file())


class RunStore:
    """Store of runs under one root folder.

    Args:
        root: the outputs folder; made when the first run is written.
        keep: ``all``; ``features``: not the sound; ``none``: nothing, a run is only returned.
        access: who owns new runs, and which runs are there; all by default.
        index: of the same folder; a new one by default.
    """

    def __init__(
        self,
        root: Path,
        *,
        keep: Keep = "all",
        access: RunAccess | None = None,
        index: RunIndex | None = None,
    ) -> None:
        self.root = root
        self.keep = keep
        self.access = access or RunAccess()
        self.index = index or RunIndex(root)
        self.on_removed: Callable[[str], None] | None = None
        """Called with the name of each run that was deleted."""
        self._newest = [("", 0)]
        """A second, and the number that our last run in it took; one for all views, so that a name
        that was deleted is not given again. Where to begin: what is free only the rename knows."""

    def seen_by(self, access: RunAccess) -> RunStore:
        """Return the same store with other access."""
        store = RunStore(self.root, keep=self.keep, access=access, index=self.index)
        store.on_removed, store._newest = self.on_removed, self._newest
        return store

    def save(self, result: Result, waveform: Waveform) -> Run:
        """Write a run, whole.

        The result that is written and returned has the step ``write`` added to its log, with the
        time until its files were on disk.

        Raises:
            StoreError: the disk is full; nothing of the run is left.
            StoreError: the folder cannot be written.
        """
        if self.keep == "none":
            return Run(self.root, result, kept=False)
        started_s = time.perf_counter()
        with translated_os_errors(), new_folder(self.root) as temporary:
            if self.keep == "all":
                write_new(temporary / AUDIO, lambda file: write_wav(file, waveform), mode=_MODE)
            spoken = result.utterance_set
            for name, vectors in (
                (EMBEDDING, result.embedding),
                (UTTERANCE_EMBEDDINGS, None if spoken is None else spoken.embeddings),
            ):
                if vectors is not None:
                    write_new(temporary / name, partial(write_npy, array=vectors), mode=_MODE)
            if self.access.owner:
                write_owner(temporary, self.access.owner, spare=self.root / temporary_name())
            milliseconds = (time.perf_counter() - started_s) * 1000
            result = replace(result, steps=(*result.steps, Step("write", milliseconds)))
            write_new(
                temporary / RESULT,
                lambda file: write_json_lines(file, result.to_dict()),
                mode=_MODE,
            )
            sync_folder(temporary)
            path = self._place(temporary, result)
            try:
                write_latest(self.root, path.name, result, mode=_MODE)
            except BaseException:
                # An error says that nothing was saved: make it so, in one step for pollers.
                path.rename(temporary)
                raise
        return Run(path, result)

    def has(self, name: str) -> bool:
        """Whether there is a run of a name, which is untrusted, and it may be seen."""
        folder = self.root / name
        return bool(RUN_NAME.fullmatch(name)) and folder.is_dir() and self.access.allows(folder)

    def open(self, name: str) -> Run:
        """Read a run.

        Raises:
            RunNotFoundError: there is no run of this name.
            RunDamagedError: its ``result.json`` cannot be read.
        """
        path = self.file(name, RESULT)
        return Run(path.parent, read_result(path))

    def file(self, name: str, file: str) -> Path:
        """Path of one file of a run; names are untrusted and checked by pattern.

        Raises:
            RunNotFoundError: there is no such run or file.
        """
        path = self.root / name / file
        if not self.has(name) or file not in MEDIA_TYPES or not path.is_file():
            raise RunNotFoundError(run=name[:64])
        return path

    def folder(self, name: str) -> Path:
        """Path of a run's directory; the name is untrusted and checked by pattern.

        Raises:
            RunNotFoundError: there is no such run.
        """
        return self.file(name, RESULT).parent

    def write_beside(self, name: str, file: str, data: dict[str, Any] | None) -> None:
        """Replace or remove one of the two files of a run that may change.

        Args:
            name: name of the run's directory.
            file: ``CORRECTIONS``, ``TITLE`` or ``WORDS``.
            data: its new content, what JSON can hold; None removes it.

        Raises:
            ValueError: ``file`` is neither of the two.
            RunNotFoundError: there is no such run.
            StoreError: the disk is full; the previous content is unchanged.
            StoreError: it cannot be written.
        """
        if file not in (CORRECTIONS, TITLE, WORDS):
            raise ValueError(f"{file} is no file that may change")
        target = self.folder(name) / file
        with translated_os_errors():
            if data is None:
                target.unlink(missing_ok=True)
            else:
                # Not beside it: a killed writer's leftover would be a part of the run.
                temporary = self.root / temporary_name()
                fill = partial(write_json_lines, data=data)
                replace_file(target, fill, temporary=temporary, mode=_MODE)
        self.index.forget(name)

    def remove(self, name: str) -> None:
        """Delete a run: at once for those who poll, then from the disk.

        ``latest.json`` then names the newest run that is left.

        Raises:
            RunNotFoundError: there is no such run.
            StoreError: it cannot be deleted.
        """
        path = self.root / name
        if not self.has(name):
            raise RunNotFoundError(run=name[:64])
        with translated_os_errors():
            temporary = self.root / temporary_name()
            path.rename(temporary)
            self.index.forget(name)
            shutil.rmtree(temporary)
            if latest_name(self.root) == name:
                self._point_at_newest()
        if self.on_removed is not None:
            self.on_removed(name)

    def set_owner(self, name: str, owner: str) -> None:
        """Give a run to another owner; an empty one leaves it to those who see all.

        Raises:
            RunNotFoundError: there is no such run.
            StoreError: it cannot be written; the run belongs to its owner of before.
        """
        with translated_os_errors():
            write_owner(self.folder(name), owner, spare=self.root / temporary_name())
        self.index.forget(name)

    def names(self, prefix: str = "outputs_") -> list[str]:
        """Names of all runs, newest first.

        Args:
            prefix: what they begin with.
        """
        if self.access.sees_all:
            return self._all_names(prefix)
        return [n for n in self._all_names(prefix) if self.access.allows(self.root / n)]

    def sweep(self, *, older_than_s: float = _STALE_S) -> int:
        """Remove what a killed process left half-written; returns how many were removed.

        Those whose writer has ended go at once, others when they are older than ``older_than_s``
        seconds. A ``latest.json`` that a power cut emptied names the newest run again.
        """
        removed = 0
        with suppress(OSError):
            if latest_name(self.root) == "":
                self._point_at_newest()
        now_s = time.time()
        for path in self.root.glob(f"{TEMPORARY}*"):
            with suppress(OSError):
                age_s = abs(now_s - path.stat().st_mtime)
                if age_s >= older_than_s or (age_s >= _YOUNG_S and is_abandoned(path)):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    removed += 1
        return removed

    def _all_names(self, prefix: str = "outputs_") -> list[str]:
        if not self.root.is_dir():
            return []
        there = os.listdir(self.root)  # noqa: PTH208 - tens of thousands of names, without paths
        found = [name for name in there if name.startswith(prefix) and RUN_NAME.fullmatch(name)]
        return sorted(found, key=age_order, reverse=True)

    def _place(self, temporary: Path, result: Result) -> Path:
        """Rename to the first free name. A complete run is never empty, so rename cannot hit it."""
        base = result.created.strftime("outputs_%Y%m%d_%H%M%S")
        second, taken = self._newest[0]
        number = taken + 1 if second == base else 1
        while True:
            target = self.root / (base if number == 1 else f"{base}_{number}")
            try:
                temporary.rename(target)
            except OSError as exc:
                if exc.errno not in _TAKEN:
                    raise
                number += 1
                continue
            self._newest[0] = (base, number)
            sync_folder(self.root)
            return target

    def _point_at_newest(self) -> None:
        """Point ``latest.json`` at the newest run that can be read; without one it goes."""
        for name in self._all_names():
            try:
                write_latest(self.root, name, read_result(self.root / name / RESULT), mode=_MODE)
            except (RunNotFoundError, RunDamagedError):
                continue
            return
        (self.root / LATEST).unlink(missing_ok=True)


def read_result(path: Path) -> Result:
    """Read a ``result.json``.

    Raises:
        RunNotFoundError: there is no such file.
        RunDamagedError: it is not one of ours, or of a newer version.
    """
    try:
        return Result.from_dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError as exc:
        raise RunNotFoundError(run=_shown(path)) from exc
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        # Not what the system says of a file: it names the whole path.
        reason = getattr(exc, "strerror", None) or str(exc)
        raise RunDamagedError(run=_shown(path), reason=reason[:200]) from exc


def _shown(path: Path) -> str:
    """Return the run's name, without the folders above it; other files by their own name."""
    return path.parent.name if path.name == RESULT else path.name


def read_wav(path: Path) -> Waveform:
    """Read what ``write_wav`` wrote, at 16 kHz.

    Raises:
        RunDamagedError: it is not such a file.
    """
    pieces = list(wav_pieces(path))
    return Waveform(np.concatenate(pieces) if pieces else np.empty(0, np.float32))


def wav_pieces(path: Path) -> Iterator[Samples]:
    """Read what ``write_wav`` wrote piece by piece: hours of sound do not stand in memory.

    Raises:
        RunDamagedError: it is not such a file.
    """
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
            if shape != (1, 2, RATE_HZ):
                raise RunDamagedError(run=path.parent.name, reason=path.name)
            while data := sound.readframes(_PIECE):
                yield np.frombuffer(data, dtype="<i2").astype(np.float32) / 32_768.0
    except (OSError, EOFError, wave.Error) as exc:
        if isinstance(exc, RunDamagedError):
            raise
        reason = getattr(exc, "strerror", None) or str(exc)
        raise RunDamagedError(run=path.parent.name, reason=reason[:200]) from exc


def age_order(name: str) -> tuple[str, int]:
    """Return what runs are sorted by: second, and number within it."""
    stem, _, number = name[8:].partition("_")[2].partition("_")
    return name[8:16] + stem, int(number or 1)
