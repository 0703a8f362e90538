"""What a server survives: kills, stalled uploads, a second server, poison, a full disk, clocks.

    python benchmarks/service_faults.py --only kills,stalled,phones,two_servers,poison
    python benchmarks/service_faults.py --only full_disk --small-disk /mnt/small     300 MB, empty
    python benchmarks/service_faults.py --only clock --faketime /usr/lib/…/libfaketime.so.1

Beside ``benchmarks/service.py``, with the same server and load. The last line is JSON.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from service import CLIP, ROOT, Load, Server, ask, form, load, serve, stop

STALLED, STALLED_BYTES = 60, 13_200_000


def call(server: Server, method: str, path: str, body: bytes = b"") -> tuple[int, dict]:
    """One request; its status and JSON."""
    line = server.connect()
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Host": "localhost"}
    line.request(method, path, body=body or None, headers=headers)
    reply = line.getresponse()
    text = reply.read()
    line.close()
    return reply.status, json.loads(text or b"{}")


def files(count: int) -> bytes:
    """A form with so many recordings."""
    head = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    return b"".join(head + CLIP + b"\r\n" for _ in range(count)) + b"--x--\r\n"


def ended(server: Server, job: str) -> dict:
    """Follow a job to its end."""
    while True:
        _, reply = call(server, "GET", f"/v1/jobs/{job}")
        if reply.get("state") not in ("queued", "running"):
            return reply
        time.sleep(0.1)


def outcomes(server: Server, jobs: list[str]) -> Counter[str]:
    """Follow jobs to their ends, and count these with the codes of recordings that failed."""
    found: Counter[str] = Counter()
    for job in jobs:
        end = ended(server, job)
        codes = [one["problem"]["code"] for one in end["recordings"] if one.get("problem")]
        found[" ".join([end["state"], str(end["succeeded"]), *codes])] += 1
    return found


def runs(server: Server) -> list[Path]:
    """The folders of runs."""
    return sorted(server.outputs.glob("outputs_*"))


def created_utc(run: Path) -> str:
    """When a run was made."""
    found: str = json.loads((run / "result.json").read_text("utf-8"))["created_utc"]
    return found


def half_written(server: Server) -> list[str]:
    """What lies in the outputs folder half-written, or belongs to no job any more."""
    found = [path.name for path in server.outputs.glob(".tmp-*")]
    found += [path.name for path in (server.outputs / ".jobs").glob("job_*")]
    for path in runs(server):
        try:
            created_utc(path)
        except (OSError, ValueError):
            found.append(path.name)
    return found


def kills(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Killed at odd moments under load; afterwards every accepted job ends."""
    accepted, answered, random_ = [], [], random.Random(0)  # noqa: S311 - not a secret

    def clients(server: Server) -> None:
        try:
            while True:
                status, reply = call(server, "POST", "/predict", form(CLIP))
                if status == 200:
                    answered.append(reply["run"])
        except (OSError, ValueError):
            return

    for _ in range(arguments.kills):
        server = serve(folder)
        threads = [threading.Thread(target=clients, args=(server,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            status, reply = call(server, "POST", "/v1/jobs", files(2))
            if status == 202:
                accepted.append(reply["id"])
            time.sleep(random_.uniform(0, 1))
        server.process.kill()
        server.process.wait()
        for thread in threads:
            thread.join()
    server = serve(folder)
    ends = outcomes(server, accepted)
    time.sleep(65)  # what a killed process left half-written goes within a minute
    report = {
        "kills": arguments.kills,
        "jobs_accepted": len(accepted),
        "jobs_ended": dict(ends),
        "answers": len(answered),
        "answers_lost": sum(not (server.outputs / run).is_dir() for run in answered),
        "half_written": half_written(server),
    }
    stop(server)
    return report


def stalled(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """Sixty JSON bodies that stop after 13.2 MB, with places for 256 and for 60.

    They may pause for 30 s and not 10, so that all of them hang while the honest client asks.
    """
    begin = b'{"recordings": [{"audio": "' + base64.b64encode(bytes(STALLED_BYTES * 3 // 4))
    head = (
        b"POST /v1/recognitions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    )
    head += b"Content-Length: %d\r\n\r\n" % (len(begin) + 1_000)
    report: dict[str, object] = {}
    for places in (256, STALLED):
        (folder / str(places)).mkdir()
        server = serve(folder / str(places), uploads_at_once=places, upload_grace_s=30)
        calm = load(server, 1, 4)
        before_mb, started_s = server.rss_mb(), time.perf_counter()
        lines = []
        for _ in range(STALLED):
            line = socket.create_connection(("127.0.0.1", server.port))
            line.sendall(head + begin)
            lines.append((line, time.perf_counter()))
        sent_s = time.perf_counter() - started_s
        time.sleep(3)
        hanging = _number(server, "emoscope_uploads")
        beside = load(server, 1, 5)
        grown_mb = server.rss_mb() - before_mb
        answers: Counter[str] = Counter()
        for line, _ in lines:
            line.settimeout(120)
            answers[line.recv(64)[9:12].decode()] += 1
            line.close()
        report[f"places_{places}"] = {
            "sent_s": sent_s,
            "hanging": hanging,
            "all_ended_s": time.perf_counter() - started_s,
            "stalled_answers": dict(answers),
            "honest": dict(beside.statuses),
            "honest_ms_calm_beside": (_median_ms(calm), _median_ms(beside)),
            "grown_mb": grown_mb,
        }
        stop(server)
    return report


def _number(server: Server, name: str) -> float:
    line = server.connect()
    line.request("GET", "/metrics", headers={"Host": "localhost"})
    rows = line.getresponse().read().decode().splitlines()
    line.close()
    return next(float(row.split()[1]) for row in rows if row.startswith(f"{name} "))


def _median_ms(seen: Load) -> float:
    return statistics.median(seen.accepted_s or [0]) * 1000


def phones(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """Twenty uploads at 20 kB/s with a pause of four seconds in the middle."""
    server, body = serve(folder), form(CLIP * 3)
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data;"
    head += b" boundary=x\r\nContent-Length: %d\r\n\r\n" % len(body)
    statuses: Counter[str] = Counter()

    def phone() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(head)
            for at in range(0, len(body), 5_000):
                line.sendall(body[at : at + 5_000])
                time.sleep(4.25 if at == len(body) // 10_000 * 5_000 else 0.25)
            line.settimeout(60)
            statuses[line.recv(64)[9:12].decode()] += 1

    crowd = [threading.Thread(target=phone) for _ in range(20)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    stop(server)
    return {"bytes": len(body), "statuses": dict(statuses)}


def two_servers(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """A second server is refused; one that waits takes over a job of 24 in the middle."""
    old = serve(folder)
    started_s = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "emoscope",
        "serve",
        "--port",
        "0",
        "--no-page",
        "-m",
        "compact",
    ]
    second = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    refused_s = time.perf_counter() - started_s
    waiting: list[Server] = []
    wait = threading.Thread(target=lambda: waiting.append(serve(folder, outputs_lock_wait_s=60)))
    wait.start()
    time.sleep(2)
    jobs = [call(old, "POST", "/v1/jobs", files(24))[1]["id"] for _ in range(2)]
    time.sleep(0.5)
    old.process.send_signal(signal.SIGTERM)
    gone_s = time.perf_counter()
    wait.join()
    gap_s = time.perf_counter() - gone_s
    (new,) = waiting
    done = [ended(new, job)["succeeded"] for job in jobs]
    count = len(runs(new))
    stop(new)
    return {
        "second_exit": second.returncode,
        "second_s": refused_s,
        "told_code": "[outputs_in_use]" in second.stderr,
        "gap_s": gap_s,
        "recordings_succeeded": done,
        "runs": count,
    }


def poison(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Jobs that kill the process, and as many that do not."""
    ran = subprocess.run(
        [sys.executable, ROOT / "tests/server/poisoned_lives.py", folder, str(arguments.poison)],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'src'}",
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return dict(json.loads(ran.stdout))


def full_disk(_folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """A disk that fills under load, and is freed again."""
    if arguments.small_disk is None:
        return {"not run": "--small-disk FOLDER names an empty file system of about 300 MB"}
    disk: Path = arguments.small_disk
    server = serve(disk)
    before = load(server, 4, 3).statuses
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - 300_000)
    full = load(server, 4, 5).statuses
    job = call(server, "POST", "/v1/jobs", files(10))
    ready = call(server, "GET", "/health/ready")
    deleted = call(server, "DELETE", f"/v1/recognitions/{runs(server)[0].name}")[0]
    left = half_written(server)
    filler.unlink()
    after = load(server, 4, 3).statuses
    again = call(server, "POST", "/v1/jobs", files(2))
    end = ended(server, again[1]["id"])
    report = {
        "before": dict(before),
        "full": dict(full),
        "job": (job[0], job[1].get("code")),
        "ready": (ready[0], ready[1].get("detail_en")),
        "delete": deleted,
        "half_written": left,
        "after": dict(after),
        "job_after": (end["state"], end["succeeded"]),
    }
    stop(server)
    return report


@contextmanager
def clock(library: Path, offset: str) -> Iterator[None]:
    """Programs that are started here have another time of day; time that only grows stays."""
    os.environ.update(LD_PRELOAD=str(library), FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")
    try:
        yield
    finally:
        for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
            del os.environ[name]


def wrong_clock(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """A year ahead with ``keep_days``, a year behind with ``max_bytes``."""
    if arguments.faketime is None:
        return {"not run": "--faketime FILE names libfaketime.so.1"}
    server = serve(folder)
    for _ in range(30):
        ask(server.connect(), form(CLIP))
    stop(server)
    first = [path.name for path in runs(server)]
    first.sort(key=lambda name: created_utc(server.outputs / name))
    size = sum(path.stat().st_size for path in server.outputs.rglob("*") if path.is_file())
    with clock(arguments.faketime, "+365d"):
        server = serve(folder, outputs_keep_days=30)
    ahead = call(server, "POST", "/predict", form(CLIP))[1]["created_utc"]
    time.sleep(70)
    left = {path.name for path in runs(server)}
    stop(server)
    with clock(arguments.faketime, "-365d"):
        server = serve(folder, outputs_max_bytes=size)
    new = [call(server, "POST", "/predict", form(CLIP))[1] for _ in range(3)]
    time.sleep(70)
    behind = {path.name for path in runs(server)}
    stop(server)
    return {
        "created_ahead": ahead,
        "kept_ahead": f"{len(left & set(first))} of {len(first)}",
        "created_behind": new[0]["created_utc"],
        "new_kept_behind": sum(one["run"] in behind for one in new),
        "order_of_gone_behind": [place for place, name in enumerate(first) if name not in behind],
    }


PARTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, object]]] = {
    "kills": kills,
    "stalled": stalled,
    "phones": phones,
    "two_servers": two_servers,
    "poison": poison,
    "full_disk": full_disk,
    "clock": wrong_clock,
}


def processor() -> str:
    """Name of the processor."""
    path = Path("/proc/cpuinfo")
    rows = path.read_text("utf-8").splitlines() if path.is_file() else []
    return next((row.split(":")[1].strip() for row in rows if row.startswith("model name")), "?")


def main() -> None:
    """Run the parts and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--poison", type=int, default=1_000)
    parser.add_argument("--small-disk", type=Path)
    parser.add_argument("--faketime", type=Path)
    arguments = parser.parse_args()
    report: dict[str, object] = {"processor": processor(), "cores": os.cpu_count()}
    for name in arguments.only.split(","):
        started_s, load_before = time.perf_counter(), os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder:
            found = PARTS[name](Path(folder), arguments)
        found["took_s"] = round(time.perf_counter() - started_s, 1)
        found["load_before_after"] = (load_before, os.getloadavg()[0])
        report[name] = found
        print(name)
        for key, value in found.items():
            print(f"  {key:28} {value}", flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
