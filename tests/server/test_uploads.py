"""Request bodies: recent rate, places, bytes of all together, and room beside stalled ones."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import emoscope.server
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import BusyError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.admission import uploads as uploads_module
from emoscope.server.admission.uploads import Uploads
from emoscope.server.app import create_app
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.http.protocol import ProblemProtocol
from emoscope.settings import load_settings
from raising import raises_code
from serving import eventually, serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))
LARGE = base64.b64encode(bytes(1_500_000))
"""Text of a recording of 1.5 MB, which never ends here."""


async def _chunks(*sizes: int, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for size in sizes:
        await asyncio.sleep(pause_s)
        yield bytes(size)


async def _read(uploads: Uploads, stream: AsyncIterator[bytes], max_bytes: int | None) -> int:
    with uploads.body() as body:
        return sum([len(chunk) async for chunk in body.limited(stream, max_bytes)])


def test_a_body_is_passed_on_whole() -> None:
    assert asyncio.run(_read(Uploads(), _chunks(1, 0, 99), 100)) == 100
    assert asyncio.run(_read(Uploads(), _chunks(1 << 20), None)) == 1 << 20


def test_a_body_that_is_too_large_or_too_slow_is_refused_and_no_longer_counted() -> None:
    uploads = Uploads(at_once=1, grace_s=0.05, least_bytes_per_s=1e6)
    for stream, code in (
        (_chunks(200_000), "audio_too_large"),
        (_chunks(10, 10, pause_s=5), "upload_too_slow"),
    ):
        with raises_code(code):
            asyncio.run(_read(uploads, stream, 1_000))
        assert (uploads.coming, uploads.held_bytes) == (0, 0)

    async def one_too_many() -> None:
        with uploads.body() as body, uploads.one_more(body):
            await _read(uploads, _chunks(1), 10)

    with pytest.raises(BusyError) as refusal:
        asyncio.run(one_too_many())
    assert refusal.value.limit == "uploads"


async def _stalled(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)
    await asyncio.sleep(60)


def test_what_came_at_first_does_not_help_a_body_that_stalls() -> None:
    """Counted over the whole upload, 13.2 MB at once would allow it half an hour of silence."""
    started_s = time.monotonic()
    with raises_code("upload_too_slow"):
        asyncio.run(_read(Uploads(grace_s=0.3), _stalled(13_200_000), None))
    assert 0.3 <= time.monotonic() - started_s < 5


def test_a_trickle_behind_a_flood_is_too_slow() -> None:
    uploads = Uploads(grace_s=0.3)
    with raises_code("upload_too_slow"):
        asyncio.run(_read(uploads, _chunks(1_000_000, *[1] * 200, pause_s=0.05), None))


def test_a_slow_connection_with_pauses_is_not_cut() -> None:
    """Twenty kilobytes a second in bursts, where eight are asked for; all times by a fortieth."""
    uploads = Uploads(grace_s=0.25, least_bytes_per_s=8_000 * 40)
    bursts = [20_000 * 4] * 12
    assert asyncio.run(_read(uploads, _chunks(*bursts, pause_s=0.1), None)) == sum(bursts)


def test_bodies_together_are_bounded_in_bytes_until_they_are_done_with() -> None:
    uploads = Uploads(max_bytes=1_000)

    async def scene() -> None:
        with uploads.body() as held:
            assert [len(piece) async for piece in held.limited(_chunks(600), None)] == [600]
            with pytest.raises(BusyError) as refusal:
                await _read(uploads, _chunks(300, 300), None)
            assert refusal.value.limit == "upload_bytes"
            assert uploads.held_bytes == 600
            assert await _read(uploads, _chunks(300), None) == 300
        assert await _read(uploads, _chunks(900), None) == 900

    asyncio.run(scene())
    assert uploads.held_bytes == 0


def test_a_stalled_body_gives_its_place_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "_STALLED_S", 0.1)
    uploads = Uploads(at_once=2)

    async def scene() -> list[object]:
        stalled = [asyncio.create_task(_read(uploads, _stalled(10), None))]
        await asyncio.sleep(0.15)
        stalled.append(asyncio.create_task(_read(uploads, _stalled(10), None)))
        await asyncio.sleep(0)
        assert await _read(uploads, _chunks(5), None) == 5
        uploads.at_once = 1
        with pytest.raises(BusyError):  # the other one has not paused for long
            await _read(uploads, _chunks(5), None)
        stalled[1].cancel()
        return await asyncio.gather(*stalled, return_exceptions=True)

    ended = asyncio.run(scene())
    assert ended[0].code == "upload_too_slow"
    assert isinstance(ended[1], asyncio.CancelledError)
    assert (uploads.coming, uploads.held_bytes) == (0, 0)


@contextmanager
def _serving(outputs: Path, **settings: object) -> Iterator[tuple[str, Uploads]]:
    chosen = load_settings(outputs=outputs, **settings)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    app = create_app(recognizer, RunStore(outputs), chosen, page=False)
    with serving(app) as url:
        yield url, app.state.service.uploads


def _half_sent(url: str, method: str, path: str, begin: bytes) -> socket.socket:
    """A request whose body stops in the middle."""
    host, port = url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)))
    line.sendall(
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(begin) + 100}\r\n\r\n".encode()
        + begin
    )
    line.settimeout(60)
    return line


def _post(client: httpx.Client) -> int:
    return client.post("/predict", files={"audio": ("a.wav", GOOD)}).status_code


@pytest.mark.parametrize("places", [256, 60])
def test_sixty_stalled_uploads_leave_room_and_memory(tmp_path: Path, places: int) -> None:
    """Also where they hold all places, as soon as one has paused for three seconds."""
    grace_s = 8.0
    with (
        _serving(tmp_path / "o", uploads_at_once=places, upload_grace_s=grace_s) as (url, uploads),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        assert _post(client) == 200
        before_bytes = _memory_bytes()
        started_s = time.monotonic()
        begin = b'{"recordings": [{"audio": "' + LARGE
        stalled = [_half_sent(url, "POST", "/v1/recognitions", begin) for _ in range(60)]
        eventually(lambda: uploads.held_bytes >= 60 * len(LARGE))
        grown_bytes = _memory_bytes() - before_bytes
        if places == 60:
            time.sleep(3.1)
        assert [_post(client) for _ in range(3)] == [200] * 3
        assert uploads.coming >= 57
        answers = [line.recv(4096) for line in stalled]
        took_s = time.monotonic() - started_s
        for line in stalled:
            line.close()

        eventually(lambda: uploads.coming == 0)
        eventually(lambda: uploads.held_bytes == 0)
    assert all(b" 408 " in answer.split(b"\r\n")[0] for answer in answers)
    assert took_s < 4 * grace_s
    assert grown_bytes < 60 * len(LARGE) / 2


def _memory_bytes() -> int:
    """Memory of this process that is in files of no kind; 0 where the system does not tell."""
    path = Path("/proc/self/status")
    lines = path.read_text("ascii").splitlines() if path.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def test_titles_and_corrections_are_received_within_the_same_limits(tmp_path: Path) -> None:
    settings = {"upload_grace_s": 0.3, "uploads_max_bytes": 100_000}
    with (
        _serving(tmp_path / "outputs", **settings) as (url, uploads),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        run = client.post("/predict", files={"audio": ("a.wav", GOOD)}).json()["run"]
        for place, begin in (("title", b'{"title": "'), ("corrections", b'{"segments": [')):
            path = f"/v1/recognitions/{run}/{place}"
            line = _half_sent(url, "PUT", path, begin)
            assert b" 408 " in line.recv(4096).split(b"\r\n")[0]
            line.close()
            full = client.put(path, content=begin + b" " * 200_000)
            assert (full.status_code, full.json()["code"]) == (503, "server_busy")
            assert int(full.headers["retry-after"]) > 0
        assert client.put(f"/v1/recognitions/{run}/title", json={"title": "x"}).status_code == 200
        numbers = client.get("/metrics").text
        assert 'emoscope_refusals_total{reason="upload_bytes"} 2.0' in numbers
        assert "emoscope_upload_bytes 0.0" in numbers
        assert uploads.held_bytes == 0


@pytest.mark.parametrize("begin", [b"", b"GET /health HTTP/1.1\r\nHost: x"])
@pytest.mark.parametrize("is_second", [False, True])
def test_a_head_that_never_ends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes, is_second: bool
) -> None:
    """Of a first request, and of a second one over the same connection."""
    monkeypatch.setattr(ProblemProtocol, "head_s", 0.5)
    settings = load_settings(outputs=tmp_path)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    app = create_app(recognizer, RunStore(tmp_path), settings, page=False)
    with serving(app, http=ProblemProtocol, timeout_keep_alive=1) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            if is_second:
                line.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                while not line.recv(4096).endswith(b"}"):
                    pass
            line.sendall(begin)
            assert line.recv(4096) == b""
        # A body has a limit of its own, and an answer may take its time.
        half = _half_sent(url, "PUT", "/v1/recognitions/x/title", b'{"title": "')
        time.sleep(1)
        half.sendall(b'"}' + b" " * 98)
        assert b" 404 " in half.recv(4096).split(b"\r\n")[0]
        half.close()


def test_every_body_is_received_within_the_limits() -> None:
    """No route reads one by itself: only ``receive`` and ``drain`` take what the client sends."""
    sources = [path.read_text("utf-8") for part in ("server", "web") for path in _python(part)]
    assert len(sources) > 50
    assert sum(source.count("request.stream()") for source in sources) >= 5
    for source in sources:
        assert not re.search(r"request\.(body|json|form)\(", source)
        used = re.findall(r"(\w+)\(\s*request\.stream\(\)", source)
        assert len(used) == source.count("request.stream()")
        assert set(used) <= {"receive", "drain"}


def _python(part: str) -> list[Path]:
    return sorted((Path(emoscope.server.__file__).parents[1] / part).rglob("*.py"))


def test_a_spool_of_some_size_is_a_file() -> None:
    with RecordingSpool(None) as spool:
        spool.begin()
        spool.write(bytes(300_000))
        assert spool._file._rolled  # type: ignore[attr-defined]
