"""``kill -HUP``: certificates, keys and the log are read again, and connections stay."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def make_certificate(folder: Path, name: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl here to make certificates with")
    request = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout key.pem -out"
    subprocess.run([program, *request.split(), "cert.pem"], cwd=folder, check=True, timeout=60)


def test_a_hangup_renews_certificate_and_log_and_keeps_connections(tmp_path: Path) -> None:
    make_certificate(tmp_path, "first")
    (tmp_path / "emoscope.toml").write_text('log = "json"\n')
    command = "serve --port 0 --no-page -m compact --tls-cert cert.pem --tls-key key.pem --lang en"
    server = subprocess.Popen(
        [sys.executable, "-m", "emoscope", *command.split()],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        assert json.loads(server.stderr.readline())["message"] == "server started"
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        kept = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=20)
        kept.request("GET", "/health/live")
        assert kept.getresponse().read()
        old = ssl.get_server_certificate(("127.0.0.1", port))

        make_certificate(tmp_path, "second")
        (tmp_path / "emoscope.toml").write_text('log = "json"\nport = 1234\ndeadline_s = 5\n')
        server.send_signal(signal.SIGHUP)
        lines = [json.loads(server.stderr.readline()) for _ in range(3)]
        assert [line["message"] for line in lines[1:]] == [
            "reloaded",
            "changed settings that need a restart: deadline_s",
        ]
        assert ssl.get_server_certificate(("127.0.0.1", port)) != old
        kept.request("GET", "/health/live")
        assert kept.getresponse().read()

        (tmp_path / "key.pem").write_text("none")
        server.send_signal(signal.SIGHUP)
        while (line := json.loads(server.stderr.readline()))["message"] != "not reloaded":
            assert line["message"] == "request"
        assert line["code"] == "setting_invalid"
        assert ssl.get_server_certificate(("127.0.0.1", port)) != old
        kept.close()
    finally:
        server.terminate()
        server.communicate(timeout=30)


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emoscope", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en", **environment},
    )


def test_a_check_does_all_that_comes_before_the_port_answers(tmp_path: Path) -> None:
    check = ("serve", "--check", "--port", "0", "-m", "compact")
    good = run(tmp_path, *check)
    assert (good.returncode, good.stdout) == (0, "All checks passed; the server can start\n")

    (tmp_path / "emoscope-keys.json").write_text("{bro")
    bad = run(tmp_path, *check)
    assert (bad.returncode, "[setting_invalid]" in bad.stderr) == (2, True)


def test_a_variable_that_is_no_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    ran = run(tmp_path, "settings", "show", EMOSCOPE_STOREE="none")

    assert ran.returncode == 2
    assert "EMOSCOPE_STOREE is no setting; the nearest is EMOSCOPE_STORE." in ran.stderr
    assert run(tmp_path, "settings", "show", EMOSCOPE_STOREE="", EMOSCOPE_CACHE="x").returncode == 0


def test_settings_tell_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "emoscope.toml").write_text('port = 1234\nstore = "none"\n')
    ran = run(tmp_path, "settings", "show", "--json", EMOSCOPE_STORE="features")
    found = {row["setting"]: (row["value"], row["origin"]) for row in json.loads(ran.stdout)}

    assert found["port"] == (1234, "emoscope.toml")
    assert found["store"] == ("features", "EMOSCOPE_STORE")
    assert found["drain_s"] == (15.0, "default")
    assert "port = 1234\temoscope.toml\n" in run(tmp_path, "settings", "show").stdout
