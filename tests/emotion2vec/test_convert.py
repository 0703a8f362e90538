from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest

from emoscope.emotion2vec.convert import convert
from emoscope.errors import ExtraMissingError
from emoscope.models.catalog import LARGE, find
from parity.official_folder import SIZES, weights, write_folder
from parity.torch_zip import pickled_call, pickled_file, pickled_str, write_model_pt, write_zip
from raising import raises_code

LARGEST_TENSOR_BYTES = 512 * 512 * 3 * 4


def test_a_converted_folder_is_a_model_folder(official: Path, tmp_path: Path) -> None:
    model = convert(official, tmp_path / "new" / "model", name="mine", revision="6c303ba")

    model.verify()
    assert sorted(file.name for file in model.folder.iterdir()) == ["card.json", "mine.onnx"]
    assert find(model.folder) == model
    assert (model.card.name, model.card.revision, model.card.dim) == ("mine", "6c303ba", 96)
    assert model.card.title_en == "mine"


def test_a_catalogued_name_brings_title_and_licence(official: Path, tmp_path: Path) -> None:
    card = convert(official, tmp_path, name=LARGE, revision="r").card

    assert card.title_en == "Emotion2Vec+ Large"
    assert card.title_zh == "Emotion2Vec+ 大模型"
    assert "FunASR" in card.licence


def test_the_file_is_onnx_by_the_book(official: Path, tmp_path: Path) -> None:
    path = convert(official, tmp_path, name="mine", revision="r").onnx_path

    model = onnx.load(path)

    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert {entry.key: entry.value for entry in model.metadata_props}["revision"] == "r"
    # Written piece by piece, and yet what the library itself would count.
    assert model.ByteSize() == path.stat().st_size


def test_the_same_files_give_the_same_bytes(official: Path, tmp_path: Path) -> None:
    first = convert(official, tmp_path / "a", name="mine", revision="r")
    second = convert(official, tmp_path / "b", name="mine", revision="r")

    assert first.card == second.card
    assert first.onnx_path.read_bytes() == second.onnx_path.read_bytes()


def test_memory_is_that_of_a_few_tensors(official: Path, tmp_path: Path) -> None:
    convert(official, tmp_path / "warm", name="mine", revision="r")  # imports
    tracemalloc.start()
    convert(official, tmp_path / "again", name="mine", revision="r")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # The file written has 18 MB, the one read three times that.
    assert peak_bytes < 3 * LARGEST_TENSOR_BYTES


def test_half_precision_and_bare_names_convert(tmp_path: Path) -> None:
    for dtype in ("float16", "bfloat16"):
        write_folder(tmp_path / dtype, SIZES["tiny"], prefix="", dtype=dtype)
        convert(tmp_path / dtype, tmp_path / f"{dtype}_model", name="mine", revision="r").verify()


def test_weights_that_are_no_numbers_are_named(copied: Path, tmp_path: Path) -> None:
    tensors = weights(SIZES["tiny"], 0)
    tensors["blocks.0.norm1.bias"][7] = np.nan
    (copied / "model.pt").unlink()
    write_model_pt(copied / "model.pt", tensors)

    with raises_code("checkpoint_tensors", match=r"blocks\.0\.norm1\.bias holds NaN"):
        convert(copied, tmp_path / "target", name="mine", revision="r")


def test_nothing_is_left_of_a_failure(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    raw = bytearray((copied / "model.pt").read_bytes())
    raw[len(raw) // 4] ^= 0x40  # in the weights that are read, not in the moments
    (copied / "model.pt").unlink()
    (copied / "model.pt").write_bytes(raw)

    with raises_code("checkpoint_damaged"):
        convert(copied, target, name="mine", revision="r")

    assert list(target.iterdir()) == []


def test_a_changed_folder_gets_told_before_anything_is_written(
    copied: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"

    (copied / "tokens.txt").unlink()
    with raises_code("model_file_missing", match=r"tokens\.txt"):
        convert(copied, target, name="mine", revision="r")

    (copied / "tokens.txt").write_text("\n".join("abcdefghi"))
    tensors = weights(SIZES["tiny"], 0)
    del tensors["blocks.1.attn.qkv.bias"]
    (copied / "model.pt").unlink()
    write_model_pt(copied / "model.pt", tensors)
    with raises_code("checkpoint_tensors", match=r"blocks\.1\.attn\.qkv\.bias"):
        convert(copied, target, name="mine", revision="r")

    marker = tmp_path / "ran"
    call = pickled_call("builtins", "eval", pickled_str(f"open({str(marker)!r}, 'w')"))
    write_zip(copied / "model.pt", pickled_file(call), [])
    with raises_code("checkpoint_refused", match=r"builtins\.eval"):
        convert(copied, target, name="mine", revision="r")

    assert not marker.exists()
    assert not target.exists()


@pytest.mark.parametrize("package", ["onnx", "yaml"])
def test_a_missing_package_gives_the_line_to_type(
    package: str, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ExtraMissingError, match=r"emoscope\[convert\]"):
        convert(official, tmp_path, name="mine", revision="r")
