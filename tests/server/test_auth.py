"""API keys, scopes and rate limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli.main import app as command_line
from emoscope.errors import SettingError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.admission.rates import Rates
from emoscope.server.app import create_app
from emoscope.server.keys import KeyFile
from emoscope.server.middleware.auth import scopes_for
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def app_of(folder: Path, **settings: object):
    chosen = load_settings(outputs=folder / "outputs", keys=folder / "keys.json", **settings)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    return create_app(recognizer, RunStore(chosen.outputs), chosen, page=False)


def post(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/predict", files={"audio": ("a.wav", GOOD)}, headers=headers)


def test_only_who_has_a_key_gets_in_and_only_as_far_as_it_reaches(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    reader, writer, boss = (
        keys.create("reader", ["read"]),
        keys.create("writer", ["recognize", "read"]),
        keys.create("boss", ["admin"]),
    )
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        without = post(client)
        assert without.status_code == 401
        assert without.json()["code"] == "key_required"
        assert without.headers["www-authenticate"].startswith("Basic")
        for wrong in ("emo_wrong", "", "ü", writer[:-1]):
            assert post(client, **{"x-api-key": wrong.encode()}).status_code == 401
        assert post(client, authorization="Basic %%%").status_code == 401
        refused = post(client, **{"x-api-key": reader})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")

        run = post(client, **{"x-api-key": writer}).json()["run"]
        assert post(client, authorization=f"Bearer {boss}").status_code == 200
        assert client.get("/outputs/../keys.json").status_code in (401, 404)
        address = f"/v1/recognitions/{run}"
        assert client.get(address).status_code == 401
        assert client.get(address, auth=("anyone", writer)).status_code == 200
        assert client.get(address, auth=("anyone", reader)).status_code == 404
        assert client.get("/v1/recognitions", auth=("anyone", reader)).status_code == 200
        assert client.delete(address, auth=("", writer)).status_code == 403
        assert client.delete(address, auth=("", boss)).status_code == 204
        assert client.get("/health/live").status_code == 200
        assert client.get("/openapi.json").status_code == 401

        keys.revoke("boss")
        assert post(client, authorization=f"Bearer {boss}").status_code == 401
        keys.path.unlink()
        assert post(client).status_code == 401
        assert post(client, **{"x-api-key": writer}).status_code == 401


def test_nobody_sees_the_jobs_of_another_key(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    ann, bob = ({"x-api-key": keys.create(name, ["read", "recognize"])} for name in ("ann", "bob"))
    boss = {"x-api-key": keys.create("boss", ["admin"])}
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        files = {"audio": ("a.wav", GOOD)}
        job = client.post("/v1/jobs", files=files, headers=ann).json()["id"]
        for method, address in (
            ("GET", f"/v1/jobs/{job}"),
            ("POST", f"/v1/jobs/{job}/cancel"),
            ("DELETE", f"/v1/jobs/{job}"),
            ("GET", f"/v1/jobs/{job}/events"),
            ("GET", f"/v1/jobs/{job}/results.jsonl"),
        ):
            assert client.request(method, address, headers=bob).status_code == 404
        assert client.get("/v1/jobs", headers=bob).json()["total"] == 0
        assert client.get("/v1/jobs", headers=boss).json()["total"] == 1
        assert client.get(f"/v1/jobs/{job}", headers=ann).status_code == 200


def test_a_name_that_is_made_again_owns_nothing_of_before(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    old = {"x-api-key": keys.create("ann", ["read", "recognize"])}
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        files = {"audio": ("a.wav", GOOD)}
        job = client.post("/v1/jobs", files=files, headers=old).json()["id"]
        keys.revoke("ann")
        new = {"x-api-key": keys.create("ann", ["read", "recognize"])}
        assert client.get(f"/v1/jobs/{job}", headers=new).status_code == 404
        assert client.get("/v1/jobs", headers=new).json()["total"] == 0


def test_keys_of_older_files_own_what_they_owned(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    secret = keys.create("ann", ["read"])
    data = json.loads(keys.path.read_text())
    del data["keys"][0]["id"]
    keys.path.write_text(json.dumps(data))

    assert KeyFile(keys.path).find(secret).id == "ann"


def test_a_key_that_may_not_read_may_not_title_or_correct(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key = {"x-api-key": keys.create("writer", ["recognize"])}
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        run = post(client, **key).json()["run"]
        for what, body in (
            ("title", {"title": "x"}),
            ("corrections", {"segments": None}),
            ("words", {"text": "hi"}),
        ):
            refused = client.put(f"/v1/recognitions/{run}/{what}", json=body, headers=key)
            assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


def test_guessing_keys_is_slowed_down(tmp_path: Path) -> None:
    KeyFile(tmp_path / "keys.json").create("one", ["read"])
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        statuses = [
            client.get("/version", headers={"x-api-key": f"emo_{n}"}).status_code for n in range(20)
        ]

    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    application = app_of(tmp_path, rate_per_minute=12)
    with serving(application) as url, httpx.Client(base_url=url, timeout=60) as client:
        replies = [post(client) for _ in range(4)]

        assert [reply.status_code for reply in replies[:2]] == [200, 200]
        assert replies[-1].status_code == 429
        assert replies[-1].json()["code"] == "rate_limited"
        assert 1 <= int(replies[-1].headers["retry-after"]) <= 6
        assert client.get("/health").status_code == 200


def test_searches_and_archives_are_rated_and_plain_reading_is_not(tmp_path: Path) -> None:
    application = app_of(tmp_path, rate_per_minute=12)
    with serving(application) as url, httpx.Client(base_url=url, timeout=60) as client:
        plain = [client.get("/v1/recognitions", params={"search": " "}) for _ in range(20)]
        assert {reply.status_code for reply in plain} == {200}
        searches = [client.get("/v1/recognitions", params={"search": "x"}) for _ in range(4)]
        assert searches[0].status_code == 200
        assert searches[-1].status_code == 429
        for address in (
            "/v1/recognitions.zip?runs=x",
            "/v1/recognitions/x/exports/report.html",
            "/v1/jobs/x/results.csv",
            "/page/compare?one=x&other=y",
        ):
            assert client.get(address).status_code == 429, address
        assert client.get("/v1/recognitions/x").status_code == 404


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 120))
def test_over_any_time_no_more_than_the_rate_and_one_burst(pauses: list[float], rate: int) -> None:
    now = [0.0]
    rates = Rates(rate, burst=5, clock=lambda: now[0])
    taken = []
    for pause in pauses:
        now[0] += pause
        if not rates.take("someone"):
            taken.append(now[0])
    for first in range(0, len(taken), 7):
        window = taken[first:]
        assert len(window) <= 5 + (window[-1] - window[0]) * rate / 60 + 1e-6


def test_after_the_time_that_was_told_there_is_room() -> None:
    now = [0.0]
    rates = Rates(6, burst=1, clock=lambda: now[0])
    assert rates.take("a") == 0
    wait_s = rates.take("a")
    assert wait_s == 10
    assert rates.take("b") == 0
    now[0] += wait_s
    assert rates.take("a") == 0
    assert all(Rates(0).take("a") == 0 for _ in range(1_000))


def test_keys_are_kept_as_hashes_for_the_owner_only(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    secret = keys.create("one", ["admin", "read"])

    assert secret not in keys.path.read_text()
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.find(secret).scopes == ("read", "admin")
    assert keys.find("") is None
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    for name, scopes in (("one", ["read"]), ("two", []), ("two", ["all"]), ("../x", ["read"])):
        with pytest.raises(SettingError):
            keys.create(name, scopes)
    with pytest.raises(SettingError):
        keys.revoke("two")
    keys.path.write_text('{"keys": 1}')
    with pytest.raises(SettingError):
        keys.keys()


def test_keys_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = CliRunner().invoke(command_line, ["keys", "create", "ann", "--keys", str(path)])
    listed = CliRunner().invoke(command_line, ["keys", "list", "--keys", str(path)])
    revoked = CliRunner().invoke(command_line, ["keys", "revoke", "ann", "--keys", str(path)])

    assert made.stdout.startswith("emo_")
    assert str(path) in made.stderr
    assert listed.output.split("\t")[:2] == ["ann", "read,recognize"]
    assert made.stdout.strip() not in listed.output
    assert revoked.exit_code == 0
    assert json.loads(path.read_text()) == {"keys": []}


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("GET", "/", "read"),
        ("GET", "/outputs/x/result.json", "read"),
        ("POST", "/predict", "recognize"),
        ("PUT", "/v1/recognitions/x/title", "read recognize"),
        ("POST", "/v1/jobs/x/cancel", "recognize"),
        ("DELETE", "/v1/jobs/x", "recognize"),
        ("DELETE", "/v1/recognitions/x", "admin"),
        ("PUT", "/anything", "read recognize"),
    ],
)
def test_what_needs_which_scope(method: str, path: str, scopes: str) -> None:
    assert scopes_for(method, path) == tuple(scopes.split())
    assert scopes_for("GET", "/v1/stream", is_socket=True) == ("recognize",)


def test_a_server_for_other_machines_wants_a_key_or_a_word(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "emoscope", "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104 - it refuses
        cwd=tmp_path,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "emoscope keys create" in ran.stderr


@pytest.mark.parametrize("setting", ["EMOSCOPE_ALLOWED_HOSTS", "EMOSCOPE_ROOT_PATH"])
def test_a_server_behind_a_proxy_wants_a_key_or_a_word(tmp_path: Path, setting: str) -> None:
    value = '["x.example"]' if "HOSTS" in setting else "/emoscope"
    ran = subprocess.run(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en", setting: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert setting.removeprefix("EMOSCOPE_").lower() in ran.stderr
    assert "emoscope keys create" in ran.stderr


@pytest.mark.parametrize(
    "header",
    [{"x-forwarded-for": "1.2.3.4"}, {"forwarded": "for=1.2.3.4"}, {"x-real-ip": "1.2.3.4"}],
)
def test_without_keys_nothing_that_a_proxy_passed_on_is_answered(
    tmp_path: Path, header: dict[str, str]
) -> None:
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        refused = client.delete("/v1/recognitions/x", headers=header)
        assert (refused.status_code, refused.json()["code"]) == (403, "proxy_without_keys")
        chinese = client.get("/", headers={**header, "accept-language": "zh"})
        assert "代理" in chinese.json()["detail"]
        assert client.get("/health/ready", headers=header).status_code == 200
        assert client.get("/version").status_code == 200
        key = KeyFile(tmp_path / "keys.json").create("one", ["read"])
        assert client.get("/version", headers={**header, "x-api-key": key}).status_code == 200
        assert client.get("/version", headers=header).status_code == 401
    with serving(app_of(tmp_path / "open", open=True)) as url:
        assert httpx.get(f"{url}/version", headers=header).status_code == 200


def test_every_reply_has_a_policy_without_outside_origins(tmp_path: Path) -> None:
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url) as client:
        for address in ("/health", "/nothing"):
            policy = client.get(address).headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "http" not in policy
            assert "*" not in policy
