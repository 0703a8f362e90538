"""``/v1/samples``: the list, the recordings, and results that no model is asked for."""

from __future__ import annotations

import hashlib
import io
import wave

import pytest

from emoscope.results.result import Result
from emoscope.results.samples import SEQUENCE, samples
from emoscope.server.http.schemas import PROBLEM_TYPE

pytestmark = pytest.mark.process


def test_the_list_names_what_there_is(server) -> None:
    listed = server.client.get("/v1/samples").json()["samples"]

    assert [one["file"] for one in listed] == [one.file for one in samples()]
    for one in listed:
        assert {"language", "emotion", "text", "title_zh", "title_en", "licence"} <= set(one)
        sound = server.client.get(f"/v1/samples/{one['file']}")
        assert sound.headers["content-type"] == "audio/wav"
        assert hashlib.sha256(sound.content).hexdigest() == one["sha256"]
        with wave.open(io.BytesIO(sound.content)) as file:
            assert file.getnframes() / 16_000 == pytest.approx(one["duration_s"], abs=1e-3)


def test_the_sequence_has_a_short_file_for_browsers(server) -> None:
    listed = {one["file"]: one for one in server.client.get("/v1/samples").json()["samples"]}
    audio = listed[SEQUENCE]["audio"]
    sound = server.client.get(f"/v1/samples/{audio}")

    assert audio.endswith(".mp3")
    assert sound.headers["content-type"] == "audio/mpeg"
    assert len(sound.content) < 140_000
    part = server.client.get(f"/v1/samples/{audio}", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)


def test_results_are_whole_and_no_model_is_asked(server) -> None:
    """The server of this test answers with a model without weights."""
    for sample in samples():
        result = Result.from_dict(server.client.get(f"/v1/samples/{sample.file}/result").json())
        assert result.model.name == "compact"
        assert result.track is not None
        if sample.file != SEQUENCE:
            assert result.emotion.key == sample.emotion


def test_a_curve_has_its_finer_tiles_at_the_address_that_it_names(server) -> None:
    curve = server.client.get(f"/v1/samples/{SEQUENCE}/curve").json()
    tiles = curve["tiles"].lstrip("/")

    assert max(curve["overview"]["doubt"]) == 100
    assert min(curve["overview"]["doubt"]) == 0, "the whole river is not in doubt"
    for level, index in ((0, 0), (0, 1), (-4, 3)):
        tile = server.client.get(f"/{tiles}/{level}/{index}").json()
        assert (tile["level"], tile["index"]) == (level, index)


@pytest.mark.parametrize(
    "path",
    [
        "nothing.wav",
        "samples.json",
        "LICENSE",
        "emodb_sad.json",
        "..%2Fcompact.onnx",
        "%2Fetc%2Fpasswd",
        "nothing.wav/result",
        "nothing.wav/curve",
        "nothing.wav/curve/0/0",
        f"{SEQUENCE}/curve/9/0",
        f"{SEQUENCE}/curve/0/99",
    ],
)
def test_nothing_else_is_given_out(server, path: str) -> None:
    reply = server.client.get(f"/v1/samples/{path}")

    assert reply.status_code == 404
    assert reply.headers["content-type"] == PROBLEM_TYPE
    assert reply.json()["code"] == "route_not_found"
