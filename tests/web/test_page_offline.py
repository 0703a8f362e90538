"""Starting the application and using its page asks nothing of the outside."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

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
    pages = [site.client.get(path).status_code for path in ("/", "/history", "/static/page.js")]
    audio = {"audio": ("x.wav", wav(sample("happy_zh.wav")))}
    reply = site.client.post("/v1/recognitions", files=audio, data={"granularity": "frame"})
    (answer,) = reply.json()["recognitions"]
    said = site.client.get(f"/r/{answer['run']}").text
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


def test_what_the_page_is_made_of_names_no_other_host() -> None:
    root = files("emoscope.web")
    parts = [part for folder in ("static", "templates") for part in (root / folder).iterdir()]
    texts = {part.name: part.read_text("utf-8") for part in parts if part.name[-3:] != "png"}
    assert len(texts) > 20
    for name, text in texts.items():
        found = re.findall(r"https?://[^\s\"'<>)]+|//[a-z0-9-]+\.[a-z]{2,}", text)
        assert [one for one in found if not one.startswith("http://www.w3.org/")] == [], name
        assert "@import" not in text


def test_nothing_runs_but_the_page_s_own_scripts(site: Site) -> None:
    for path in ("/", "/batch", "/live", "/history", "/compare?one=a&other=b", "/api"):
        page = site.client.get(path)
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
        assert re.findall(r"<[^>]+\son[a-z]+\s*=", page.text) == []


def test_the_icon_is_ours(site: Site) -> None:
    icon = site.client.get("/favicon.ico")

    assert icon.content == files("emoscope.web").joinpath("static", "favicon.png").read_bytes()
