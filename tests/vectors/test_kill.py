"""A writer that is killed at any moment leaves the index as before or after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from emoscope.vectors import Index

WRITER = """
import sys
sys.path[:0] = [{tests!r}]
import numpy as np
from results import make_result
from emoscope.results.result import ModelRef, SourceRef
from emoscope.vectors import Index, EntryDetails

def result(n):
    frames = np.full((4, 8), n + 1, np.float32)
    return make_result(f"{{n}}.wav", source=SourceRef(f"{{n}}.wav", f"{{n:064x}}"),
                       model=ModelRef("m", "1", "a" * 64), embedding=frames)

start = int(sys.argv[2])
index = Index.open_or_create(sys.argv[1], like=result(0))
print("ready", flush=True)
for n in range(start, start + 100_000):
    index.add(result(n), EntryDetails(run=str(n)))
    print(n, flush=True)
    if n % 3 == 2:
        index.store.remove_run(str(n - 1))
        print(-(n - 1), flush=True)
"""


@pytest.mark.process
@pytest.mark.parametrize("seed", range(8))
def test_a_killed_writer_leaves_the_index_whole(tmp_path: Path, seed: int) -> None:
    folder, rng = tmp_path / "index", np.random.default_rng(seed)
    script = WRITER.format(tests=str(Path(__file__).parent.parent))
    start = 1
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            if seed:
                assert writer.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, 0.4) + (0 if seed else 0.1))
            os.kill(writer.pid, signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().split() if line != "ready"]
        start += 100_000
        if not (folder / "index.sqlite").exists():
            continue
        _check(folder, said)


def _check(folder: Path, said: list[int]) -> None:
    with Index.open(folder, writable=True) as index:
        ids, positions, _ = index.store.positions()
        entries = index.store.entries(ids)
        vectors = index.store.vectors(positions)
        for entry, vector in zip(entries, vectors, strict=True):
            assert entry is not None
            assert np.array_equal(vector, np.full(8, int(entry.run) + 1, np.float32))
        there = {int(entry.run) for entry in entries if entry is not None}
        removed = {-n for n in said if n < 0}
        added = {n for n in said if n > 0}
        last = max(added, default=0)
        # Of what was not said to be done, only the very next step may have happened.
        assert added - removed - there <= {last - 1}
        assert not removed & there
