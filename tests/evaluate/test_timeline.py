"""EDER and figures by time, against SpeechBrain's definition counted in milliseconds."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoscope.cli import evaluate_timeline as evaluating
from emoscope.cli import main as cli
from emoscope.evaluate import evaluate_timelines, measure_timelines, read_annotated, recording_times
from emoscope.evaluate.timeline import NEUTRAL, EmotionSpan
from emoscope.export.annotations import export
from emoscope.labels import by_key
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import Failure
from raising import raises_code
from ran import run_here
from sounds import SAMPLES, noise, wav

ANGRY, SAD = by_key("angry").index, by_key("sad").index


def test_the_example_of_speechbrain_has_its_value() -> None:
    """Its docstring: six frames of 0.2 s, n n n a a a; angry from 0.39 to 1.10 s of 1.22 s."""
    answers = [(0.0, 0.6, NEUTRAL), (0.6, 1.2, ANGRY)]
    found = recording_times("u", [(0.39, 1.10, ANGRY)], answers, 1.22)
    assert found.eder == pytest.approx(0.2704918032786885)


def spans_in_ms(cuts: list[int], labels: list[int], *, gaps: bool) -> list[tuple[int, int, int]]:
    edges = sorted(set(cuts))
    pairs = list(itertools.pairwise(edges))
    chosen = pairs[::2] if gaps else pairs
    return [(one, two, labels[at % len(labels)]) for at, (one, two) in enumerate(chosen)]


@given(
    st.lists(st.integers(0, 900), min_size=2, max_size=9),
    st.lists(st.integers(0, 800), max_size=9),
    st.lists(st.integers(0, 8), min_size=1, max_size=9),
    st.integers(801, 1000),
)
@settings(deadline=None, max_examples=60)
def test_figures_equal_those_counted_millisecond_by_millisecond(
    cuts: list[int], answered: list[int], labels: list[int], duration: int
) -> None:
    truth = spans_in_ms(cuts, labels, gaps=True)
    answers = spans_in_ms([0, *answered, 800], labels[::-1], gaps=False)

    def seconds(spans: list[tuple[int, int, int]]) -> list[EmotionSpan]:
        return [(start / 1000, end / 1000, label) for start, end, label in spans]

    found = recording_times("u", seconds(truth), seconds(answers), duration / 1000)

    said, annotated = np.full(duration, NEUTRAL), np.zeros(duration, bool)
    for start, end, label in truth:
        said[start:end], annotated[start:end] = label, True
    heard = np.full(duration, -1)
    for start, end, label in answers:
        heard[start:end] = label
    assert found.eder == pytest.approx((said != heard).mean())
    for label in range(9):
        right = (annotated & (said == label) & (heard == label)).sum() / 1000
        assert found.annotated_s[label, label] == pytest.approx(right)
    assert found.annotated_s.sum() == pytest.approx((annotated & (heard >= 0)).sum() / 1000)


def test_ua_by_time_is_the_mean_of_the_shares_of_each_emotion() -> None:
    first = recording_times("a", [(0, 3, ANGRY)], [(0, 1, ANGRY), (1, 4, NEUTRAL)], 4.0, "x")
    second = recording_times("b", [(0, 1, SAD)], [(0, 2, SAD)], 2.0, "y")

    found = measure_timelines([first, second], draws=200)

    assert found.ua == pytest.approx((1 / 3 + 1) / 2)
    assert found.wa == pytest.approx(2 / 4)
    assert found.eder == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert found.eder_by_time == pytest.approx(3 / 6)
    assert found.ua_interval == pytest.approx((1 / 3, 1.0))
    assert found.resampling.speakers == 2
    assert measure_timelines([first]).eder_interval is None
    json.dumps(found.to_dict(), allow_nan=False)


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
{end}
<exists>
1
"IntervalTier"
"emotion"
0
{end}
2
0
{cut}
"{first}"
{cut}
{end}
"{second}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, level in (("a", 0.5), ("b", 0.01)):
        (tmp_path / f"{name}.wav").write_bytes(wav(noise(2.0, level=level)))
        grid = TEXTGRID.format(end=2.0, cut=1.0, first="Freude", second="traurig")
        (tmp_path / f"{name}.TextGrid").write_text(grid, "utf-8")
    (tmp_path / "c.wav").write_bytes(wav(noise(1.0)))
    rows = "path,textgrid,speaker\na.wav,a.TextGrid,s\nb.wav,b.TextGrid,t\n"
    (tmp_path / "list.csv").write_text(rows)
    return tmp_path


@pytest.mark.parametrize("name", ["", "list.csv"])
def test_annotated_recordings_are_read_from_a_list_or_a_folder(folder: Path, name: str) -> None:
    found = read_annotated(folder / name)
    assert [Path(one.name).name for one in found] == ["a.wav", "b.wav"]
    first = found[0]
    assert not isinstance(first, Failure)
    assert first.spans == ((0.0, 1.0, by_key("happy").index), (1.0, 2.0, SAD))
    assert first.speaker == ("s" if name else "")


def test_unknown_labels_and_missing_annotations_are_told(folder: Path) -> None:
    (folder / "b.TextGrid").unlink()
    found = read_annotated(folder / "list.csv")
    assert isinstance(found[1], Failure)
    grid = TEXTGRID.format(end=2.0, cut=1.0, first="laugh", second="cough")
    (folder / "a.TextGrid").write_text(grid)
    with raises_code("labels_unknown") as caught:
        read_annotated(folder / "list.csv")
    assert "'laugh'" in caught.value.detail_en
    assert "'cough'" in caught.value.detail_en
    (folder / "empty").mkdir()
    with raises_code("source_nothing_found"):
        read_annotated(folder / "empty")


def test_our_own_annotation_of_a_recording_agrees_with_it(tmp_path: Path) -> None:
    """What a model answers, written as TextGrid and read as truth, is no error but its silences."""
    pytest.importorskip("praatio")
    recognizer = load("compact")
    sound = tmp_path / "happy_zh.wav"
    sound.write_bytes((SAMPLES / "happy_zh.wav").read_bytes())
    result = recognizer.recognize(sound, granularity="frame")
    (tmp_path / "happy_zh.TextGrid").write_bytes(export([result], "textgrid"))
    spoken = {segment.emotion.key for segment in result.segments}
    if "silence" in spoken:
        pytest.skip("this sample has a pause, which is no emotion")

    found = evaluate_timelines(recognizer, read_annotated(tmp_path), draws=20)

    assert found.eder == pytest.approx(0, abs=0.05)
    assert found.ua == pytest.approx(1, abs=0.05)


def test_the_command_prints_and_writes_the_figures(
    folder: Path,
    fake_recognizer: Recognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(evaluating, "open_model", lambda _settings, _limits: fake_recognizer)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.chdir(folder)

    ran = run_here(cli.main, capsys, "evaluate", "list.csv", "--timeline", "--json", "t.json")

    assert ran.code == 0, ran.err
    assert "EDER" in ran.out
    assert "bootstrap over 2 speakers" in ran.out
    data = json.loads((folder / "t.json").read_text("utf-8"))
    assert data["recordings"] == 2
    assert 0 <= data["eder"] <= 1
    assert data["annotated_s"] == pytest.approx(4, abs=0.1)
    ran = run_here(cli.main, capsys, "evaluate", "list.csv", "--timeline", "--tier", "no")
    assert ran.code == 3
