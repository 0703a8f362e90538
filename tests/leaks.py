"""Watch of the network packets and files of a program and its children.

The program runs in a network namespace of its own. That has a loopback interface and nothing else,
and every address of the world belongs to it, so each packet is there to be read: of Python, of
threads of a C++ library, of child processes. Nobody listens at those addresses. The name server is
192.0.2.53, which exists nowhere, so a look-up is a packet, too. HOME, the home folder in the
password database and TMPDIR are fresh folders, whose files are listed afterwards.

Run as a script, inside the namespace, this file is the one who reads::

    unshare --net --mount python leaks.py REPORT DOORWAY COMMAND...

It starts the command, carries connections from the Unix socket DOORWAY to port 7860 of the
loopback interface, and writes what it saw as JSON. Only the standard library is used, and of
programs only ``unshare`` (util-linux).
"""

from __future__ import annotations

import ctypes
import ipaddress
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

PORT = 7860
"""Of a server inside; every namespace has its own."""
NAME_SERVER = "192.0.2.53"
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that leaves the machine."""

    protocol: str
    address: str
    port: int
    name: str
    """Host that is looked up, where it is a question to a name server."""
    at_s: float
    """Since the start."""

    @property
    def host(self) -> str:
        """Who would have been told: a name if there is one."""
        return self.name or self.address


@dataclass(slots=True)
class Watched:
    """A program in its namespace; ``packets`` and ``files`` are known when it has ended."""

    folder: Path
    process: subprocess.Popen[str]
    doorway: Path
    """Unix socket that leads to port 7860 inside."""
    packets: list[Packet] = field(default_factory=list)
    lost: int = 0
    """Packets that could not be read; 0, or the watch proves nothing."""
    code: int = -1
    stdout: str = ""
    stderr: str = ""

    @property
    def files(self) -> set[str]:
        """Files that were left, from the folder on: ``home/.cache/x``, ``tmp/y``."""
        return {
            str(path.relative_to(self.folder))
            for part in ("home", "tmp")
            for path in (self.folder / part).rglob("*")
            if not path.is_dir()
        }

    def seen(self) -> list[Packet]:
        """Packets up to now, while the program runs."""
        return _packets(self.folder / "packets.json")[0]

    def wait_for_server(self, seconds: float = 60) -> None:
        """Wait until something listens on port 7860 inside."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, "the server has ended"
            with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(str(self.doorway))
                line.sendall(b"GET /health/live HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                if line.recv(1):
                    return
            time.sleep(0.2)
        raise AssertionError("the server does not listen")


def unavailable() -> str | None:
    """Why no program can be watched here; None where it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are of Linux"
    if shutil.which("unshare") is None:
        return "unshare (util-linux) is not installed"
    ran = subprocess.run(
        [*_unshare(), sys.executable, __file__, "--probe"],
        capture_output=True,
        text=True,
        check=False,
    )
    reason = (ran.stderr.strip().splitlines() or ["?"])[-1]
    return f"no network namespace can be made: {reason}" if ran.returncode else None


def watch(command: Sequence[str], folder: Path, **environment: str) -> Watched:
    """Run a command to its end; see ``watching``."""
    with watching(command, folder, **environment) as watched:
        watched.process.wait()
    return watched


@contextmanager
def watching(command: Sequence[str], folder: Path, **environment: str) -> Iterator[Watched]:
    """Run a command in a namespace until the block ends; it is stopped with Ctrl+C.

    Args:
        command: arguments of the Python that runs the tests.
        folder: an empty folder; the command finds home, tmp and work in it, and works in the last.
        environment: further variables; of the caller's own, only the way to programs and packages.
    """
    for part in ("home", "tmp", "work"):
        (folder / part).mkdir(exist_ok=True)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        **environment,
    }
    doorway = folder / "door"
    with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [*_unshare(), sys.executable, __file__, str(folder), sys.executable, *command],
            cwd=folder / "work",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )
        watched = Watched(folder, process, doorway)
        try:
            yield watched
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                watched.code = process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    watched.packets, watched.lost = _packets(folder / "packets.json")
    watched.stdout, watched.stderr = (
        (folder / name).read_text("utf-8", "replace") for name in ("stdout", "stderr")
    )


@contextmanager
def address(watched: Watched) -> Iterator[str]:
    """Give an address out here that leads to port 7860 inside, for a browser."""

    def enter() -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(watched.doorway))
        except OSError:
            line.close()
            raise
        return line

    with socket.create_server(("127.0.0.1", 0)) as outer:
        _carry(outer, enter)
        yield f"http://127.0.0.1:{outer.getsockname()[1]}"
        outer.shutdown(socket.SHUT_RDWR)  # ends the waiting for visitors


def _carry(outer: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Carry every connection to ``outer`` on to one that ``connect`` makes, until it is closed."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def carry(visitor: socket.socket) -> None:
        with visitor, suppress(OSError), connect() as inner:
            back = threading.Thread(target=pump, args=(inner, visitor), daemon=True)
            back.start()
            pump(visitor, inner)
            back.join()

    def serve() -> None:
        with suppress(OSError):  # closed
            while True:
                visitor, _ = outer.accept()
                threading.Thread(target=carry, args=(visitor,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def _unshare() -> list[str]:
    maps = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", "--mount", *maps, "--"]


def _packets(report: Path) -> tuple[list[Packet], int]:
    if not report.is_file():
        return [], 0
    told = json.loads(report.read_text("utf-8"))
    return [Packet(**packet) for packet in told["packets"]], told["lost"]


# From here on: inside of the namespace.


def _open_the_world() -> None:
    """Bring the loopback interface up and make every address one of its own."""
    request, acknowledge, create = 0x1, 0x4, 0x400
    new_link, new_route = 16, 24
    up = struct.pack("BxHiII", socket.AF_UNSPEC, 0, 1, 1, 1)
    messages = [(new_link, 0, up)]
    for family in (socket.AF_INET, socket.AF_INET6):
        table, by_hand, host, local, to_interface = 255, 4, 254, 2, 4
        route = struct.pack("8BI", family, 0, 0, 0, table, by_hand, host, local, 0)
        messages.append((new_route, create, route + struct.pack("HHi", 8, to_interface, 1)))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        for kind, flags, body in messages:
            header = struct.pack("IHHII", 16 + len(body), kind, request | acknowledge | flags, 1, 0)
            kernel.send(header + body)
            (error,) = struct.unpack_from("i", kernel.recv(4096), 16)
            if error and socket.AF_INET6 not in body[:1]:  # a kernel may be without IPv6
                raise OSError(-error, os.strerror(-error))


def _put_over(target: str, text: str, folder: Path) -> None:
    """Show another text as a system file, to the processes of this namespace only."""
    bind = 4096
    ours = folder / f"etc-{Path(target).name}"
    ours.write_text(text, "utf-8")
    mount = ctypes.CDLL(None, use_errno=True).mount
    if mount(bytes(ours), target.encode(), None, bind, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount over {target}")


class _Reader(threading.Thread):
    """Reads every packet on the loopback interface and keeps those to elsewhere."""

    def __init__(self, report: Path) -> None:
        super().__init__(daemon=True)
        everything = socket.ntohs(3)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, everything)
        self._socket.bind(("lo", 0))
        with suppress(OSError):
            so_rcvbufforce = 33
            self._socket.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 64 << 20)
        self._report, self._packets, self._lost = report, list[Packet](), 0
        self._started_s = time.monotonic()
        self._ending = threading.Event()
        self._write()

    def run(self) -> None:
        """Read until stopped, and what is left then."""
        outgoing = 4
        while select.select([self._socket], [], [], 0.1)[0] or not self._ending.is_set():
            with suppress(BlockingIOError):
                data, sender = self._socket.recvfrom(512, socket.MSG_DONTWAIT)
                if sender[2] == outgoing:
                    self._keep(data)
        self._write()

    def stop(self) -> None:
        """Read what is there and end."""
        self._ending.set()
        self.join()

    def _keep(self, data: bytes) -> None:
        version = data[0] >> 4
        if version == 4:
            address = ipaddress.ip_address(data[16:20])
            protocol, body = data[9], data[(data[0] & 15) * 4 :]
        else:
            address = ipaddress.ip_address(data[24:40])
            protocol, body = data[6], data[40:]
        has_port = protocol in (6, 17) and len(body) >= 4
        port = struct.unpack_from("!H", body, 2)[0] if has_port else 0
        if (address.is_loopback and port != 53) or _is_refusal(protocol, body):
            return
        name = _question(body[8:]) if protocol == 17 and port == 53 else ""
        at_s = time.monotonic() - self._started_s
        kind = _PROTOCOLS.get(protocol, str(protocol))
        self._packets.append(Packet(kind, str(address), port, name, round(at_s, 2)))
        self._write()

    def _write(self) -> None:
        sol_packet, statistics = 263, 6
        self._lost += struct.unpack("II", self._socket.getsockopt(sol_packet, statistics, 8))[1]
        half = self._report.with_suffix(".half")
        told = {"packets": [asdict(packet) for packet in self._packets], "lost": self._lost}
        half.write_text(json.dumps(told), "utf-8")
        half.replace(self._report)


def _is_refusal(protocol: int, body: bytes) -> bool:
    """Whether this is the kernel, saying for an address of elsewhere that nobody listens."""
    unreachable = {1: 3, 58: 1}
    if protocol == 6:
        return len(body) > 13 and bool(body[13] & 4)  # TCP reset
    return protocol in unreachable and body[:1] == bytes([unreachable[protocol]])


def _question(message: bytes) -> str:
    """Return the name that a DNS message asks for."""
    labels, at = [], 12
    while at < len(message) and (size := message[at]):
        labels.append(message[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    return ".".join(labels)


def _supervise(folder: Path, command: list[str]) -> int:
    _open_the_world()
    _put_over("/etc/resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:1\n", folder)
    _put_over("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", folder)
    accounts = Path("/etc/passwd").read_text("utf-8")
    _put_over(
        "/etc/passwd", re.sub(r"(?m)^(([^:]*:){5})[^:]*", rf"\1{folder}/home", accounts), folder
    )
    reader = _Reader(folder / "packets.json")
    reader.start()
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / "door"))
    door.listen()
    _carry(door, lambda: socket.create_connection(("127.0.0.1", PORT)))
    child = subprocess.Popen(command)
    signal.signal(signal.SIGINT, lambda *_: child.send_signal(signal.SIGINT))
    code = child.wait()
    reader.stop()
    return code


if __name__ == "__main__":
    if sys.argv[1] == "--probe":
        _open_the_world()
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM).close()
        sys.exit()
    sys.exit(_supervise(Path(sys.argv[1]), sys.argv[2:]))
