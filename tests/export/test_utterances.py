"""Utterances in every export are read back by the libraries that others read them with."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import parselmouth
import pyarrow.parquet
import pytest
import webvtt
from parselmouth.praat import call
from pympi import Eaf

from emoscope.cli import main as cli
from emoscope.export.annotations import FORMATS, export
from emoscope.export.records import head_columns
from emoscope.export.utterance_rows import (
    UTTERANCE_COLUMNS,
    archive_utterances,
    to_utterance_csv,
    utterance_csv_header,
)
from emoscope.lists.spans import read_spans
from emoscope.outputs.store import RunStore
from emoscope.results.activity import Channel
from emoscope.results.calibrated import LabelSet
from emoscope.results.heads import HeadAnswer, HeadLabel
from emoscope.results.result import Result
from emoscope.results.utterances import UTTERANCE_RULES, Utterance, UtteranceCut, UtteranceSet
from emoscope.waveform import Waveform
from emoscope.web.archive import zip_of_runs
from raising import raises_code
from results import make_result, make_scores


def utterance(start_s: float, end_s: float, **changes: object) -> Utterance:
    scores = make_scores(happy=0.75, sad=0.2)
    fields = {
        "emotion": scores.top,
        "confidence": scores.confidence,
        "confidence_calibrated": 0.6,
        "label_set": LabelSet(0.9, ("happy", "sad")),
        "scores": scores,
        **changes,
    }
    return Utterance(start_s=start_s, end_s=end_s, **fields)  # type: ignore[arg-type]


def spoken(*utterances: Utterance, **changes: object) -> Result:
    rules = None if utterances and utterances[0].text else UTTERANCE_RULES
    reason = None if utterances else "no_speech"
    cut = UtteranceCut(by="pauses", rules=rules, reason=reason)
    return make_result(utterance_set=UtteranceSet(utterances, cut), **changes)


@pytest.fixture
def result() -> Result:
    """Two utterances with text, and one of which nothing is claimed; made without a time axis."""
    return spoken(
        utterance(0.2504, 1.5, text="=你好", id="u1"),
        utterance(1.7, 2.9, text="hello"),
        utterance(3.0, 3.4, abstain=("too_short",)),
    )


def text_of(result: Result, name: str) -> str:
    return export((result,), name, utterances=True).decode()


def test_praat_opens_the_textgrid(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(text_of(result, "textgrid"), "utf-8")
    grid = parselmouth.read(str(path))

    names = [call(grid, "Get tier name", tier) for tier in (1, 2, 3)]
    assert names == ["情绪", "emotion", "内容"]
    assert call(grid, "Get label of interval", 2, 2) == "happy"
    assert call(grid, "Get start time of interval", 2, 2) == pytest.approx(0.25, abs=1e-3)
    labels = [call(grid, "Get label of interval", 1, row) for row in range(1, 8)]
    assert labels == ["", "快乐", "", "快乐", "", "无法判断", ""]
    said = read_spans(path, "内容").rows
    assert [row.span.text for row in said] == ["=你好", "hello"]


def test_elan_reads_the_eaf(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "a.eaf"
    path.write_text(text_of(result, "eaf"), "utf-8")
    document = Eaf(str(path))

    assert [row[:3] for row in document.get_annotation_data_for_tier("emotion")] == [
        (250, 1500, "happy"),
        (1700, 2900, "happy"),
        (3000, 3400, "abstain"),
    ]
    assert [row[2] for row in document.get_annotation_data_for_tier("内容")] == ["=你好", "hello"]


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_subtitles_say_the_emotion_and_the_words(result: Result, kind: str) -> None:
    track = webvtt.from_buffer(io.BytesIO(text_of(result, kind).encode()), format=kind)

    assert [one.text for one in track] == [
        "😊 快乐 (Happy) 75%\n=你好",
        "😊 快乐 (Happy) 75%\nhello",
        "🤷 无法判断 (Cannot tell)",
    ]


def test_rttm_and_audacity(result: Result) -> None:
    rttm = [line.split() for line in text_of(result, "rttm").splitlines()]
    assert [(one[3], one[4], one[7]) for one in rttm] == [
        ("0.250", "1.250", "happy"),
        ("1.700", "1.200", "happy"),
        ("3.000", "0.400", "abstain"),
    ]
    assert text_of(result, "audacity").splitlines()[1] == "1.700000\t2.900000\thappy"


def test_tables_have_all_scores(result: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(result, "csv"))))
    assert [row["text"] for row in rows] == ["'=你好", "hello", ""]
    assert [row["abstain"] for row in rows] == ["", "", "too_short"]
    assert float(rows[0]["happy"]) == pytest.approx(0.75)
    lines = [json.loads(line) for line in text_of(result, "jsonl").splitlines()]
    assert lines[0]["text"] == "=你好"
    assert lines[0]["confidence_calibrated"] == 0.6
    table = pyarrow.parquet.read_table(io.BytesIO(export((result,), "parquet", utterances=True)))
    assert table.num_rows == 3
    assert table.column("sad").to_pylist() == [0.2] * 3
    assert "channel" not in table.column_names


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.segments])
def test_no_utterance_is_an_empty_file_and_no_error(name: str) -> None:
    assert isinstance(export((spoken(),), name, utterances=True), bytes)


def test_channels_stand_beside_each_other() -> None:
    results = [
        spoken(utterance(0.0, 1.0), channel=Channel(number, 2, 0.5, 0.0)) for number in (2, 1)
    ]
    rows = list(csv.DictReader(io.StringIO(export(results, "csv", utterances=True).decode())))

    assert [row["channel"] for row in rows] == ["1", "2"]
    assert "emotion 2" in export(results, "textgrid", utterances=True).decode()


def test_a_result_without_them_is_refused() -> None:
    with raises_code("utterances_missing"):
        export((make_result(),), "srt", utterances=True)


def test_the_command_exports_a_run(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunStore(tmp_path).save(result, Waveform(np.zeros(16_000, np.float32)))
    cli.app(["export", str(run.path), "-f", "csv", "-u"], standalone_mode=False)

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["id"] for row in rows] == ["u1", "", ""]


def test_an_archive_has_a_table_of_them(result: Result, tmp_path: Path) -> None:
    store, silence = RunStore(tmp_path), Waveform(np.zeros(16_000, np.float32))
    names = [store.save(one, silence).name for one in (result, make_result())]
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_of_runs(store, names)))) as archive:
        text = archive.read("utterances.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert list(rows[0]) == ["run", *UTTERANCE_COLUMNS]
    assert [row["run"] for row in rows] == [names[0]] * 3


def test_heads_have_columns_in_tables_of_utterances(tmp_path: Path) -> None:
    said = {"mood": {"calm": 0.25, "tense": 0.75}}
    labels = tuple(HeadLabel(key, key, key, "", "#000000") for key in said["mood"])
    head = HeadAnswer("mood", "0" * 64, labels, "calm", 0.6, {"calm": 0.6, "tense": 0.4})
    one = spoken(utterance(0.0, 1.0, heads=said), heads=(head,))
    extra = (*head_columns(one.heads), "adaptation")

    rows = list(csv.DictReader(io.StringIO(archive_utterances([("run", one)]))))
    (row,) = csv.DictReader(io.StringIO(utterance_csv_header(extra) + to_utterance_csv(one, extra)))

    expected = {
        "head.mood": "tense",
        "head.mood.confidence": "0.75",
        "head.mood.calm": "0.25",
        "head.mood.tense": "0.75",
    }
    assert {key: row[key] for key in row if key.startswith("head.")} == expected
    assert {key: rows[0][key] for key in expected} == expected
    assert list(row) == [*UTTERANCE_COLUMNS, *expected]
