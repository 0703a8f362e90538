"""How long lists and searches of many runs take, asked of a real server over loopback.

    python benchmarks/history.py                      20,000 runs; about three minutes
    python benchmarks/history.py --runs 100000 --repeats 20
    python benchmarks/history.py --folder /tmp/many   keeps the runs for the next time

Runs are written as the store writes them, without sound: names in both languages, all nine
emotions, a tenth in doubt, a twentieth with a title, four owners. The last line is JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emoscope.labels import EMOTIONS
from emoscope.outputs.writing import write_json_lines
from emoscope.results.samples import sample_result, samples
from emoscope.server.keys import KeyFile

NAMES = ("客服录音", "interview", "会议纪要", "call centre", "课堂发言", "podcast")
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
SEARCHES = {
    "first page, as admin": "/v1/recognitions?count=50",
    "last page, as admin": "/v1/recognitions?count=50&first={last}",
    "first page, own runs": "/v1/recognitions?count=50",
    "a word": "/v1/recognitions?search=interview",
    "a Chinese substring": f"/v1/recognitions?search={quote('议纪')}",
    "one Chinese character": f"/v1/recognitions?search={quote('课')}",
    "two words, a title": f"/v1/recognitions?search={quote('复核 call')}",
    "an emotion's name": f"/v1/recognitions?search={quote('悲伤')}",
    "a word, own runs": "/v1/recognitions?search=interview",
    "nothing found": "/v1/recognitions?search=zzzz",
    "page: first rows": "/page/history",
    "page: an emotion": "/page/history?emotion=sad",
    "page: what is in doubt": "/page/history?doubt=true",
}


def make_runs(outputs: Path, count: int, owners: list[str]) -> None:
    """Write runs that are not there yet."""
    plain = sample_result(samples()[0].file)
    base = replace(plain, granularity="utterance", track=None, segments=(), summary=None)
    for index in range(count):
        created = FIRST + timedelta(seconds=37 * index)
        folder = outputs / created.strftime("outputs_%Y%m%d_%H%M%S")
        if folder.is_dir():
            continue
        folder.mkdir(parents=True)
        result = replace(
            base,
            created=created,
            source=replace(base.source, name=f"{NAMES[index % len(NAMES)]} {index:06d}.wav"),
        )
        data = result.to_dict() | {"emotion": EMOTIONS[index % 9].key}
        data |= {"abstain": ["low_snr"] if index % 10 == 0 else []}
        with (folder / "result.json").open("wb") as file:
            write_json_lines(file, data)
        (folder / "owner.json").write_text(json.dumps({"owner": owners[index % len(owners)]}))
        if index % 20 == 3:
            (folder / "title.json").write_text(json.dumps({"title": f"复核 {index}"}))


class Client:
    """One connection to the server, with a key."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._key = key

    def reopen(self) -> None:
        """Close the connection, which may have been idle for too long."""
        self._connection.close()

    def ms(self, address: str, method: str = "GET", body: bytes | None = None) -> float:
        """Milliseconds until the whole answer is there."""
        headers = {"X-API-Key": self._key, "Content-Type": "application/json"}
        started_s = time.perf_counter()
        self._connection.request(method, address, body=body, headers=headers)
        reply = self._connection.getresponse()
        reply.read()
        assert reply.status == 200, (address, reply.status)
        return (time.perf_counter() - started_s) * 1000


def started(outputs: Path, keys: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a server and return it with its port."""
    command = [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--lang", "en"]
    server = subprocess.Popen(
        [*command, "-m", "compact", "--outputs", str(outputs)],
        env={**os.environ, "EMOSCOPE_KEYS": str(keys)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found:
            return server, int(found[1])
    raise SystemExit("the server did not start")


def measure(folder: Path, count: int, repeats: int) -> dict[str, Any]:
    """Measure and return the table: median and worst of each, in milliseconds."""
    outputs, keys = folder / "outputs", KeyFile(folder / "keys.json")
    for name in ("boss", "ann", "bob", "eve"):
        if all(key.name != name for key in keys.keys()):  # noqa: SIM118
            (folder / name).write_text(keys.create(name, ["admin" if name == "boss" else "read"]))
    began_s = time.perf_counter()
    make_runs(outputs, count, [key.id for key in keys.keys()])  # noqa: SIM118
    print(f"{count} runs made in {time.perf_counter() - began_s:.0f} s", flush=True)
    table: dict[str, list[float]] = {}
    for what in ("index made (first list after an upgrade)", "first list after a restart"):
        if what.startswith("index"):
            for path in (outputs / ".history").glob("*"):
                path.unlink()
        server, port = started(outputs, keys.path)
        boss, ann = (Client(port, (folder / name).read_text()) for name in ("boss", "ann"))
        table[what] = [boss.ms("/v1/recognitions?count=50")]
        if what.startswith("first"):
            break
        server.terminate()
        server.wait(30)
    try:
        for what, address in SEARCHES.items():
            client = ann if "own" in what else boss
            client.reopen()
            address = address.format(last=count - 50)
            table[what] = [client.ms(address) for _ in range(repeats)]
        newest = (FIRST + timedelta(seconds=37 * (count - 1))).strftime("outputs_%Y%m%d_%H%M%S")
        table["a word, after a title was given"] = []
        for index in range(repeats):
            title = json.dumps({"title": f"新 {index}"}).encode()
            boss.ms(f"/v1/recognitions/{newest}/title", "PUT", title)
            table["a word, after a title was given"].append(
                boss.ms("/v1/recognitions?search=interview")
            )
    finally:
        server.terminate()
        server.wait(30)
    return {
        what: {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}
        for what, times in table.items()
    }


def processor() -> str:
    """Name of the processor."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    return f"{os.cpu_count()} cores of {found[1] if found else platform.processor()}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        table = measure(args.folder or Path(temporary), args.runs, args.repeats)
    print(f"{args.runs} runs, {args.repeats} times each; {processor()}")
    print(f"{'':45}{'median':>10}{'worst':>10}  ms")
    for what, times in table.items():
        print(f"{what:45}{times['median_ms']:10.1f}{times['worst_ms']:10.1f}")
    print(json.dumps({"runs": args.runs, "ms": table}))


if __name__ == "__main__":
    main()
