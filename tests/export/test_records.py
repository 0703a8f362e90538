from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import AudioError, SourceNotFoundError
from emoscope.export import records
from emoscope.export.records import CSV_COLUMNS
from emoscope.labels import KEYS
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, ModelRef, Result, SourceRef
from emoscope.waveform import Waveform

UGLY = '开心, "very"\n=1+1;\u2028.wav'


def named(name: str) -> Result:
    """A result of a recording with this name."""
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    sound = np.sin(np.arange(16_000) / 20).astype(np.float32) / 2
    return replace(recognizer.recognize(Waveform(sound)), source=SourceRef(name, None))


RESULT = named("plain.wav")
FAILURE = Failure("短.wav", AudioError("audio_too_short", duration_s=0.05, min_duration_s=0.1))


def with_name(name: str) -> Result:
    """The plain result under another name."""
    return replace(RESULT, source=SourceRef(name, None))


def read_csv(text: str) -> list[dict[str, str]]:
    """Rows as any CSV reader sees them."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_csv_reads_back_at_full_precision() -> None:
    text = records.csv_header() + records.to_csv_line(RESULT)
    (row,) = read_csv(text)

    assert tuple(row) == CSV_COLUMNS
    assert row["name"] == "plain.wav"
    assert row["emotion"] == RESULT.emotion.key
    assert float(row["confidence"]) == RESULT.confidence
    assert {key: float(row[key]) for key in KEYS} == RESULT.scores.to_dict()
    assert float(row["duration_s"]) == 1.0
    assert row["warnings"].split() == list(RESULT.quality.reasons)
    assert row["model"] == "fake"
    assert row["error"] == row["error_zh"] == row["error_en"] == ""


def test_csv_names_what_stands_against_reading_an_emotion() -> None:
    quality = replace(RESULT.quality, reasons=("too_quiet", "no_speech"))
    answer = replace(RESULT, quality=quality, abstain=("too_short", "no_speech"))
    (row,) = read_csv(records.csv_header() + records.to_csv_line(answer))

    assert row["abstain"] == "too_short no_speech"
    assert row["warnings"] == "too_quiet no_speech"


def test_a_failure_has_its_row_with_code_and_both_sentences() -> None:
    """Nothing is lost."""
    (row,) = read_csv(records.csv_header() + records.to_csv_line(FAILURE))

    assert row["name"] == "短.wav"
    assert row["error"] == "audio_too_short"
    assert row["error_zh"] == FAILURE.error.detail_zh
    assert row["error_en"] == FAILURE.error.detail_en
    assert {row[key] for key in ("emotion", "confidence", *KEYS, "model")} == {""}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_name_comes_through_csv_as_one_row(name: str) -> None:
    """Commas, quotes, line breaks; only a start that spreadsheets run gets an apostrophe."""
    lines = records.to_csv_line(with_name(name)) + records.to_csv_line(FAILURE)
    rows = read_csv(records.csv_header() + lines)

    assert len(rows) == 2
    assert rows[0]["name"] in (name, f"'{name}")
    assert rows[1]["error"] == "audio_too_short"


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_formulas_are_tamed(start: str) -> None:
    """A file's name must not become a command in the spreadsheet that opens the table."""
    name = f"{start}cmd|' /C calc'!A0"
    row, failed = read_csv(
        records.csv_header()
        + records.to_csv_line(with_name(name))
        + records.to_csv_line(Failure(name, SourceNotFoundError("source_not_found", name=name)))
    )

    assert row["name"] == failed["name"] == f"'{name}"


def test_harmless_names_are_left_alone() -> None:
    for name in ("a=b.wav", "录音-1.wav", "'quoted'.wav", "1+1.wav", ""):
        (row,) = read_csv(records.csv_header() + records.to_csv_line(with_name(name)))
        assert row["name"] == name


@given(st.text(max_size=20))
def test_json_lines_hold_one_object_per_line(name: str) -> None:
    text = records.to_json_line(with_name(name)) + records.to_json_line(FAILURE)
    lines = text.encode("utf-8").split(b"\n")

    assert len(lines) == 3
    assert lines[2] == b""
    first, second = (json.loads(line) for line in lines[:2])
    assert first["name"] == name
    assert first["emotion"] == RESULT.emotion.key
    assert second == {"name": "短.wav", "error": records.error_record(FAILURE)}


def test_chinese_stays_readable() -> None:
    for text in (
        records.to_json([with_name(UGLY), FAILURE]),
        records.to_json_line(with_name(UGLY)) + records.to_json_line(FAILURE),
        records.to_csv_line(with_name(UGLY)) + records.to_csv_line(FAILURE),
    ):
        assert "开心" in text
        assert "短.wav" in text
        assert FAILURE.error.detail_zh in text


def test_json_is_one_list_in_order() -> None:
    answers = [FAILURE, RESULT, FAILURE]
    data = json.loads(records.to_json(answers))

    assert [record["name"] for record in data] == ["短.wav", "plain.wav", "短.wav"]
    assert data[1] == {"name": "plain.wav", **RESULT.to_dict()}
    assert data[0]["error"]["code"] == "audio_too_short"
    assert json.loads(records.to_json([])) == []


def test_names_that_are_no_utf_8_can_still_be_written() -> None:
    """Linux allows them; the one file must not cost the table of a thousand."""
    answer = with_name(os.fsdecode(b"bad\xff.wav"))

    assert json.loads(records.to_json_line(answer).encode("utf-8"))["name"] == answer.name
    assert json.loads(records.to_json([answer]).encode("utf-8"))[0]["name"] == answer.name
    assert b"bad\\udcff.wav" in records.to_csv_line(answer).encode("utf-8")


def test_numbers_that_json_has_no_word_for_are_refused() -> None:
    broken = replace(RESULT, duration_s=float("nan"))

    with pytest.raises(ValueError, match="JSON"):
        records.to_json_line(broken)
    with pytest.raises(ValueError, match="JSON"):
        records.to_json([broken])
