"""How the port is opened."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope.cli.serve import listening_socket
from serving import start_command

pytestmark = pytest.mark.process


def test_what_is_written_is_sent_at_once() -> None:
    """Else the body of an answer waits for its header to be acknowledged: 40 ms each time."""

    async def no_delay() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening_socket("127.0.0.1", 0) as listening:
            async with await asyncio.start_server(accepted, sock=listening):
                _, writer = await asyncio.open_connection(*listening.getsockname())
                writer.close()
                return await found

    assert asyncio.run(no_delay())


def test_where_json_is_chosen_every_line_of_the_log_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSCOPE_LOG", "json")
    server, url = start_command(tmp_path, stderr=subprocess.PIPE)
    try:
        port = int(url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
            line.recv(1000)
    finally:
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=30)

    lines = [json.loads(line) for line in errors.splitlines()]
    started, *others, stopped = lines
    assert started["message"] == "server started"
    assert (started["address"], started["model"], started["store"]) == (url, "compact", "all")
    assert (started["keys"], bool(started["version"])) == (False, True)
    assert "Invalid HTTP request received." in [line["message"] for line in others]
    assert stopped["message"] == "server stopped"


def test_a_start_that_fails_is_a_line_of_json_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSCOPE_LOG", "json")
    (tmp_path / "emoscope-keys.json").write_text("{bro")
    ran = subprocess.run(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0", "-m", "compact"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    (line,) = map(json.loads, ran.stderr.splitlines())
    assert (ran.returncode, line["code"], line["level"]) == (2, "setting_invalid", "error")
