"""What our own code adds to a saturated server: HTTP, decoding, checking, queue, JSON, run folder.

    python benchmarks/service_overhead.py [--folder LARGE] [--requests 200]

Starts ``emoscope serve`` over a model that costs nothing, keeps four clients asking about a clip of
4 s, and divides the CPU seconds of the server and its children by the clips. ``--folder`` is that
of the large model (with its int8 variant): its CPU seconds for the same clip make the share. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

CLIENTS = 4
CLIP_S = 4.0
QUESTIONS = {
    "utterance": {"granularity": "utterance"},
    "frame": {"granularity": "frame"},
    "frame, embedding": {"granularity": "frame", "extract_embedding": "true"},
}
BOUNDARY = "emoscope-benchmark"


def body(sound: bytes, fields: dict[str, str]) -> bytes:
    """Multipart, as a browser or curl sends it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    return b"".join([*parts, head.encode(), sound, f"\r\n--{BOUNDARY}--\r\n".encode()])


def ask(host: str, data: bytes, times: int) -> None:
    """Ask so many times in a row on one connection; a busy server is asked again."""
    connection = HTTPConnection(host, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    done = 0
    while done < times:
        connection.request("POST", "/predict", data, headers)
        reply = connection.getresponse()
        said = reply.read()
        if reply.status == 503:
            time.sleep(float(reply.headers["Retry-After"]))
            continue
        assert reply.status == 200, said
        done += 1
    connection.close()


def wait_for(host: str) -> None:
    """The address is printed a moment before the door opens."""
    for _ in range(600):
        try:
            HTTPConnection(host, timeout=1).connect()
            return
        except OSError:
            time.sleep(0.1)


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process, its children, and those that have ended."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _descends(int(entry.name), pid):
            numbers = _stat(int(entry.name))
            ticks += sum(int(number) for number in numbers[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        numbers = _stat(pid)
        pid = int(numbers[1]) if numbers else 0
    return False


def _stat(pid: int) -> list[str]:
    """Fields after the name, which may hold spaces; none if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def free_model(folder: Path) -> Path:
    """A model folder that keeps the contract and computes next to nothing."""
    import make_tiny_model
    from emoscope.models.catalog import file_sha256

    shutil.copy(make_tiny_model.FILE, folder / "model.onnx")
    path = folder / "model.onnx"
    file = {"path": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
    card: dict[str, Any] = {"name": "free", "revision": "1", "dim": 4, "licence": "CC0-1.0"}
    card |= {"title_zh": "空", "title_en": "free", "files": [file]}
    (folder / "card.json").write_text(json.dumps(card), "utf-8")
    return folder


def measure(requests: int) -> dict[str, dict[str, float]]:
    """Milliseconds that one clip costs the server, by question."""
    from parity.clips import clip
    from sounds import wav

    sound = wav(clip(CLIP_S, seed=1))
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        model = Path(temporary) / "model"
        model.mkdir()
        server = subprocess.Popen(
            [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page",
             "--model", free_model(model), "--outputs", f"{temporary}/outputs"],
            stdout=subprocess.PIPE, text=True, cwd=temporary,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "EMOSCOPE_LANGUAGE": "en"},
        )  # fmt: skip
        try:
            assert server.stdout
            host = urllib.parse.urlsplit(server.stdout.readline().split()[-1]).netloc
            wait_for(host)
            with ThreadPoolExecutor(CLIENTS) as clients:
                for name, fields in QUESTIONS.items():
                    data = body(sound, fields)
                    each = requests // CLIENTS
                    ask(host, data, 8)  # warm
                    wall_s, cpu_s = time.perf_counter(), tree_cpu_s(server.pid)
                    list(clients.map(lambda _: ask(host, data, each), range(CLIENTS)))  # noqa: B023 - done before the next
                    found[name] = {
                        "cpu_ms": (tree_cpu_s(server.pid) - cpu_s) / (each * CLIENTS) * 1000,
                        "wall_ms": (time.perf_counter() - wall_s) / (each * CLIENTS) * 1000,
                    }
        finally:
            server.terminate()
            server.wait(60)
    return found


def model_ms(folder: Path) -> dict[str, float]:
    """CPU milliseconds of the large model for the same clip."""
    import numpy as np

    from emoscope.backends.onnx_backend import OnnxBackend
    from emoscope.models.catalog import find
    from parity.clips import clip

    local, sound = find(folder), clip(CLIP_S, seed=1)
    paths = {"exact": local.onnx_path}
    for variant in local.card.variants:
        paths["int8"] = folder / variant.file.path
    found = {}
    for name, path in paths.items():
        backend, spent = OnnxBackend(path), []
        for _ in range(6):
            cpu_s = time.process_time()
            backend.run(sound[None], np.array([len(sound)], np.int64))
            spent.append(time.process_time() - cpu_s)
        found[name] = median(spent[1:]) * 1000
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="the large model, for the share")
    parser.add_argument("--requests", type=int, default=200)
    args = parser.parse_args()
    models = model_ms(args.folder) if args.folder else {}
    found = measure(args.requests)
    print("| per 4 s clip | CPU ms | wall ms |" + "".join(f" of {name} |" for name in models))
    print("|---|" + "---:|" * (2 + len(models)))
    for name, row in found.items():
        of_models = "".join(f" {row['cpu_ms'] / spent:.1%} |" for spent in models.values())
        print(f"| {name} | {row['cpu_ms']:.1f} | {row['wall_ms']:.1f} |{of_models}")
    machine = {"load_average": os.getloadavg()[0], "cores": os.cpu_count()}
    print(json.dumps({**machine, "model_ms": models, "server": found}))


if __name__ == "__main__":
    main()
