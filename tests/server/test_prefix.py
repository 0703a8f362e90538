"""Under a path of a proxy: every address that the server gives out can be asked for there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.sync.client import connect

from emoscope.backends.fake_backend import FakeBackend
from emoscope.client import Client
from emoscope.errors import SettingError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.schemas import PROBLEM_TYPE
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, sample, wav

pytestmark = pytest.mark.process

PREFIX = "/tools/emoscope"
GOOD = wav(sample("happy_zh.wav"))


class Proxy:
    """A reverse proxy with one site: what does not begin with the prefix is not there.

    Args:
        app: the server behind.
        strips: whether the prefix is taken away, as nginx does with a slash after the port, or
            passed on.
        root_path: passed on as uvicorn does when it is started with this ``--root-path``.
    """

    def __init__(self, app: ASGIApp, *, strips: bool, root_path: str = "") -> None:
        self._app, self._strips, self._root_path = app, strips, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
                return
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"another site"})
            return
        if self._strips:
            path = self._root_path + path.removeprefix(PREFIX)
        passed = {**scope, "path": path, "raw_path": path.encode(), "root_path": self._root_path}
        await self._app(passed, receive, send)


def app_of(outputs: Path, way: str) -> ASGIApp:
    is_ours = way in ("strips", "keeps")
    settings = load_settings(outputs=outputs, root_path=PREFIX if is_ours else "")
    recognizer = Recognizer(
        FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=settings.upload_limits
    )
    app = create_app(recognizer, RunStore(outputs), settings)
    if way == "mounted":
        return Starlette(
            routes=[Mount(PREFIX, app)], lifespan=lambda _: app.router.lifespan_context(app)
        )
    return Proxy(app, strips=way != "keeps", root_path="" if is_ours else PREFIX)


@pytest.fixture(scope="module", params=["strips", "keeps", "uvicorn", "mounted"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    outputs = tmp_path_factory.mktemp("prefix") / "outputs"
    with serving(app_of(outputs, request.param)) as url, httpx.Client(timeout=60) as client:
        client.base_url = httpx.URL(url + PREFIX + "/")
        yield client


class Addresses(HTMLParser):
    """Every address in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.base = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "base":
            self.base = dict(attrs)["href"] or ""
            return
        self.found |= {v or "" for k, v in attrs if k in ("src", "href", "action", "data-href")}


def resolves(client: httpx.Client, page: httpx.Response, address: str) -> httpx.Response | None:
    """Ask for an address as a browser that shows the page would."""
    whole = urljoin(str(page.url), address)
    if urlsplit(whole).scheme not in ("http", "https"):
        return None
    assert urlsplit(whole).netloc == page.url.netloc.decode()
    reply = client.get(whole, follow_redirects=False)
    assert reply.status_code == 200, whole
    return reply


def check_page(client: httpx.Client, page: httpx.Response) -> int:
    assert page.status_code == 200
    read = Addresses(page.text)
    for address in read.found:
        assert not address.startswith("#"), "it would lose the query, as there is a base"
        resolves(client, page, urljoin(read.base, address))
    return len(read.found)


def check_files(client: httpx.Client, files: dict[str, str]) -> None:
    assert {"result.json", "processed_audio.wav"} <= set(files)
    for address in files.values():
        assert address.startswith(PREFIX + "/outputs/")
        assert client.get(urljoin(str(client.base_url), address)).status_code == 200


def test_links_of_answers(client: httpx.Client) -> None:
    audio = {"audio": ("a.wav", GOOD)}
    one = client.post("predict", files=audio).json()
    check_files(client, one["files"])
    check_files(client, client.get(f"v1/recognitions/{one['run']}").json()["files"])
    (many,) = client.post("v1/recognitions", files=audio).json()["recognitions"]
    check_files(client, many["files"])
    lines = client.post(
        "v1/recognitions", files=audio, headers={"accept": "application/x-ndjson"}
    ).text.splitlines()
    check_files(client, json.loads(lines[-1])["files"])


def test_location_of_a_job(client: httpx.Client) -> None:
    reply = client.post("v1/jobs", files={"audio": ("a.wav", GOOD)})

    address = reply.headers["location"]
    assert address == f"{PREFIX}/v1/jobs/{reply.json()['id']}"
    assert client.get(urljoin(str(reply.url), address)).json()["id"] == reply.json()["id"]


def test_address_of_a_live_stream_and_its_links(client: httpx.Client) -> None:
    address = str(client.base_url.copy_with(scheme="ws")) + "v1/stream"
    with connect(address, max_queue=None) as socket:
        start = {"type": "start", "encoding": "pcm_s16le", "rate_hz": 16_000, "channels": 1}
        socket.send(json.dumps(start))
        assert json.loads(socket.recv(timeout=30))["type"] == "ready"
        socket.send(GOOD[44:])
        socket.send('{"type": "end"}')
        while (message := json.loads(socket.recv(timeout=30)))["type"] != "result":
            pass

    check_files(client, message["files"])


def test_the_document_names_the_prefix(client: httpx.Client) -> None:
    for _ in range(2):
        document = client.get("openapi.json").json()
        (server,) = document["servers"]
        assert server["url"] == PREFIX
        health = urljoin(str(client.base_url), server["url"] + "/health")
        assert client.get(health).status_code == 200


def test_addresses_of_the_page(client: httpx.Client) -> None:
    run = client.post("predict", files={"audio": ("a.wav", GOOD)}).json()["run"]
    for path in ("", "batch", "live", "history", f"compare?one={run}&other={run}", f"r/{run}"):
        page = client.get(path)
        read = Addresses(page.text)
        assert read.base == f"{PREFIX}/"
        assert {"api", "static/page.js", "history"} <= read.found
        assert check_page(client, page) > 3
    for style in re.findall(r'href="([^"]+\.css)"', page.text):
        sheet = client.get(urljoin(str(client.base_url), style))
        for address in re.findall(r"url\(['\"]?([^)'\"]+)", sheet.text):
            resolves(client, sheet, address)
    manifest = client.get("manifest.json")
    for icon in manifest.json()["icons"]:
        resolves(client, manifest, icon["src"])
    resolves(client, manifest, manifest.json()["start_url"])


def test_addresses_of_a_run_in_the_page(client: httpx.Client) -> None:
    run = client.post(
        "predict", files={"audio": ("a.wav", GOOD)}, data={"granularity": "frame"}
    ).json()["run"]
    shown = client.get(f"page/result/{run}")
    # It is shown inside of the page, whose address counts.
    shown.request.url = client.base_url
    assert check_page(client, shown) > 3
    tiles = re.search(r"v1/recognitions/[^&\"/]+/curve", shown.text)
    assert tiles is not None
    assert resolves(client, shown, f"{tiles[0]}/0/0") is not None
    listed = client.get("page/history")
    listed.request.url = client.base_url
    check_page(client, listed)
    assert check_page(client, client.get(f"timeline?run={run}")) > 1


def test_our_own_client_takes_the_prefix(client: httpx.Client) -> None:
    with Client(str(client.base_url)) as ours:
        answer = ours.recognize(GOOD)
        assert ours.run(answer.run).result.emotion == answer.result.emotion
        assert ours.file(answer.run, "processed_audio.wav")


def test_errors_are_the_same_under_the_prefix(client: httpx.Client) -> None:
    unknown = client.get("nothing")
    wrong = client.patch("v1/jobs")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "route_not_found")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
    assert wrong.headers["content-type"] == PROBLEM_TYPE


def test_the_prefix_without_its_slash_leads_to_the_page(client: httpx.Client) -> None:
    reply = client.get(str(client.base_url).rstrip("/"), follow_redirects=True)

    assert reply.status_code == 200
    assert str(reply.url) == str(client.base_url)


@pytest.mark.parametrize("strips", [True, False])
def test_the_prefix_opens_no_door(tmp_path: Path, strips: bool) -> None:
    """A path that only looks open is not."""
    keys = KeyFile(tmp_path / "keys.json")
    keys.create("one", ["admin"])
    settings = load_settings(
        outputs=tmp_path / "outputs", keys=keys.path, root_path=PREFIX, allowed_hosts=("x",)
    )
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with (
        serving(Proxy(app, strips=strips)) as url,
        httpx.Client(base_url=url + PREFIX, timeout=60) as client,
    ):
        assert client.get("/health").status_code == 200
        for path in ("/v1/recognitions", f"{PREFIX}/v1/models", "/healthy", "", "/health/x"):
            assert client.get(path, follow_redirects=True).status_code == 401
        assert client.post("/predict", files={"audio": ("a.wav", wav(noise(0.5)))}).is_error
        assert client.delete("/v1/recognitions/x").status_code == 401


@pytest.mark.parametrize("path", ["emoscope", "/emoscope/", "/", "/a b", "/a/../b?", "//a"])
def test_a_prefix_that_is_none_is_told(path: str) -> None:
    with pytest.raises(SettingError, match="root_path"):
        load_settings(root_path=path)
