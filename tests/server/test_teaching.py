"""Corrections that teach, over REST: preview, adopt, undo."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from conftest import make_speech
from emoscope.outputs.teaching import TEACHING_FILE
from emoscope.server.middleware.auth import _is_costly, scopes_for
from emoscope.server.routes.teaching import TeachingReply
from emoscope.web.teach import teach_part
from sounds import wav

pytestmark = pytest.mark.process


def recognized(client: httpx.Client, seed: int) -> dict:
    sound = wav(make_speech(3.0, seed=seed, level=0.05))
    reply = client.post(
        "/predict",
        files={"audio": (f"{seed}.wav", sound)},
        data={"granularity": "frame"},
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


def correct(client: httpx.Client, answer: dict, emotion: str) -> None:
    rows = [{"start_s": 0, "end_s": answer["duration_s"], "emotion": emotion}]
    path = f"/v1/recognitions/{answer['run']}/corrections"
    assert client.put(path, json={"segments": rows}).status_code == 200


@pytest.fixture(scope="module")
def taught(server):
    """Twelve runs that the model calls neutral and a person calls sad, and one left alone."""
    for seed in range(12):
        answer = recognized(server.client, seed)
        assert answer["emotion"] == "neutral"
        correct(server.client, answer, "sad")
    recognized(server.client, 100)
    return server


def test_too_few_corrections_teach_nothing(server) -> None:
    told = server.client.get("/v1/teaching").json()
    TeachingReply.model_validate(told)
    assert (told["corrections"], told["proposal"], told["adopted"]) == (0, None, None)
    assert "10" in teach_part(told)
    reply = server.client.put("/v1/teaching/adopted", json={"sha256": "0" * 64})
    assert (reply.status_code, reply.json()["code"]) == (422, "corrections_few")


def test_what_was_shown_is_adopted_and_undone(taught) -> None:
    client, outputs = taught.client, taught.outputs
    told = client.get("/v1/teaching").json()
    TeachingReply.model_validate(told)
    proposal = told["proposal"]
    assert (told["corrections"], told["recordings"]) == (12, 12)
    assert proposal["changed_right"] == [0, 12]
    assert [(one["before"], one["after"]) for one in proposal["changed"]] == [("neutral", "sad")]
    assert proposal["looked_at"] == 1
    assert not Path(outputs, TEACHING_FILE).exists()  # nothing is kept by looking
    assert recognized(client, 200)["emotion"] == "neutral"

    other = client.put("/v1/teaching/adopted", json={"sha256": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "teaching_changed")

    adopted = client.put("/v1/teaching/adopted", json={"sha256": proposal["sha256"]})
    assert adopted.status_code == 200, adopted.text
    assert adopted.json()["adopted"]["corrections"] == 12
    answer = recognized(client, 201)
    assert answer["emotion"] == "sad"
    assert answer["adaptation"]["emotion"] == "neutral"
    assert answer["adaptation"]["scores"]["neutral"] > 0.4
    assert answer["adaptation"]["corrections"] == 12

    # What was learned is not learned again from answers that it made.
    again = client.get("/v1/teaching").json()
    assert again["proposal"]["sha256"] == proposal["sha256"]
    part = teach_part(again)
    assert 'data-teach="undo"' in part
    assert 'data-teach="adopt"' not in part

    assert client.delete("/v1/teaching/adopted").status_code == 204
    assert client.get("/v1/teaching").json()["adopted"] is None
    plain = recognized(client, 202)
    assert plain["emotion"] == "neutral"
    assert "adaptation" not in plain


def test_only_an_administrator_changes_the_answers_of_all() -> None:
    assert scopes_for("GET", "/v1/teaching") == ("read",)
    assert scopes_for("PUT", "/v1/teaching/adopted") == ("admin",)
    assert scopes_for("DELETE", "/v1/teaching/adopted") == ("admin",)


@pytest.mark.parametrize("path", ["/v1/teaching", "/page/teach"])
def test_looking_counts_against_the_rate(path: str) -> None:
    """It reads every corrected run."""
    assert _is_costly({"query_string": b""}, path)
