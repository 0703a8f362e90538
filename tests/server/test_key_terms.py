"""Terms of keys: expiry, rate, last use, and the lines about keys in the audit log."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli.main import app as command_line
from emoscope.errors import SettingError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.key_terms import parse_expiry, parse_rate
from emoscope.server.key_use import USE_FILE, KeyUse, read_key_use
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from serving import serving

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
OLD = """{"keys": [{"name": "ann", "sha256": "0", "scopes": ["read"],
 "created_utc": "2026-11-01T00:00:00+00:00"}]}"""


def app_of(folder: Path, **settings: object):
    chosen = load_settings(outputs=folder / "outputs", keys=folder / "keys.json", **settings)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    return create_app(recognizer, RunStore(chosen.outputs), chosen, page=False)


def run(*words: str) -> str:
    ran = CliRunner().invoke(command_line, list(words))
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90d", "2027-02-28T12:00:00+00:00"),
        ("12h", "2026-12-01T00:00:00+00:00"),
        (" 2027-01-31 ", "2027-02-01T00:00:00+00:00"),
        ("2026-11-30", "2026-12-01T00:00:00+00:00"),
        ("2027-01-31T08:00:00+08:00", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T08:00", "2027-01-31T08:00:00+00:00"),
    ],
)
def test_an_expiry_is_a_period_or_a_date(text: str, moment: str) -> None:
    assert parse_expiry(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "0d", "-1d", "90", "soon", "2026-11-29", "2027-13-01", "٣d"])
def test_another_expiry_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        parse_expiry(text, now=NOW)


def test_a_rate_is_a_number_a_minute() -> None:
    assert [parse_rate(text) for text in ("60/min", "60", " 6 / min")] == [60, 60, 6]
    for text in ("", "0", "-1", "1/s", "1e3", "1.5/min"):
        with pytest.raises(SettingError):
            parse_rate(text)


def test_a_file_of_before_is_read(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(OLD)

    (key,) = KeyFile(tmp_path / "keys.json").keys()

    assert (key.id, key.expires_utc, key.per_minute) == ("ann", None, None)
    assert not key.is_expired(NOW + timedelta(days=10_000))


def test_a_damaged_expiry_is_an_error_and_no_key_for_ever(tmp_path: Path) -> None:
    for expiry in ("soon", "2027-01-31", 5):
        data = json.loads(OLD)
        data["keys"][0]["expires_utc"] = expiry
        (tmp_path / "keys.json").write_text(json.dumps(data))
        with pytest.raises(SettingError):
            KeyFile(tmp_path / "keys.json").keys()


def test_ids_tell_nothing_and_are_never_the_same(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    ids = set()
    for _ in range(3):
        file.create("ann", ["read"])
        ids.add(file.named("ann").id)
        file.revoke("ann")

    assert len(ids) == 3
    assert all(one.startswith("key_") and "ann" not in one for one in ids)


@pytest.mark.process
def test_an_expired_key_has_a_code_of_its_own(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    ends = datetime.now(UTC) - timedelta(seconds=1)
    old = file.create("old", ["admin"], expires_utc=ends.isoformat())
    new = file.create("new", ["read"], expires_utc=(ends + timedelta(days=1)).isoformat())
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        replies = [client.get("/version", headers={"x-api-key": old}) for _ in range(40)]
        refused = replies[-1]
        assert (refused.status_code, refused.json()["code"]) == (401, "key_expired")
        assert refused.headers["www-authenticate"].startswith("Basic")
        assert f"{ends:%Y-%m-%d}" in refused.json()["detail"]
        assert {reply.status_code for reply in replies} == {401}  # it is no guess
        assert client.get("/version", headers={"x-api-key": new}).status_code == 200


@pytest.mark.process
@pytest.mark.parametrize("of_server", [0, 600])
def test_a_key_may_have_a_rate_of_its_own(tmp_path: Path, of_server: int) -> None:
    file = KeyFile(tmp_path / "keys.json")
    slow = {"x-api-key": file.create("slow", ["read"], per_minute=12)}
    free = {"x-api-key": file.create("free", ["read"])}
    search = "/v1/recognitions?search=x"
    app = app_of(tmp_path, rate_per_minute=of_server)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        statuses = [client.get(search, headers=slow).status_code for _ in range(4)]
        others = [client.get(search, headers=free).status_code for _ in range(8)]
        assert client.get("/version", headers=slow).status_code == 200

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert set(others) == {200}


@pytest.mark.process
def test_the_last_use_is_told_and_the_key_file_left_alone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    secret = file.create("ann", ["read"])
    file.create("bob", ["read"])
    before = file.path.stat()
    with serving(app_of(tmp_path)) as url:
        for _ in range(3):
            assert httpx.get(f"{url}/version", headers={"x-api-key": secret}).status_code == 200
        assert not (tmp_path / "outputs" / USE_FILE).exists()  # not while requests are answered

    places = ["--keys", str(file.path), "--outputs", str(tmp_path / "outputs")]
    listed = {
        key["name"]: key for key in json.loads(run("keys", "list", "--json", *places))["keys"]
    }
    used = datetime.fromisoformat(listed["ann"]["last_used_utc"])
    assert abs((datetime.now(UTC) - used).total_seconds()) < 60
    assert listed["bob"]["last_used_utc"] is None
    after = file.path.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert (tmp_path / "outputs" / USE_FILE).stat().st_mode & 0o777 == 0o600
    assert secret not in (tmp_path / "outputs" / USE_FILE).read_text()


def test_uses_are_written_after_the_pause_and_revoked_keys_forgotten(tmp_path: Path) -> None:
    now, known = [0.0], ["a", "b"]
    path = tmp_path / "outputs" / USE_FILE
    use = KeyUse(path, lambda: known, now=lambda: now[0])
    use.note("a")
    use.note("b")
    use.write()
    stamp = path.stat().st_mtime_ns
    use.write()
    assert path.stat().st_mtime_ns == stamp  # nothing was noted
    now[0], known = 3_600.0, ["b"]
    use.note("b")
    use.write()

    assert read_key_use(path) == {"b": "1970-01-01T01:00:00+00:00"}


def test_a_use_that_cannot_be_written_is_kept_and_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("in the way")
    use = KeyUse(tmp_path / "outputs" / USE_FILE, lambda: ["a"], now=lambda: 0.0)
    use.note("a")
    use.write()
    (tmp_path / "outputs").unlink()
    use.write()

    assert list(read_key_use(tmp_path / "outputs" / USE_FILE)) == ["a"]


def test_a_thread_writes_uses(tmp_path: Path) -> None:
    path = tmp_path / USE_FILE
    with KeyUse(path, lambda: ["a"], every_s=0.01) as use:
        use.note("a")
        waited = threading.Event()
        for _ in range(500):
            if path.exists():
                break
            waited.wait(0.01)
        assert list(read_key_use(path)) == ["a"]


def test_terms_from_the_command_line(tmp_path: Path) -> None:
    places = ["--keys", str(tmp_path / "keys.json")]
    run("keys", "create", "ann", "--expires", "90d", "--rate", "60/min", *places)
    run("keys", "create", "bob", *places)
    places += ["--outputs", str(tmp_path / "outputs")]

    first, second = run("keys", "list", *places).splitlines()
    ann, bob = json.loads(run("keys", "list", "--json", *places))["keys"]

    assert first.split("\t")[0] == "ann"
    assert first.split("\t")[3] == ann["id"]
    assert first.endswith("60/min")
    assert second.endswith("\t-")
    assert (ann["per_minute"], ann["expired"]) == (60, False)
    days = (datetime.fromisoformat(ann["expires_utc"]) - datetime.now(UTC)).days
    assert days in (89, 90)
    assert (bob["per_minute"], bob["expires_utc"]) == (None, None)
    refused = CliRunner().invoke(
        command_line, ["keys", "create", "x", "--expires", "1y", *places[:2]]
    )
    assert refused.exit_code != 0
    assert len(KeyFile(tmp_path / "keys.json").keys()) == 2


def test_making_and_revoking_is_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "audit.jsonl"
    monkeypatch.setenv("EMOSCOPE_AUDIT_LOG", str(log))
    monkeypatch.setenv("EMOSCOPE_OUTPUTS", str(tmp_path / "outputs"))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(tmp_path, 12_345, 12_346)
    places = ["--keys", str(tmp_path / "keys.json")]
    secret = run("keys", "create", "ann", "--scope", "read", "--expires", "2099-01-01", *places)
    id_ = KeyFile(tmp_path / "keys.json").named("ann").id
    run("keys", "adopt", "ann", *places)
    run("keys", "revoke", "ann", *places)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["action"] for one in lines] == ["create_key", "adopt_runs", "revoke_key"]
    assert {one["id"] for one in lines} == {id_}
    assert lines[0]["scopes"] == ["read"]
    assert lines[0]["expires_utc"].startswith("2099-01-02")
    assert secret.strip() not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        assert log.stat().st_uid == 12_345


def test_no_key_is_made_and_lost_where_the_settings_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSCOPE_AUDIT_LOGG", "typo")
    ran = CliRunner().invoke(
        command_line, ["keys", "create", "ann", "--keys", str(tmp_path / "keys.json")]
    )

    assert ran.exit_code != 0
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.process
def test_a_running_server_tells_which_keys_came_and_went(tmp_path: Path) -> None:
    file, log = KeyFile(tmp_path / "keys.json"), tmp_path / "audit.jsonl"
    boss = {"x-api-key": file.create("boss", ["admin"])}
    with serving(app_of(tmp_path, audit_log=log)) as url, httpx.Client(base_url=url) as client:
        file.create("ann", ["read"])
        assert client.get("/version", headers=boss).status_code == 200
        file.revoke("ann")
        assert client.get("/version", headers=boss).status_code == 200

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["action"], one["name"]) for one in lines] == [
        ("key_added", "ann"),
        ("key_removed", "ann"),
    ]
