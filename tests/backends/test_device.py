"""``--device``: the GPU, the processor, or the truth. There is none here: the library is a stub."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import make_tiny_model
from emoscope.backends import cuda
from emoscope.backends.choice import gains_by_rounding, open_backend
from emoscope.cli.main import app, exit_code, main
from emoscope.errors import DeviceUnavailableError, ModelRunError, SettingError
from emoscope.messages.hints import sentence
from emoscope.models.catalog import file_sha256
from emoscope.recognizer import load
from emoscope.telemetry import load_onnxruntime
from emoscope.waveform import Waveform
from raising import raises_code

TINY = make_tiny_model.FILE
BOTH = [cuda.PROVIDER, cuda.CPU_PROVIDER]
onnxruntime = load_onnxruntime()
RealSession = onnxruntime.InferenceSession


class Gpu:
    """A machine with onnxruntime-gpu; what its sessions are asked for is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[Any] = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        """Providers of the sessions that are made for it."""
        self.error: Exception | None = None
        self.asked: list[Any] = []
        self.fallback = True
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BOTH)
        monkeypatch.setattr(onnxruntime, "preload_dlls", self._chatter, raising=False)
        monkeypatch.setattr(onnxruntime, "InferenceSession", self._session)

    def _chatter(self) -> None:
        print("Failed to load libcudnn")

    def _session(self, path: str, options: Any, providers: list[Any]) -> Any:
        self.asked.append(providers)
        real = RealSession(path, options, providers=["CPUExecutionProvider"])
        if providers == [cuda.CPU_PROVIDER]:
            return real
        if self.error:
            raise self.error

        class Session:
            get_inputs = staticmethod(real.get_inputs)
            get_outputs = staticmethod(real.get_outputs)
            run = staticmethod(real.run)
            get_providers = staticmethod(lambda: self.given)
            disable_fallback = staticmethod(self._disable_fallback)

        return Session()

    def _disable_fallback(self) -> None:
        self.fallback = False


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """A GPU."""
    return Gpu(monkeypatch)


def _libraries_missing(gpu: Gpu) -> None:
    gpu.given = ["CPUExecutionProvider"]  # what the library does, with a line in its log


def _driver_too_old(gpu: Gpu) -> None:
    gpu.error = RuntimeError("CUDA failure 35: driver version is insufficient\nat cuda_call.cc")


FAULTS = [_libraries_missing, _driver_too_old]


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_gpu_that_works_is_used(
    device: Any, gpu: Gpu, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = open_backend("onnxruntime", TINY, 1, device)
    output = backend.run(np.zeros((1, 400), np.float32), np.array([400]))

    assert backend.device == "cuda"
    assert output.frame_counts.tolist() == [1]
    assert gpu.asked == [[(cuda.PROVIDER, cuda.OPTIONS), cuda.CPU_PROVIDER]]
    assert cuda.OPTIONS["use_tf32"] == "0"
    assert not gpu.fallback
    assert capsys.readouterr().out == ""  # stdout belongs to the results


def test_the_processor_is_used_where_nothing_else_is_asked_for(gpu: Gpu) -> None:
    assert open_backend("onnxruntime", TINY, 1).device == "cpu"
    assert gpu.asked == [[cuda.CPU_PROVIDER]]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gpu_that_does_not_work_is_told(fault: Callable[[Gpu], None], gpu: Gpu) -> None:
    """The library would answer from the processor and say nothing."""
    fault(gpu)

    with pytest.raises(DeviceUnavailableError) as caught:
        open_backend("onnxruntime", TINY, 1, "cuda")
    assert "\n" not in caught.value.detail_en
    assert "--device cpu" in sentence(caught.value, "zh", "cli")


@pytest.mark.parametrize("fault", FAULTS)
def test_auto_takes_the_processor_then(fault: Callable[[Gpu], None], gpu: Gpu) -> None:
    fault(gpu)

    assert open_backend("onnxruntime", TINY, 1, "auto").device == "cpu"


def test_a_damaged_file_is_not_blamed_on_the_gpu(gpu: Gpu, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")

    with raises_code("model_contract"):
        open_backend("onnxruntime", tmp_path / "model.onnx", 1, "auto")


def test_what_goes_wrong_while_it_runs_is_a_model_run_error(gpu: Gpu) -> None:
    backend = open_backend("onnxruntime", TINY, 1, "cuda")

    with pytest.raises(ModelRunError):
        backend.run(np.zeros((1, 400, 2), np.float32), np.array([400]))


def test_without_the_gpu_package_cuda_names_it_and_auto_goes_on() -> None:
    """This machine, as it is."""
    if cuda.is_offered():
        pytest.skip("onnxruntime-gpu is installed here")
    with pytest.raises(DeviceUnavailableError, match="onnxruntime-gpu"):
        open_backend("onnxruntime", TINY, 1, "cuda")
    assert open_backend("onnxruntime", TINY, 1, "auto").device == "cpu"


def test_openvino_knows_no_cuda() -> None:
    with pytest.raises(DeviceUnavailableError, match="openvino"):
        open_backend("openvino", TINY, 1, "cuda")


def test_rounding_is_for_the_processor(gpu: Gpu) -> None:
    assert gains_by_rounding("onnxruntime", "cpu")
    assert not gains_by_rounding("onnxruntime", "cuda")
    assert not gains_by_rounding("onnxruntime", "auto")
    assert not gains_by_rounding("openvino", "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny model with a card."""
    shutil.copy(TINY, tmp_path / "model.onnx")
    (tmp_path / "card.json").write_text(
        '{"name": "tiny", "revision": "r1", "dim": 4, "licence": "CC0-1.0",'
        ' "title_zh": "极小", "title_en": "Tiny", "files": [{"path": "model.onnx",'
        f' "bytes": {TINY.stat().st_size}, "sha256": "{file_sha256(TINY)}"}}]}}',
        "utf-8",
    )
    return tmp_path


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_result_says_what_it_was_computed_on(
    device: Any, gpu: Gpu, folder: Path, speech: Callable[..., np.ndarray]
) -> None:
    result = load(folder, device=device).recognize(Waveform(speech(1.0)))

    assert result.model.device == device
    assert result.to_dict()["model"]["device"] == device  # type: ignore[index]


def test_the_command_line_says_it_in_both_languages(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if cuda.is_offered():
        pytest.skip("onnxruntime-gpu is installed here")
    for language, word in (("zh_CN.UTF-8", "无法"), ("en_GB.UTF-8", "cannot be used")):
        monkeypatch.setenv("LC_ALL", language)
        with pytest.raises(SystemExit) as caught:
            main(["recognize", str(folder), "--model", str(folder), "--device", "cuda"])
        said = capsys.readouterr().err
        assert word in said
        assert "[device_unavailable]" in said
    error = DeviceUnavailableError(device="cuda", reason_zh="无", reason_en="none")
    assert caught.value.code == exit_code(error) == 4


def test_a_device_that_does_not_exist_is_refused() -> None:
    outcome = CliRunner().invoke(app, ["recognize", "x.wav", "--device", "tpu"])

    assert isinstance(outcome.exception, SettingError)
