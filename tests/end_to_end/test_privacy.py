"""Nothing leaves the machine, and nothing is left on it but what was asked for.

Each program runs in a network namespace where every packet is read, and with a fresh home folder
(tests/leaks.py). What the watch is worth is shown first: it sees the telemetry of the libraries
when that is on.
"""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

import leaks
from sounds import SAMPLES, encode, sample
from visitor import FLAGS, answered, chromium, give

pytestmark = pytest.mark.process

VOICE = str(SAMPLES / "happy_zh.wav")
OUTSIDE = "203.0.113.9"
"""An address that exists nowhere."""
SERVE = ["serve", "-m", "compact", "--lang", "en"]

TELEMETRY_ON = """
import sys
import onnxruntime
onnxruntime.disable_telemetry_events = lambda: None
from emoscope.cli.main import main
main(sys.argv[1:])
"""
"""The product with all telemetry left on."""


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if reason := leaks.unavailable():
        pytest.skip(reason)


@pytest.fixture
def reporting_onnxruntime() -> None:
    """Skip where the ONNX Runtime that is installed has no telemetry."""
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("ONNX Runtime has telemetry on x86_64 and aarch64 only")
    try:
        found = version("onnxruntime")
    except PackageNotFoundError:
        pytest.skip("onnxruntime is installed under another name")
    if tuple(map(int, found.split(".")[:2])) < (1, 29):
        pytest.skip(f"onnxruntime {found} has no telemetry")


def assert_quiet(watched: leaks.Watched) -> None:
    """Nothing was sent, and nothing lies in the home folder that is not in ours."""
    assert watched.packets == [], {packet.host for packet in watched.packets}
    assert watched.lost == 0
    assert {name for name in watched.files if not name.startswith("home/.cache/emoscope/")} == set()


def emoscope(*arguments: str) -> list[str]:
    return ["-m", "emoscope", *arguments]


def commands(*lines: list[str]) -> list[str]:
    """One program that runs several commands, each as a process of its own."""
    code = (
        "import glob, json, subprocess, sys\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    line = [path for part in line for path in (glob.glob(part) or [part])]\n"
        "    ran = subprocess.run([sys.executable, '-m', 'emoscope', *line])\n"
        "    print('code', ran.returncode, *line[:2], flush=True)\n"
    )
    return ["-c", code, json.dumps(lines)]


def codes(watched: leaks.Watched) -> list[int]:
    return [int(code) for code in re.findall(r"^code (\d+)", watched.stdout, re.MULTILINE)]


# What the watch sees.


def test_the_watch_sees_every_kind_of_packet(tmp_path: Path) -> None:
    code = f"""
import contextlib, socket
for family, address in ((socket.AF_INET, "{OUTSIDE}"), (socket.AF_INET6, "2001:db8::9")):
    with contextlib.suppress(OSError), socket.socket(family) as line:
        line.connect((address, 443))
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as line:
        line.sendto(b"x", (address, 5353))
for ours in ("127.0.0.1", "localhost"):
    with contextlib.suppress(OSError), socket.socket() as line:
        line.connect((ours, 443))
with contextlib.suppress(OSError):
    socket.getaddrinfo("telemetry.example", 443)
"""
    watched = leaks.watch(["-c", code], tmp_path)

    assert watched.code == 0, watched.stderr
    seen = {(packet.protocol, packet.host, packet.port) for packet in watched.packets}
    expected = {("tcp", OUTSIDE, 443), ("udp", OUTSIDE, 5353), ("udp", "telemetry.example", 53)}
    if Path("/proc/net/if_inet6").exists():
        expected |= {("tcp", "2001:db8::9", 443), ("udp", "2001:db8::9", 5353)}
    assert seen == expected
    assert watched.lost == 0


def test_the_watch_sees_what_onnxruntime_leaves(
    tmp_path: Path, reporting_onnxruntime: None
) -> None:
    watched = leaks.watch(["-c", TELEMETRY_ON, "demo", "-m", "compact"], tmp_path)

    assert watched.code == 0, watched.stderr
    assert any(name.endswith("/deviceid") for name in watched.files)
    assert any(name.endswith("/onnxruntime.db") for name in watched.files)


@pytest.mark.skipif(find_spec("openvino_telemetry") is None, reason="no openvino-telemetry here")
def test_the_watch_sees_what_openvino_sends(tmp_path: Path) -> None:
    watched = leaks.watch(["-c", "import openvino"], tmp_path)

    assert "www.google-analytics.com" in {packet.host for packet in watched.packets}
    assert "home/intel/openvino_ga_cid" in watched.files


# What the product does.


def test_commands_send_nothing_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "list.csv").write_text(
        f"path,emotion\n{VOICE},happy\n{SAMPLES / 'sad_en.wav'},sad\n", "utf-8"
    )
    formats = ("textgrid", "vtt", "parquet")  # one of each library
    watched = leaks.watch(
        commands(
            ["demo", "-m", "compact"],
            ["recognize", VOICE, "-g", "frame", "-e", "--save", "-m", "compact"],
            *(["export", "outputs/outputs_*", "-f", name, "-o", f"all.{name}"] for name in formats),
            ["evaluate", "list.csv", "--json", "a.json", "--html", "a.html", "-m", "compact"],
            ["stream", VOICE, "--fast", "-m", "compact"],
            ["models", "list"],
        ),
        tmp_path,
    )

    assert codes(watched) == [0] * (len(formats) + 5), watched.stdout + watched.stderr
    assert_quiet(watched)


PLAYLISTS = {
    "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://{OUTSIDE}/a.ts\n#EXT-X-ENDLIST\n",
    "a.m3u": f"#EXTM3U\nhttp://{OUTSIDE}/a.mp3\n",
    "a.pls": f"[playlist]\nNumberOfEntries=1\nFile1=http://{OUTSIDE}/a.mp3\n",
    "a.sdp": f"v=0\no=- 0 0 IN IP4 {OUTSIDE}\ns=x\nc=IN IP4 {OUTSIDE}\nt=0 0\n"
    "m=audio 4000 RTP/AVP 0\n",
    "a.ffconcat": f"ffconcat version 1.0\nfile http://{OUTSIDE}/a.wav\n",
    "a.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
    f'mimeType="audio/mp4"><Representation id="1"><BaseURL>http://{OUTSIDE}/a.mp4</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "a.asx": f'<asx version="3.0"><entry><ref href="http://{OUTSIDE}/a.wma"/></entry></asx>',
    "a.wav": f"#EXTM3U\n#EXTINF:5,\nhttp://{OUTSIDE}/a.wav\n",
    "rtsp.wav": f"RTSPtextRTSP://{OUTSIDE}/a\n",
    "ref.mov": f"[Reference]\r\nRef1=http://{OUTSIDE}/a.asf\r\n",
    "lists.csv": f"path,emotion\nhttp://{OUTSIDE}/a.wav,happy\n",
    "wav.scp": f"one http://{OUTSIDE}/a.wav\ntwo curl http://{OUTSIDE}/a.wav |\n",
}
"""Files that name an address: what FFmpeg, asked to, would fetch."""


def test_what_a_file_names_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    for name, text in PLAYLISTS.items():
        (tmp_path / "work" / name).write_text(text, "utf-8")
    addresses = [f"{kind}://{OUTSIDE}/a.wav" for kind in ("http", "https", "rtmp", "tcp", "s3")]
    watched = leaks.watch(
        commands(
            *(["recognize", name, "-m", "compact"] for name in ["lists.csv", "wav.scp"]),
            ["recognize", *PLAYLISTS, *addresses, "-m", "compact"],
            ["evaluate", "lists.csv", "-m", "compact"],
            ["stream", "a.m3u8", "--fast", "-m", "compact"],
        ),
        tmp_path,
    )

    assert all(codes(watched)), watched.stdout
    assert "Traceback" not in watched.stderr
    assert_quiet(watched)


@pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")
def test_openvino_sends_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    watched = leaks.watch(
        emoscope("recognize", VOICE, "--backend", "openvino", "-m", "compact"), tmp_path
    )

    assert watched.code == 0, watched.stderr
    assert_quiet(watched)


@pytest.mark.skipif(find_spec("lancedb") is None, reason="the extra lancedb is not installed")
def test_lancedb_sends_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    recordings = [str(SAMPLES / name) for name in ("happy_zh.wav", "sad_en.wav", "angry_zh.wav")]
    made = ["index", *recordings, "--to", "ix", "--approximate", "emotion", "-m", "compact"]
    asked = ["search", VOICE, "--index", "ix", "--approximate", "-m", "compact"]
    watched = leaks.watch(commands(made, asked), tmp_path)

    assert codes(watched) == [0, 0], watched.stdout + watched.stderr
    assert_quiet(watched)


def visit(watched: leaks.Watched) -> None:
    """Do over HTTP what clients do."""
    watched.wait_for_server()
    transport = httpx.HTTPTransport(uds=str(watched.doorway))
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:7860", timeout=60) as client:
        for path in ("/", "/health/ready", "/metrics", "/openapi.json", "/v1/models"):
            assert client.get(path).status_code == 200, path
        data = encode(sample("happy_zh.wav"), "mp3")
        form = {"granularity": "frame", "extract_embedding": "true"}
        told = client.post("/predict", files={"audio": ("a.mp3", data)}, data=form)
        assert told.status_code == 200, told.text
        for link in told.json()["files"].values():
            assert client.get(link).status_code == 200, link
        for name, text in PLAYLISTS.items():
            refused = client.post("/predict", files={"audio": (name, text.encode())})
            assert 400 <= refused.status_code < 500, (name, refused.text)


def test_a_server_sends_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    with leaks.watching(emoscope(*SERVE), tmp_path) as watched:
        visit(watched)

    assert "Traceback" not in watched.stderr
    assert_quiet(watched)


GRADIO = ["gradio", "-m", "compact", "--lang", "en"]
needs_gradio = pytest.mark.skipif(
    find_spec("gradio") is None, reason="the extra gradio is not installed"
)


def visit_gradio(watched: leaks.Watched) -> None:
    """Do over HTTP what Gradio's client does, and name addresses instead of files."""
    watched.wait_for_server()
    transport = httpx.HTTPTransport(uds=str(watched.doorway))
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:7860", timeout=60) as client:
        for path in ("/", "/config", "/gradio_api/info", "/gradio_api/runs"):
            client.get(path)
        files = {"files": ("a.wav", (SAMPLES / "happy_zh.wav").read_bytes())}
        paths = [client.post("/gradio_api/upload", files=files).json()[0]]
        paths += [f"{scheme}://{OUTSIDE}/a.wav" for scheme in ("http", "https", "ftp")]
        told = []
        for path in paths:
            sound = {"path": path, "meta": {"_type": "gradio.FileData"}}
            asked = client.post("/gradio_api/call/recognize", json={"data": [sound, "frame", True]})
            event = asked.json()["event_id"]
            told.append(client.get(f"/gradio_api/call/recognize/{event}").text)
        assert ["event: complete" in one for one in told] == [True, False, False, False]


@needs_gradio
def test_the_gradio_app_sends_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    with leaks.watching(emoscope(*GRADIO), tmp_path) as watched:
        visit_gradio(watched)
        time.sleep(3)

    assert_quiet(watched)


RECOGNIZE_AND_LIVE = f"""
import sys, time
import emoscope
print(emoscope.recognize({VOICE!r}, model="compact").emotion.key, flush=True)
time.sleep(100)
"""


def test_a_program_that_lives_on_looks_nothing_up(
    tmp_path: Path, reporting_onnxruntime: None
) -> None:
    """As long as it takes where telemetry is on, and three seconds more."""
    (tmp_path / "on").mkdir()
    (tmp_path / "off").mkdir()
    late = TELEMETRY_ON.replace("main(sys.argv[1:])", RECOGNIZE_AND_LIVE)
    with (
        leaks.watching(["-c", late], tmp_path / "on") as on,
        leaks.watching(["-c", RECOGNIZE_AND_LIVE], tmp_path / "off") as off,
    ):
        until_s = time.monotonic() + 90
        while not on.seen() and time.monotonic() < until_s:
            time.sleep(0.5)
        time.sleep(3)

    (host,) = {packet.host for packet in on.packets}
    assert host.endswith(".microsoft.com")
    print(f"telemetry on: {host} after {on.packets[0].at_s:.0f} s")
    assert off.stdout == on.stdout != ""
    assert_quiet(off)


def test_a_program_that_imported_onnxruntime_first_is_told(
    tmp_path: Path, reporting_onnxruntime: None
) -> None:
    """Its telemetry has begun by then, so a way out that works from the outside is named."""
    code = "import onnxruntime, emoscope"
    (tmp_path / "on").mkdir()
    told = leaks.watch(["-c", code], tmp_path / "on")
    assert "ORT_DISABLE_TELEMETRY=1" in told.stderr
    assert any(name.endswith("/deviceid") for name in told.files)

    (tmp_path / "off").mkdir()
    quiet = leaks.watch(["-c", code], tmp_path / "off", ORT_DISABLE_TELEMETRY="1")
    assert quiet.stderr == ""
    assert_quiet(quiet)


def use_the_page(watched: leaks.Watched, *, until: Callable[[], object] = bool) -> list[str]:
    """Open the page, recognize a sample and stay a minute; returns what the browser asked others.

    Args:
        watched: the server.
        until: ends the minute early once it says so.
    """
    asked: list[str] = []
    watched.wait_for_server()
    with leaks.address(watched) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url + "/")
        page.wait_for_selector("html[data-ready]")
        give(page, SAMPLES / "happy_zh.wav")
        assert answered(page, "frame")
        for _ in range(60):
            page.wait_for_timeout(1000)
            if until():
                break
        browser.close()
        return [one for one in asked if not one.startswith((url, "blob:" + url, "data:"))]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
def test_a_minute_of_the_page_sends_nothing(tmp_path: Path) -> None:
    with leaks.watching(emoscope(*SERVE), tmp_path) as watched:
        outside = use_the_page(watched)
        visit(watched)

    assert outside == []
    assert "Traceback" not in watched.stderr
    assert_quiet(watched)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
def test_a_minute_of_the_page_is_long_enough(tmp_path: Path, reporting_onnxruntime: None) -> None:
    with leaks.watching(["-c", TELEMETRY_ON, *SERVE], tmp_path) as watched:
        use_the_page(watched, until=watched.seen)

    assert {packet.host for packet in watched.packets if packet.port == 53}
    assert any(name.endswith("/deviceid") for name in watched.files)


@pytest.mark.slow
@pytest.mark.browser
@needs_gradio
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
def test_half_a_minute_of_the_gradio_app_sends_nothing(tmp_path: Path) -> None:
    asked: list[str] = []
    with leaks.watching(emoscope(*GRADIO), tmp_path) as watched:
        watched.wait_for_server()
        with leaks.address(watched) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.goto(url + "/")
            page.get_by_text("One sentence").click()
            page.wait_for_selector("svg[aria-label='emodb_sequence.wav']", timeout=60_000)
            page.wait_for_timeout(30_000)
            browser.close()

    assert [one for one in asked if not one.startswith((url, "blob:" + url, "data:"))] == []
    assert_quiet(watched)
