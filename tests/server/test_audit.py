"""The audit log: who did what with which run."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.keys import KeyFile
from emoscope.server.middleware.audit import AuditLog
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process


def test_each_act_on_a_run_is_a_line_with_the_key_and_no_secret(tmp_path: Path) -> None:
    keys, log = tmp_path / "keys.json", tmp_path / "audit.jsonl"
    secret = KeyFile(keys).create("ann", ["read", "recognize", "admin"])
    settings = load_settings(outputs=tmp_path / "outputs", keys=keys, audit_log=log)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    own = {"x-api-key": secret}
    named = {"audio": ("hush-name.wav", wav(noise(0.5)))}
    with serving(app) as url, httpx.Client(base_url=url, timeout=60, headers=own) as client:
        run = client.post("/predict", files=named).json()["run"]
        client.get(f"/v1/recognitions/{run}")
        client.get(f"/v1/recognitions.zip?runs={run}")
        client.get(f"/outputs/{run}/result.json", headers={"x-api-key": "emo_wrong"})
        client.put(f"/v1/recognitions/{run}/title", json={"title": "hush-title"})
        client.get("/v1/recognitions?search=hush-query")
        client.delete(f"/v1/recognitions/{run}")
        client.get("/v1/emotions")
        client.get("/v1/recognitions/hush-no-run")

    text = log.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(one["action"], one.get("run"), one["status"], one["key"]) for one in lines]
    assert told == [
        ("recognize", run, 200, "ann"),
        ("read", run, 200, "ann"),
        ("read", run, 200, "ann"),
        ("change", run, 200, "ann"),
        ("list", None, 200, "ann"),
        ("delete", run, 204, "ann"),
    ]
    assert {one["client"] for one in lines} == {"127.0.0.1"}
    assert "hush" not in text
    assert secret not in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_was_renamed_away_begins_anew(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write(action="read")
    log.path.rename(tmp_path / "old.jsonl")
    log.write(action="delete")

    assert json.loads(log.path.read_text())["action"] == "delete"


def test_a_folder_that_is_gone_refuses_nothing(tmp_path: Path, caplog) -> None:
    AuditLog(tmp_path / "nowhere" / "audit.jsonl").write(action="read")

    assert "cannot be written" in caplog.text
