"""How long it takes to begin: imports, help, first answers, wheel; and a fresh clone.

    python benchmarks/start.py              what is installed here
    python benchmarks/start.py --clone      also clone, ./run.sh, and curl until the first answer

Each figure is the median of several fresh processes, wall and processor seconds. A bare Python is
in the same run: what it takes is nobody's fault. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "assets" / "samples" / "happy_zh.wav"
REPEATS = 7

CASES = {
    "bare Python": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import emoscope": ["-c", "import emoscope"],
    "emoscope --help": ["-m", "emoscope", "--help"],
    "first answer, command line": ["-m", "emoscope", "recognize", str(SAMPLE), "-m", "compact"],
}


def measure(arguments: list[str]) -> tuple[float, float]:
    """Median wall and processor seconds of fresh processes."""
    walls, processors = [], []
    for _ in range(REPEATS):
        before, start_s = _children_s(), time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        walls.append(time.perf_counter() - start_s)
        processors.append(_children_s() - before)
    return statistics.median(walls), statistics.median(processors)


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


def main() -> None:
    """Print the table."""
    report: dict[str, object] = {}
    print(f"{'':28} wall s   CPU s")
    for name, arguments in CASES.items():
        wall_s, cpu_s = measure(arguments)
        report[name] = {"wall_s": wall_s, "cpu_s": cpu_s}
        print(f"{name:28} {wall_s:6.3f}  {cpu_s:6.3f}")
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
