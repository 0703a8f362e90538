"""The files of deploy/ for many machines: read, and run where a shell is enough."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from emoscope.server.ray import REPLICAS
from emoscope.settings import Settings

DEPLOY = Path(__file__).parent.parent / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SLURM = DEPLOY / "batch.slurm"


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((KUBERNETES / name).read_text("utf-8"))
    return document


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every pod's specification in a document."""
    for value in document.values() if isinstance(document, dict) else document:
        if isinstance(value, dict | list):
            yield from pods(value)  # type: ignore[arg-type]
    if isinstance(document, dict) and "containers" in document:
        yield document


@pytest.mark.parametrize("path", sorted(KUBERNETES.iterdir()), ids=lambda path: path.name)
def test_every_manifest_says_that_it_was_not_run_and_hangs_together(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"[Nn]ot\n?#? ?run here", text)
    document = yaml.safe_load(text)
    assert {"apiVersion", "kind"} <= set(document)
    for pod in pods(document):
        assert pod["enableServiceLinks"] is False  # else EMOSCOPE_PORT=tcp://…
        assert pod["securityContext"]["runAsNonRoot"] is True
        volumes = {one["name"] for one in pod.get("volumes", [])}
        for container in pod["containers"]:
            assert container["image"] == "emoscope"
            assert {one["name"] for one in container.get("volumeMounts", [])} == volumes
            assert "memory" in container["resources"]["limits"]


def test_replicas_are_stateless_and_are_replaced_one_by_one() -> None:
    items = {one["kind"]: one for one in read("replicas.yaml")["items"]}
    assert set(items) == {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    }
    spec = items["Deployment"]["spec"]
    (pod,) = pods(items["Deployment"])
    (container,) = pod["containers"]
    labels = spec["template"]["metadata"]["labels"]
    assert labels == spec["selector"]["matchLabels"] == items["Service"]["spec"]["selector"]
    assert labels == items["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert items["Service"]["spec"]["sessionAffinity"] == "ClientIP"
    settings = {one["name"]: one["value"] for one in container["env"]}
    assert settings["EMOSCOPE_STORE"] == "none"
    sleep_s = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    drain_s = float(settings["EMOSCOPE_DRAIN_S"])
    assert pod["terminationGracePeriodSeconds"] >= sleep_s + drain_s + 10
    assert not any("persistentVolumeClaim" in volume for volume in pod["volumes"])
    target = items["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
    assert target == items["Deployment"]["metadata"]["name"]
    assert container["ports"][0]["containerPort"] == Settings().port


def test_the_ray_service_names_what_is_there() -> None:
    spec = read("rayservice.yaml")["spec"]
    config = yaml.safe_load(spec["serveConfigV2"])
    (application,) = config["applications"]
    module, _, name = application["import_path"].partition(":")
    assert callable(getattr(import_module(module), name))
    own = set(REPLICAS)
    assert set(application["args"]) - own <= set(Settings.model_fields)
    assert (
        int(application["args"]["max_replicas"])
        <= (spec["rayClusterConfig"]["workerGroupSpecs"][0]["maxReplicas"])
    )
    # A request may wait and work for deadline_s; the proxy must not end it before.
    assert config["http_options"]["request_timeout_s"] > Settings().deadline_s
    variables = application["runtime_env"]["env_vars"]
    assert variables["RAY_USAGE_STATS_ENABLED"] == "0"
    assert variables["EMOSCOPE_KEYS"].startswith("/keys/")


@pytest.mark.parametrize("name", ["rayjob.yaml", "rayservice.yaml"])
def test_ray_reports_nothing_and_shows_its_dashboard_to_its_own_machine(name: str) -> None:
    document = read(name)
    cluster = document["spec"].get("rayClusterSpec") or document["spec"]["rayClusterConfig"]
    assert cluster["headGroupSpec"]["rayStartParams"]["dashboard-host"] == "127.0.0.1"
    for pod in pods(document):
        for container in pod["containers"]:
            variables = {one["name"]: one["value"] for one in container["env"]}
            assert variables["RAY_USAGE_STATS_ENABLED"] == "0"
    import ray

    assert cluster["rayVersion"].split(".")[0] == ray.__version__.split(".")[0]


# -- Slurm


def command(tmp_path: Path, does: str, **variables: str) -> subprocess.Popen[str]:
    """Start the script with a command ``emoscope`` that does something else."""
    program = tmp_path / "emoscope"
    program.write_text(f"#!/usr/bin/env bash\n{does}\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.Popen(
        [bash, str(SLURM)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="a script of bash")
GIVEN = {"INPUT": "/data/two words", "OUT": "s3://b/out"}


@needs_bash
def test_a_task_of_the_array_takes_its_range(tmp_path: Path) -> None:
    started = command(
        tmp_path, 'printf "%s\\n" "$@"', SLURM_ARRAY_TASK_ID="3", SHARDS_EACH="20", **GIVEN
    )
    said, errors = started.communicate(timeout=20)
    words = said.splitlines()
    assert (started.returncode, errors) == (0, "")
    assert words[:2] == ["batch", "/data/two words"]
    assert words[words.index("--shard-range") + 1] == "60:80"
    assert words[words.index("--workers") + 1] == "4"


@needs_bash
def test_its_exit_code_is_that_of_the_batch_and_what_is_missing_is_told(tmp_path: Path) -> None:
    failed = command(tmp_path, "exit 5", SLURM_ARRAY_TASK_ID="0", **GIVEN)
    failed.communicate(timeout=20)
    assert failed.returncode == 5
    missing = command(tmp_path, "exit 0", SLURM_ARRAY_TASK_ID="0")
    _, errors = missing.communicate(timeout=20)
    assert missing.returncode != 0
    assert "INPUT" in errors


@needs_bash
def test_the_end_of_its_time_reaches_the_batch_which_ends_by_itself(tmp_path: Path) -> None:
    does = (
        "trap 'sleep 0.5; echo whole; exit 6' INT\n"
        f"touch {tmp_path}/up\nfor _ in {{1..150}}; do sleep 0.1; done"
    )
    started = command(tmp_path, does, SLURM_ARRAY_TASK_ID="0", **GIVEN)
    until_s = time.monotonic() + 10
    while not (tmp_path / "up").exists():
        assert time.monotonic() < until_s
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    said, _ = started.communicate(timeout=20)
    assert (said.strip(), started.returncode) == ("whole", 6)


@needs_bash
def test_shellcheck_finds_no_fault() -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("there is no shellcheck here")
    subprocess.run([program, str(SLURM)], check=True)


@pytest.mark.parametrize(
    "name", ["batch.slurm", "kubernetes/batch-job.yaml", "kubernetes/rayjob.yaml"]
)
def test_every_option_that_is_named_exists(name: str) -> None:
    import typer

    from emoscope.cli.main import app

    batch = typer.main.get_command(app).commands["batch"]  # type: ignore[attr-defined]
    known = {one for param in batch.params for one in (*param.opts, *param.secondary_opts)}
    text = re.sub(r"^\s*#.*$", "", (DEPLOY / name).read_text("utf-8"), flags=re.MULTILINE)
    command = text[text.index("emoscope batch") :]
    named = set(re.findall(r"(?<=\s)--[a-z-]+", command))
    assert "--out" in named
    assert named <= known
