"""Ray executor against the local one on the same cores: rates, and the overhead of a shard.

    python benchmarks/batch_ray.py --data ../shared/data/emodb.tar

Both executors do the same recordings with the compact model and as many workers, in turn; rates
count from the moment at which all workers have their model. On a machine that does other work as
well the processor seconds, of Ray's own processes too, are what can be compared. The overhead of a
shard is what shards of one recording take beyond shards of many, each. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

import ray

from emoscope.batch.events import RowEnded, ShardEnded, WorkerReady
from emoscope.batch.inputs import batch_items
from emoscope.batch.local import LocalExecutor
from emoscope.batch.manifest import BatchManifest
from emoscope.batch.options import BatchOptions, ModelSpec
from emoscope.batch.plan import BatchPlan
from emoscope.batch.ray import RayExecutor
from emoscope.batch.rows import PART_TYPES
from emoscope.batch.run import BatchRun, Executor, ShardRange, missing_shards
from emoscope.batch.shards import ShardCut
from emoscope.batch.storage import open_storage

STORE_BYTES = 100_000_000


def tree_cpu_s() -> float:
    """Processor seconds of this process and of all below it that live, Ray's own included."""
    parents, times = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        times[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in mine} - mine
        mine, grown = mine | more, bool(more)
    return sum(times.get(pid, 0.0) for pid in mine)


def measure(
    inputs: str, count: int, size: int, workers: int, executor: Executor
) -> dict[str, float]:
    """Do a batch and return what it took.

    Args:
        inputs: recordings.
        count: how many of them.
        size: recordings of a shard.
        workers: that have to be ready before the clock starts.
        executor: does it.
    """
    out = Path(tempfile.mkdtemp(prefix="emoscope-bench-"))
    storage = open_storage(str(out / "out"))
    storage.prepare()
    items = (item for item, _ in zip(batch_items([inputs]), range(count), strict=False))
    spec, cut = ModelSpec("compact"), ShardCut(size)
    options = BatchOptions()
    started_s, ready, rows, shards, cpu_s = time.perf_counter(), 0, 0, 0, 0.0
    ready_s = ended_s = started_s
    with BatchPlan.of(items, cut, PART_TYPES, lambda _: 0.0) as plan:
        manifest = BatchManifest.of(plan, options, cut, spec.open())
        missing = missing_shards(storage, manifest, ShardRange(), fresh=False)
        run = BatchRun(plan, options, (), storage, missing)
        with closing(run.events(executor)) as events:
            before = 0
            for event in events:
                if isinstance(event, WorkerReady):
                    ready += 1
                    if ready == workers:
                        ready_s, before, cpu_s = time.perf_counter(), rows, tree_cpu_s()
                rows += isinstance(event, RowEnded)
                shards += isinstance(event, ShardEnded)
                if shards == len(missing) and isinstance(event, ShardEnded):
                    ended_s, cpu_s = time.perf_counter(), tree_cpu_s() - cpu_s
    shutil.rmtree(out)
    assert rows == count
    return {
        "start_s": ready_s - started_s,
        "work_s": ended_s - ready_s,
        "per_s": (rows - before) / (ended_s - ready_s),
        "cpu_ms": 1_000 * cpu_s / (rows - before),
        "shards": shards,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", required=True, help="recordings: a folder, a list or an archive")
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    spec = replace(ModelSpec("compact"), threads=1)
    ray.init(
        address="local",
        num_cpus=given.workers,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        log_to_driver=False,
        logging_level="ERROR",
    )
    found: dict[str, list[dict[str, float]]] = {}
    for turn in range(given.rounds):
        kinds = {
            "local": lambda: LocalExecutor(spec, given.workers),
            "ray": lambda: RayExecutor(spec, workers=given.workers),
        }
        for name in sorted(kinds, reverse=bool(turn % 2)):
            for size, count in ((60, given.count), (1, 60)):
                one = measure(given.data, count, size, given.workers, kinds[name]())
                found.setdefault(f"{name} {size}", []).append(one)
                said = f"{one['per_s']:6.2f} a second, {one['cpu_ms']:5.1f} ms of CPU each"
                print(f"{name:6} shards of {size:3}: {said}", flush=True)
    ray.shutdown()
    rate = {name: median(one["per_s"] for one in ones) for name, ones in found.items()}
    cpu_ms = {name: median(one["cpu_ms"] for one in ones) for name, ones in found.items()}
    report = {
        "ray_to_local": rate["ray 60"] / rate["local 60"],
        "local_to_ray_cpu": cpu_ms["local 60"] / cpu_ms["ray 60"],
        "local_shard_cpu_ms": cpu_ms["local 1"] - cpu_ms["local 60"],
        "ray_shard_cpu_ms": cpu_ms["ray 1"] - cpu_ms["ray 60"],
        **{f"{name} per_s": value for name, value in rate.items()},
        **{f"{name} cpu_ms": value for name, value in cpu_ms.items()},
    }
    print(json.dumps({name: round(value, 3) for name, value in report.items()}))


if __name__ == "__main__":
    sys.exit(main())
