from __future__ import annotations

import json
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from emoscope.emotion2vec.checkpoint import TorchFile, open_checkpoint
from emoscope.emotion2vec.safetensors_file import SafetensorsFile
from emoscope.errors import CheckpointError
from parity.safetensors_file import write_safetensors
from parity.torch_zip import (
    pickled_dict,
    pickled_file,
    pickled_tensor,
    write_model_pt,
    write_zip,
)
from raising import raises_code

RANDOM = np.random.default_rng(5)
TENSORS = {
    "a.weight": RANDOM.standard_normal((4, 3), np.float32),
    "b": RANDOM.standard_normal((2, 1, 5), np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "scalar": np.float32(2.5).reshape(()),
}
# float16 keeps 11 bits of the fraction, bfloat16 (cut, not rounded, by the writer) 8.
PRECISION = {"float32": 0.0, "float16": 2.0**-11, "bfloat16": 2.0**-7}


@pytest.mark.parametrize("dtype", PRECISION)
def test_a_model_pt_gives_its_tensors_as_float32(dtype: str, tmp_path: Path) -> None:
    write_model_pt(tmp_path / "model.pt", TENSORS, dtype=dtype, moments=True)

    with closing(open_checkpoint(tmp_path)) as checkpoint:
        assert checkpoint.shapes == {name: value.shape for name, value in TENSORS.items()}
        for name, value in TENSORS.items():
            numbers = checkpoint.read(name)
            assert (numbers.dtype, numbers.shape) == (np.float32, value.shape)
            assert numbers.flags.c_contiguous
            np.testing.assert_allclose(numbers, value, rtol=PRECISION[dtype])


def test_views_of_one_storage_are_told_apart(tmp_path: Path) -> None:
    storage = np.arange(12, dtype=np.float32)
    tensors = {
        "transposed": pickled_tensor("0", (4, 3), numel=12, strides=(1, 4)),
        "tail": pickled_tensor("0", (2, 2), numel=12, offset=8),
    }
    pickled = pickled_file(pickled_dict({"model": pickled_dict(tensors)}))
    write_zip(tmp_path / "model.pt", pickled, [storage.tobytes()])

    with closing(TorchFile(tmp_path / "model.pt")) as checkpoint:
        assert np.array_equal(checkpoint.read("transposed"), storage.reshape(3, 4).T)
        assert np.array_equal(checkpoint.read("tail"), storage[8:].reshape(2, 2))


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    # The moments' numbers are not even there, and nobody notices.
    write_model_pt(tmp_path / "full.pt", TENSORS, moments=True)
    with (
        zipfile.ZipFile(tmp_path / "full.pt") as full,
        zipfile.ZipFile(tmp_path / "model.pt", "w") as bare,
    ):
        kept = [f"model/data/{i}" for i in range(len(TENSORS))]
        for name in ["model/data.pkl", *kept]:
            bare.writestr(name, full.read(name))

    with closing(open_checkpoint(tmp_path)) as checkpoint:
        for name, value in TENSORS.items():
            assert np.array_equal(checkpoint.read(name), value)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_weights_are_found_where_funasr_looks(key: str, tmp_path: Path) -> None:
    weights = pickled_dict({"w": pickled_tensor("0", (1,))})
    write_zip(tmp_path / "model.pt", pickled_file(pickled_dict({key: weights})), [b"\0" * 4])

    with closing(open_checkpoint(tmp_path)) as checkpoint:
        assert checkpoint.shapes == {"w": (1,)}


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    write_model_pt(path, TENSORS)
    raw = bytearray(path.read_bytes())
    raw[raw.index(TENSORS["a.weight"].tobytes())] ^= 1
    path.write_bytes(raw)

    with closing(TorchFile(path)) as checkpoint:
        with raises_code("checkpoint_damaged", match="data/0 is damaged"):
            checkpoint.read("a.weight")
        assert np.array_equal(checkpoint.read("b"), TENSORS["b"])


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_cut_off_download_is_told(keep: float, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    write_model_pt(path, TENSORS)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep if keep > 1 else keep * len(raw))])

    with raises_code("checkpoint_damaged", match="cut off"):
        TorchFile(path)


def test_a_page_saved_as_model_pt_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("<html>404 Not Found</html>")

    with raises_code("checkpoint_damaged", match="no zip"):
        open_checkpoint(tmp_path)


def test_a_storage_of_the_wrong_length_is_told(tmp_path: Path) -> None:
    weights = pickled_dict({"w": pickled_tensor("0", (3,)), "gone": pickled_tensor("7", (3,))})
    pickled = pickled_file(pickled_dict({"model": weights}))
    write_zip(tmp_path / "model.pt", pickled, [b"\0" * 8])

    with closing(TorchFile(tmp_path / "model.pt")) as checkpoint:
        for name in ("w", "gone"):
            with raises_code("checkpoint_damaged", match=f"{name} have the wrong length"):
                checkpoint.read(name)


def test_integers_are_no_weights(tmp_path: Path) -> None:
    weights = pickled_dict({"step": pickled_tensor("0", (1,), storage="LongStorage")})
    pickled = pickled_file(pickled_dict({"model": weights}))
    write_zip(tmp_path / "model.pt", pickled, [b"\0" * 8])

    with (
        closing(TorchFile(tmp_path / "model.pt")) as checkpoint,
        raises_code("checkpoint_tensors", match="step holds int64"),
    ):
        checkpoint.read("step")


def test_compressed_and_double_entries_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model/data.pkl", pickled_file(pickled_dict({})))
    with raises_code("checkpoint_damaged", match="compressed"):
        TorchFile(path)

    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", pickled_file(pickled_dict({})))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("model/data.pkl", pickled_file(pickled_dict({"w": b"N"})))
    with raises_code("checkpoint_damaged", match="double"):
        TorchFile(path)


def test_big_endian_files_and_files_without_weights_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", pickled_file(pickled_dict({})))
        file.writestr("model/byteorder", "big")
    with raises_code("checkpoint_damaged", match="little-endian"):
        TorchFile(path)

    write_zip(path, pickled_file(pickled_dict({"model": b"]"})), [])
    with raises_code("checkpoint_tensors", match="no dict of weights"):
        TorchFile(path)


def test_an_empty_folder_lacks_model_pt(tmp_path: Path) -> None:
    with raises_code("model_file_missing", match=r"model\.pt"):
        open_checkpoint(tmp_path)


# -- safetensors


@pytest.mark.parametrize(
    ("kind", "dtype"), [("F32", "float32"), ("F16", "float16"), ("BF16", "bfloat16")]
)
def test_safetensors_gives_the_same(kind: str, dtype: str, tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", TENSORS, kind)
    (tmp_path / "model.pt").write_text("never looked at")

    with closing(open_checkpoint(tmp_path)) as checkpoint:
        assert checkpoint.shapes == {name: value.shape for name, value in TENSORS.items()}
        for name, value in TENSORS.items():
            np.testing.assert_allclose(checkpoint.read(name), value, rtol=PRECISION[dtype])


@pytest.mark.parametrize(
    "described",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 9]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
        {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2]},
        [],
    ],
)
def test_safetensors_that_lie_are_told(described: object, tmp_path: Path) -> None:
    text = json.dumps({"w": described}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 8)

    with (
        pytest.raises(CheckpointError, check=lambda e: e.code != "checkpoint_refused"),
        closing(SafetensorsFile(path)) as checkpoint,
    ):
        checkpoint.read("w")


@pytest.mark.parametrize("raw", [b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"[]", b"\x01" * 40])
def test_what_is_no_safetensors_is_told(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(raw)

    with raises_code("checkpoint_damaged"):
        SafetensorsFile(tmp_path / "model.safetensors")
