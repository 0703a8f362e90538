from __future__ import annotations

import base64
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from emoscope.vectors import Index
from nonspeech import SOUNDS
from serving import serving
from sounds import sample, wav

VOICES = ("angry_zh.wav", "happy_zh.wav", "sad_en.wav", "neutral_zh.wav")


def app_over(outputs: Path, *, model: str = "0", page: bool = False, **given: object):
    settings = load_settings(outputs=outputs, **given)
    recognizer = Recognizer(
        FakeBackend(), ModelRef("fake", "1", model * 64), limits=settings.upload_limits
    )
    return create_app(recognizer, RunStore(outputs, keep=settings.store), settings, page=page)


def recognize(client: httpx.Client, name: str, **fields: str) -> str:
    reply = client.post("/v1/recognitions", files={"audio": (name, wav(sample(name)))}, data=fields)
    assert reply.status_code == 200, reply.text
    return reply.json()["recognitions"][0]["run"]


@pytest.fixture
def client(tmp_path):
    with serving(app_over(tmp_path / "outputs")) as url, httpx.Client(base_url=url) as client:
        yield client


def hits(client: httpx.Client, run: str = "", **options: object) -> list[dict]:
    reply = client.post("/v1/search", params={"run": run, **options})
    assert reply.status_code == 200, reply.text
    return reply.json()["hits"]


def test_runs_are_found_by_a_run(client) -> None:
    runs = {name: recognize(client, name) for name in VOICES}
    again = recognize(client, "sad_en.wav")

    reply = client.post("/v1/search", params={"run": again, "space": "raw"}).json()

    assert reply["query"] == "sad_en.wav"
    assert reply["indexed"] == 5
    assert reply["space"]["name"] == "raw"
    # The same file is never its own answer.
    assert {hit["run"] for hit in reply["hits"]} == set(runs.values()) - {runs["sad_en.wav"]}
    cosines = [hit["cosine"] for hit in reply["hits"]]
    assert cosines == sorted(cosines, reverse=True)


def test_the_embedding_is_not_stored_for_the_search(client, tmp_path) -> None:
    run = recognize(client, "sad_en.wav")

    assert not (tmp_path / "outputs" / run / "embedding.npy").exists()
    assert client.get(f"/v1/recognitions/{run}").json()["embedding"] is None


@pytest.mark.parametrize("kind", ["form", "bytes", "json"])
def test_a_recording_that_is_sent_is_not_kept(client, kind) -> None:
    run, sound = recognize(client, "happy_zh.wav"), wav(sample("sad_en.wav"))
    ways = {
        "form": {"files": {"audio": ("a.wav", sound)}},
        "bytes": {"content": sound, "headers": {"Content-Type": "audio/wav"}},
        "json": {"json": {"recordings": [{"audio": base64.b64encode(sound).decode()}]}},
    }
    reply = client.post("/v1/search", **ways[kind])

    assert [hit["run"] for hit in reply.json()["hits"]] == [run]
    assert client.get("/v1/recognitions").json()["total"] == 1


def test_segments_are_found(client) -> None:
    run = recognize(client, "happy_zh.wav", granularity="frame")
    other = recognize(client, "sad_en.wav")

    found = hits(client, other, segments=True)

    assert {(hit["run"], hit["kind"]) for hit in found} == {(run, "segment")}


def test_a_deleted_run_is_not_found_and_its_vector_is_gone(client, tmp_path) -> None:
    one, other = recognize(client, "happy_zh.wav"), recognize(client, "sad_en.wav")
    assert [hit["run"] for hit in hits(client, other)] == [one]
    (folder,) = (tmp_path / "outputs" / ".vectors").iterdir()
    with Index.open(folder) as index:
        (entry,) = index.store.find(run=one)
        vector = index.store.vector(entry.id).tobytes()
    assert vector in (folder / "vectors-0000.npy").read_bytes()

    assert client.delete(f"/v1/recognitions/{one}").status_code == 204

    assert hits(client, other) == []
    assert vector not in (folder / "vectors-0000.npy").read_bytes()


def test_nothing_to_find_is_an_empty_list(client) -> None:
    reply = client.post("/v1/search", content=wav(sample("sad_en.wav"))).json()

    assert (reply["hits"], reply["indexed"], reply["space"]) == ([], 0, None)


def test_bad_questions_are_told(client) -> None:
    recognize(client, "sad_en.wav")
    beeps = wav((0.1 * SOUNDS["beeps"](3.0)).astype(np.float32))
    for params, content, status, code in (
        ({"run": "outputs_20200101_000000"}, None, 404, "run_not_found"),
        ({"run": "../etc"}, None, 404, "run_not_found"),
        ({"space": "smell"}, None, 422, "field_invalid"),
        ({}, b"no sound", 415, "audio_not_recognized"),
        ({}, beeps, 422, "speech_missing"),
    ):
        reply = client.post("/v1/search", params=params, content=content)
        assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_a_restart_keeps_the_index_and_removes_what_is_gone(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        runs = [recognize(client, name) for name in VOICES]
    RunStore(outputs).remove(runs[0])
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        assert {hit["run"] for hit in hits(client, runs[3])} == set(runs[1:3])
    (folder,) = (outputs / ".vectors").iterdir()
    with Index.open(folder) as index:
        assert index.store.runs() == set(runs[1:])


def test_runs_with_embeddings_of_before_are_indexed_at_the_start(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    off = app_over(outputs, search=False)
    with serving(off) as url, httpx.Client(base_url=url) as client:
        kept = recognize(client, "happy_zh.wav", embedding="true")
        other = recognize(client, "sad_en.wav")
        reply = client.post("/v1/search", params={"run": kept})
        assert (reply.status_code, reply.json()["code"]) == (404, "search_off")
    assert not (outputs / ".vectors").exists()
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        end_s = time.monotonic() + 60  # no answer waits for the runs of before
        while client.get("/v1/map").json()["runs"]["run"] != [kept]:
            assert time.monotonic() < end_s
            time.sleep(0.05)
        # The other one has its vector made from its sound when it asks.
        assert [hit["run"] for hit in hits(client, other)] == [kept]
        assert [hit["run"] for hit in hits(client, kept)] == [other]


def test_another_model_begins_anew(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        recognize(client, "happy_zh.wav")
    with serving(app_over(outputs, model="1")) as url, httpx.Client(base_url=url) as client:
        run = recognize(client, "sad_en.wav")
        assert hits(client, run) == []
    assert [one.name for one in (outputs / ".vectors").iterdir()] == ["1" * 16]


def test_a_damaged_index_is_made_anew(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        recognize(client, "happy_zh.wav")
    (folder,) = (outputs / ".vectors").iterdir()
    (folder / "index.sqlite").write_bytes(b"broken" * 1_000)
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        run = recognize(client, "sad_en.wav")
        assert hits(client, run) == []


def test_nothing_is_kept_where_nothing_is_stored(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs, store="none")) as url, httpx.Client(base_url=url) as client:
        client.post("/v1/recognitions", files={"audio": ("a.wav", wav(sample("sad_en.wav")))})
        assert client.post("/v1/search", params={"run": "x"}).json()["code"] == "search_off"
    assert not outputs.exists()


def test_the_page_lists_what_sounds_alike(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs, page=True)) as url, httpx.Client(base_url=url) as client:
        run, other = recognize(client, "sad_en.wav"), recognize(client, "happy_zh.wav")
        assert f'<emo-similar data-run="{run}">' in client.get(f"/page/result/{run}").text
        shown = client.get(f"/page/similar/{run}", params={"space": "sound"})
        assert shown.status_code == 200
        assert f'href="r/{other}"' in shown.text
        assert f'data-sound="v1/recognitions/{other}/files/processed_audio.wav"' in shown.text
        (outputs / other / "processed_audio.wav").unlink()
        assert "data-sound" not in client.get(f"/page/similar/{run}").text
        client.delete(f"/v1/recognitions/{other}")
        assert "<li" not in client.get(f"/page/similar/{run}").text
        assert client.get("/page/similar/outputs_20200101_000000").status_code == 404
        assert client.get(f"/page/similar/{run}", params={"space": "x"}).status_code == 422


def test_the_map_places_all_runs(tmp_path) -> None:
    outputs = tmp_path / "outputs"
    with serving(app_over(outputs)) as url, httpx.Client(base_url=url) as client:
        empty = {"run": [], "name": [], "emotion": [], "score": [], "x": [], "y": []}
        assert client.get("/v1/map").json() == {"runs": empty}
        runs = [recognize(client, name) for name in VOICES]
        found = client.get("/v1/map").json()["runs"]
        assert (found["run"], found["name"]) == (runs, list(VOICES))
        assert {len(column) for column in found.values()} == {4}
        assert max(map(abs, found["x"] + found["y"])) <= 1
        client.delete(f"/v1/recognitions/{runs[0]}")
        assert client.get("/v1/map").json()["runs"]["run"] == runs[1:]
    with serving(app_over(outputs, search=False)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/v1/map").json()["code"] == "search_off"


def test_only_runs_that_the_key_may_see_are_found(tmp_path) -> None:
    outputs, keys = tmp_path / "outputs", KeyFile(tmp_path / "keys.json")
    ann = {"X-API-Key": keys.create("ann", ("read", "recognize"))}
    bob = {"X-API-Key": keys.create("bob", ("read", "recognize"))}
    app = app_over(outputs, keys=tmp_path / "keys.json")
    with serving(app) as url, httpx.Client(base_url=url) as client:

        def made(headers: dict[str, str], name: str) -> str:
            files = {"audio": (name, wav(sample(name)))}
            reply = client.post("/v1/recognitions", files=files, headers=headers)
            return reply.json()["recognitions"][0]["run"]

        first, second = made(ann, "happy_zh.wav"), made(ann, "angry_zh.wav")
        theirs = made(bob, "sad_en.wav")
        found = client.post("/v1/search", params={"run": first}, headers=ann).json()
        assert ([hit["run"] for hit in found["hits"]], found["indexed"]) == ([second], 2)
        alone = client.post("/v1/search", params={"run": theirs}, headers=bob).json()
        assert (alone["hits"], alone["indexed"]) == ([], 1)
        assert client.get("/v1/map", headers=bob).json()["runs"]["run"] == [theirs]
        reply = client.post("/v1/search", params={"run": first}, headers=bob)
        assert (reply.status_code, reply.json()["code"]) == (404, "run_not_found")
