"""Answers as pandas tables, and embeddings of a corpus in one file."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emoscope.errors import AudioSilentError, PackageMissingError, ResultError
from emoscope.export.records import CSV_COLUMNS, csv_header, to_csv_line
from emoscope.labels import KEYS
from emoscope.multichannel import recognize_channels_with
from emoscope.recognizer import Recognizer
from emoscope.results.data_frame import to_frame
from emoscope.results.embeddings import embeddings, save_embeddings
from emoscope.results.result import Failure, Result
from emoscope.results.rows import COLUMNS_OF, RECORDING_COLUMNS
from raising import raises_code
from results import make_result
from sounds import sample

VOICE = (sample("happy_zh.wav"), 16_000)
OTHER = (sample("sad_en.wav"), 16_000)
FAILURE = Failure("quiet.wav", AudioSilentError())
LIST = pd.DataFrame(
    {"path": ["a.wav", "b.wav"], "speaker": ["03", "08"], "emotion": ["happy", "sad"]},
    index=["x", "y"],
)


@pytest.fixture
def result(fake_recognizer: Recognizer) -> Result:
    return fake_recognizer.recognize(VOICE, granularity="frame", utterances=True, name="a.wav")


def test_a_table_has_a_row_for_each_recording_and_failures_keep_theirs(result: Result) -> None:
    frame = to_frame([result, FAILURE])

    assert list(frame["name"]) == ["a.wav", "quiet.wav"]
    assert frame["error"].tolist()[1] == "audio_silent"
    assert frame["error"].isna().tolist() == [True, False]
    assert frame.loc[0, list(KEYS)].tolist() == result.scores.values.tolist()
    assert frame[list(KEYS)].dtypes.unique().tolist() == [np.dtype(np.float64)]
    assert frame.loc[1, list(KEYS)].isna().all()
    assert frame.loc[0, "margin"] == result.scores.margin


def test_its_columns_and_values_are_those_of_the_csv(result: Result) -> None:
    assert {*RECORDING_COLUMNS} - {"margin"} == {*CSV_COLUMNS}
    row = to_frame(result).iloc[0]
    (told,) = csv.DictReader(io.StringIO(csv_header() + to_csv_line(result)))

    for name in set(told) & set(row.index):
        expected = told[name]
        found = "" if pd.isna(row[name]) else row[name]
        assert (repr(float(found)) if isinstance(found, float) else found) == expected, name
    assert {name for name, value in told.items() if value} <= set(row.index)


def test_columns_of_the_list_come_along_and_hide_nothing(result: Result) -> None:
    frame = to_frame([result, FAILURE], LIST)

    assert list(frame.columns[:4]) == ["path", "speaker", "list_emotion", "name"]
    assert frame["list_emotion"].tolist() == ["happy", "sad"]
    assert frame.index.tolist() == ["x", "y"]
    for columns in (LIST.to_dict("list"), LIST.to_dict("records")):
        again = to_frame([result, FAILURE], columns)
        pd.testing.assert_frame_equal(again, frame.reset_index(drop=True))


@pytest.mark.parametrize(
    "columns", [{"path": ["a.wav"]}, [{"path": "a.wav"}], {"a": [1, 2], "b": [1]}, []]
)
def test_a_list_of_another_length_is_refused(result: Result, columns: object) -> None:
    with raises_code("table_rows_differ"):
        to_frame([result, FAILURE], columns)


def test_segments_utterances_and_frames_are_tidy_too(result: Result) -> None:
    segments = to_frame([result, FAILURE], LIST, rows="segments")
    frames = to_frame(result, rows="frames")
    utterances = to_frame(result, rows="utterances")

    assert len(segments) == len(result.segments) + 1
    assert segments["speaker"].tolist() == ["03"] * len(result.segments) + ["08"]
    assert segments["start_s"].tolist()[0] == 0.0
    assert segments["error"].tolist()[-1] == "audio_silent"
    assert len(frames) == len(result.track)
    np.testing.assert_array_equal(frames[list(KEYS)], result.track.scores)
    pd.testing.assert_frame_equal(
        frames.drop(columns="name"), result.track.to_frame(), check_like=True
    )
    assert utterances["start_s"].tolist() == [one.start_s for one in result.utterances]
    assert utterances["happy"].tolist() == [one.scores["happy"] for one in result.utterances]


def test_an_empty_list_gives_an_empty_table_with_its_columns() -> None:
    for kind, columns in COLUMNS_OF.items():
        assert list(to_frame([], rows=kind).columns) == list(columns)


def test_another_kind_of_rows_is_refused() -> None:
    with raises_code("row_kind_invalid"):
        to_frame([], rows="words")  # type: ignore[arg-type]


def test_channels_have_rows_of_their_own(fake_recognizer: Recognizer) -> None:
    both = np.stack([VOICE[0], OTHER[0][: len(VOICE[0])]])
    found = recognize_channels_with(fake_recognizer, (both, 16_000), name="call")

    assert to_frame(found.results)["channel"].tolist() == [1, 2]


def test_a_stream_of_answers_makes_its_own_table(fake_recognizer: Recognizer) -> None:
    frame = fake_recognizer.recognize_many([VOICE, "missing.wav"]).to_frame(LIST)

    assert frame["error"].isna().tolist() == [True, False]
    assert frame["speaker"].tolist() == ["03", "08"]


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PackageMissingError, match="pip install pandas"):
        to_frame([make_result()])


# --- embeddings -----------------------------------------------------------------------------------


def test_embeddings_of_a_corpus_are_one_file(fake_recognizer: Recognizer, tmp_path: Path) -> None:
    sources = [VOICE, "missing.wav"]
    plain = embeddings(fake_recognizer.recognize_many(sources, embedding=True))
    npy, parquet = tmp_path / "e.npy", tmp_path / "e.parquet"
    for path in (npy, parquet):
        answers = fake_recognizer.recognize_many(sources, embedding="utterance")
        columns = LIST if path is parquet else None
        assert save_embeddings(answers, path, columns) == plain.shape

    assert np.isnan(plain[1]).all()
    np.testing.assert_array_equal(np.load(npy, allow_pickle=False), plain)
    table = pq.read_table(parquet).to_pylist()
    np.testing.assert_array_equal(np.float32(table[0]["embedding"]), plain[0])
    assert table[1]["embedding"] is None
    assert table[1]["error"] == "source_not_found"
    assert [row["list_emotion"] for row in table] == ["happy", "sad"]


@pytest.mark.parametrize(
    ("name", "code"), [("e.csv", "embedding_file_unknown"), ("e.npy", "embedding_missing")]
)
def test_embeddings_that_cannot_be_written_say_why(tmp_path: Path, name: str, code: str) -> None:
    with raises_code(code):
        save_embeddings([make_result()], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_embeddings_of_two_models_do_not_stand_together() -> None:
    answers = [make_result(mean_embedding=np.zeros(size, np.float32)) for size in (4, 8)]
    with raises_code("embeddings_differ"):
        embeddings(answers)
    assert issubclass(ResultError, ValueError)
