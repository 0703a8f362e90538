"""What we write as tables is read back by the libraries that others read it with, and is equal."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import numpy as np
import pyarrow.parquet
import pytest

from conftest import Speech
from emoscope.errors import ExtraMissingError
from emoscope.export import tables
from emoscope.export.annotations import export
from emoscope.labels import KEYS
from emoscope.recognizer import Recognizer
from emoscope.results.activity import Channel
from emoscope.results.result import Result
from emoscope.waveform import Waveform


@pytest.fixture
def result(fake_recognizer: Recognizer, speech: Speech) -> Result:
    pause = np.zeros(2 * 16_000, np.float32)
    sound = np.concatenate([speech(2.0, level=0.1), pause, speech(2.0, seed=1, level=0.4)])
    return fake_recognizer.recognize(Waveform(sound, name="call.wav"), granularity="frame")


@pytest.fixture
def pair(result: Result) -> tuple[Result, Result]:
    return tuple(  # type: ignore[return-value]  # of two
        replace(result, channel=Channel(number, 2, 0.5, 0.5)) for number in (1, 2)
    )


def read(kind: str, data: bytes) -> list[dict[str, object]]:
    """Lines as others read them; CSV has text only."""
    if kind == "parquet":
        return pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    if kind == "jsonl":
        return [json.loads(line) for line in data.decode().splitlines()]
    return list(csv.DictReader(io.StringIO(data.decode())))


KINDS = ("csv", "jsonl", "parquet")


@pytest.mark.parametrize("kind", KINDS)
def test_segments_come_back(result: Result, kind: str) -> None:
    rows = read(kind, export((result,), kind))

    assert [row["emotion"] for row in rows] == [one.emotion.key for one in result.segments]
    assert [row["emotion_zh"] for row in rows] == [one.emotion.zh for one in result.segments]
    assert "silence" in {row["emotion"] for row in rows}
    for row, segment in zip(rows, result.segments, strict=True):
        exact = kind != "csv"
        assert float(row["start_s"]) == pytest.approx(
            segment.span.start_s, abs=0 if exact else 1e-3
        )
        assert float(row["end_s"]) == pytest.approx(segment.span.end_s, abs=0 if exact else 1e-3)
        if segment.silent:
            assert row["score"] in ("", None)
        else:
            assert float(row["score"]) == pytest.approx(segment.score, abs=0 if exact else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_curve_comes_back(result: Result, kind: str) -> None:
    rows = read(kind, export((result,), kind, curve=True))

    track = result.track
    assert track is not None
    assert len(rows) == len(track)
    assert [float(row["start_s"]) for row in rows[:4]] == [0.0, 0.02, 0.04, 0.06]
    assert [bool(int(row["speech"])) for row in rows] == track.speech.tolist()
    scores = np.array([[float(row[key]) for key in KEYS] for row in rows])
    logits = np.array([[float(row[f"logit_{key}"]) for key in KEYS] for row in rows])
    if kind == "csv":
        np.testing.assert_allclose(scores, track.scores, atol=1e-6)
        np.testing.assert_allclose(logits, track.logits, atol=1e-6)
    else:
        np.testing.assert_array_equal(scores, track.scores)
        np.testing.assert_array_equal(logits.astype(np.float32), track.logits)


@pytest.mark.parametrize("curve", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_channels_have_a_column_only_where_they_are_apart(
    result: Result, pair: tuple[Result, Result], kind: str, curve: bool
) -> None:
    mixed = read(kind, export((result,), kind, curve=curve))
    apart = read(kind, export(pair[::-1], kind, curve=curve))

    assert "channel" not in mixed[0]
    assert [int(row.pop("channel")) for row in apart] == [1] * len(mixed) + [2] * len(mixed)
    assert apart == mixed * 2


def test_numpy_has_the_logits(result: Result, pair: tuple[Result, Result]) -> None:
    one, both = (
        np.load(io.BytesIO(export(given, "npy", curve=True)), allow_pickle=False)
        for given in ((result,), pair)
    )

    assert result.track is not None
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, result.track.logits)
    np.testing.assert_array_equal(both, np.stack([one, one]))


def test_parquet_says_what_it_was_made_from_and_keeps_types(result: Result) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(export((result,), "parquet", curve=True)))

    about = json.loads(table.schema.metadata[b"emoscope"])
    assert about["duration_s"] == result.duration_s
    assert about["source"]["name"] == "call.wav"
    assert about["model"] == result.model.to_dict()
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["start_s"], types["speech"]) == ("double", "bool")
    assert (types["happy"], types["logit_happy"]) == ("double", "float")


def test_a_name_that_is_no_utf_8_is_no_reason_to_fail(result: Result) -> None:
    odd = replace(result, source=replace(result.source, name="call\udcff.wav"))

    table = pyarrow.parquet.read_table(io.BytesIO(export((odd,), "parquet")))

    assert json.loads(table.schema.metadata[b"emoscope"])["source"]["name"] == "call\udcff.wav"


def test_without_pyarrow_the_line_to_type_is_told(
    result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ExtraMissingError) as told:
        tables.to_parquet(tables.segment_rows_table([result]))

    assert "pip install 'emoscope[parquet]'" in told.value.detail_en
    assert "pip install 'emoscope[parquet]'" in told.value.detail_zh
    assert export((result,), "jsonl")
