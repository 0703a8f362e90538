"""``emoscope stream`` and ``listen``: here and to a server."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from emoscope.cli import live
from emoscope.cli import main as cli
from emoscope.settings import load_settings
from raising import raises_code
from serving import Site, site
from sounds import SAMPLES

pytestmark = pytest.mark.process
VOICE = SAMPLES / "happy_zh.wav"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("runs") / "outputs") as running:
        yield running


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_file_is_replayed_here(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["stream", str(VOICE), "--fast", "--json", "-m", "compact", "--threads", "1"]
    cli.app(arguments, standalone_mode=False)
    found = events(capsys.readouterr().out)

    assert found[-1]["type"] == "result"
    assert found[-1]["result"]["source"]["name"] == VOICE.name  # type: ignore[index]
    assert {"frames", "speech_started", "segment_opened", "segment_closed"} <= {
        str(event["type"]) for event in found
    }


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    cli.app(
        ["stream", str(VOICE), "--fast", "-m", "compact", "--lang", "zh"], standalone_mode=False
    )
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split()[1] == "s"
    assert lines[-1].startswith("整体：")


def test_utterances_are_told_here_and_by_a_server(
    server: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["stream", str(VOICE), "--fast", "--utterances"]
    cli.app([*arguments, "--json", "-m", "compact", "--threads", "1"], standalone_mode=False)
    here = events(capsys.readouterr().out)
    cli.app([*arguments, "--json", "--url", server.url], standalone_mode=False)
    there = events(capsys.readouterr().out)
    cli.app([*arguments, "-m", "compact", "--lang", "en"], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()

    for found in (here, there):
        told = [event["utterance"] for event in found if event["type"] == "utterance"]
        assert told
        assert found[-1]["result"]["utterances"] == told  # type: ignore[index]
    assert any("–" in line for line in lines)


def test_a_file_is_sent_to_a_server(server: Site, capsys: pytest.CaptureFixture[str]) -> None:
    before = server.runs()
    cli.app(["stream", str(VOICE), "--fast", "--json", "--url", server.url], standalone_mode=False)
    found = events(capsys.readouterr().out)

    assert found[0]["type"] == "ready"
    assert found[-1]["type"] == "result"
    assert server.runs() - before == {found[-1]["run"]}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:7860", "ws://127.0.0.1:7860/v1/stream"),
        ("https://host/", "wss://host/v1/stream"),
        ("https://host/tools/emoscope/", "wss://host/tools/emoscope/v1/stream"),
        ("HTTPS://host/api/v1/emoscope", "wsS://host/api/v1/emoscope/v1/stream"),
        ("ws://http.example/x", "ws://http.example/x/v1/stream"),
        ("wss://host/emoscope/v1/stream", "wss://host/emoscope/v1/stream"),
        ("wss://host/v1/stream/", "wss://host/v1/stream"),
    ],
)
def test_the_address_of_live_streams_keeps_the_path_of_a_proxy(url: str, address: str) -> None:
    assert live.stream_address(url) == address


def test_a_replay_keeps_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, heard = [0.0], []

    class Ear:
        def feed(self, samples: np.ndarray) -> list[dict[str, object]]:
            heard.append((now_s[0], len(samples)))
            return []

        def finish(self) -> Iterator[dict[str, object]]:
            return iter(())

    @contextmanager
    def ear(*_: object) -> Iterator[Ear]:
        yield Ear()

    def sleep(seconds: float) -> None:
        now_s[0] += seconds

    monkeypatch.setattr(live, "_session", ear)
    live.run_file(
        VOICE,
        load_settings(),
        url=None,
        fast=False,
        as_json=True,
        clock=lambda: now_s[0],
        sleep=sleep,
    )

    for number, (at_s, _) in enumerate(heard, start=1):
        assert at_s == pytest.approx(0.1 * number), "sound is there when it has been spoken"


def test_an_error_of_the_server_is_told(server: Site, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    from sounds import wav

    silent.write_bytes(wav(np.zeros(16_000)))
    with raises_code("stream_refused") as caught:
        cli.app(["stream", str(silent), "--fast", "--url", server.url], standalone_mode=False)
    assert caught.value.data["reason"] == "audio_silent"


def test_no_server_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["stream", str(VOICE), "--url", "http://127.0.0.1:9"])
    assert "stream_unreachable" in capsys.readouterr().err


class FakeSoundDevice(types.ModuleType):
    """As much of sounddevice as is used; it hears a sentence at 48 kHz."""

    class PortAudioError(Exception):
        """What it raises."""

    def __init__(self) -> None:
        super().__init__("sounddevice")

    def query_devices(self, kind: str) -> dict[str, float]:
        assert kind == "input"
        return {"default_samplerate": 48_000.0}

    @contextmanager
    def InputStream(self, *, samplerate, channels, blocksize, callback):  # type: ignore[no-untyped-def]  # noqa: N802
        import soxr

        from sounds import sample

        sound = soxr.resample(sample("happy_zh.wav"), 16_000, samplerate)
        for at in range(0, len(sound), blocksize):
            callback(sound[at : at + blocksize, None], blocksize, None, None)
        yield


def test_the_microphone_is_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice())
    cli.app(["listen", "--seconds", "3", "--json", "-m", "compact"], standalone_mode=False)
    last = events(capsys.readouterr().out)[-1]

    assert last["type"] == "result"
    assert last["result"]["duration_s"] == pytest.approx(3.0, abs=0.01)  # type: ignore[index]


def test_a_machine_without_a_microphone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deaf = FakeSoundDevice()

    def refuse(**_: object) -> None:
        raise deaf.PortAudioError("Error querying device -1")

    deaf.query_devices = refuse  # type: ignore[assignment,method-assign]
    monkeypatch.setitem(sys.modules, "sounddevice", deaf)
    with pytest.raises(SystemExit):
        cli.main(["listen"])
    assert "microphone_unavailable" in capsys.readouterr().err


def test_without_the_extra_the_line_to_type_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SystemExit):
        cli.main(["listen"])
    assert "emoscope[listen]" in capsys.readouterr().err
