"""Starting the application and using its page asks nothing of the outside."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from emoscope.web.app import head
from serving import Site

pytestmark = pytest.mark.process

PROBE = """
import json, sys
outside = []
LOCAL = {"127.0.0.1", "localhost", "::1", "", None, b"127.0.0.1"}

def watch(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in LOCAL:
        outside.append(["lookup", str(arguments[0])])
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in LOCAL:
            outside.append([event, str(address)])

sys.addaudithook(watch)

from pathlib import Path
import serving
from sounds import sample, wav

with serving.site(Path(sys.argv[1])) as site:
    pages = [site.client.get(path).status_code for path in ("/", "/config", "/theme.css")]
    files = {"files": ("x", wav(sample("happy_zh.wav")))}
    (path,) = site.client.post("/gradio_api/upload", files=files).json()
    question = {"sources": [{"path": path, "name": "x.wav"}], "granularity": "frame"}
    body = {"data": [question], "fn_index": 0, "session_hash": "s"}
    site.client.post("/gradio_api/queue/join", json=body)
    said = site.client.get("/gradio_api/queue/data?session_hash=s").text
    import time
    time.sleep(1)  # for threads that ask later
print(json.dumps({"pages": pages, "answered": "emo-timeline" in said, "outside": outside}))
"""


def test_no_look_up_and_no_connection_leaves_this_machine(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "outputs")],
        cwd=tests,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert ran.returncode == 0, ran.stderr
    expected = '{"pages": [200, 200, 200], "answered": true, "outside": []}'
    assert ran.stdout.splitlines()[-1] == expected


def test_what_we_put_into_the_page_names_no_other_host() -> None:
    addresses = re.findall(r"https?://[^\s\"'<>)]+|//[a-z0-9-]+\.[a-z]{2,}", head())

    assert addresses == []
    assert "@import" not in head()


def test_scripts_cannot_end_their_own_element() -> None:
    """They stand inside of the page, so the words that end a script must not occur in them."""
    assert head().count("</script>") == head().count("<script")
    assert head().count("</style>") == 1


def test_nothing_of_gradio_that_talks_is_switched_on(site: Site) -> None:
    config = site.client.get("/config").json()

    assert config["analytics_enabled"] is False
    assert config.get("footer_links") == []
    assert config.get("run_history") is not True


def test_the_icon_is_ours(site: Site) -> None:
    icon = site.client.get("/favicon.ico")

    assert icon.content == files("emoscope.web").joinpath("static", "favicon.png").read_bytes()
