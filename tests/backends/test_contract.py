"""One suite for everything that runs a model: what the rest of the product relies on."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import emoscope
import make_tiny_model
from emoscope.backends import onnx_backend
from emoscope.backends.base import INPUTS, OUTPUTS, Backend
from emoscope.backends.fake_backend import FakeBackend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.backends.openvino_backend import OpenVinoBackend
from emoscope.errors import ModelRunError
from emoscope.labels import COUNT
from raising import raises_code

COMPACT = Path(emoscope.__file__).parent / "assets" / "compact.onnx"
BACKENDS: dict[str, Callable[[], Backend]] = {
    "fake": FakeBackend,
    "tiny": lambda: OnnxBackend(make_tiny_model.FILE, threads=1),
    "compact": lambda: OnnxBackend(COMPACT, threads=1),
    "openvino-tiny": lambda: OpenVinoBackend(make_tiny_model.FILE, threads=1),
}


def skip_without_openvino() -> None:
    if find_spec("openvino") is None:
        pytest.skip("the extra openvino is not installed")


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    if request.param == "compact" and not COMPACT.is_file():
        pytest.skip("the compact model is not built")
    if request.param.startswith("openvino"):
        skip_without_openvino()
    return BACKENDS[request.param]()


def run(backend: Backend, clips: list[np.ndarray], width: int = 0):  # type: ignore[no-untyped-def]
    """Answer for a zero-padded batch that is at least ``width`` samples wide."""
    lengths = np.array([len(clip) for clip in clips], np.int64)
    waveform = np.zeros((len(clips), max(width, int(lengths.max()))), np.float32)
    for row, clip in enumerate(clips):
        waveform[row, : len(clip)] = clip
    return backend.run(waveform, lengths)


def test_it_says_what_it_is(backend: Backend) -> None:
    assert backend.name
    assert backend.version
    assert backend.dim > 0
    assert backend.runs_at_once >= 1


def test_a_small_model_is_worth_a_run_per_core_and_a_large_one_takes_all_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert OnnxBackend(make_tiny_model.FILE).runs_at_once == os.cpu_count()
    monkeypatch.setattr(onnx_backend, "_SMALL_BYTES", make_tiny_model.FILE.stat().st_size - 1)
    assert OnnxBackend(make_tiny_model.FILE).runs_at_once == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for threads, at_once in ((1, 8), (3, 2), (8, 1), (9, 1)):
        large = OnnxBackend(make_tiny_model.FILE, threads=threads)
        assert large.runs_at_once == at_once, "a run for as many cores as it has threads"


def test_types_and_shapes(backend: Backend, speech: Callable[..., np.ndarray]) -> None:
    clips = [speech(1.0, seed=1), speech(0.7, seed=2), speech(0.3, seed=3)]
    output = run(backend, clips)

    frames = (16_000 - 400) // 320 + 1
    assert output.frame_logits.shape == (3, frames, COUNT)
    assert output.frame_embeddings.shape == (3, frames, backend.dim)
    assert output.frame_counts.shape == (3,)
    assert output.frame_logits.dtype == output.frame_embeddings.dtype == np.float32
    assert output.frame_counts.dtype == np.int64


def test_frames_follow_the_formula_at_every_length(
    backend: Backend, speech: Callable[..., np.ndarray]
) -> None:
    """T = ⌊(N − 400) / 320⌋ + 1, alone and in a batch."""
    voice = speech(1.5)
    near_borders = [400 + 320 * k + d for k in (1, 2, 3, 10, 48) for d in (-1, 0, 1)]
    sizes = [400, 401, *near_borders, 5_555, 24_000]
    expected = [(size - 400) // 320 + 1 for size in sizes]

    for size, frames in zip(sizes, expected, strict=True):
        output = run(backend, [voice[:size]])
        assert output.frame_counts.tolist() == [frames]
        assert output.frame_logits.shape[1] == output.frame_embeddings.shape[1] == frames
    assert run(backend, [voice[:size] for size in sizes]).frame_counts.tolist() == expected


@pytest.mark.parametrize("extra", [0, 1, 159, 320, 16_000])
def test_padding_and_neighbours_change_nothing(
    extra: int, backend: Backend, speech: Callable[..., np.ndarray]
) -> None:
    """Padding and batching change nothing."""
    sizes = [400, 720, 1_041, 7_000, 16_000]
    clips = [speech(1.0, seed=i)[-size:] * 10.0 ** -(i % 3) for i, size in enumerate(sizes)]
    batch = run(backend, clips, width=max(sizes) + extra)

    for row, clip in enumerate(clips):
        alone = run(backend, [clip])
        frames = int(alone.frame_counts[0])
        for name in ("frame_logits", "frame_embeddings"):
            np.testing.assert_allclose(
                getattr(batch, name)[row, :frames], getattr(alone, name)[0], atol=1e-4, rtol=0
            )


def test_another_sound_gives_another_answer(
    backend: Backend, speech: Callable[..., np.ndarray]
) -> None:
    """A model of constants would keep every invariant above."""
    one, other = (run(backend, [speech(1.0, seed=seed)]).frame_logits for seed in (1, 2))

    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("kind", ["zeros", "one step of 16 bit", "full scale", "constant"])
def test_strange_sound_gives_finite_numbers(
    kind: str, backend: Backend, speech: Callable[..., np.ndarray]
) -> None:
    samples = {
        "zeros": np.zeros(8_000),
        "one step of 16 bit": np.tile([0, 1 / 32_768], 4_000),
        "full scale": np.tile([1.0, -1.0], 4_000),
        "constant": np.full(8_000, 0.5),
    }[kind].astype(np.float32)

    for clips in ([samples], [samples, speech(1.0)]):
        output = run(backend, clips)
        frames = int(output.frame_counts[0])
        assert np.isfinite(output.frame_logits[0, :frames]).all()
        assert np.isfinite(output.frame_embeddings[0, :frames]).all()


def test_eight_threads_get_the_answers_of_one(
    backend: Backend, speech: Callable[..., np.ndarray]
) -> None:
    clips = [speech(0.5 + 0.05 * i, seed=i) for i in range(8)] * 3
    alone = [run(backend, [clip]).frame_logits for clip in clips]

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda clip: run(backend, [clip]).frame_logits, clips))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=0)


# --- the tiny model -------------------------------------------------------------------------------


def test_the_tiny_model_is_what_its_script_makes() -> None:
    committed = make_tiny_model.FILE.read_bytes()

    assert make_tiny_model.build() == committed
    assert len(committed) < 2_048


def test_the_head_of_the_tiny_model_is_linear(speech: Callable[..., np.ndarray]) -> None:
    """In a real file, too, the mean of the vectors gives the mean of the logits."""
    output = run(OnnxBackend(make_tiny_model.FILE), [speech(2.0)])
    weights = {w.name: onnx.numpy_helper.to_array(w) for w in _tiny().graph.initializer}
    mean = output.frame_embeddings[0].mean(axis=0)

    np.testing.assert_allclose(
        mean @ weights["head"] + weights["bias"], output.frame_logits[0].mean(axis=0), atol=1e-5
    )


# --- files that break the contract ----------------------------------------------------------------


def _tiny() -> onnx.ModelProto:
    return onnx.load_from_string(make_tiny_model.build())


def _renamed_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "speech"
    for node in model.graph.node:
        node.input[:] = ["speech" if name == "waveform" else name for name in node.input]


def _further_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("rate", TensorProto.INT64, [1]))


def _lost_output(model: onnx.ModelProto) -> None:
    del model.graph.output[1]


def _eight_classes(model: onnx.ModelProto) -> None:
    for weight in model.graph.initializer:
        if weight.name in ("head", "bias"):
            fewer = onnx.numpy_helper.to_array(weight)[..., :8]
            weight.CopyFrom(onnx.numpy_helper.from_array(fewer.copy(), weight.name))
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 8


def _moved_output(model: onnx.ModelProto, name: str, inner: str, *after: onnx.NodeProto) -> None:
    """Let ``after`` make the output ``name`` out of what the model made, now called ``inner``."""
    for node in model.graph.node:
        node.output[:] = [inner if n == name else n for n in node.output]
        node.input[:] = [inner if n == name else n for n in node.input]
    model.graph.node.extend(after)


def _unknown_dim(model: onnx.ModelProto) -> None:
    _moved_output(
        model,
        "frame_embeddings",
        "vectors",
        helper.make_node("ReduceMax", ["lengths"], ["most"], keepdims=1),
        helper.make_node("Sub", ["axis_1", "axis_1"], ["from_zero"]),
        helper.make_node("Slice", ["vectors", "from_zero", "most", "axis_2"], ["frame_embeddings"]),
    )
    model.graph.output[1].type.tensor_type.shape.dim[2].dim_param = "D"


def _scalar_output(model: onnx.ModelProto) -> None:
    largest = helper.make_node("ReduceMax", ["rows_of_logits"], ["frame_logits"], keepdims=0)
    _moved_output(model, "frame_logits", "rows_of_logits", largest)
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("frame_logits", TensorProto.FLOAT, [])
    )


def _fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def _lengths_of_32_bit(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.input[:] = ["long" if name == "lengths" else name for name in node.input]
    longer = helper.make_node("Cast", ["lengths"], ["long"], to=TensorProto.INT64)
    model.graph.node.insert(0, longer)
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.INT32


BREAKERS = {
    "another name": _renamed_input,
    "a further input": _further_input,
    "a lost output": _lost_output,
    "eight classes": _eight_classes,
    "vectors of unknown size": _unknown_dim,
    "a scalar for logits": _scalar_output,
    "one clip only": _fixed_batch,
    "lengths of another type": _lengths_of_32_bit,
}


@pytest.fixture(params=[OnnxBackend, OpenVinoBackend], ids=["onnxruntime", "openvino"])
def kind(request: pytest.FixtureRequest) -> Callable[[Path], Backend]:
    """What loads a file."""
    if request.param is OpenVinoBackend:
        skip_without_openvino()
    loader: Callable[[Path], Backend] = request.param
    return loader


@pytest.mark.parametrize("breaker", BREAKERS.values(), ids=BREAKERS)
def test_a_file_that_breaks_the_contract_is_refused_when_loaded(
    breaker: Callable[[onnx.ModelProto], None], kind: Callable[[Path], Backend], tmp_path: Path
) -> None:
    model = _tiny()
    breaker(model)
    path = tmp_path / "broken.onnx"
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(model)  # a good ONNX file, only not one of ours

    with raises_code("model_contract") as caught:
        kind(path)
    assert "cannot be loaded" not in caught.value.detail_en


@pytest.mark.parametrize("content", [b"", b"not a model", make_tiny_model.build()[:600]])
def test_a_file_that_is_no_model_is_refused(
    content: bytes, kind: Callable[[Path], Backend], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    with raises_code("model_contract"):
        kind(path)


def test_a_file_that_is_not_there_is_named_without_its_folder(
    kind: Callable[[Path], Backend], tmp_path: Path
) -> None:
    with raises_code("model_file_missing") as caught:
        kind(tmp_path / "model.onnx")
    assert "model.onnx" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    with raises_code("model_file_missing"):
        kind(tmp_path)


def test_what_the_library_cannot_run_is_a_model_run_error(kind: Callable[[Path], Backend]) -> None:
    """Its own errors never escape."""
    backend = kind(make_tiny_model.FILE)

    with pytest.raises(ModelRunError) as caught:
        backend.run(np.zeros((1, 400, 2), np.float32), np.array([400]))  # an axis too many
    assert "\n" not in caught.value.detail_en
    assert caught.value.__cause__ is not None


def test_a_library_error_without_words_is_a_model_run_error_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise MemoryError

    backend = OnnxBackend(make_tiny_model.FILE)
    monkeypatch.setattr(backend, "_session", Full())

    with pytest.raises(ModelRunError, match="MemoryError"):
        run(backend, [np.zeros(400)])


def test_the_names_of_the_contract_are_those_of_the_files() -> None:
    assert INPUTS == ("waveform", "lengths")
    assert OUTPUTS == ("frame_logits", "frame_embeddings", "frame_counts")
