"""The key file of a running server: damaged, unreadable, lost, replaced."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import ServiceError, SettingError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.key_ring import KeyRing
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from serving import serving

DAMAGED = ("{bro", '{"keys": 1}', '{"keys": [{"name": "x"}]}', "[]", "")


def ring(folder: Path) -> tuple[KeyRing, KeyFile, str]:
    file = KeyFile(folder / "keys.json")
    secret = file.create("one", ["read"])
    return KeyRing(file), file, secret


def as_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_stops_the_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)

    with pytest.raises(SettingError, match=r"keys\.json"):
        KeyRing(KeyFile(path))


@pytest.mark.parametrize("content", DAMAGED)
def test_a_file_that_is_damaged_later_leaves_the_keys(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
) -> None:
    monkeypatch.setattr(logging.getLogger("emoscope"), "propagate", True)
    keys, file, secret = ring(tmp_path)
    good = file.path.read_text()

    file.path.write_text(content)
    for _ in range(3):
        assert keys.find(secret) is not None
        assert keys.locked
        with pytest.raises(ServiceError) as refusal:
            keys.check()
    assert refusal.value.code == "not_ready"
    assert str(tmp_path) not in str(refusal.value)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert str(file.path) in errors[0].getMessage()

    file.path.write_text(good)
    keys.check()
    assert keys.find(secret) is not None


@pytest.mark.skipif(os.name == "nt", reason="no permissions of POSIX")
def test_a_file_that_cannot_be_read_leaves_the_keys(tmp_path: Path) -> None:
    keys, file, secret = ring(tmp_path)

    file.path.unlink()
    file.path.mkdir()  # not even root can read it

    assert keys.find(secret) is not None
    with pytest.raises(ServiceError):
        keys.check()


def test_a_lost_file_opens_nothing(tmp_path: Path) -> None:
    keys, file, secret = ring(tmp_path)

    file.path.unlink()

    assert keys.locked
    assert keys.find(secret) is None
    with pytest.raises(ServiceError):
        keys.check()


@pytest.mark.skipif(os.name == "nt", reason="no permissions of POSIX")
def test_a_new_key_leaves_owner_and_permissions(tmp_path: Path) -> None:
    _, file, _ = ring(tmp_path)
    file.path.chmod(0o640)
    if as_root():
        os.chown(file.path, 12_345, 12_346)

    file.create("two", ["read"])

    after = file.path.stat()
    assert after.st_mode & 0o777 == 0o640
    if as_root():
        assert (after.st_uid, after.st_gid) == (12_345, 12_346)


@pytest.mark.skipif(not as_root(), reason="only root gives files away")
def test_the_first_key_that_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 12_345, 12_346)

    _, file, _ = ring(tmp_path)

    assert file.path.stat().st_uid == 12_345
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.process
def test_readiness_tells_and_clients_are_served_on(tmp_path: Path) -> None:
    _, file, secret = ring(tmp_path)
    settings = load_settings(outputs=tmp_path / "outputs", keys=file.path)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/health/ready").status_code == 200
        file.path.write_text("{bro")
        ready = client.get("/health/ready")
        version = client.get("/version", headers={"x-api-key": secret})
        without = client.get("/version")

    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    assert version.status_code == 200
    assert without.status_code == 401


@pytest.mark.process
def test_a_damaged_file_ends_the_command_before_a_port_is_open(tmp_path: Path) -> None:
    (tmp_path / "emoscope-keys.json").write_text("{bro")
    ran = subprocess.run(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert str(tmp_path / "emoscope-keys.json") in ran.stderr
    assert "[setting_invalid]" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
