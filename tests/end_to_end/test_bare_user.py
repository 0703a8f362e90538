"""A user without a name, a home folder or a folder that can be written, as containers have them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import emoscope
from emoscope.hub import pull
from emoscope.models import catalog
from raising import raises_code
from sounds import SAMPLES

pytestmark = pytest.mark.process

VOICE = str(SAMPLES / "happy_zh.wav")
COMPACT = ("-m", "compact")
NAMELESS = ["unshare", "--user", "--map-user=12345"]
"""Runs what follows as user 12345, whom the password database does not know. The files stay
readable, which a change of the user alone would not promise of an interpreter in a home folder."""


@pytest.fixture(scope="module")
def nameless() -> list[str]:
    """The command that takes the name away."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not installed")
    code = "import os, pwd\ntry: pwd.getpwuid(os.getuid())\nexcept KeyError: print('nameless')"
    ran = subprocess.run(
        [*NAMELESS, sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    if ran.stdout.strip() != "nameless":
        pytest.skip(f"no user without a name can be made: {ran.stderr.strip()[-200:]}")
    return NAMELESS


def environment(**more: str) -> dict[str, str]:
    """Variables without HOME and without any other folder."""
    path = os.pathsep.join(path for path in sys.path if path)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "EMOSCOPE_LANGUAGE": "en", **more}


def run(
    nameless: list[str], folder: Path, *line: str, **more: str
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [*nameless, sys.executable, "-m", "emoscope", *line],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


WORKS = [
    ("demo", *COMPACT),
    ("recognize", VOICE, "--json"),
    ("recognize", VOICE, "--save", "-m", "auto"),
    ("doctor", VOICE, *COMPACT),
    ("stream", VOICE, "--fast", *COMPACT),
    ("models", "list", "--json"),
    ("models", "verify", "compact"),
    ("models", "pull", "compact"),
    ("models", "path", "compact"),
    ("keys", "create", "ann"),
]


@pytest.mark.parametrize("line", WORKS, ids=" ".join)
def test_what_needs_no_home_works(
    nameless: list[str], tmp_path: Path, line: tuple[str, ...]
) -> None:
    ran = run(nameless, tmp_path, *line)

    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    "line",
    [
        ("models", "path"),
        ("models", "pull", "emotion2vec-plus-base", "--offline"),
        ("models", "pull", "emotion2vec-plus-base", "--from", "."),
    ],
    ids=" ".join,
)
def test_what_needs_one_names_the_way_out(
    nameless: list[str], tmp_path: Path, line: tuple[str, ...]
) -> None:
    told = run(nameless, tmp_path, *line)
    assert told.returncode == 4
    assert "EMOSCOPE_CACHE" in told.stderr
    assert "[cache_folder_unknown]" in told.stderr

    given = run(nameless, tmp_path, *line, EMOSCOPE_CACHE=str(tmp_path / "cache"))
    assert "cache_folder_unknown" not in given.stderr


def test_a_model_that_is_not_here_is_told_as_that(nameless: list[str], tmp_path: Path) -> None:
    for line in (("recognize", VOICE, "-m"), ("models", "remove"), ("models", "quantize")):
        told = run(nameless, tmp_path, *line, "emotion2vec-plus-base")
        assert told.returncode == 4
        assert "[model_not_installed]" in told.stderr


def test_python_needs_no_home(nameless: list[str], tmp_path: Path) -> None:
    code = f"import emoscope; print(emoscope.recognize({VOICE!r}).emotion.key)"
    ran = subprocess.run(
        [*nameless, sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == emoscope.recognize(VOICE).emotion.key


@pytest.mark.parametrize("page", [(), ("--no-page",)], ids=["page", "no page"])
def test_a_server_needs_no_home(nameless: list[str], tmp_path: Path, page: tuple[str, ...]) -> None:
    server = subprocess.Popen(
        [*nameless, sys.executable, "-m", "emoscope", "serve", "--port", "0", *COMPACT, *page],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    try:
        assert line.startswith("Page and API: "), line
        assert httpx.get(line.split()[-1] + "/v1/models", timeout=60).status_code == 200
    finally:
        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=60)
    assert "Traceback" not in complaints


def _raise(*_: object, **__: object) -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize(
    "folder", [_raise, lambda *_, **__: Path("~/.cache/emoscope")], ids=["raises", "leaves the ~"]
)
def test_both_ways_in_which_platformdirs_gives_up(
    folder: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions differ; the older ones would make a folder named ``~``."""
    monkeypatch.setattr("platformdirs.user_cache_path", folder)
    monkeypatch.chdir(tmp_path)

    assert catalog.find_cache() is None
    assert catalog.find("auto").card.name == "compact"
    assert not catalog.is_installed(catalog.LARGE, None)
    with raises_code("cache_folder_unknown") as caught:
        catalog.default_cache()
    assert isinstance(caught.value, OSError)
    with raises_code("model_not_installed"):
        catalog.find(catalog.LARGE)
    with raises_code("model_not_installed"):
        pull.remove(catalog.LARGE)
    with raises_code("cache_folder_unknown"):
        pull.pull(catalog.LARGE, convert=lambda *_, **__: None)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


READ_ONLY = """
mount --make-rprivate / && mount --rbind "$1" "$1" && cd "$1" || exit 99
mount -o remount,bind,ro "$1" || exit 99
shift
exec "$@"
"""


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Also for root, whom rights do not stop: the folder is mounted read-only."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount a folder read-only")
    run_folder = tmp_path / "outputs"
    emoscope_run = subprocess.run(
        [sys.executable, "-m", "emoscope", "recognize", VOICE, "-g", "frame", "--save", *COMPACT],
        cwd=tmp_path,
        env=environment(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert emoscope_run.returncode == 0, emoscope_run.stderr
    saved = next(run_folder.glob("outputs_*")).name
    expected = {
        ("recognize", VOICE, "--json"): "",
        ("recognize", VOICE, "--save", *COMPACT): "store_failed",
        ("keys", "create", "ann"): "store_failed",
        ("serve", "--port", "0", *COMPACT): "store_failed",
        ("export", f"outputs/{saved}", "-f", "textgrid"): "store_failed",
        ("export", f"outputs/{saved}", "-f", "csv", "-o", "a.csv"): "store_failed",
        ("models", "pull", "emotion2vec-plus-base", "--offline"): "model_cache_failed",
    }
    # Nowhere to put temporary files: every folder that tempfile would try is this one.
    nowhere = "import tempfile, sys; tempfile._candidate_tempdir_list = lambda: ['.']\n"
    for line, code in expected.items():
        ran = subprocess.run(
            [
                *("unshare", "--mount", "bash", "-c", READ_ONLY, "bash", str(tmp_path)),
                *(sys.executable, "-c", f"{nowhere}from emoscope.cli.main import main; main()"),
                *line,
            ],
            env=environment(HOME=str(tmp_path)),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if ran.returncode == 99:
            pytest.skip(f"no folder can be mounted read-only: {ran.stderr}")
        said = ran.stdout + ran.stderr
        assert "Traceback" not in said, (line, said)
        assert (ran.returncode == 0) == (not code), (line, said)
        assert code in said, (line, said)
    assert json.loads((run_folder / "latest.json").read_text())
