"""Decoder worker: a sandboxed child process that decodes what arrives on its stdin socket.

It takes one recording after another and ends when the socket is closed. Once its libraries are
loaded it can open nothing more, no file, no address, no socket: the system sees to that, not our
own code, which a broken decoder may have overrun.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.audio.decode import decode, decode_channels
from emoscope.audio.decoder_protocol import Note, receive_message, send_message
from emoscope.audio.missing import borders_of
from emoscope.errors import EmoscopeError
from emoscope.events import StepLog
from emoscope.limits import Limits

_ANY_SIZE = 1 << 40
_STANDARD_STREAMS = 3


def run_worker() -> None:
    """Serve until the other side closes the line; ``argv[1]`` is the bytes of memory to use."""
    # Ctrl+C and SIGTERM reach every process of a service; the one that owns us decides.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    line = socket.socket(fileno=0)
    _load_libraries()
    _confine(int(sys.argv[1]))
    send_message(line, {"ready": True})
    with suppress(BrokenPipeError, ConnectionResetError):  # the owner has gone, and so do we
        while (message := receive_message(line, max_bytes=_ANY_SIZE)) is not None:
            note, data = message
            _bound_cpu(note["cpu_s"])
            _answer(line, note, bytes(data))


def _answer(line: socket.socket, note: Note, data: bytes) -> None:
    limits = Limits(**{name: _as_tuple(value) for name, value in note["limits"].items()})
    log = StepLog()
    try:
        if note["separate"]:
            waveforms = decode_channels(data, limits=limits, log=log, in_memory=True)
        else:
            waveforms = (decode(data, limits=limits, log=log),)
    except EmoscopeError as error:
        send_message(line, {"error": error.code, "data": error.data})
        return
    steps = [[step.name, step.milliseconds, step.data] for step in log.steps]
    missing = waveforms[0].missing  # the same in all channels
    about = {"steps": steps, "missing": len(missing), "channels": len(waveforms)}
    send_message(line, about, np.concatenate([one.samples for one in waveforms]).data)
    # There may be thousands of them: too many for a note.
    if missing:
        send_message(line, {}, borders_of(missing).data)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _load_libraries() -> None:
    """Decode and resample a moment of sound, so that whatever is imported late has been."""
    header = bytes.fromhex(
        "524946462408000057415645666d74201000000001000100401f0000803e00000200100064617461"
    )
    decode(header + (2048).to_bytes(4, "little") + bytes(range(256)) * 8)


def _confine(memory_bytes: int) -> None:
    """Bound memory, and take away what a decoder has no use for."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):  # not every system bounds address space
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes, taken + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_STANDARD_STREAMS, _STANDARD_STREAMS))


def _bound_cpu(cpu_s: int) -> None:
    """Let the system end this process if the next recording takes more processor seconds."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + cpu_s, hard))


if __name__ == "__main__":
    run_worker()
