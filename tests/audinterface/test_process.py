"""The process functions in the real audinterface, and tables of audformat and ``datasets``."""

from __future__ import annotations

from pathlib import Path

import audformat
import audinterface
import datasets
import numpy as np
import pandas as pd
import pytest

import emoscope
from emoscope.audinterface import NAMES, signal_embedding, signal_scores
from emoscope.labels import KEYS
from raising import raises_code
from sounds import SAMPLES, sample, wav

FILES = [str(SAMPLES / name) for name in ("happy_zh.wav", "sad_en.wav")]
ARGS = {"model": "compact"}


def scores_of(source: object) -> list[float]:
    return emoscope.recognize(source, model="compact").scores.values.tolist()  # type: ignore[arg-type]


def test_files_become_a_table_of_scores() -> None:
    interface = audinterface.Feature(NAMES, process_func=signal_scores, process_func_args=ARGS)
    table = interface.process_files(FILES)

    assert list(table.columns) == list(KEYS)
    np.testing.assert_allclose(table.to_numpy(), [scores_of(path) for path in FILES], atol=1e-6)


def test_parts_of_files_are_recognized_alone() -> None:
    index = audformat.segmented_index([FILES[0]] * 2, ["0s", "1s"], ["1s", "2.5s"])
    interface = audinterface.Feature(
        NAMES, process_func=signal_scores, process_func_args=ARGS, num_workers=2
    )
    table = interface.process_index(index)
    clip = sample("happy_zh.wav")
    expected = [scores_of((clip[a:b], 16_000)) for a, b in ((0, 16_000), (16_000, 40_000))]

    np.testing.assert_allclose(table.to_numpy(), expected, atol=1e-6)


def test_channels_of_a_signal_are_mixed_or_processed_each_alone() -> None:
    happy, sad = (sample(Path(path).name)[:32_000] for path in FILES)
    both = np.stack([happy, sad])
    mixed = signal_scores(both, 16_000, model="compact")
    each = audinterface.Feature(
        NAMES,
        process_func=signal_scores,
        process_func_args=ARGS,
        process_func_is_mono=True,
        channels=[0, 1],
    ).process_signal(both, 16_000)

    assert mixed.tolist() == scores_of((both, 16_000))
    np.testing.assert_allclose(
        each.to_numpy().reshape(2, 9), [scores_of((one, 16_000)) for one in both], atol=1e-6
    )


def test_a_process_gives_embeddings() -> None:
    process = audinterface.Process(process_func=signal_embedding, process_func_args=ARGS)
    series = process.process_files(FILES)
    one = emoscope.recognize(FILES[0], model="compact", embedding="utterance")

    np.testing.assert_array_equal(series.iloc[0], one.utterance_embedding)


def test_a_signal_that_cannot_be_used_is_nan_or_an_error() -> None:
    silent = np.zeros((1, 16_000), np.float32)

    assert np.isnan(signal_scores(silent, 16_000, model="compact")).all()
    assert np.isnan(signal_embedding(silent, 16_000, model="compact")).all()
    with raises_code("audio_silent"):
        signal_scores(silent, 16_000, model="compact", on_failure="raise")


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_a_table_of_audformat_is_recognized_with_its_columns(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.wav").write_bytes(Path(FILES[name == "b"]).read_bytes())
    database = audformat.Database("corpus")
    database.schemes["emotion"] = audformat.Scheme(labels=["happy", "sad"])
    database["files"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    database["files"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["files"]["emotion"].set(["happy", "sad"])
    database.save(str(tmp_path))
    table = audformat.Database.load(str(tmp_path))["files"].get().reset_index()

    answers = emoscope.recognize_many(tmp_path / name for name in table["file"])
    frame = answers.to_frame(table)
    assert frame["list_emotion"].tolist() == ["happy", "sad"]
    assert "error" not in frame
    assert frame["name"].tolist() == ["a.wav", "b.wav"]


@pytest.mark.parametrize("column", ["bytes", "path"])
def test_a_hugging_face_data_set_is_mapped_without_decoding(column: str) -> None:
    data = {
        "bytes": [{"bytes": wav(sample(Path(path).name)), "path": "clip.wav"} for path in FILES],
        "path": FILES,
    }[column]
    rows = datasets.Dataset.from_dict({"audio": data}).cast_column(
        "audio", datasets.Audio(decode=False)
    )

    def answer(row: dict[str, object]) -> dict[str, object]:
        result = emoscope.recognize(row["audio"], model="compact")  # type: ignore[arg-type]
        return {"emotion": result.emotion.key, **result.scores.to_dict()}

    mapped = rows.map(answer)
    assert isinstance(mapped.to_pandas(), pd.DataFrame)
    np.testing.assert_allclose(
        [[row[key] for key in KEYS] for row in mapped],
        [scores_of(path) for path in FILES],
        atol=1e-6,
    )
