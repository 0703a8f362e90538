"""The page's own addresses, on the real application."""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from emoscope.figures.pyramid import TILE
from emoscope.outputs import history
from emoscope.outputs.store import RunStore
from serving import Site
from sounds import sample, wav

pytestmark = pytest.mark.process

EVIL = "<img src=x onerror=alert(1)>'{{value}}.wav"
STRANGE = ["..%2f..%2fetc", "%2e%2e", "outputs_1", "x", "outputs_20240104_223000%00"]


def ask(site: Site, granularity: str = "frame", name: str = "speech.wav") -> str:
    files = {"audio": (name.replace("/", "_"), wav(sample("happy_zh.wav")))}
    reply = site.client.post("/predict", files=files, data={"granularity": granularity})
    run: str = reply.json()["run"]
    return run


@pytest.fixture(scope="module")
def framed(site: Site) -> str:
    return ask(site)


class Reader(HTMLParser):
    """Notes tags, and every address that a browser would fetch or go to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action")]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]


def test_a_run_is_listed_searched_opened_titled_and_deleted(site: Site) -> None:
    run = ask(site, "utterance", "unmistakable.wav")
    client = site.client

    assert run in client.get("/page/history", params={"search": "unmistakable"}).text
    assert run not in client.get("/page/history", params={"search": "no such words"}).text
    assert "unmistakable.wav" in client.get(f"/page/result/{run}").text
    titled = client.put(f"/v1/recognitions/{run}/title", json={"title": "第一次"}).json()
    assert (titled["run"], titled["title"]) == (run, "第一次")
    assert "第一次" in client.get("/page/history", params={"search": "第一次"}).text
    assert client.delete(f"/v1/recognitions/{run}").status_code == 204
    assert client.get(f"/page/result/{run}").status_code == 404
    assert run not in site.runs()


def test_a_correction_is_kept_exported_and_taken_back(site: Site, framed: str) -> None:
    client = site.client
    duration_s = client.get(f"/outputs/{framed}/result.json").json()["duration_s"]
    segments = [
        {"start_s": 0, "end_s": 1.5, "emotion": "sad"},
        {"start_s": 1.5, "end_s": duration_s, "emotion": "fearful"},
    ]

    kept = client.put(f"/v1/recognitions/{framed}/corrections", json={"segments": segments}).json()

    shown = [(s["start_s"], s["end_s"], s["emotion"]) for s in kept["segments"]]
    assert shown == [(0.0, 1.5, "sad"), (1.5, pytest.approx(duration_s, abs=1e-3), "fearful")]
    assert kept["corrected"]
    grid = client.get(f"/v1/recognitions/{framed}/exports/segments.TextGrid").text
    assert '"sad"' in grid
    assert '"fearful"' in grid
    chinese = client.get(f"/v1/recognitions/{framed}/exports/segments.srt?lang=zh").text
    assert "😢 悲伤（已更正）" in chinese
    assert "%" not in chinese
    assert "悲伤" in client.get(f"/page/result/{framed}").text
    with zipfile.ZipFile(
        BytesIO(client.get(f"/v1/recognitions.zip?runs={framed}").content)
    ) as archive:
        saved = json.loads(archive.read(f"{framed}/corrections.json"))
    assert [s["emotion"] for s in saved["segments"]] == ["sad", "fearful"]

    assert client.put(f"/v1/recognitions/{framed}/corrections", json={"segments": None}).is_success
    assert client.get(f"/outputs/{framed}/corrections.json").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "title", {"title": "x" * 999}, "title_refused"),
        ("PUT", "title", {"title": 3}, "field_missing"),
        ("PUT", "title", [], "field_missing"),
        ("PUT", "corrections", {}, "field_missing"),
        ("PUT", "corrections", {"segments": []}, "correction_refused"),
        ("PUT", "corrections", {"segments": [{"start_s": 0}]}, "correction_refused"),
    ],
)
def test_what_cannot_be_kept_is_told(
    site: Site, framed: str, method: str, path: str, body: Any, code: str
) -> None:
    reply = site.client.request(method, f"/v1/recognitions/{framed}/{path}", json=body)

    assert reply.status_code == 422
    assert reply.json()["code"] == code


def test_what_is_no_json_is_told(site: Site, framed: str) -> None:
    for data in (b"", b"{", b"[" * 100_000):
        reply = site.client.put(f"/v1/recognitions/{framed}/title", content=data)
        assert reply.json()["code"] == "request_malformed"


def test_other_pages_cannot_change_anything(site: Site, framed: str) -> None:
    foreign = {"origin": "http://elsewhere.example"}
    client = site.client

    replies = [
        client.delete(f"/v1/recognitions/{framed}", headers=foreign),
        client.put(f"/v1/recognitions/{framed}/title", json={"title": "x"}, headers=foreign),
        client.put(f"/v1/recognitions/{framed}/corrections", json={}, headers=foreign),
    ]

    assert [reply.status_code for reply in replies] == [403] * 3
    assert framed in site.runs()


@pytest.mark.parametrize("run", STRANGE)
def test_strange_names_open_nothing_and_change_nothing(site: Site, run: str) -> None:
    before = site.runs()
    client = site.client

    replies: list[httpx.Response] = [
        client.get(f"/page/result/{run}"),
        client.delete(f"/v1/recognitions/{run}"),
        client.put(f"/v1/recognitions/{run}/title", json={"title": "x"}),
        client.get(f"/v1/recognitions/{run}/curve/0/0"),
        client.get(f"/v1/recognitions/{run}/exports/report.html"),
        client.get("/timeline", params={"run": html.unescape(run)}),
        client.get(f"/v1/recognitions.zip?runs={run}"),
    ]

    assert {reply.status_code for reply in replies} <= {404, 405}
    assert site.runs() == before


def test_tiles_come_by_span(site: Site, framed: str) -> None:
    client = site.client

    tile = client.get(f"/v1/recognitions/{framed}/curve/-4/1").json()

    assert (tile["level"], tile["index"], len(tile["low"])) == (-4, 1, TILE)
    assert client.get(f"/v1/recognitions/{framed}/curve/-5/0").status_code == 404
    assert client.get(f"/v1/recognitions/{framed}/curve/0/9").status_code == 404
    assert client.get(f"/v1/recognitions/{framed}/curve/zero/0").status_code == 422
    assert client.get(f"/v1/recognitions/{framed}/curve/0/{'9' * 99}").status_code == 422
    assert client.get("/page/history", params={"first": "zero"}).status_code == 422
    drawn = client.get(f"/v1/recognitions/{framed}/curve").json()
    assert (drawn["run"], drawn["tile"]) == (framed, TILE)
    assert drawn["overview"]["level"] == drawn["top"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_holds_everything_runs_nothing_and_asks_nobody(
    site: Site, language: str
) -> None:
    run = ask(site, name=EVIL)
    reply = site.client.get(
        f"/v1/recognitions/{run}/exports/report.html", params={"lang": language}
    )
    result = site.client.get(f"/outputs/{run}/result.json").json()
    page = Reader(reply.text)

    assert not page.tags & {"script", "iframe", "link", "img", "form"}
    assert page.handlers == []
    assert all(address.startswith("data:audio/wav;base64,") for address in page.addresses)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", reply.text)
    assert EVIL in html.unescape(reply.text)
    assert "说不准，偏向" in reply.text
    assert "Not sure, leaning to" in reply.text
    assert result["model"]["sha256"][:16] in reply.text
    assert f'id="{language}" checked' in reply.text
    assert "attachment" in reply.headers["content-disposition"]


def test_segments_need_a_time_axis_and_everything_else_does_not(site: Site) -> None:
    run = ask(site, "utterance")
    client = site.client

    refused = client.get(f"/v1/recognitions/{run}/exports/segments.srt")

    assert refused.json()["code"] == "segments_missing"
    assert client.get(f"/v1/recognitions/{run}/exports/picture.svg").status_code == 200
    assert client.get(f"/v1/recognitions/{run}/exports/report.html").status_code == 200
    assert client.get(f"/v1/recognitions/{run}/exports/result.exe").status_code == 404


def test_the_picture_stands_alone(site: Site, framed: str) -> None:
    page = site.client.get("/timeline", params={"run": framed})

    assert "<emo-timeline" in page.text
    assert site.client.get("/timeline").status_code == 404


def test_two_are_compared(site: Site, framed: str) -> None:
    other = ask(site, "utterance", "other.wav")

    shown = site.client.get("/page/compare", params={"one": framed, "other": other})

    assert shown.text.count("<emo-timeline") == 2
    assert "other.wav" in shown.text
    assert site.client.get("/page/compare", params={"one": framed, "other": "x"}).status_code == 404


@pytest.fixture
def evil(site: Site) -> Iterator[str]:
    run = ask(site, name=EVIL)
    site.client.put(f"/v1/recognitions/{run}/title", json={"title": EVIL})
    yield run
    site.client.delete(f"/v1/recognitions/{run}")


def test_names_and_titles_never_become_markup(site: Site, evil: str) -> None:
    for path in (
        "/page/history",
        f"/page/result/{evil}",
        f"/timeline?run={evil}",
        f"/page/compare?one={evil}&other={evil}",
    ):
        text = site.client.get(path).text
        page = Reader(text)
        assert "img" not in page.tags, path
        assert page.handlers == [], path
        assert EVIL in html.unescape(text), path


def test_scripts_are_served_with_their_type(site: Site) -> None:
    for name in ("page", "timeline", "form"):
        reply = site.client.get(f"/static/{name}.js")
        assert reply.status_code == 200
        assert "javascript" in reply.headers["content-type"]
        assert not re.search(r"https?://", reply.text)
    assert site.client.get("/static/../style.css").status_code == 404


def test_a_run_whose_file_name_is_no_utf_8_is_shown(site: Site) -> None:
    """As the command line saves it: one such name took the whole list of runs away."""
    client, store = site.client, RunStore(site.outputs)
    run = store.open(ask(site))
    source = replace(run.result.source, name="bad\udcff\n.wav")
    result = replace(run.result, source=source)
    name = store.save(result, history.sound(store, run.name)).name

    pages = [
        *("/page/history", f"/page/result/{name}", f"/page/compare?one={name}&other={run.name}"),
        *(f"/timeline?run={name}", f"/v1/recognitions.zip?runs={name},{name}"),
        *(f"/v1/recognitions/{name}/exports/{file}" for file in ("report.html", "picture.svg")),
        *("/v1/recognitions", f"/v1/recognitions/{name}"),
    ]
    replies = {page: client.get(page) for page in pages}

    assert {page: reply.status_code for page, reply in replies.items()} == dict.fromkeys(pages, 200)
    assert replies[f"/v1/recognitions/{name}"].json()["source"]["name"] == r"bad\udcff\n.wav"
    listed = {one["run"]: one for one in replies["/v1/recognitions"].json()["recognitions"]}
    assert listed[name]["facts"]["source"] == r"bad\udcff\n.wav"
    ET.fromstring(replies[f"/v1/recognitions/{name}/exports/picture.svg"].text)  # noqa: S314 - ours
    members = zipfile.ZipFile(BytesIO(replies[pages[4]].content)).namelist()
    assert len(members) == len(set(members)), "asked for twice, packed once"
    client.delete(f"/v1/recognitions/{name}")


def test_the_api_can_be_read(site: Site) -> None:
    document = site.client.get("/openapi.json").json()
    page = site.client.get("/api")
    text = html.unescape(page.text)
    for path, item in document["paths"].items():
        assert f"<code>{path}</code>" in text
        for operation in item.values():
            assert operation["summary"] in text
    assert Reader(page.text).handlers == []


def test_the_style_sheet_is_one_and_is_kept_by_the_browser(site: Site) -> None:
    reply = site.client.get("/page.css")
    assert reply.headers["content-type"].startswith("text/css")
    assert reply.headers["content-encoding"] == "gzip"
    for name in ("style", "figure", "answer", "views", "home"):
        assert site.client.get(f"/static/{name}.css").text in reply.text
    again = site.client.get("/page.css", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = site.client.get("/page.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == reply.text
