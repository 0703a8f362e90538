"""Each extra alone does what the docs say of it, and what is absent is told with the line to type.

The quick tests hide packages from a process; the slow ones install the wheel with one extra into a
fresh environment.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

import emoscope
from emoscope.audio.decode import decode
from emoscope.outputs.store import RunStore
from parity.official_folder import SIZES, write_folder
from sounds import SAMPLES
from text_models import write_fusion_list, write_text_model

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
VOICE = str(SAMPLES / "happy_zh.wav")
NOBODY = "http://127.0.0.1:9"
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]["optional-dependencies"]
MODULES = {
    "server": ("fastapi", "starlette", "uvicorn", "python_multipart", "prometheus_client"),
    "gradio": ("gradio", "gradio_client", "pandas"),
    "convert": ("onnx", "yaml"),
    "annotations": ("praatio", "webvtt"),
    "parquet": ("pyarrow",),
    "listen": ("sounddevice", "websockets"),
    "text": ("tokenizers",),
    "vectors": ("sklearn", "scipy", "threadpoolctl"),
    "openvino": ("openvino",),
    "lancedb": ("lancedb",),
    "cloud": ("fsspec", "s3fs"),
    "ray": ("ray",),
}
"""What the extras install and nothing else does; websockets is of ``server`` as well."""
OLD = {"webui": "server"}
"""Old names of extras, which old lines of installation have."""
HIDE = (
    "import sys\n"
    "for name in sys.argv[1].split(): sys.modules[name] = None\n"
    "from emoscope.cli.main import main\n"
    "main(sys.argv[2:])\n"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in ``run`` and a labelled list."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "list.csv").write_text(f"path,emotion\n{VOICE},happy\n", "utf-8")
    result = emoscope.recognize(VOICE, model="compact", granularity="frame")
    run = RunStore(folder / "outputs").save(result, decode(Path(VOICE)))
    (folder / "run").symlink_to(folder / "outputs" / run.name)
    return folder


def without(packages: str, folder: Path, *line: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that cannot find some packages."""
    return subprocess.run(
        [sys.executable, "-c", HIDE, packages, *line],
        cwd=folder,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en", "EMOSCOPE_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


ALL = " ".join(name for names in MODULES.values() for name in names)
COMPACT = ("-m", "compact")
WORK_ALONE = [
    ("--version",),
    ("demo", *COMPACT),
    ("recognize", VOICE, "--json"),
    ("evaluate", "list.csv", "--html", "a.html", *COMPACT),
    ("stream", VOICE, "--fast", "--json", *COMPACT),
    ("models", "list"),
    ("head", "list"),
    ("keys", "list"),
    *(("export", "run", "-f", name) for name in ("eaf", "audacity", "rttm", "csv", "jsonl")),
    ("export", "run", "--curve", "-f", "npy", "-o", "a.npy"),
]
"""Commands that need no extra."""
NEED = [
    ("server", ("serve", "--no-page", "--port", "0")),
    ("server", ("serve", "--port", "0")),
    ("gradio", ("gradio", "--port", "0", *COMPACT)),
    ("convert", ("models", "pull", "emotion2vec-plus-base", "--offline")),
    ("annotations", ("export", "run", "-f", "textgrid")),
    ("annotations", ("export", "run", "-f", "vtt")),
    ("annotations", ("export", "run", "-f", "srt")),
    ("parquet", ("export", "run", "-f", "parquet", "-o", "a.parquet")),
    ("parquet", ("export", "run", "--curve", "-f", "parquet", "-o", "a.parquet")),
    ("listen", ("listen", *COMPACT)),
    ("listen", ("listen", "--url", NOBODY)),
    ("listen", ("stream", VOICE, "--fast", "--url", NOBODY)),
    ("text", ("fuse", "answer", VOICE, "--text", "hi", "--text-model", ".", *COMPACT)),
    ("vectors", ("fuse", "fit", "list.csv", "--to", "rule.json", *COMPACT)),
    ("openvino", ("recognize", VOICE, "--backend", "openvino", *COMPACT)),
    ("vectors", ("head", "train", "list.csv", "--name", "a", *COMPACT)),
    ("lancedb", ("index", "--to", "ix", "--approximate", "emotion")),
]
"""Commands, and the extra that each needs."""


def test_every_extra_is_tried() -> None:
    assert {*MODULES, *OLD, "gpu"} == set(EXTRAS)
    assert all(EXTRAS[old] == [f"emoscope[{new}]"] for old, new in OLD.items())
    halves = {extra for _, extra, _ in HALVES}
    assert {extra for extra, _ in NEED} | halves == set(MODULES)


@pytest.mark.parametrize("line", WORK_ALONE, ids=" ".join)
def test_without_any_extra_it_works(desk: Path, line: tuple[str, ...]) -> None:
    ran = without(ALL, desk, *line)

    assert ran.returncode == 0, ran.stderr


def assert_names_the_extra(ran: subprocess.CompletedProcess[str], extra: str) -> None:
    assert ran.returncode == 6
    assert f"pip install 'emoscope[{extra}]'" in ran.stderr
    assert "[extra_missing]" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(("extra", "line"), NEED, ids=lambda value: " ".join(value).strip())
def test_without_its_extra_the_line_to_type_is_told(
    desk: Path, extra: str, line: tuple[str, ...]
) -> None:
    assert_names_the_extra(without(ALL, desk, *line), extra)


HALVES = [
    *((name, "server", ("serve", "--no-page", "--port", "0")) for name in MODULES["server"][2:]),
    ("websockets", "server", ("serve", "--no-page", "--port", "0")),
    ("gradio", "gradio", ("gradio", "--port", "0")),
    ("onnx", "convert", ("models", "pull", "emotion2vec-plus-base", "--offline")),
    ("yaml", "convert", ("models", "pull", "emotion2vec-plus-base", "--offline")),
    ("pyarrow", "parquet", ("batch", VOICE, "-o", "out", *COMPACT)),
    ("fsspec", "cloud", ("batch", "s3://a/b", "-o", "out", *COMPACT)),
    ("s3fs", "cloud", ("batch", "s3://a/b", "-o", "out", *COMPACT)),
    ("ray", "ray", ("batch", VOICE, "-o", "out", "--on", "ray", *COMPACT)),
]


@pytest.mark.parametrize(("package", "extra", "line"), HALVES, ids=[half[0] for half in HALVES])
def test_half_an_extra_is_told_too(
    desk: Path, package: str, extra: str, line: tuple[str, ...]
) -> None:
    """Before a port is opened, a model loaded or gigabytes are fetched."""
    assert_names_the_extra(without(package, desk, *line), extra)


# The real thing.


class Installed:
    """An environment that holds the wheel with one extra, and a home of its own."""

    def __init__(self, wheel: Path, extra: str, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        venv.create(folder / "venv", with_pip=True)
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        # The versions of the tests, where these have the package.
        text = (ROOT / "requirements" / "test.txt").read_text("utf-8")
        pins = re.findall(r"^[a-z0-9._-]+==[^\\\n]+", text, re.MULTILINE)
        (folder / "pins.txt").write_text("\n".join(pins), "utf-8")
        outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        name = f"{wheel}[{extra}]" if extra else str(wheel)
        ran = subprocess.run(
            [self.bin / "python", "-m", "pip", "install", "-q", "-c", folder / "pins.txt", name],
            env=outside,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            # Its words may hold addresses, so only what kind of failure it was.
            words = re.search(
                r"No matching distribution|Could not find|Max retries|timed out", ran.stderr
            )
            if words is None:
                raise AssertionError(ran.stderr[-2000:])
            pytest.skip(f"the package registry cannot be reached: {words[0]}")
        self.environment = {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "EMOSCOPE_LANGUAGE": "en",
            "PYTHONWARNINGS": "error::DeprecationWarning:emoscope",
        }

    def run(self, *line: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``emoscope``, as users do."""
        return self._run([str(self.bin / "emoscope"), *line])

    def python(self, code: str, *arguments: str) -> str:
        """Run Python in it; returns what it prints."""
        ran = self._run([str(self.bin / "python"), "-c", code, *arguments])
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def works(self, *line: str) -> str:
        """Run a command that must succeed; returns what it prints."""
        ran = self.run(*line)
        assert ran.returncode == 0, ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stdout

    def recognized(self) -> str:
        """Save a run and return its folder."""
        # In a folder of its own: a server may have written to the other.
        self.works("recognize", VOICE, "-g", "frame", "-e", "--save", "--outputs", "ours", *COMPACT)
        return str(next((self.folder / "ours").glob("outputs_*")))

    @contextmanager
    def serving(self, *line: str) -> Iterator[httpx.Client]:
        """Run a server until the block ends."""
        with self.printing("serve", "--port", "0", *COMPACT, *line) as (first, client):
            assert first.startswith("Page and API: ")
            yield client

    @contextmanager
    def printing(self, *line: str) -> Iterator[tuple[str, httpx.Client]]:
        """Run a command that prints its address first, until the block ends."""
        process = subprocess.Popen(
            [self.bin / "emoscope", *line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            assert ": http" in told, process.communicate(timeout=5)
            transport = httpx.HTTPTransport(retries=8)  # Gradio opens the port a little later
            with httpx.Client(base_url=told.split()[-1], timeout=60, transport=transport) as client:
                yield told, client
        finally:
            process.terminate()
            _, complaints = process.communicate(timeout=60)
        assert "Traceback" not in complaints

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def missing(extra: str) -> list[tuple[str, tuple[str, ...]]]:
    """Commands that must fail where only this extra is installed."""
    have = {OLD.get(extra, extra)}
    return [
        (needed, line)
        for needed, line in NEED
        if needed not in have
        # The server and Ray bring websockets as well, and that is all of `stream --url`.
        and not (have & {"server", "ray"} and line[0] == "stream")
        and not (have & {"lancedb", "cloud", "ray"} and needed == "parquet")  # these bring pyarrow
    ]


def try_core(here: Installed) -> None:
    (here.folder / "list.csv").write_text(f"path,emotion\n{VOICE},happy\n", "utf-8")
    (here.folder / "run").symlink_to(here.recognized())
    for line in WORK_ALONE:
        here.works(*line)
    assert here.python(f"import emoscope; print(emoscope.recognize({VOICE!r}).emotion.key)")


def try_server(here: Installed) -> None:
    with here.serving("--no-page") as client:
        told = client.post("/predict", files={"audio": ("a.wav", Path(VOICE).read_bytes())})
        assert told.status_code == 200, told.text
        assert client.get("/metrics").status_code == 200
        assert client.get("/").status_code == 404
        here.works("stream", VOICE, "--fast", "--url", str(client.base_url))
    with here.serving() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "<html" in page.text
        assert client.get("/static/page.js").status_code == 200
        assert client.get("/health/ready").status_code == 200


def try_gradio(here: Installed) -> None:
    with here.printing("gradio", "--port", "0", *COMPACT) as (first, client):
        assert first.startswith("Gradio app: ")
        path = client.post(
            "/gradio_api/upload", files={"files": ("a.wav", Path(VOICE).read_bytes())}
        ).json()[0]
        sound = {"path": path, "meta": {"_type": "gradio.FileData"}}
        call = "/gradio_api/call/recognize"
        asked = client.post(call, json={"data": [sound, "frame", False]})
        assert "event: complete" in client.get(f"{call}/{asked.json()['event_id']}").text


def try_convert(here: Installed) -> None:
    write_folder(here.folder / "official", SIZES["tiny"])
    code = (
        "from pathlib import Path; from emoscope.emotion2vec.convert import convert;"
        "print(convert(Path('official'), Path('mine'), name='mine', revision='1').folder)"
    )
    folder = here.python(code)
    told = json.loads(here.works("recognize", VOICE, "--json", "-m", folder))
    assert told[0]["model"]["name"] == "mine"


def try_annotations(here: Installed) -> None:
    run = here.recognized()
    starts = {"textgrid": "File type", "vtt": "WEBVTT", "srt": "1\n"}
    for name, start in starts.items():
        assert here.works("export", run, "-f", name).startswith(start)


def try_parquet(here: Installed) -> None:
    run = here.recognized()
    here.works("export", run, "-f", "parquet", "-o", "a.parquet")
    here.works("export", run, "--curve", "-f", "parquet", "-o", "b.parquet")
    code = (
        "import pyarrow.parquet as parquet\n"
        "print(*(parquet.read_table(f'{name}.parquet').num_rows for name in 'ab'))"
    )
    segments, rows = map(int, here.python(code).split())
    assert segments >= 1
    assert rows > 100


FAKE_MICROPHONE = """
import contextlib, sys, types, wave
import numpy as np
voice = wave.open(sys.argv[1])
samples = np.frombuffer(voice.readframes(voice.getnframes()), "<i2")[:, None] / np.float32(32768)
@contextlib.contextmanager
def stream(*, samplerate, channels, blocksize, callback):
    for at in range(0, len(samples), blocksize):
        callback(samples[at : at + blocksize], blocksize, None, None)
    yield
fake = types.ModuleType("sounddevice")
fake.PortAudioError = type("PortAudioError", (Exception,), {})
fake.query_devices = lambda kind: {"default_samplerate": 16000.0}
fake.InputStream = stream
sys.modules["sounddevice"] = fake
from emoscope.cli.main import main
main(["listen", "--seconds", "2", "--json", "-m", "compact"])
"""


def try_listen(here: Installed) -> None:
    assert "--seconds" in here.works("listen", "--help")
    here.works("stream", VOICE, "--fast", *COMPACT)
    unreachable = here.run("stream", VOICE, "--fast", "--url", NOBODY)
    assert "[stream_unreachable]" in unreachable.stderr
    heard = here.run("listen", "--seconds", "1", *COMPACT)
    assert "Traceback" not in heard.stderr
    # A machine without a microphone, or without PortAudio, says so.
    assert heard.returncode == 0 or "[microphone_unavailable]" in heard.stderr
    last = json.loads(here.python(FAKE_MICROPHONE, VOICE).splitlines()[-1])
    assert last["result"]["duration_s"] == pytest.approx(2.0, abs=0.2)


def try_text(here: Installed) -> None:
    write_text_model(here.folder / "text")
    asked = ("fuse", "answer", VOICE, "--text", "great", "--text-model", "text", "--json")
    (told,) = json.loads(here.works(*asked, *COMPACT))
    assert told["fusion"]["words_emotion"] == "happy"


def try_openvino(here: Installed) -> None:
    told = json.loads(here.works("recognize", VOICE, "--json", "--backend", "openvino", *COMPACT))
    assert "openvino" in told[0]["versions"]


def try_vectors(here: Installed) -> None:
    (here.folder / "list.csv").write_text(f"path,label,speaker\n{VOICE},a,b\n", "utf-8")
    refused = here.run("head", "train", "list.csv", "--name", "a", *COMPACT)
    assert "[head_list_classes]" in refused.stderr
    assert here.python("import sklearn; print(sklearn.__version__)")
    write_fusion_list(here.folder / "scores.csv", 60)
    figures = json.loads(here.works("fuse", "fit", "scores.csv", "--to", "rule.json", "--json"))
    assert figures["rows"] == 60


def try_lancedb(here: Installed) -> None:
    made = ("index", VOICE, "--to", "ix", "--approximate", "emotion", *COMPACT)
    assert "1 vectors" in here.works(*made)
    told = json.loads(
        here.works("search", VOICE, "--index", "ix", "--approximate", "--json", *COMPACT)
    )
    assert told["approximate"]["rows"] == 1


def try_cloud(here: Installed) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(Path(VOICE).parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/{Path(VOICE).name}"
            here.works("batch", address, "-o", "parts", *COMPACT)
        finally:
            server.shutdown()
    assert (here.folder / "parts" / "part-00000.parquet").exists()


def try_ray(here: Installed) -> None:
    here.works("batch", VOICE, "-o", "parts", "--on", "ray", *COMPACT)
    assert (here.folder / "parts" / "part-00000.parquet").exists()


TRIALS = {
    "": try_core,
    "server": try_server,
    "webui": try_server,
    "gradio": try_gradio,
    "convert": try_convert,
    "annotations": try_annotations,
    "parquet": try_parquet,
    "listen": try_listen,
    "text": try_text,
    "openvino": try_openvino,
    "vectors": try_vectors,
    "lancedb": try_lancedb,
    "cloud": try_cloud,
    "ray": try_ray,
}


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", *EXTRAS], ids=["core", *EXTRAS])
def test_an_extra_alone(extra: str, wheel: Path, tmp_path: Path) -> None:
    if extra == "gpu":
        pytest.skip("the extra gpu is gigabytes and needs an NVIDIA GPU; see docs/gpu.md")
    here = Installed(wheel, extra, tmp_path)
    TRIALS[extra](here)
    if not (here.folder / "run").exists():
        (here.folder / "run").symlink_to(here.recognized())
    for needed, line in missing(extra):
        assert_names_the_extra(here.run(*line), needed)
