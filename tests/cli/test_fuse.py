"""``emoscope fuse``: voice with words, subtitles, given scores, fitted rules and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import fuse_run
from emoscope.cli import main as cli
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from ran import Ran, run_here
from sounds import sample, wav
from text_models import write_fusion_list, write_text_model

Run = Callable[..., Ran]


@pytest.fixture
def emoscope(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Runs a command in this process over a model without weights."""

    def open_model(_settings: object, limits: object) -> Recognizer:
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)  # type: ignore[arg-type]

    monkeypatch.setattr(fuse_run, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, "fuse", *arguments)

    return run


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two sentences with a second between them."""
    parts = [sample("happy_zh.wav"), np.zeros(16_000, np.float32), sample("angry_en.wav")]
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_text_model(tmp_path / "text")


def test_what_is_said_is_answered_beside_the_voice(emoscope: Run, talk: Path, model: Path) -> None:
    ran = emoscope("answer", talk, "--text", "I love it", "--text-model", model, "--json")
    (found,) = json.loads(ran.out)
    assert found["fusion"]["words_emotion"] == "happy"
    assert sum(found["fusion"]["scores"].values()) == pytest.approx(1)
    assert found["utterances"] == []
    assert not found["fusion"]["fitted"]


def test_the_table_shows_all_three_and_says_that_nothing_was_fitted(
    emoscope: Run, talk: Path, model: Path
) -> None:
    ran = emoscope("answer", talk, "--text", "great", "--text-model", model)
    assert ran.code == 0
    assert "Voice" in ran.out
    assert "Words" in ran.out
    assert "Happy" in ran.out
    assert "fuse fit" in ran.err


def test_subtitles_are_matched_by_time(emoscope: Run, talk: Path, model: Path) -> None:
    subtitles = talk.with_name("talk.srt")
    subtitles.write_text(
        "1\n00:00:00,100 --> 00:00:01,500\n太好了\n\n2\n00:00:03,000 --> 00:00:04,000\nI hate it\n",
        encoding="gb18030",
    )
    ran = emoscope("answer", talk, "--spans", subtitles, "--text-model", model, "--json")
    (found,) = json.loads(ran.out)
    first, second = found["utterances"]
    assert (first["text"], first["fusion"]["words_emotion"]) == ("太好了", "happy")
    assert (second["start_s"], second["fusion"]["words_emotion"]) == (3.0, "angry")
    # The words of the whole: by length, 1.4 s of joy and 1 s of anger.
    whole = found["fusion"]["words_scores"]
    parts = [one["fusion"]["words_scores"]["happy"] for one in found["utterances"]]
    assert whole["happy"] == pytest.approx((1.4 * parts[0] + 1.0 * parts[1]) / 2.4)


def test_scores_of_the_words_may_be_given(emoscope: Run, talk: Path) -> None:
    given = talk.with_name("words.json")
    given.write_text('{"happy": 3, "sad": 1}')
    ran = emoscope("answer", talk, "--text-scores", given, "--json")
    (found,) = json.loads(ran.out)
    assert found["fusion"]["words_scores"] == {"happy": 0.75, "sad": 0.25}


def test_a_recording_that_fails_does_not_end_the_others(
    emoscope: Run, talk: Path, model: Path
) -> None:
    ran = emoscope("answer", "gone.wav", talk, "--text", "hi", "--text-model", model, "--json")
    assert ran.code == 1
    assert "[source_not_found]" in ran.err
    assert [one["name"] for one in json.loads(ran.out)] == ["talk.wav"]


def test_without_anything_that_reads_the_words_it_is_said(emoscope: Run, talk: Path) -> None:
    ran = emoscope("answer", talk, "--text", "hi")
    assert (ran.code, "[text_model_missing]" in ran.err) == (3, True)


def test_a_rule_is_fitted_and_used(emoscope: Run, talk: Path, tmp_path: Path) -> None:
    write_fusion_list(tmp_path / "list.csv", 80)
    ran = emoscope("fit", "list.csv", "--to", "rule.json", "--json")
    figures = json.loads(ran.out)
    assert figures["both"]["uar"] > 0.95
    assert (figures["rows"], figures["speakers"]) == (80, 4)
    (tmp_path / "words.json").write_text('{"happy": 3, "angry": 1}')
    said = emoscope(
        "answer", talk, "--text-scores", "words.json", "--rule", "rule.json", "--json"
    ).out
    assert json.loads(said)[0]["fusion"]["fitted"] is True


def test_the_text_of_a_list_is_read_by_the_model(
    emoscope: Run, model: Path, tmp_path: Path
) -> None:
    write_fusion_list(tmp_path / "list.csv", 60, text=True)
    ran = emoscope("fit", "list.csv", "--to", "rule.json", "--text-model", model)
    assert ran.code == 0
    assert "Words" in ran.out
    assert "Rule written to" in ran.out


def test_rows_that_cannot_be_used_are_named_and_the_rest_is_fitted(
    emoscope: Run, tmp_path: Path
) -> None:
    write_fusion_list(tmp_path / "list.csv", 60)
    with (tmp_path / "list.csv").open("a") as file:
        file.write("x.wav,bored to death,s1" + ",0.1" * 9 + ",1,0\n")
        file.write("x.wav,happy,s1" + ",much" * 9 + ",1,0\n")
    ran = emoscope("fit", "list.csv", "--to", "rule.json")
    assert ran.code == 1
    assert "list.csv:62" in ran.err
    assert "list.csv:63" in ran.err
    assert "2 rows were not used" in ran.out


@pytest.mark.parametrize(
    ("rows", "speakers", "code"), [(10, 4, "fusion_too_few"), (60, 2, "fusion_too_few")]
)
def test_a_small_list_is_refused(
    emoscope: Run, tmp_path: Path, rows: int, speakers: int, code: str
) -> None:
    write_fusion_list(tmp_path / "list.csv", rows, speakers=speakers)
    ran = emoscope("fit", "list.csv", "--to", "rule.json")
    assert (ran.code, f"[{code}]" in ran.err) == (3, True)
    assert not (tmp_path / "rule.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"happy": 1}', "\x00"])
def test_scores_that_are_none_are_told(emoscope: Run, talk: Path, content: str) -> None:
    given = talk.with_name("words.json")
    given.write_text(content)
    ran = emoscope("answer", talk, "--text-scores", given)
    assert (ran.code, "[text_scores_invalid]" in ran.err) == (3, True)


def test_a_label_map_is_read(emoscope: Run, talk: Path, model: Path) -> None:
    table = talk.with_name("labels.json")
    table.write_text('{"joy": ["surprised"], "neutral": null}')
    ran = emoscope(
        "answer", talk, "--text", "great", "--text-model", model, "--label-map", table, "--json"
    )
    assert json.loads(ran.out)[0]["fusion"]["words_emotion"] == "surprised"
