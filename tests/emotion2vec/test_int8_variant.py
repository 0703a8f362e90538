"""The int8 variant: as near as asked, unmoved by company, made the same twice, refused if wrong."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.cli import models as commands
from emoscope.emotion2vec.config import parse_config
from emoscope.emotion2vec.convert import convert, convert_int8
from emoscope.emotion2vec.graph_builder import Graph
from emoscope.emotion2vec.int8_graph import build_int8_graph, build_open_graph, layer_inputs
from emoscope.emotion2vec.layout import expected
from emoscope.emotion2vec.quantize import (
    ACTIVATION_MAX,
    OUTLIERS_FEW,
    OUTLIERS_MOST,
    PAIR_MAX,
    outlier_channels,
    output_scales,
    rounded,
    without_channels,
    zero_point_correction,
)
from emoscope.inference import int8_variant as engine
from emoscope.inference.int8_variant import make_int8
from emoscope.models import variants, verify
from emoscope.models.catalog import LocalModel, ModelFile, Variant, find
from emoscope.recognizer import load
from emoscope.results.agreement import AGREEMENT_THRESHOLDS, Agreement, AgreementThresholds
from emoscope.results.result import Result
from emoscope.waveform import RATE_HZ, Waveform
from parity.clips import clip
from parity.compare import ask, distance
from parity.official_folder import SIZES, config
from raising import raises_code

pytestmark = pytest.mark.process

COMPANY_TOLERANCE = 2e-3
"""A sum in another order can tip a value over a rounding border; that is one step, not a drift."""

AGREED = Agreement(8, 8, 0.9991, 0.999, 0.01, 1.5)
WRONG = replace(AGREED, cosine=0.99, same_top=7, score_difference=0.3)
NETWORK = parse_config(config(SIZES["tiny"]))


@pytest.fixture(scope="module")
def made(official: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    target = tmp_path_factory.mktemp("model") / "mine"
    model = convert(official, target, name="mine", revision="r")
    return make_int8(model, official, open_backend=OnnxBackend)


@pytest.fixture
def folder(made: LocalModel, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.folder, tmp_path / "copy"))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second of each recording: for tests that ask several times."""
    clips = [samples[8_000:16_000] for samples in engine.built_in_clips()]
    monkeypatch.setattr(engine, "built_in_clips", lambda: clips)


def card_says(folder: Path, agreement: Agreement) -> None:
    local = find(folder)
    variants.record_variant(local, replace(local.card.variants[0], agreement=agreement))


def test_neighbours_never_overflow_sixteen_bits() -> None:
    random = np.random.default_rng(0)
    matrix = random.standard_normal((257, 33)).astype(np.float32)
    matrix[5] = 0
    matrix[:, 7] = 0
    matrix[3:5, 8] = 40  # two large ones side by side: the worst case

    steps = rounded(matrix).astype(np.int64)

    for signed in (np.maximum(steps, 0), np.maximum(-steps, 0)):
        assert 255 * (signed[:-1] + signed[1:]).max() <= 32_767
    assert np.abs(steps).max() <= PAIR_MAX
    error = np.abs(steps * output_scales(matrix) - matrix)
    assert (error <= 0.501 * output_scales(matrix)).all()


def test_the_average_activation_comes_through_exactly() -> None:
    random = np.random.default_rng(1)
    matrix = random.standard_normal((64, 16)).astype(np.float32)
    center = random.standard_normal(64).astype(np.float32)

    product = center @ (rounded(matrix) * output_scales(matrix)) + zero_point_correction(
        matrix, center
    )

    np.testing.assert_allclose(product, center @ matrix, atol=1e-4)


def test_outliers_are_the_few_inputs_that_stand_out() -> None:
    peaks = np.ones(1024, np.float32)
    assert outlier_channels(peaks).tolist() == []
    peaks[[700, 3, 512]] = 30, 4, 3
    assert outlier_channels(peaks).tolist() == [3, 700], "in order, above three times the median"
    peaks[: OUTLIERS_MOST + 5] = np.linspace(4, 5, OUTLIERS_MOST + 5)
    assert outlier_channels(peaks).tolist() == [*range(6, OUTLIERS_MOST + 5), 700], "the loudest"
    peaks[: OUTLIERS_FEW + 1] = 9
    assert outlier_channels(peaks).tolist() == [], "so many are no outliers"


def in_int8(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``x @ matrix`` as the int8 graph computes it: a scale per row and per output."""
    rows = np.abs(x).max(axis=1, keepdims=True) / ACTIVATION_MAX
    return (np.rint(x / rows) * rows) @ (rounded(matrix) * output_scales(matrix))


def test_outliers_apart_leave_the_others_their_steps() -> None:
    random = np.random.default_rng(2)
    matrix = random.standard_normal((256, 64)).astype(np.float32)
    x = random.standard_normal((50, 256)).astype(np.float32)
    x[:, [7, 100]] *= 30
    loud = outlier_channels(np.abs(x).max(axis=0))

    whole = in_int8(x, matrix)
    quiet = x.copy()
    quiet[:, loud] = 0
    split = in_int8(quiet, without_channels(matrix, loud)) + x[:, loud] @ matrix[loud]

    assert loud.tolist() == [7, 100]
    exact = x @ matrix
    assert np.abs(split - exact).mean() < 0.2 * np.abs(whole - exact).mean()


def test_the_graph_multiplies_outliers_in_float32() -> None:
    numbers = np.ones(3 * (3 * 96 + 384), np.float32)
    centers = layer_inputs(NETWORK, 0 * numbers)
    plain = build_int8_graph(NETWORK, centers, layer_inputs(NETWORK, numbers))
    numbers[5] = numbers[96 * 2 + 1] = 10  # of the first layer, qkv; and of the third, fc1

    graph = build_int8_graph(NETWORK, centers, layer_inputs(NETWORK, numbers))

    def count(graph: Graph, kind: str) -> int:
        return sum(node.op_type == kind for node in graph.proto.node)

    apart = {weight.name: weight.shape for weight in graph.weights if "outliers" in weight.name}
    assert list(apart.values()) == [(1, 96)] * 3 + [(1, 384)]
    assert count(graph, "MatMul") == count(plain, "MatMul") + 4
    assert count(graph, "Gather") == count(plain, "Gather") + 2, "queries, keys and values share"
    assert count(graph, "MatMulInteger") == count(plain, "MatMulInteger")
    assert not [weight for weight in plain.weights if "outliers" in weight.name]


def test_only_the_blocks_are_rounded() -> None:
    network = NETWORK
    mean = np.zeros(3 * (3 * 96 + 384), np.float32)

    graph = build_int8_graph(network, *[layer_inputs(network, mean)] * 2)

    assert {weight.source for weight in graph.weights} == expected(network).keys()
    assert {node.domain for node in graph.proto.node} == {""}
    small = {weight.source for weight in graph.weights if weight.dtype == "|i1"}
    assert len(small) == 3 * 4
    assert all("blocks." in source for source in small)
    products = [node for node in graph.proto.node if node.op_type == "MatMulInteger"]
    assert len(products) == 3 * 6


def test_the_open_network_shows_what_enters_each_layer() -> None:
    graph = build_open_graph(NETWORK)
    numbers = graph.proto.output[1].type.tensor_type.shape.dim[2].dim_value

    centers = layer_inputs(NETWORK, np.arange(numbers, dtype=np.float32))

    assert numbers == 3 * (3 * 96 + 384)
    assert centers["blocks.1.mlp.fc2."].shape == (384,)
    assert centers["blocks.1.mlp.fc2."][-1] == numbers - 1
    assert len(centers) == 3 * 4


def test_the_file_is_onnx_by_the_book_and_a_third_of_the_blocks(made: LocalModel) -> None:
    path = made.folder / made.card.variants[0].file.path

    model = onnx.load(path)

    onnx.checker.check_model(model, full_check=True)
    assert model.ByteSize() == path.stat().st_size
    assert path.stat().st_size < made.onnx_path.stat().st_size
    names = {file.name for file in made.folder.iterdir()}
    assert names == {"card.json", "mine.onnx", "mine.int8.onnx"}  # the open network is gone


def test_it_agrees_on_the_built_in_recordings(made: LocalModel) -> None:
    agreement = made.card.variants[0].agreement

    assert agreement.clips == 8
    assert agreement.failures(AGREEMENT_THRESHOLDS) == []


def test_company_and_padding_do_not_matter(made: LocalModel) -> None:
    backend = OnnxBackend(made.folder / "mine.int8.onnx")
    sounds = [clip(seconds, seed=i) for i, seconds in enumerate((1.7, 0.025, 0.2, 3.1))]

    together = ask(backend, [*sounds, 0.001 * sounds[3]])

    for sound, answer in zip(sounds, together, strict=False):
        (alone,) = ask(backend, [sound])
        assert distance(answer.features, alone.features) <= COMPANY_TOLERANCE
        assert np.abs(answer.scores - alone.scores).max() <= COMPANY_TOLERANCE


def test_the_same_files_and_mean_give_the_same_bytes(official: Path, folder: Path) -> None:
    local, mean = find(folder), np.full(3 * (3 * 96 + 384), 0.1, np.float32)

    first = convert_int8(official, local, mean, mean)
    data = (folder / first.path).read_bytes()
    second = convert_int8(official, local, mean, mean)

    assert first == second
    assert (folder / second.path).read_bytes() == data


def test_memory_is_that_of_a_few_tensors(official: Path, folder: Path) -> None:
    local, mean = find(folder), np.zeros(3 * (3 * 96 + 384), np.float32)
    tracemalloc.start()
    convert_int8(official, local, mean, mean)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 3 * 512 * 512 * 3 * 4


def test_files_of_another_network_are_refused(made: LocalModel, official: Path) -> None:
    other = replace(made, card=replace(made.card, dim=97))

    with raises_code("model_contract", match="96 embedding numbers"):
        convert_int8(official, other, *np.zeros((2, 3), np.float32))


def test_the_card_keeps_the_figures(folder: Path, made: LocalModel) -> None:
    variant = made.card.variants[0]
    assert find(folder).card == made.card
    assert Variant.from_dict(json.loads(json.dumps(variant.to_dict()))) == variant

    card_says(folder, AGREED)

    assert [one.agreement for one in find(folder).card.variants] == [AGREED]


def test_a_broken_variant_makes_a_broken_card(folder: Path) -> None:
    for broken in ([{"precision": "int8"}], [3], {"a": 1}):
        card = json.loads((folder / "card.json").read_text("utf-8"))
        (folder / "card.json").write_text(json.dumps({**card, "variants": broken}), "utf-8")
        with raises_code("model_contract"):
            find(folder)


def test_results_say_which_precision_answered(folder: Path) -> None:
    sound = Waveform(clip(1.0, seed=0), RATE_HZ)
    card_says(folder, AGREED)

    exact = load(folder).recognize(sound)
    int8 = load(folder, precision="int8").recognize(sound)

    assert (exact.model.precision, exact.model.agreement) == ("exact", None)
    assert (int8.model.precision, int8.model.agreement) == ("int8", AGREED.to_dict())
    assert int8.model.sha256 == find(folder).card.variants[0].file.sha256
    assert Result.from_dict(json.loads(json.dumps(int8.to_dict()))).model == int8.model
    difference = np.abs(np.subtract(exact.scores.values, int8.scores.values)).max()
    assert 0 < difference < 0.05


def test_another_backend_is_not_faster_by_itself(folder: Path) -> None:
    card_says(folder, AGREED)

    for backend, precision in (("onnxruntime", "int8"), ("openvino", "exact")):
        assert load(folder, backend=backend, precision="auto").model.precision == precision
    assert load(folder, backend="openvino", precision="int8").model.precision == "int8"


def test_auto_takes_what_agreed_and_is_worth_it(folder: Path) -> None:
    local = find(folder)
    for agreement, taken in (
        (AGREED, True),
        (replace(AGREED, speedup=1.1), False),
        (WRONG, False),
        (replace(AGREED, cosine=float("nan")), False),
    ):
        with_it = variants.record_variant(
            local, replace(local.card.variants[0], agreement=agreement)
        )
        assert (variants.choose(with_it, "auto", AGREEMENT_THRESHOLDS) is not None) == taken
        assert variants.choose(with_it, "exact", AGREEMENT_THRESHOLDS) is None


def test_a_variant_that_disagrees_is_refused(folder: Path) -> None:
    card_says(folder, WRONG)

    with raises_code("model_fast_refused", match=r"cosine 0\.9900 < 0\.998, top-1 7/8"):
        load(folder, precision="int8")
    assert load(folder, precision="auto").model.precision == "exact"

    lower = AgreementThresholds(0.98, 0.5)
    card_says(folder, replace(WRONG, same_top=8))
    assert load(folder, precision="int8", agreement_thresholds=lower).model.precision == "int8"


def test_a_model_without_variant_says_how_to_make_one(official: Path, tmp_path: Path) -> None:
    model = convert(official, tmp_path, name="mine", revision="r")

    with raises_code("model_fast_missing") as caught:
        load(model.folder, precision="int8")
    assert f"emoscope models quantize {tmp_path}" in caught.value.detail_en
    assert load(model.folder, precision="auto").model.precision == "exact"


def test_a_changed_variant_is_not_run(folder: Path) -> None:
    card_says(folder, AGREED)
    data = bytearray((folder / "mine.int8.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "mine.int8.onnx").write_bytes(data)

    with raises_code("model_changed"):
        load(folder, precision="int8")
    assert [one.code for one in verify.verify_model(folder)] == ["model_changed"]
    assert load(folder).model.precision == "exact"


@pytest.mark.usefixtures("short")
def test_the_doctor_tells_of_disagreement_then_and_now(folder: Path) -> None:
    assert verify.verify_model(folder, open_backend=OnnxBackend) == []

    told = verify.verify_model(folder, compare=lambda _exact, _int8: WRONG)
    assert [(one.code, one.severity) for one in told] == [("model_fast_refused", "error")]
    assert "top-1 7/8" in told[0].zh
    assert "top-1 7/8" in told[0].en

    card_says(folder, WRONG)
    assert [one.code for one in verify.verify_model(folder)] == ["model_fast_refused"]
    # On this machine, now: the card's word is not needed.
    assert verify.verify_model(folder, compare=commands._compare) == []


@pytest.mark.usefixtures("short")
def test_the_command_makes_verifies_and_uses_it(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    model = convert(official, tmp_path / "mine", name="mine", revision="r").folder

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exit_:
            commands.models_app(args=[str(argument) for argument in arguments])
        return int(exit_.value.code or 0), capsys.readouterr().out

    code, said = run("quantize", model, "--from", official)
    assert (code, "same top class in 8 of 8" in said, "agrees" in said) == (0, True, True)
    assert run("verify", model)[0] == 0

    monkeypatch.setenv("EMOSCOPE_INT8_MIN_COSINE", "1")
    code, said = run("quantize", model, "--from", official, "--lang", "zh")
    assert (code, "不会使用" in said) == (1, True)
    code, said = run("verify", model)
    assert (code, "model_fast_refused" in said) == (1, True)


def test_a_variant_points_into_its_folder() -> None:
    data = Variant("int8", ModelFile("../away.onnx", 1, ""), AGREED).to_dict()

    with pytest.raises(ValueError, match="away"):
        Variant.from_dict(data)


def test_the_built_in_model_is_small_as_it_is() -> None:
    """A server told to take int8 must start where only the built-in model is."""
    assert variants.choose(find("compact"), "int8", AGREEMENT_THRESHOLDS) is None
