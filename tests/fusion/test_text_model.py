"""Text models in ONNX: scores, labels, long texts, and what is wrong with a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emoscope import fusion
from emoscope.errors import (
    EmoscopeError,
    ListError,
    ModelInvalidError,
    ModelMissingError,
    RequestError,
)
from text_models import write_text_model


def test_words_become_emotions(text_model: Path) -> None:
    scores = fusion.TextModel(text_model).scores("I love it , great")
    assert scores.top.key == "happy"
    assert set(scores.to_dict()) == {"angry", "happy", "neutral"}
    assert fusion.TextModel(text_model).scores("太好了").top.key == "happy"


def test_a_label_map_says_what_labels_mean(text_model: Path) -> None:
    model = fusion.TextModel(text_model, {"joy": "surprised", "neutral": None})
    scores = model.scores("great")
    assert scores.top.key == "surprised"
    assert set(scores.to_dict()) == {"angry", "surprised"}


def test_a_long_text_is_read_to_its_end(tmp_path: Path) -> None:
    model = fusion.TextModel(write_text_model(tmp_path, positions=16))
    assert model.scores("so " * 40 + "hate " * 40).top.key == "angry"


def test_chunks_count_by_their_tokens(tmp_path: Path) -> None:
    long = fusion.TextModel(write_text_model(tmp_path / "long", positions=64))
    short = fusion.TextModel(write_text_model(tmp_path / "short", positions=8))
    text = "great " * 8 + "hate " * 8
    halves = [long.scores("great " * 8).values, long.scores("hate " * 8).values]
    assert short.scores(text).values == pytest.approx((halves[0] + halves[1]) / 2)


def test_a_model_of_several_labels_at_once(tmp_path: Path) -> None:
    model = fusion.TextModel(write_text_model(tmp_path, many=True))
    scores = model.scores("great")
    # Sigmoids of 6, 0 and 0, brought to the sum of 1.
    assert scores.to_dict() == pytest.approx(
        {"happy": 0.9975 / 1.9975, "angry": 0.5 / 1.9975, "neutral": 0.5 / 1.9975}, abs=1e-3
    )


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_text_is_refused(text_model: Path, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        fusion.TextModel(text_model).scores(text)
    assert caught.value.code == "text_empty"


def test_a_text_that_never_ends_is_refused(text_model: Path) -> None:
    with pytest.raises(RequestError) as caught:
        fusion.TextModel(text_model).scores("great " * 5_000)
    assert caught.value.code == "text_too_long"


def test_labels_without_a_meaning_are_named(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path, labels=("LABEL_0", "LABEL_1", "joy"))
    with pytest.raises(ListError) as caught:
        fusion.TextModel(folder)
    assert caught.value.code == "text_labels_unknown"
    assert "LABEL_0, LABEL_1" in caught.value.detail("en")
    fusion.TextModel(folder, {"LABEL_0": "sad", "LABEL_1": "angry"})


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_file_that_is_not_there_is_named(text_model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(text_model, tmp_path / "copy")
    (folder / name).unlink()
    with pytest.raises(ModelMissingError) as caught:
        fusion.TextModel(folder)
    assert f"copy/{name}" in caught.value.detail("en")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx"])
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b"[]"])
def test_a_damaged_file_is_told(text_model: Path, tmp_path: Path, name: str, damage: bytes) -> None:
    folder = shutil.copytree(text_model, tmp_path / "copy")
    (folder / name).write_bytes(damage)
    with pytest.raises(ModelInvalidError) as caught:
        fusion.TextModel(folder)
    assert caught.value.code == "text_model_invalid"
    assert "copy" in caught.value.detail("zh")


def test_a_network_of_other_labels_is_told(text_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(text_model, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "joy", "1": "anger"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelInvalidError):
        fusion.TextModel(folder).scores("great")


def test_a_network_that_takes_something_else_is_told(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path, inputs=("input_ids", "pixel_values"))
    with pytest.raises(ModelInvalidError, match="pixel_values"):
        fusion.TextModel(folder)


def test_every_error_has_two_sentences(tmp_path: Path) -> None:
    with pytest.raises(EmoscopeError) as caught:
        fusion.TextModel(tmp_path)
    assert caught.value.detail("zh") != caught.value.detail("en")
