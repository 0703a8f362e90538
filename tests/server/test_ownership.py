"""Runs belong to keys: what another key made is as if it were not there."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from typer.testing import CliRunner
from websockets.sync.client import connect

import emoscope.server
from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli.main import app as command_line
from emoscope.limits import UPLOAD
from emoscope.outputs.index import INDEX_FOLDER
from emoscope.outputs.ownership import OWNER, RunAccess, owner_of_run
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from emoscope.waveform import Waveform
from results import make_result
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

FILES = {"audio": ("面试.wav", wav(noise(0.5)))}
FRAMES = {"granularity": "frame"}


@dataclass(frozen=True)
class Shared:
    """A server that two people and an operator share."""

    app: FastAPI
    client: httpx.Client
    outputs: Path
    ann: dict[str, str]
    bob: dict[str, str]
    boss: dict[str, str]
    run: str
    """Made by ann."""


def app_of(folder: Path) -> FastAPI:
    settings = load_settings(outputs=folder / "outputs", keys=folder / "keys.json")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    return create_app(recognizer, RunStore(settings.outputs), settings)


def recognized(client: httpx.Client, key: dict[str, str]) -> str:
    reply = client.post("/predict", files=FILES, data=FRAMES, headers=key)
    assert reply.status_code == 200
    return str(reply.json()["run"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    keys = KeyFile(folder / "keys.json")
    ann, bob = ({"x-api-key": keys.create(name, ["read", "recognize"])} for name in ("ann", "bob"))
    boss = {"x-api-key": keys.create("boss", ["admin"])}
    app = app_of(folder)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        run = recognized(client, ann)
        yield Shared(app, client, folder / "outputs", ann, bob, boss, run)


def routes_of(router: object) -> Iterator[APIRoute]:
    """Return all routes of an application, with those of the routers that it includes."""
    for route in getattr(router, "routes", ()):
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(getattr(route, "original_router", None))


def addresses_of(app: FastAPI, run: str) -> list[tuple[str, str]]:
    """Method and address of every route that names a run, also of those that come later."""
    values = {"run": run, "level": "0", "index": "0"}
    found = []
    for route in routes_of(app):
        if "{run}" not in route.path:
            continue
        files = ["result.json"] if "exports" not in route.path else ["segments.csv", "report.html"]
        for file in files:
            address = route.path.format(**values, file=file)
            found += [(method, address) for method in sorted(route.methods)]
    queries = ("/v1/recognitions.zip?runs=", "/timeline?run=", "/page/compare?other={run}&one=")
    return [*found, *(("GET", query.format(run=run) + run) for query in queries)]


BODIES = {
    "title": {"title": "mine now"},
    "corrections": {"segments": None},
    "words": {"text": "mine now"},
}


def status(shared: Shared, method: str, address: str, key: dict[str, str]) -> int:
    body = BODIES.get(address.rpartition("/")[2]) if method == "PUT" else None
    return shared.client.request(method, address, headers=key, json=body).status_code


def test_every_address_of_a_run_answers_its_owner_and_nobody_else(shared: Shared) -> None:
    found = [one for one in addresses_of(shared.app, shared.run) if one[0] != "DELETE"]

    assert len(found) >= 16
    for method, address in found:
        assert status(shared, method, address, shared.bob) == 404, (method, address)
        assert status(shared, method, address, shared.ann) == 200, (method, address)
        assert status(shared, method, address, shared.boss) == 200, (method, address)


def test_what_belongs_to_another_is_told_like_what_is_not_there(shared: Shared) -> None:
    missing = "outputs_20000101_000000"
    for method, address in addresses_of(shared.app, shared.run):
        body = BODIES.get(address.rpartition("/")[2]) if method == "PUT" else None
        replies = [
            shared.client.request(method, one, headers=shared.bob, json=body)
            for one in (address, address.replace(shared.run, missing))
        ]
        bodies = [reply.text.replace(shared.run, missing) for reply in replies]
        assert replies[0].status_code == replies[1].status_code, (method, address)
        assert bodies[0] == bodies[1], (method, address)


@pytest.mark.parametrize("query", ["", "?search=面试", "?search=fake", "?count=1"])
def test_lists_and_searches_hold_own_runs_only(shared: Shared, query: str) -> None:
    def total(key: dict[str, str]) -> int:
        return int(shared.client.get(f"/v1/recognitions{query}", headers=key).json()["total"])

    assert total(shared.bob) == 0
    assert total(shared.ann) == total(shared.boss)
    page = shared.client.get(f"/page/history{query}", headers=shared.bob)
    assert page.status_code == 200
    assert shared.run not in page.text


def test_the_owner_is_an_id_beside_the_result(shared: Shared) -> None:
    keys = {key.name: key.id for key in KeyFile(shared.outputs.parent / "keys.json").keys()}  # noqa: SIM118
    folder = shared.outputs / shared.run

    assert owner_of_run(folder) == keys["ann"]
    assert (folder / OWNER).stat().st_mode & 0o777 == 0o600
    assert keys["ann"] not in (folder / "result.json").read_text("utf-8")
    reply = shared.client.get(f"/v1/recognitions/{shared.run}/files/{OWNER}", headers=shared.ann)
    assert reply.status_code == 404


def test_jobs_and_streams_make_runs_of_their_key(shared: Shared) -> None:
    client = shared.client
    job = client.post("/v1/jobs", files=FILES, headers=shared.bob).json()["id"]
    with client.stream("GET", f"/v1/jobs/{job}/events", headers=shared.bob) as events:
        last = json.loads(list(events.iter_lines())[-1])
    run = last["recordings"][0]["run"]

    assert client.get(f"/v1/recognitions/{run}", headers=shared.bob).status_code == 200
    assert client.get(f"/v1/recognitions/{run}", headers=shared.ann).status_code == 404
    for form in ("jsonl", "csv", "zip"):
        results = client.get(f"/v1/jobs/{job}/results.{form}", headers=shared.bob)
        assert results.status_code == 200
        assert len(results.content) > 200
    assert client.delete(f"/v1/recognitions/{run}", headers=shared.boss).status_code == 204


def test_runs_of_before_the_keys_are_for_the_operator(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        run = recognized(client, {})
        assert client.get("/v1/recognitions").json()["total"] == 1
        assert not (tmp_path / "outputs" / run / OWNER).exists()

        ann = {"x-api-key": keys.create("ann", ["read", "recognize"])}
        boss = {"x-api-key": keys.create("boss", ["admin"])}
        own = recognized(client, ann)
        listed = client.get("/v1/recognitions", headers=ann).json()["recognitions"]
        assert [entry["run"] for entry in listed] == [own]
        assert client.get(f"/v1/recognitions/{run}", headers=ann).status_code == 404
        assert client.get(f"/v1/recognitions/{run}", headers=boss).status_code == 200
        assert client.get("/v1/recognitions", headers=boss).json()["total"] == 2

        keys.revoke("ann")
        again = {"x-api-key": keys.create("ann", ["read", "recognize"])}
        assert client.get(f"/v1/recognitions/{own}", headers=again).status_code == 404
        assert client.get("/v1/recognitions", headers=again).json()["total"] == 0


def test_runs_are_handed_over(tmp_path: Path) -> None:
    keys, store = KeyFile(tmp_path / "keys.json"), RunStore(tmp_path / "outputs")
    places = ["--keys", str(keys.path), "--outputs", str(store.root)]
    waveform = Waveform(np.zeros(16_000, np.float32))
    old, lost = (
        store.seen_by(RunAccess(owner)).save(make_result(), waveform).name
        for owner in ("", "key_lost")
    )
    keys.create("ann", ["read"])
    (ann,) = keys.keys()
    seen = store.seen_by(RunAccess(ann.id, sees_all=False))

    assert seen.names() == []
    assert CliRunner().invoke(command_line, ["keys", "adopt", "ann", *places]).exit_code == 0
    assert seen.names() == [old]
    by_id = ["keys", "adopt", "ann", "--from", "key_lost", *places]
    assert CliRunner().invoke(command_line, by_id).exit_code == 0
    assert sorted(seen.names()) == sorted([old, lost])
    assert CliRunner().invoke(command_line, ["keys", "adopt", "bob", *places]).exit_code != 0


def test_a_stream_belongs_to_its_key_and_is_resumed_by_it(shared: Shared) -> None:
    address = f"ws://{shared.client.base_url.netloc.decode()}/v1/stream"
    with connect(address, additional_headers=shared.ann, max_queue=None) as socket:
        socket.send(json.dumps({"type": "start", "rate_hz": 16_000}))
        session = json.loads(socket.recv(timeout=30))["session"]
        socket.send((noise(2.0) * 32_767).astype("<i2").tobytes())
        time.sleep(0.2)
    resume = json.dumps({"type": "resume", "session": session})
    with connect(address, additional_headers=shared.bob, max_queue=None) as socket:
        socket.send(resume)
        assert json.loads(socket.recv(timeout=30))["code"] == "stream_not_found"
    with connect(address, additional_headers=shared.ann, max_queue=None) as socket:
        socket.send(resume)
        socket.send('{"type": "end"}')
        *_, last = (json.loads(message) for message in socket)
    run = last["run"]
    assert shared.client.get(f"/v1/recognitions/{run}", headers=shared.ann).status_code == 200
    assert shared.client.get(f"/v1/recognitions/{run}", headers=shared.bob).status_code == 404


def test_the_log_tells_at_the_start_what_belongs_to_no_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("emoscope"), "propagate", True)
    store, keys = RunStore(tmp_path / "outputs"), KeyFile(tmp_path / "keys.json")
    store.save(make_result(), Waveform(np.zeros(16_000, np.float32)))

    def told() -> list[int]:
        caplog.clear()
        with serving(app_of(tmp_path)) as url:
            deadline = time.monotonic() + 10
            while not (tmp_path / "outputs" / INDEX_FOLDER).exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            httpx.get(f"{url}/v1/recognitions")
            time.sleep(0.2)
        lines = [record for record in caplog.records if "belong to no key" in record.getMessage()]
        return [record.levelno for record in lines]

    assert told() == []  # without keys all runs are seen
    keys.create("ann", ["read"])
    assert told() == [logging.WARNING]


@pytest.mark.parametrize("content", ["", "{bro", "[]", '{"owner": 1}', '{"owner": ""}', "null"])
def test_a_damaged_owner_is_no_key(tmp_path: Path, content: str) -> None:
    (tmp_path / OWNER).write_text(content)

    assert owner_of_run(tmp_path) == ""


def test_routes_ask_for_what_a_request_may_see() -> None:
    """A route that reads the server's own store would show the runs of all keys."""
    folder = Path(emoscope.server.__file__).parent
    for path in sorted((folder / "routes").glob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            assert "service.store" not in line or "runs_of(" in line, f"{path.name}: {line.strip()}"
