"""Lives of a server's job worker, each of which ends by the next recording that kills a process.

Run as a program: ``poisoned_lives.py FOLDER COUNT`` queues as many jobs that kill the process as
jobs that do not, lets one life follow the other until all have ended, and prints JSON. A life is
forked from a process that has imported everything, so that a thousand fit into a minute or two.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.jobs.table import ENDED
from emoscope.server.jobs.worker import Jobs
from emoscope.server.service import RecognitionOptions, RecognitionRequest, make_service
from emoscope.settings import load_settings
from sounds import noise, wav

OPTIONS = RecognitionOptions()


class Poisoned(Recognizer):
    """Ends the process over a recording of a certain name, as for want of memory."""

    def infer(self, recording: Any, **options: Any) -> Any:
        """Recognize, or end."""
        if recording.waveform.name == "poison.wav":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().infer(recording, **options)


def jobs_in(folder: Path) -> Jobs:
    """The jobs of a folder; decoding is in this process."""
    settings = load_settings(outputs=folder, jobs_waiting=10_000)
    recognizer = Poisoned(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    service = make_service(recognizer, RunStore(folder), settings)
    return Jobs(replace(service, recognizer=recognizer), settle_s=0)


def submit(folder: Path, count: int) -> None:
    """Queue ``count`` jobs that kill the process, each before one that does not."""
    jobs, sound = jobs_in(folder), wav(noise(0.2))
    for _ in range(count):
        for name in ("poison.wav", "fine.wav"):
            jobs.accept("", [RecognitionRequest(sound, name, OPTIONS)], OPTIONS, None)
    jobs.table.close()


def live(folder: Path) -> None:
    """Work until all jobs have ended, or the process does."""
    with jobs_in(folder) as jobs:
        while jobs.table.waiting():
            time.sleep(0.005)


def main() -> None:
    """Queue, live, tell."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    if os.fork() == 0:
        submit(folder, count)
        os._exit(0)
    os.wait()
    started_s, lives, status = time.monotonic(), 0, -1
    while status != 0 and lives <= 3 * count + 3:
        lives += 1
        if os.fork() == 0:
            live(folder)
            os._exit(0)
        _, status = os.wait()
    seconds = time.monotonic() - started_s
    table = jobs_in(folder).table
    jobs, _ = table.page(None, 0, 10_000)
    outcomes = Counter(f"{job.items[0].name} {job.state} {job.items[0].error}" for job in jobs)
    table.close()
    assert {job.state for job in jobs} <= set(ENDED)
    print(json.dumps({"lives": lives, "seconds": seconds, "outcomes": outcomes}))


if __name__ == "__main__":
    main()
