"""``emoscope recognize`` with utterances: tables, files of spans, saved runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import main as cli
from emoscope.cli import recognize as command
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from ran import Ran, run_here
from sounds import noise, sample, wav

Run = Callable[..., Ran]


@pytest.fixture
def emoscope(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Runs a command in this process over a model without weights."""

    def open_model(_settings: object, limits: object) -> Recognizer:
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, *arguments)

    return run


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two sentences with a second between them."""
    parts = [sample("happy_zh.wav"), np.zeros(16_000, np.float32), sample("angry_en.wav")]
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    return path


def test_utterances_stand_in_json_and_in_the_saved_run(
    emoscope: Run, talk: Path, tmp_path: Path
) -> None:
    done = emoscope("recognize", talk, "--utterances", "--json", "--save")

    (record,) = json.loads(done.out)
    assert done.code == 0
    assert len(record["utterances"]) == 2
    assert record["utterance_cut"]["by"] == "pauses"
    (name,) = RunStore(tmp_path / "outputs").names()
    assert len(RunStore(tmp_path / "outputs").open(name).result.utterances) == 2


def test_the_table_has_a_row_for_each(emoscope: Run, talk: Path) -> None:
    done = emoscope("recognize", talk, "-u")

    assert sum("–" in line and " s" in line for line in done.out.splitlines()) == 2


def test_csv_has_a_line_for_each_utterance(emoscope: Run, talk: Path, tmp_path: Path) -> None:
    hiss = tmp_path / "hiss.wav"
    hiss.write_bytes(wav(noise(2.0)))
    done = emoscope("recognize", talk, hiss, tmp_path / "none.wav", "-u", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))

    assert [row["name"] for row in rows] == ["talk.wav", "talk.wav", "hiss.wav", "none.wav"]
    assert all(float(row["end_s"]) > float(row["start_s"]) for row in rows[:2])
    assert (rows[2]["emotion"], rows[2]["abstain"]) == ("", "no_speech")
    assert rows[3]["error"] == "source_not_found"
    assert done.code == 1


def test_given_sentences_keep_their_words(emoscope: Run, talk: Path, tmp_path: Path) -> None:
    words = "1\n00:00:00,500 --> 00:00:04,000\n你好\n\n2\n00:00:05,500 --> 00:00:08,000\n再见\n"
    (tmp_path / "a.srt").write_bytes(words.encode("gb18030"))
    done = emoscope("recognize", talk, "--spans", "a.srt", "--jsonl")
    record = json.loads(done.out)

    assert [one["text"] for one in record["utterances"]] == ["你好", "再见"]
    assert record["utterance_cut"]["by"] == "spans"


def test_spans_of_no_recording_serve_one_only(emoscope: Run, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("start,end\n0,1\n", "utf-8")
    other = tmp_path / "other.wav"
    other.write_bytes(talk.read_bytes())
    done = emoscope("recognize", talk, other, "--spans", "a.csv", "--json")
    first, second = json.loads(done.out)

    assert len(first["utterances"]) == 1
    assert second["error"]["code"] == "spans_unreadable"


@pytest.mark.parametrize(
    ("text", "code"),
    [("start,end\n0,2\n1,3\n", "spans_overlap"), ("x,y\n", "spans_unreadable")],
)
def test_a_bad_file_of_spans_ends_the_command(
    emoscope: Run, talk: Path, tmp_path: Path, text: str, code: str
) -> None:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    done = emoscope("recognize", talk, "--spans", "a.csv")

    assert done.code == 3
    assert f"[{code}]" in done.err


def test_rules_come_from_the_settings(
    emoscope: Run, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "emoscope.toml").write_text("[utterance_rules]\npause_s = 3.0\n", "utf-8")
    (record,) = json.loads(emoscope("recognize", talk, "-u", "--json").out)
    assert len(record["utterances"]) == 1
    assert record["utterance_cut"]["rules"]["pause_s"] == 3.0

    monkeypatch.setenv("EMOSCOPE_UTTERANCE_RULES", '{"pauses": 1}')
    done = emoscope("recognize", talk, "-u")
    assert done.code == 2
    assert "no rule 'pauses'" in done.err
