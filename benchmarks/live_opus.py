"""Delays of a live stream as a browser makes it: WebM with Opus, in pieces of 100 ms, in real time.

    python benchmarks/live_opus.py --seconds 20

A server of its own on 127.0.0.1 with the compact model, in another process; the encoder runs while
the sound is spoken, as ``MediaRecorder`` does, whose piece is handed over when its last sample has
been heard. The delay of a row is counted from the end of its 25 ms of sound. The last line is JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import httpx
import numpy as np
import soxr
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import ClientConnection, connect

from time_axis import HOP_S, RATE_HZ, quantiles, tape

PIECE_S = 0.1
OPUS_HZ = 48_000
START_S = 60.0


class Recorder:
    """A ``MediaRecorder``: samples in, the bytes of a WebM file out, as they come to be."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._bytes.seekable = lambda: False  # type: ignore[method-assign]  # nothing is corrected
        # Each block is given out when it is made, as a browser does; not a cluster at a time.
        options = {"live": "1", "cluster_time_limit": "0", "flush_packets": "1"}
        self._out = av.open(self._bytes, "w", format="webm", options=options)
        self._stream = self._out.add_stream("libopus", rate=OPUS_HZ, layout="mono")
        self._resampler = soxr.ResampleStream(RATE_HZ, OPUS_HZ, 1, dtype="float32")
        self._fifo = av.AudioFifo()
        self._count = self._given = 0

    def take(self, samples: np.ndarray, *, last: bool = False) -> bytes:
        """Encode the next samples at 16 kHz; return what is ready."""
        sound = self._resampler.resample_chunk(samples, last=last)
        frame = av.AudioFrame.from_ndarray(sound[None], "flt", "mono")
        frame.sample_rate, frame.time_base = OPUS_HZ, Fraction(1, OPUS_HZ)
        frame.pts = self._count
        self._count += len(sound)
        self._fifo.write(frame)
        for whole in self._fifo.read_many(OPUS_HZ // 50):
            self._out.mux(self._stream.encode(whole))
        if last:
            self._out.mux(self._stream.encode(None))
            self._out.close()
        ready = self._bytes.getvalue()[self._given :]
        self._given += len(ready)
        return ready


@contextmanager
def server() -> Iterator[str]:
    """Serve on a free port; gives ``127.0.0.1:PORT``."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as outputs:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = ["serve", "--no-page", "--port", str(port), "--outputs", outputs]
        child = subprocess.Popen(
            [sys.executable, "-m", "emoscope", *command, "--model", "compact", "--threads", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            give_up_s = time.monotonic() + START_S
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health").raise_for_status()
                    break
                except httpx.TransportError:
                    assert child.poll() is None
                    assert time.monotonic() < give_up_s
                    time.sleep(0.2)
            yield f"127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(30)


def speak(line: ClientConnection, sound: np.ndarray, began_s: float) -> int:
    """Send a recording while it is spoken; return how many bytes that took."""
    recorder, size, total = Recorder(), round(PIECE_S * RATE_HZ), 0
    for first in range(0, len(sound), size):
        last = first + size >= len(sound)
        time.sleep(max(0.0, began_s + (first + size) / RATE_HZ - time.perf_counter()))
        data = recorder.take(sound[first : first + size], last=last)
        if data:
            line.send(data)
        total += len(data)
    line.send('{"type": "end"}')
    return total


def measure(seconds: float) -> dict[str, object]:
    """Delays of provisional rows and of final segments, and of the answer after the end."""
    sound, rows, segments = tape(seconds), list[float](), list[float]()
    with server() as place, connect(f"ws://{place}/v1/stream", max_size=None) as line:
        line.send(json.dumps({"type": "start", "encoding": "webm"}))
        assert json.loads(line.recv())["type"] == "ready"
        began_s = time.perf_counter()
        sent: list[int] = []
        speaker = threading.Thread(target=lambda: sent.append(speak(line, sound, began_s)))
        speaker.start()
        answer: dict[str, object] = {}
        try:
            while True:
                told = json.loads(line.recv())
                now_s = time.perf_counter() - began_s
                if told["type"] == "frames" and not told["final"]:
                    at_s = told["start_s"] + HOP_S * np.arange(len(told["scores"])) + 0.025
                    rows += (now_s - at_s).tolist()
                elif told["type"] == "segment_closed" and not told["final"]:
                    segments.append(now_s - told["segment"]["end_s"])
                elif told["type"] == "result":
                    answer = {"after_end_ms": round(1000 * (now_s - len(sound) / RATE_HZ))}
        except ConnectionClosedOK:
            speaker.join()
    answer |= {"emotion": told["result"]["emotion"], "duration_s": told["result"]["duration_s"]}
    closed = {"median_s": round(float(np.median(segments)), 2)} if segments else {}
    return {"bytes": sent[0], "rows": quantiles(rows), "segments": closed, "answer": answer}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    figures = measure(parser.parse_args().seconds)
    load = [round(value, 1) for value in os.getloadavg()]
    print(json.dumps({"live_opus": figures, "load": load}))


if __name__ == "__main__":
    main()
