"""Batches on a Ray cluster of three nodes on this machine: the same bytes as without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emoscope.batch.ray import RayExecutor
from emoscope.errors import SettingError

pytestmark = pytest.mark.process
PROGRAM = Path(__file__).with_name("ray_cluster.py")


def on_cluster(tmp_path: Path, *scenarios: str) -> str:
    """Run scenarios in a process of their own, since Ray changes the process it is started in."""
    ran = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), *scenarios],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr[-8_000:]
    return ran.stdout


def test_three_nodes_of_which_one_is_lost_write_what_one_process_writes(tmp_path: Path) -> None:
    said = on_cluster(tmp_path, "node_lost")
    assert "node_lost: same" in said


@pytest.mark.slow
def test_workers_that_are_killed_and_a_driver_that_is_killed(tmp_path: Path) -> None:
    said = on_cluster(tmp_path, "worker_killed", "condemned", "driver_killed", "cannot_load")
    for scenario in ("worker_killed", "condemned", "driver_killed"):
        assert f"{scenario}: same" in said
    assert "cannot_load: ModelUnknownError" in said


def test_a_cluster_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no answer")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(SettingError) as failed:
        list(RayExecutor(None, "ray://127.0.0.1:9").run(iter(())))  # type: ignore[arg-type]
    assert failed.value.code == "cluster_unreachable"
