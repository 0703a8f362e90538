"""What we write is read back by the libraries that others read it with."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from emoscope.annotations import FORMATS, to_text
from emoscope.cli import main as cli
from emoscope.errors import RunNotFoundError, SegmentsMissingError, SettingError
from emoscope.labels import by_key
from emoscope.result import ModelRef, Quality, Result, Scores, SourceRef
from emoscope.segments import Segment
from emoscope.waveform import Span

BORDERS_S = (0.0, 1.26, 3_599.9996, 3_725.04)
"""With a border that rounds up to a full hour, where clocks are easily got wrong."""


@pytest.fixture
def result() -> Result:
    keys = ("happy", "neutral", "sad")
    spans = pairwise(BORDERS_S)
    return Result(
        source=SourceRef("my call 1.wav", None),
        created=datetime(2026, 1, 4, 22, 30, tzinfo=UTC),
        duration_s=BORDERS_S[-1],
        granularity="frame",
        scores=Scores(np.full(9, 1 / 9)),
        quality=Quality(-20.0, 0.5, 0.0, 30.0, 8_000.0, 0.8),
        model=ModelRef("fake", "1", "0" * 64),
        segments=tuple(
            Segment(Span(start_s, end_s), by_key(key), 0.75)
            for (start_s, end_s), key in zip(spans, keys, strict=True)
        ),
    )


def check(read: list[tuple[float, float, str]], words: list[str]) -> None:
    assert [word for _, _, word in read] == words
    for (start_s, end_s, _), first_s, last_s in zip(
        read, BORDERS_S[:-1], BORDERS_S[1:], strict=True
    ):
        assert start_s == pytest.approx(first_s, abs=1e-3)
        assert end_s == pytest.approx(last_s, abs=1e-3)


ENGLISH = ["happy", "neutral", "sad"]
CHINESE = ["快乐", "中性", "悲伤"]


def test_textgrid_reads_back(result, tmp_path) -> None:
    from praatio import textgrid

    path = tmp_path / "a.TextGrid"
    path.write_text(to_text(result, "textgrid"), "utf-8")

    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == ("情绪", "emotion")
    check([tuple(entry) for entry in grid.getTier("emotion").entries], ENGLISH)
    check([tuple(entry) for entry in grid.getTier("情绪").entries], CHINESE)


def test_textgrid_is_the_long_text_format_of_praat(result) -> None:
    lines = to_text(result, "textgrid").splitlines()

    assert lines[0] == 'File type = "ooTextFile"'
    assert lines[1] == 'Object class = "TextGrid"'


def test_eaf_reads_back(result, tmp_path) -> None:
    from pympi import Eaf

    path = tmp_path / "a.eaf"
    path.write_text(to_text(result, "eaf"), "utf-8")

    document = Eaf(str(path))
    for tier, words in (("emotion", ENGLISH), ("情绪", CHINESE)):
        rows = document.get_annotation_data_for_tier(tier)
        check([(row[0] / 1000, row[1] / 1000, row[2]) for row in rows], words)


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_subtitles_read_back(result, kind: str) -> None:
    import webvtt

    track = webvtt.from_buffer(io.BytesIO(to_text(result, kind).encode()), format=kind)

    times = [(caption.start_in_seconds, caption.end_in_seconds, caption.text) for caption in track]
    assert times[0][2] == "😊 快乐 (Happy) 75%"
    assert track[2].start == "01:00:00.000"


def test_audacity_labels_read_back(result) -> None:
    rows = [line.split("\t") for line in to_text(result, "audacity").splitlines()]

    check([(float(start), float(end), word) for start, end, word in rows], ENGLISH)


def test_rttm_has_ten_fields_whatever_the_file_is_called(result) -> None:
    rows = [line.split(" ") for line in to_text(result, "rttm").splitlines()]

    assert {len(row) for row in rows} == {10}
    assert {row[1] for row in rows} == {"my_call_1"}
    check([(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows], ENGLISH)


def test_csv_reads_back(result) -> None:
    rows = list(csv.DictReader(io.StringIO(to_text(result, "csv"))))

    check([(float(row["start_s"]), float(row["end_s"]), row["emotion"]) for row in rows], ENGLISH)


@pytest.mark.parametrize("name", FORMATS)
def test_a_result_without_a_time_axis_is_told(result, name: str) -> None:
    from dataclasses import replace

    with pytest.raises(SegmentsMissingError):
        to_text(replace(result, segments=()), name)


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_writes_a_file_that_is_named_after_the_recording(
    result, tmp_path, name: str
) -> None:
    run = tmp_path / "outputs_20260104_223000"
    run.mkdir()
    (run / "result.json").write_text(json.dumps(result.to_dict()))

    cli.app(["export", str(run), "--format", name, "--out", str(tmp_path)], standalone_mode=False)

    written = tmp_path / f"my call 1{FORMATS[name].suffix}"
    assert written.read_text("utf-8") == to_text(result, name)


def test_a_missing_run_and_a_wrong_format_are_told(tmp_path) -> None:
    with pytest.raises(RunNotFoundError):
        cli.app(["export", str(tmp_path)], standalone_mode=False)
    with pytest.raises(SettingError):
        cli.app(["export", str(tmp_path), "-f", "mp3"], standalone_mode=False)
