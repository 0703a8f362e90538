"""Decoding in a pool of killable child processes; ``DecoderPool`` is called like ``decode``.

A decoder written in C reads untrusted bytes. Here it has a process of its own, started fresh
(never forked from a process with threads), with bounded memory and time, and without rights to
open anything. When it crashes or hangs, the one recording that did it gets an error and the process
is replaced; the process that holds the model goes on.
"""

from __future__ import annotations

import math
import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from emoscope.audio.decode import FileSource
from emoscope.audio.decoder_protocol import Note, ProtocolError, receive_message, send_message
from emoscope.audio.missing import spans_between
from emoscope.audio.timeline import GAP_TOLERANCE_S
from emoscope.errors import (
    AudioError,
    AudioTooLargeError,
    DecoderError,
    DecoderTimeoutError,
    restore,
)
from emoscope.events import StepLog
from emoscope.limits import COMMAND_LINE, Limits
from emoscope.paths.access import opened
from emoscope.waveform import RATE_HZ, Span, Waveform

DEADLINE_S = 20.0
START_S = 60.0
"""A new process has this long to load its libraries; on a machine under load that takes a while."""
RENEW_AFTER = 2_000
"""Recordings that one process decodes before a new one takes over: leaks have an end."""
SOCKET_BYTES = 1 << 20
_FREE_BYTES = 192 << 20
SEPARATE_MAX = 2
"""Channels that can be decoded each for itself; they are in memory together."""
_COPIES = 3
"""Of the sound, at the moment when its blocks are joined."""
_BORDERS_BYTES = 16
"""Of a span without sound: two numbers of 64 bits."""


_Answer: TypeAlias = tuple[Note, np.ndarray[Any, Any], tuple[Span, ...]]
"""What was done, the samples of shape ``(channels, n)``, and where the medium holds no sound."""


class Decoder(Protocol):
    """Decodes a file in this process (``decode``) or in another one (``DecoderPool``)."""

    def __call__(
        self, source: FileSource, *, limits: Limits, name: str = "", log: StepLog | None = None
    ) -> Waveform:
        """Decode to mono float32 at 16 kHz; several channels are averaged.

        Args:
            source: the bytes of a file, or its path.
            limits: checked before the first frame and while decoding.
            name: name of the waveform; by default the file's name, empty for bytes.
            log: gets the steps decode, resample and mix with their milliseconds; none by default.
        """


class ChannelDecoder(Protocol):
    """Decodes each channel of a file (``decode_channels``, or ``DecoderPool.channels``)."""

    def __call__(
        self, source: FileSource, *, limits: Limits, name: str = "", log: StepLog | None = None
    ) -> tuple[Waveform, ...]:
        """Decode each channel to mono float32 at 16 kHz; all are of one length.

        Args:
            source: the bytes of a file, or its path.
            limits: checked before the first frame and while decoding.
            name: name of the waveforms; by default the file's name, empty for bytes.
            log: gets the steps decode, resample and mix with their milliseconds; none by default.
        """


class DecoderPool:
    """Decoding processes, alive inside a ``with`` block; safe in many threads.

    Args:
        count: number of processes, and so of recordings decoded at once.
        deadline_s: seconds, of wall clock and of processor time, that one recording may take.
        limits: bounds the memory of a process by its longest sound and largest file.
    """

    def __init__(
        self, count: int = 2, *, deadline_s: float = DEADLINE_S, limits: Limits = COMMAND_LINE
    ) -> None:
        sound_bytes = int(limits.longest_s * RATE_HZ) * np.dtype(np.float32).itemsize
        self._memory_bytes = (
            _FREE_BYTES + SEPARATE_MAX * _COPIES * sound_bytes + (limits.max_bytes or 0) * 2
        )
        self._deadline_s = deadline_s
        self._count = count
        self._lock = threading.Lock()
        self._open = False
        self._all: set[_Process] = set()
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self.replaced = 0
        """Processes that crashed or were killed."""

    def __enter__(self) -> Self:
        """Start the processes; they load their libraries while the caller goes on."""
        self._open = True
        for _ in range(self._count):
            self._start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """End all processes; what they were decoding fails."""
        with self._lock:
            self._open = False
            processes, self._all = self._all, set()
        for process in processes:
            process.end()

    def __call__(
        self, source: FileSource, *, limits: Limits, name: str = "", log: StepLog | None = None
    ) -> Waveform:
        """Decode to mono float32 at 16 kHz in another process; several channels are averaged.

        Args:
            source: the bytes of a file, or its path.
            limits: checked before the first frame and while decoding.
            name: name of the waveform; by default the file's name, empty for bytes.
            log: gets the steps decode, resample and mix with their milliseconds; none by default.

        Raises:
            AudioError: the sound cannot be used.
            SourceNotFoundError: there is no such file.
            SourceError: the system refuses to read it.
            DecoderError: the process ended while it decoded this recording.
            DecoderTimeoutError: decoding took longer than ``deadline_s`` and was ended.
        """
        return self._decode(source, limits, name, log or StepLog(), separate=False)[0]

    def channels(
        self, source: FileSource, *, limits: Limits, name: str = "", log: StepLog | None = None
    ) -> tuple[Waveform, ...]:
        """Decode each of at most ``SEPARATE_MAX`` channels in another process; as ``__call__``.

        Args:
            source: the bytes of a file, or its path.
            limits: checked before the first frame and while decoding.
            name: name of the waveforms; by default the file's name, empty for bytes.
            log: gets the steps decode, resample and mix with their milliseconds; none by default.

        Raises:
            AudioError: the sound cannot be used, or has more channels.
            SourceNotFoundError: there is no such file.
            SourceError: the system refuses to read it.
            DecoderError: the process ended while it decoded this recording.
            DecoderTimeoutError: decoding took longer than ``deadline_s`` and was ended.
        """
        limits = replace(limits, max_channels=min(SEPARATE_MAX, limits.max_channels))
        return self._decode(source, limits, name, log or StepLog(), separate=True)

    def _decode(
        self, source: FileSource, limits: Limits, name: str, log: StepLog, *, separate: bool
    ) -> tuple[Waveform, ...]:
        if not isinstance(source, bytes):
            name = name or Path(source).name
            with opened(source) as file:
                source = file.read(-1 if limits.max_bytes is None else limits.max_bytes + 1)
        if not source:
            raise AudioError("audio_empty_file")
        if limits.max_bytes is not None and len(source) > limits.max_bytes:
            raise AudioTooLargeError(max_bytes=limits.max_bytes)
        note, planes, missing = self._ask(source, limits, separate=separate)
        for step, milliseconds, data in note["steps"]:
            log.add(step, milliseconds, **data)
        return tuple(Waveform(samples, RATE_HZ, name, missing) for samples in planes)

    def pids(self) -> list[int]:
        """Ids of the processes, for those who watch them."""
        with self._lock:
            return [process.pid for process in self._all]

    def _ask(self, data: bytes, limits: Limits, *, separate: bool) -> _Answer:
        process = self._take()
        answer = None
        try:
            answer = process.ask(data, limits, self._deadline_s, separate=separate)
        finally:
            if answer is None:
                self.replaced += 1
            if answer is None or process.served >= RENEW_AFTER:
                self._drop(process)
                self._start()
            else:
                self._idle.put(process)
        if "error" in answer[0]:
            raise _error_of(answer[0])
        return answer

    def _take(self) -> _Process:
        """Return a living process, replacing those that ended while idle."""
        while True:
            try:
                process = self._idle.get(timeout=self._deadline_s + START_S)
            except queue.Empty as exc:
                raise DecoderTimeoutError(seconds=self._deadline_s) from exc
            if process.is_alive():
                return process
            self.replaced += 1
            self._drop(process)
            self._start()

    def _start(self) -> None:
        with self._lock:
            if not self._open:
                return
            process = _Process(self._memory_bytes)
            self._all.add(process)
        self._idle.put(process)

    def _drop(self, process: _Process) -> None:
        with self._lock:
            self._all.discard(process)
        process.end()


class _Process:
    """One child process and the socket to it."""

    def __init__(self, memory_bytes: int) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            for end in (self._line, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "emoscope.audio.decoder_worker", str(memory_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # Our own way to the packages, and nothing else of our environment: it holds keys.
                env={
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                },
            )
        self.pid = self._child.pid
        self.served = 0
        self._ready = False

    def is_alive(self) -> bool:
        """Whether the child still runs."""
        return self._child.poll() is None

    def ask(self, data: bytes, limits: Limits, deadline_s: float, *, separate: bool) -> _Answer:
        """Have one recording decoded; after an error this process is of no more use."""
        try:
            if not self._ready:
                self._line.settimeout(START_S)
                self._ready = receive_message(self._line, max_bytes=0) is not None
            self._line.settimeout(deadline_s)
            order = {
                "limits": asdict(limits),
                "cpu_s": math.ceil(deadline_s),
                "separate": separate,
            }
            send_message(self._line, order, data)
            planes = SEPARATE_MAX if separate else 1
            most = (int(limits.longest_s * RATE_HZ) + RATE_HZ) * 4 * planes
            answer = receive_message(self._line, max_bytes=most)
            missing = None
            if answer is not None and answer[0].get("missing"):
                # No gap is shorter than what timestamps may jitter by.
                most = math.ceil(limits.longest_s / GAP_TOLERANCE_S) * _BORDERS_BYTES
                missing = receive_message(self._line, max_bytes=most)
        except TimeoutError as exc:
            raise DecoderTimeoutError(seconds=deadline_s) from exc
        except (OSError, ProtocolError) as exc:
            raise DecoderError("decoder_crashed") from exc
        if answer is None:
            raise DecoderError("decoder_crashed")
        self.served += 1
        return _checked(*answer, missing[1] if missing else bytearray())

    def end(self) -> None:
        """Kill the child and leave nothing of it."""
        self._line.close()
        self._child.kill()
        self._child.wait()


def _checked(note: Note, body: bytearray, missing: bytearray) -> _Answer:
    """Take an answer apart with distrust: a decoder that was overrun may say anything.

    Args:
        note: what it says of its work.
        body: the samples.
        missing: first and last (excluded) sample of each span without sound.
    """
    if "error" in note:
        return note, np.zeros((1, 0), np.float32), ()
    steps, count = note.get("steps"), note.get("channels")
    well_formed = (
        isinstance(steps, list)
        and all(_is_step(step) for step in steps)
        and len(body) > 0
        and isinstance(count, int)
        and 1 <= count <= SEPARATE_MAX
        and len(body) % (4 * count) == 0
        and type(note.get("missing")) is int
        and len(missing) == note["missing"] * _BORDERS_BYTES
    )
    if not well_formed:
        raise DecoderError("decoder_crashed")
    planes = np.frombuffer(body, np.float32).reshape(int(count or 1), -1)
    if not float(np.abs(planes).max()) <= 1.0:  # NaN is not, either
        raise DecoderError("decoder_crashed")
    borders = np.frombuffer(missing, np.int64).tolist()
    if not all(one < two for one, two in pairwise([-1, *borders, planes.shape[1] + 1])):
        raise DecoderError("decoder_crashed")
    return note, planes, spans_between(zip(borders[::2], borders[1::2], strict=True))


def _is_step(step: object) -> bool:
    return (
        isinstance(step, list)
        and [type(part) for part in step] == [str, float, dict]
        and step[0] in ("decode", "resample", "mix")
    )


def _error_of(note: Note) -> AudioError | DecoderError:
    error = restore(str(note["error"]), note.get("data"))
    return error if isinstance(error, AudioError) else DecoderError("decoder_crashed")
