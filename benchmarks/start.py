"""How long it takes to begin: imports, help, first answers, server, wheel; and a fresh clone.

    python benchmarks/start.py              what is installed here
    python benchmarks/start.py --clone      also clone, ./run.sh, and curl until the first answer
    python benchmarks/start.py --imports    imports of a first answer in ms, by package

Each figure is the median of several fresh processes, wall and processor seconds. A bare Python is
in the same run: what it takes is nobody's fault. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "assets" / "samples" / "happy_zh.wav"
REPEATS = 7

CASES = {
    "bare Python": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import emoscope": ["-c", "import emoscope"],
    "emoscope --help": ["-m", "emoscope", "--help"],
    "first answer, Python": [
        "-c",
        f"import emoscope; emoscope.recognize({str(SAMPLE)!r}, model='compact')",
    ],
    "first answer, command line": ["-m", "emoscope", "recognize", str(SAMPLE), "-m", "compact"],
}
# As installed: with compiled modules, which a shell may forbid to be written.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def measure(arguments: list[str]) -> tuple[float, float]:
    """Median wall and processor seconds of fresh processes."""
    return _medians(lambda: _run(arguments))


def server_start() -> tuple[float, float]:
    """Median wall and processor seconds from ``emoscope serve`` to the first answer and its end."""
    with tempfile.TemporaryDirectory() as folder:
        return _medians(lambda: _serve_once(folder))


def _run(arguments: list[str]) -> float:
    """Wall seconds of a fresh process."""
    start_s = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - start_s


def _serve_once(folder: str) -> float:
    """Wall seconds from the start of a server to its first answer."""
    command = [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--model", "compact"]
    start_s = time.perf_counter()
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**ENVIRONMENT, "EMOSCOPE_LANGUAGE": "en", "EMOSCOPE_OUTPUTS": f"{folder}/outputs"},
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split(": ", 1)[1].strip()
        request = urllib.request.Request(  # noqa: S310 - of our own server
            f"{address}/v1/recognitions",
            data=SAMPLE.read_bytes(),
            headers={"Content-Type": "audio/wav"},
        )
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - likewise
            assert json.load(reply)
        return time.perf_counter() - start_s
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _medians(once: Callable[[], float]) -> tuple[float, float]:
    walls, processors = [], []
    for _ in range(REPEATS):
        before = _children_s()
        walls.append(once())
        processors.append(_children_s() - before)
    return statistics.median(walls), statistics.median(processors)


def imports() -> list[tuple[str, float]]:
    """Packages and milliseconds of their imports in a first answer, without what they import."""
    least: dict[str, int] = {}
    for _ in range(REPEATS):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *CASES["first answer, command line"]],
            check=True,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        for line in done.stderr.splitlines():
            if found := re.match(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)$", line):
                name = found[2]
                least[name] = min(int(found[1]), least.get(name, int(found[1])))
    sums: Counter[str] = Counter()
    for name, microseconds in least.items():
        parts = name.split(".")
        sums[".".join(parts[: 2 if parts[0] == "emoscope" else 1])] += microseconds
    sums["all"] = sum(least.values())
    return [(name, microseconds / 1000) for name, microseconds in sums.most_common(25)]


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wheel_bytes() -> int:
    """Size of the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return next(Path(folder).glob("*.whl")).stat().st_size


def fresh_clone() -> dict[str, float]:
    """Seconds from ``git clone`` to the page being there and to the first answer of curl."""
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        subprocess.run(["git", "clone", "-q", str(ROOT), f"{folder}/emoscope"], check=True)
        server = subprocess.Popen(
            [f"{folder}/emoscope/run.sh", "--port", "0", "--model", "compact"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "EMOSCOPE_LANGUAGE": "en", "EMOSCOPE_OUTPUTS": f"{folder}/outputs"},
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split(": ", 1)[1].strip()
            printed_s = time.perf_counter() - start_s
            curl = ["curl", "-sSf", "--retry", "50", "--retry-connrefused", "--retry-delay", "1"]
            form = ["-F", f"audio=@{SAMPLE}", f"{address}/predict"]
            reply = subprocess.run([*curl, *form], check=True, capture_output=True)
            answered_s = time.perf_counter() - start_s
            assert json.loads(reply.stdout)["emotion"]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    return {"address_printed_s": printed_s, "first_answer_s": answered_s}


def show(report: dict[str, object], name: str, medians: tuple[float, float]) -> None:
    """Print a line of the table and note it."""
    wall_s, cpu_s = medians
    report[name] = {"wall_s": wall_s, "cpu_s": cpu_s}
    print(f"{name:28} {wall_s:6.3f}  {cpu_s:6.3f}", flush=True)


def main() -> None:
    """Print the table."""
    report: dict[str, object] = {}
    if "--imports" in sys.argv[1:]:
        for name, milliseconds in imports():
            print(f"{milliseconds:8.1f} ms  {name}")
        return
    _run(CASES["first answer, command line"])  # writes the compiled modules
    print(f"{'':28} wall s   CPU s")
    for name, arguments in CASES.items():
        show(report, name, measure(arguments))
    show(report, "first answer, server", server_start())
    report["wheel_mb"] = wheel_bytes() / 1e6
    print(f"{'wheel':28} {report['wheel_mb']:6.2f}  MB")
    if "--clone" in sys.argv[1:]:
        clone = fresh_clone()
        report["fresh clone"] = clone
        print(f"{'fresh clone: address':28} {clone['address_printed_s']:6.1f}  s")
        print(f"{'fresh clone: first answer':28} {clone['first_answer_s']:6.1f}  s")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
