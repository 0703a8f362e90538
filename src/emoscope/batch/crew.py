"""Number of worker processes and of threads in each: chosen by measurement on this machine."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from emoscope.backends.base import Backend
from emoscope.backends.opened import open_model_files
from emoscope.batch.options import ModelSpec
from emoscope.errors import BatchStoppedError
from emoscope.hub.progress import log_pull
from emoscope.waveform import RATE_HZ

_CLIP_S = 4.0
_TIME_S = 1.0
"""Seconds that each way is measured for, at least one clip."""


@dataclass(frozen=True, slots=True)
class CrewChoice:
    """How many processes work, and how many threads each has."""

    workers: int
    threads: int
    many_per_s: float = 0.0
    """Clips of 4 s a second by processes of one thread, one for each core; 0: not measured."""
    one_per_s: float = 0.0
    """The same by one process with all cores."""


def core_count() -> int:
    """Return the processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def choose_crew(spec: ModelSpec) -> CrewChoice:
    """Measure a process for each core against one process with all cores, and take the faster.

    Args:
        spec: the model; its number of threads is not looked at.

    Raises:
        ModelError: it cannot be loaded.
    """
    cores = core_count()
    if cores == 1 or spec.device != "cpu":
        return CrewChoice(1, 0 if spec.device != "cpu" else 1)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    # In a process of its own, so that the memory of two models is free again before the work.
    process = context.Process(target=_measure, args=(theirs, spec, cores), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError as exc:
        raise BatchStoppedError("batch_workers_do_not_start", times=1) from exc
    finally:
        process.join()
        ours.close()
    if isinstance(found, Exception):
        raise found
    many, one, copies = found
    workers = max(1, min(cores, copies))
    if one > many * workers / cores:
        return CrewChoice(1, cores, many, one)
    return CrewChoice(workers, max(1, cores // workers), many, one)


def _measure(line: object, spec: ModelSpec, cores: int) -> None:
    """Send the two rates, and how many processes the memory has room for."""
    send = line.send  # type: ignore[attr-defined]
    try:
        free_bytes = _available_bytes()
        before = _resident_bytes()
        backend = _opened(replace(spec, threads=1))
        many = _rate(backend, cores)
        each = max(_resident_bytes() - before, 1) + _OWN_BYTES
        del backend
        send((many, _rate(_opened(replace(spec, threads=cores)), 1), int(free_bytes // each)))
    except Exception as error:
        send(error)


_OWN_BYTES = 150 << 20
"""What a process needs beside its model: Python, libraries, sound."""


def _opened(spec: ModelSpec) -> Backend:
    return open_model_files(
        spec.model,
        backend=spec.backend,
        precision=spec.precision,
        agreement_thresholds=spec.agreement_thresholds,
        threads=spec.threads,
        device=spec.device,
        listener=log_pull,
    ).backend


def _rate(backend: Backend, at_once: int) -> float:
    """Clips a second with so many runs side by side."""
    samples = np.random.default_rng(0).normal(0, 0.1, (1, round(_CLIP_S * RATE_HZ)))
    waveform, lengths = samples.astype(np.float32), np.array([samples.shape[1]], np.int64)
    backend.run(waveform, lengths)  # the first run plans its memory
    started_s = time.perf_counter()

    def clips() -> int:
        count = 0
        while not count or time.perf_counter() - started_s < _TIME_S:
            backend.run(waveform, lengths)
            count += 1
        return count

    with ThreadPoolExecutor(at_once) as pool:
        total = sum(pool.map(lambda _: clips(), range(at_once)))
    return total / (time.perf_counter() - started_s)


def _available_bytes() -> float:
    """Memory that is free for us; boundless where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            kilobytes = {
                name: rest.split()[0] for name, _, rest in (line.partition(":") for line in file)
            }
        return int(kilobytes["MemAvailable"]) * 1024
    except (OSError, KeyError, ValueError):
        return float("inf")


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
