"""Program that does batches on a Ray cluster of three nodes and compares them with a local one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
sys.path.insert(0, str(Path(__file__).parent.parent))

import ray
from ray.cluster_utils import Cluster

from batching import FakeSource, InlineExecutor, clips, contents, do_batch, started
from conftest import make_speech
from emoscope.batch.events import BatchEvent, RowEnded, ShardEnded, WorkerLost
from emoscope.batch.options import ModelSpec
from emoscope.batch.ray import RayExecutor
from emoscope.errors import EmoscopeError
from emoscope.recognizer import Recognizer

STORE_BYTES = 100_000_000
SLOW = FakeSource(0.15)
"""Recordings that take so long that something can happen in the middle."""


@dataclass
class Grounds:
    """Where a scenario happens."""

    cluster: Cluster
    folder: Path
    clips: Path
    expected: dict[str, bytes]


def node_lost(grounds: Grounds) -> None:
    """Kill the raylet of a node, and all that it has started, in the middle of a shard."""
    lost, out = 0, grounds.folder / "node_lost"
    with started([grounds.clips], out, RayExecutor(FakeSource(1.0), workers=3)) as events:
        killed_s, at_work = 0.0, set[str]()
        for count, event in enumerate(rows_and_losses(events)):
            at_work.add(event.worker)
            # When each node is at work, or half is done.
            if not killed_s and (len(at_work) == 3 or count == 12):
                killed_s = time.monotonic()
                # Nodes are removed without leave: the processes are killed.
                grounds.cluster.remove_node(another_node(grounds.cluster), allow_graceful=False)
            if isinstance(event, WorkerLost):
                lost += 1
                print(f"node_lost: noticed after {time.monotonic() - killed_s:.1f} s", event.rows)
    assert lost >= 1
    compare("node_lost", out, grounds)


def another_node(cluster: Cluster) -> Any:
    """A node that neither the driver nor the head is on: these end the run."""
    mine = ray.get_runtime_context().get_node_id()
    return next(node for node in cluster.worker_nodes if node.node_id != mine)


def worker_killed(grounds: Grounds) -> None:
    """Kill a worker process twice."""
    lost, out = 0, grounds.folder / "worker_killed"
    with started([grounds.clips], out, RayExecutor(SLOW, workers=2)) as events:
        for count, event in enumerate(rows_and_losses(events)):
            if count in (4, 10):
                os.kill(workers()[0], signal.SIGKILL)
            lost += isinstance(event, WorkerLost)
    assert lost == 2
    compare("worker_killed", out, grounds)


def condemned(grounds: Grounds) -> None:
    """Recordings that kill their worker become the same error rows as locally."""
    folder = clips(grounds.folder / "killing", ["a.wav", "kills-b.wav", "c.wav"], make_speech)
    out, reference = grounds.folder / "condemned", grounds.folder / "condemned-local"
    do_batch([folder], out, RayExecutor(FakeSource(), workers=1))
    from emoscope.batch.local import LocalExecutor

    do_batch([folder], reference, LocalExecutor(FakeSource(), 1))
    assert any(name.startswith("errors") for name in contents(out))
    assert contents(out) == contents(reference)
    print("condemned: same")


def driver_killed(grounds: Grounds) -> None:
    """Kill the driver, and go on."""
    out = grounds.folder / "driver_killed"
    command = [sys.executable, __file__, str(grounds.folder), "--drive", grounds.cluster.address]
    driver = subprocess.Popen([*command, str(grounds.clips), str(out)], stdout=subprocess.PIPE)
    assert driver.stdout is not None
    driver.stdout.readline()  # a shard is done
    driver.kill()
    driver.wait()
    driver.stdout.close()
    there = set(contents(out))
    assert 0 < len(there) < len(grounds.expected)
    events = do_batch([grounds.clips], out, RayExecutor(SLOW, workers=2))
    done = sum(isinstance(event, ShardEnded) for event in events)
    assert done < len(grounds.expected)
    compare("driver_killed", out, grounds)


def cannot_load(grounds: Grounds) -> None:
    """A model that is not there ends the run with its own error."""
    try:
        do_batch([grounds.clips], grounds.folder / "none", RayExecutor(Missing(), workers=1))
    except EmoscopeError as error:
        print(f"cannot_load: {type(error).__name__}")


@dataclass(frozen=True)
class Missing:
    """Source whose model is unknown."""

    def open(self) -> Recognizer:
        """Fail."""
        return ModelSpec("no-such-model").open()


def drive(address: str, recordings: str, out: str) -> None:
    """Do a batch as a driver of its own, which says when the first shard is done."""
    with started([recordings], out, RayExecutor(SLOW, address, workers=2)) as events:
        for event in events:
            if isinstance(event, ShardEnded):
                print("done", flush=True)


def rows_and_losses(events: Iterator[BatchEvent]) -> Iterator[BatchEvent]:
    """Events that a scenario counts."""
    return (one for one in events if isinstance(one, RowEnded | WorkerLost))


def workers() -> list[int]:
    """Processes that work on a shard, below this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (path / "cmdline").read_bytes()
            mine = f"RAYTEST={os.getpid()}".encode() in (path / "environ").read_bytes()
            if mine and line.startswith((b"ray::ShardWorker", b"ray::shard")):
                found.append(int(path.name))
    assert found
    return sorted(found)


def compare(scenario: str, out: Path, grounds: Grounds) -> None:
    """Compare what was written with what one process writes, byte by byte."""
    assert contents(out) == grounds.expected
    print(f"{scenario}: same", flush=True)


SCENARIOS: dict[str, Callable[[Grounds], None]] = {
    one.__name__: one for one in (node_lost, worker_killed, condemned, driver_killed, cannot_load)
}


def main() -> None:
    """Make the cluster and do the scenarios that were named."""
    folder = Path(sys.argv[1])
    if sys.argv[2] == "--drive":
        drive(*sys.argv[3:])
        return
    recordings = clips(folder / "clips", [f"{n:02d}.wav" for n in range(24)], make_speech)
    do_batch([recordings], folder / "expected", InlineExecutor())
    os.environ["RAYTEST"] = str(os.getpid())
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    with tempfile.TemporaryDirectory(prefix="er-", ignore_cleanup_errors=True) as short:
        # Ray notes the address of a cluster in this folder, and does not make it beside temp_dir.
        os.environ["RAY_TMPDIR"] = short
        (Path(short) / "ray").mkdir()
        cluster = Cluster(initialize_head=True, head_node_args={**node, "temp_dir": short})
        try:
            for _ in range(2):
                cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
            ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
            grounds = Grounds(cluster, folder, recordings, contents(folder / "expected"))
            for name in sys.argv[2:]:
                started_s = time.monotonic()
                SCENARIOS[name](grounds)
                print(f"{name}: {time.monotonic() - started_s:.1f} s", flush=True)
        finally:
            ray.shutdown()
            cluster.shutdown()


if __name__ == "__main__":
    main()
