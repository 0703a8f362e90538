"""What a running server holds: load, lost decoders, clients that vanish or crawl, the end.

    python benchmarks/service.py                      about three minutes
    python benchmarks/service.py --only throughput --short-s 5 --rounds 7
    python benchmarks/service.py --overload-s 600     64 clients for ten minutes
    python benchmarks/service.py --soak-s 7200        two hours of good and bad
    python benchmarks/service.py --soak-s 7200 --soak-rest-s 12     the same, resting in between
    python benchmarks/service.py --only overload,drain

The server is the real command with the compact model in a process of its own; the load comes from
this one, over loopback, and takes its share of the same cores. The last line is JSON.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "assets" / "samples" / "happy_zh.wav"
CLIP_S = 4.0
_WARM_S = 1.5


def clip() -> bytes:
    """Four seconds of speech as 16 kHz WAV."""
    with wave.open(str(SAMPLE)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.resize(samples, int(CLIP_S * 16_000)).tobytes())
    return buffer.getvalue()


CLIP = clip()
HEADERS = {"Content-Type": "multipart/form-data; boundary=x", "Host": "localhost"}


def form(data: bytes) -> bytes:
    """The body of a request to /predict."""
    head = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n"


@dataclass
class Server:
    """``emoscope serve``, and what the system says of it."""

    process: subprocess.Popen[str]
    port: int
    outputs: Path

    def connect(self) -> http.client.HTTPConnection:
        """A connection of one's own."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def rss_mb(self) -> float:
        """Of the server and its decoders together."""
        return sum(_rss_kb(pid) for pid in (self.process.pid, *self.children())) / 1024

    def children(self) -> list[int]:
        """Ids of its decoders."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = set(map(int, path.read_text().split()))
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            found |= set(map(int, (task / "children").read_text().split()))
        return sorted(found)

    def descriptors(self) -> int:
        """Files and sockets that it holds."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


def _rss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in text.splitlines() if row.startswith("VmRSS")), 0)


def serve(folder: Path, **settings: object) -> Server:
    """Start the server and wait until it is ready."""
    environment = {f"EMOSCOPE_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page", "-m", "compact"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en", **environment},
    )
    assert process.stdout is not None
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    server = Server(process, port, folder / "outputs")
    while True:
        try:
            if ask(server.connect(), b"", method="GET", path="/health/ready")[0] == 200:
                return server
        except OSError:
            time.sleep(0.05)


def ask(
    line: http.client.HTTPConnection, body: bytes, *, method: str = "POST", path: str = "/predict"
) -> tuple[int, dict[str, str]]:
    """One request; its status and headers."""
    line.request(method, path, body=body or None, headers=HEADERS)
    reply = line.getresponse()
    reply.read()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}


@dataclass
class Load:
    """What many clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    accepted_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def rate(self) -> float:
        """Answers a second."""
        return self.statuses["200"] / self.seconds

    def p99(self, values: list[float]) -> float:
        """What one of a hundred takes longer than."""
        return sorted(values)[int(len(values) * 0.99)] if values else 0.0


def load(server: Server, clients: int, seconds: float, *, body: bytes | None = None) -> Load:
    """So many clients ask again and again over connections that they keep.

    Who is refused comes back when he was told to, or a little later, as honest clients do.
    """
    seen, lock, until_s = Load(), threading.Lock(), time.perf_counter() + seconds
    body = form(CLIP) if body is None else body

    def client() -> None:
        line = server.connect()
        while time.perf_counter() < until_s:
            start_s = time.perf_counter()
            try:
                status, headers = ask(line, body)
                what = str(status)
            except (OSError, http.client.HTTPException) as exc:
                what, line = type(exc).__name__, server.connect()
            took_s = time.perf_counter() - start_s
            with lock:
                seen.statuses[what] += 1
                if what == "200":
                    seen.accepted_s.append(took_s)
                elif what in ("429", "503"):
                    seen.refused_s.append(took_s)
            if what in ("429", "503"):
                time.sleep(float(headers.get("retry-after", 1)) * random.uniform(1, 1.5))  # noqa: S311 - not a secret
        line.close()

    start_s = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.seconds = time.perf_counter() - start_s
    return seen


_ENGINE = """
import os, sys, time, threading, emoscope
from pathlib import Path
from emoscope.outputs.store import RunStore
data, seconds, keep = sys.stdin.buffer.read(), float(sys.argv[1]), sys.argv[2]
recognizer, store = emoscope.load("compact"), RunStore(Path(sys.argv[3]), keep=keep)
def once():
    recording = recognizer.decode(data)
    store.save(recognizer.infer(recording), recording.waveform)
once()
done, until = [], time.perf_counter() + seconds
def work():
    while time.perf_counter() < until:
        once()
        done.append(1)
start = time.perf_counter()
crew = [threading.Thread(target=work) for _ in range(os.cpu_count())]
[one.start() for one in crew]; [one.join() for one in crew]
print(len(done) / (time.perf_counter() - start))
"""


def engine_alone(seconds: float, keep: str, folder: Path) -> float:
    """Clips a second in one process, a caller per core: decoded, recognized, kept or not."""
    ran = subprocess.run(
        [sys.executable, "-c", _ENGINE, str(seconds), keep, str(folder)],
        input=CLIP,
        capture_output=True,
        check=True,
    )
    return float(ran.stdout)


def throughput(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Clips a second at saturation against the engine alone, which keeps what the server keeps.

    A shared machine changes its speed from one minute to the next by more than what is asked here,
    so they take turns and each round is compared within itself. A server that has rested is given
    a moment to come up to speed, as the engine has just loaded its model.
    """
    servers = {}
    for store in ("none", "all"):  # a folder belongs to one server
        (folder / store).mkdir()
        servers[store] = serve(folder / store, store=store)
    alone: dict[str, list[float]] = {store: [] for store in servers}
    served: dict[str, list[float]] = {store: [] for store in servers}
    for _ in range(arguments.rounds):
        for store, server in servers.items():
            alone[store].append(engine_alone(arguments.short_s, store, folder / "alone"))
            load(server, 6, _WARM_S)
            served[store].append(load(server, 6, arguments.short_s).rate())
    for server in servers.values():
        stop(server)
    report: dict[str, object] = {}
    for store, rates in served.items():
        report[f"store={store}_engine_alone_per_s"] = alone[store]
        report[f"store={store}_per_s"] = rates
        for name, engine in (("", alone[store]), ("_of_engine_keeping_nothing", alone["none"])):
            shares = [mine / its for mine, its in zip(rates, engine, strict=True)]
            report[f"store={store}_median_share{name}"] = statistics.median(shares)
    return report


def overload(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Sixty-four clients on a short queue."""
    server = serve(folder, queue_size=8)
    single_s = statistics.median(load(server, 1, 3).accepted_s)
    seen = load(server, 64, arguments.overload_s)
    p99_s = seen.p99(seen.accepted_s)
    stop(server)
    return {
        "statuses": dict(seen.statuses),
        "single_ms": single_s * 1000,
        "accepted_p99_ms": p99_s * 1000,
        "bound_ms": 1.5 * 9 * single_s * 1000,
        "refused_median_ms": statistics.median(seen.refused_s or [0]) * 1000,
        "refused_p99_ms": seen.p99(seen.refused_s) * 1000,
    }


def lost_decoders(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """Fifty decoders killed under load."""
    server = serve(folder, store="none")
    before = server.descriptors(), server.rss_mb(), len(server.children())
    stopping = threading.Event()

    def kill() -> None:
        for _ in range(50):
            for pid in server.children()[:1]:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.15)
        stopping.set()

    killer = threading.Thread(target=kill)
    killer.start()
    statuses: Counter[str] = Counter()
    while not stopping.is_set():
        statuses += load(server, 4, 1).statuses
    killer.join()
    time.sleep(1)
    after = server.descriptors(), server.rss_mb(), len(server.children())
    stop(server)
    return {"statuses": dict(statuses), "before_fd_mb_procs": before, "after_fd_mb_procs": after}


def rude_clients(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """A thousand uploads that break off, a hundred that crawl; an honest client beside them."""
    server = serve(folder, store="none", upload_grace_s=5)
    calm = load(server, 1, 4)
    before = server.descriptors()
    body = form(CLIP)
    head = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data;"
        b" boundary=x\r\nContent-Length: %d\r\n\r\n" % len(body)
    )

    def vanish() -> None:
        for number in range(1_000):
            with socket.create_connection(("127.0.0.1", server.port)) as line:
                if number % 2:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                line.sendall(head + body[: random.Random(number).randrange(len(body))])  # noqa: S311 - not a secret
            time.sleep(0.005)

    vanishing = threading.Thread(target=vanish)
    vanishing.start()
    beside_vanishing = load(server, 1, 8)
    vanishing.join()
    crawling = []
    for _ in range(100):
        line = socket.create_connection(("127.0.0.1", server.port))
        line.sendall(head + body[:100])
        crawling.append(line)
    beside_crawling = load(server, 1, 4)
    answers = Counter()
    for line in crawling:
        line.settimeout(30)
        answers[line.recv(64)[9:12].decode()] += 1
        line.close()
    time.sleep(2)
    after = server.descriptors()
    stop(server)
    medians = [
        statistics.median(seen.accepted_s) * 1000
        for seen in (calm, beside_vanishing, beside_crawling)
    ]
    return {
        "honest_ms_calm_vanishing_crawling": medians,
        "crawling_answers": dict(answers),
        "descriptors_before_after": (before, after),
    }


def mutants(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Mutated multipart bodies: every answer a plain one."""
    server = serve(folder, store="none")
    rng, statuses, slowest_s = np.random.default_rng(0), Counter(), 0.0
    line = server.connect()
    good = form(CLIP[:20_000])
    for _ in range(arguments.mutants):
        body = bytearray(good)
        for _ in range(int(rng.integers(1, 8))):
            at = int(rng.integers(0, 200 if rng.random() < 0.7 else len(body)))
            body[at : at + int(rng.integers(0, 6))] = rng.bytes(int(rng.integers(0, 6)))
        start_s = time.perf_counter()
        try:
            status, _ = ask(line, bytes(body))
        except (OSError, http.client.HTTPException) as exc:
            status, line = type(exc).__name__, server.connect()  # type: ignore[assignment]
        slowest_s = max(slowest_s, time.perf_counter() - start_s)
        statuses[str(status)] += 1
    rss_mb = server.rss_mb()
    stop(server)
    return {"statuses": dict(statuses), "slowest_s": slowest_s, "rss_mb": rss_mb}


def drain(folder: Path, _arguments: argparse.Namespace) -> dict[str, object]:
    """SIGTERM with a full queue."""
    server = serve(folder, queue_size=32)
    bodies, statuses = form(CLIP), Counter()

    def once() -> None:
        status, _ = ask(server.connect(), bodies)
        statuses[str(status)] += 1

    crowd = [threading.Thread(target=once) for _ in range(34)]
    for one in crowd:
        one.start()
    line = server.connect()
    for _ in range(200):
        line.request("GET", "/health/ready")
        taken = json.loads(line.getresponse().read())
        if taken["working"] + taken["waiting"] >= 20:
            break
        time.sleep(0.02)
    start_s = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    for one in crowd:
        one.join()
    server.process.wait(60)
    return {
        "taken_at_sigterm": taken["working"] + taken["waiting"],
        "statuses": dict(statuses),
        "seconds": time.perf_counter() - start_s,
    }


def soak(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Good and bad for a long time; memory after a warm-up and at the end."""
    server = serve(folder, store="none")
    load(server, 4, min(20.0, arguments.soak_s / 4))
    warm_mb, start_fd = server.rss_mb(), server.descriptors()
    until_s, statuses = time.perf_counter() + arguments.soak_s, Counter()
    while time.perf_counter() < until_s:
        statuses += load(server, 4, 5).statuses
        statuses += load(server, 2, 1, body=form(b"no sound" * 999)).statuses
        statuses += load(server, 1, 1, body=b"no form").statuses
        time.sleep(arguments.soak_rest_s)
    time.sleep(1)
    end_mb, end_fd = server.rss_mb(), server.descriptors()
    stop(server)
    return {
        "statuses": dict(statuses),
        "rss_mb_warm_end": (warm_mb, end_mb),
        "growth": end_mb / warm_mb - 1,
        "descriptors": (start_fd, end_fd),
    }


def stop(server: Server) -> None:
    """Ask the server to end, and wait."""
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)


PARTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, object]]] = {
    "throughput": throughput,
    "overload": overload,
    "lost_decoders": lost_decoders,
    "rude_clients": rude_clients,
    "mutants": mutants,
    "drain": drain,
    "soak": soak,
}


def main() -> None:
    """Run the parts and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--short-s", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3, help="of throughput")
    parser.add_argument("--overload-s", type=float, default=15.0)
    parser.add_argument("--mutants", type=int, default=600)
    parser.add_argument("--soak-s", type=float, default=20.0)
    parser.add_argument("--soak-rest-s", type=float, default=0.0)
    arguments = parser.parse_args()
    report = {}
    for name in arguments.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            report[name] = PARTS[name](Path(folder), arguments)
        print(name)
        for key, value in report[name].items():
            shown = f"{value:.2f}" if isinstance(value, float) else value
            print(f"  {key:34} {shown}")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
