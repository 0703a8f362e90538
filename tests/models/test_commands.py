"""``emoscope models ...`` against the local hub, and once with the real converter and runtime."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from emoscope.cli.models import models_app
from emoscope.emotion2vec import config
from emoscope.emotion2vec import convert as converter
from emoscope.errors import ModelPullError
from emoscope.inference import int8_variant as engine
from emoscope.models import catalog
from emoscope.recognizer import load
from emoscope.results.agreement import AgreementThresholds
from emoscope.results.result import Result
from emoscope.waveform import RATE_HZ, Waveform
from hub_server import FIVE, Hub, fake_convert, status
from parity.official_folder import SIZES, weights, write_folder
from parity.torch_zip import write_model_pt
from raising import raises_code
from ran import Ran, run_here
from sounds import noise

NAME = catalog.LARGE
BASE = "emotion2vec-plus-base"


@pytest.fixture
def models(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Runs a command of the group in this process; our errors come through as they are."""
    monkeypatch.setenv("EMOSCOPE_CACHE", str(cache))
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Ran:
        return run_here(lambda given: models_app(args=given), capsys, *arguments)

    return run


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "convert", fake_convert)
    monkeypatch.setattr(config, "read_config", lambda _path: None)


@pytest.mark.usefixtures("pinned", "fake", "hub")
def test_pull_list_path_remove(models: Callable[..., Ran], cache: Path) -> None:
    pulled = models("pull", NAME)
    assert pulled.out == f"{NAME} is ready: {cache / NAME}\n"
    assert "converting" in pulled.err

    assert re.search(rf"{NAME} +ready +1 MB +1234abcd", models("list").out)
    assert models("path", NAME).out == f"{cache / NAME}\n"
    assert models("path").out == f"{cache}\n"

    assert "1 MB freed" in models("remove", NAME).out
    assert re.search(rf"{NAME} +not here", models("list").out)
    with raises_code("model_not_installed"):
        models("path", NAME)


@pytest.mark.usefixtures("hub")
def test_the_list_for_programs(models: Callable[..., Ran], cache: Path) -> None:
    lines = json.loads(models("list", "--json").out)

    assert [line["name"] for line in lines] == list(catalog.names())
    assert lines[0]["state"] == "absent"
    assert lines[0]["folder"] == ""

    (cache / BASE).mkdir(parents=True)
    (cache / BASE / "card.json").write_text("{", "utf-8")
    assert json.loads(models("list", "--json").out)[1]["state"] == "damaged"


@pytest.mark.usefixtures("pinned", "fake")
def test_a_hub_that_fails_is_told_in_the_language(
    models: Callable[..., Ran], hub: Hub, cache: Path
) -> None:
    hub.faults["config.yaml"] = [status(404)]

    ran = models("pull", NAME, "--lang", "zh")

    assert "Hugging Face 没有成功" in ran.err
    assert "已就绪" in ran.out


@pytest.mark.usefixtures("pinned", "fake")
def test_no_hub_at_all(models: Callable[..., Ran], hub: Hub) -> None:
    hub.faults["config.yaml"] = [status(404)] * 2

    with pytest.raises(ModelPullError, match=r"Hugging Face .*ModelScope"):
        models("pull", NAME)

    with raises_code("model_not_installed"):
        models("pull", NAME, "--offline")


def test_the_built_in_model_stays(models: Callable[..., Ran]) -> None:
    with raises_code("model_built_in"):
        models("remove", catalog.COMPACT)


@pytest.mark.usefixtures("pinned", "fake", "hub")
def test_verify_says_no_in_both_languages_and_by_its_exit_code(
    models: Callable[..., Ran], cache: Path
) -> None:
    models("pull", NAME)  # the fake's ONNX file is none

    english, chinese = models("verify", NAME), models("verify", NAME, "--lang", "zh")

    assert english.code == chinese.code == 1
    assert "error" in english.out
    assert "(model_contract)" in english.out
    assert "模型文件不符合约定" in chinese.out
    answer = json.loads(models("verify", NAME, "--json").out)
    assert answer["usable"] is False
    assert answer["findings"][0]["code"] == "model_contract"


def test_from_the_hub_to_an_answer(
    models: Callable[..., Ran], hub: Hub, cache: Path, tmp_path: Path
) -> None:
    """The real converter and runtime, on a small model in the official layout."""
    write_folder(tmp_path / "official", SIZES["tiny"])
    hub.files = {path.name: path.read_bytes() for path in (tmp_path / "official").iterdir()}
    hub.files["configuration.json"] = b"{}"

    assert models("pull", BASE).code == 0
    verified = models("verify", BASE)
    assert (verified.code, verified.out) == (0, f"{BASE}: whole, unchanged, ready to use.\n")

    result = load(BASE).recognize(Waveform(noise(1.0), RATE_HZ))
    assert sum(result.scores.to_dict().values()) == pytest.approx(1)

    weights = cache / BASE / "official" / "model.pt"
    data = bytearray(weights.read_bytes())
    data[5000] ^= 1
    weights.write_bytes(data)
    verified = models("verify", BASE)
    assert verified.code == 1
    assert "official/model.pt" in verified.out


@pytest.fixture
def tiny(hub: Hub, tmp_path: Path) -> Path:
    """The hubs have a small model in the official layout; returns its folder."""
    folder = tmp_path / "official"
    write_folder(folder, SIZES["tiny"])
    hub.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    hub.files["configuration.json"] = b"{}"
    return folder


@pytest.mark.parametrize("way", ["hub", "folder"])
def test_hidden_classes_are_told_and_answered_all_the_same(
    way: str, models: Callable[..., Ran], hub: Hub, tiny: Path
) -> None:
    """Classes are taken by index; verify goes on saying so."""
    whole = load_from(models, tiny).scores.to_dict()
    models("remove", BASE)
    hub.files["tokens.txt"] = FIVE.encode()
    (tiny / "tokens.txt").write_text(FIVE, "utf-8")

    ran = models("pull", BASE, *(() if way == "hub" else ("--from", tiny)))

    assert ran.code == 0
    assert "hides 4 classes (unuse_0, unuse_1, unuse_2, unuse_3)" in ran.err
    assert "隐藏了 4 个类别" in models("pull", BASE, "--lang", "zh").err
    again = load(BASE).recognize(Waveform(noise(1.0), RATE_HZ))
    assert again.scores.to_dict() == whole
    assert len(whole) == 9
    verified = models("verify", BASE)
    assert verified.code == 1
    assert "tokens_hidden" in verified.out


def test_weights_with_fewer_classes_are_refused(
    models: Callable[..., Ran], tiny: Path, cache: Path
) -> None:
    """Then there is nothing to take by index."""
    tensors = weights(SIZES["tiny"], 0)
    tensors["proj.weight"], tensors["proj.bias"] = (
        tensors["proj.weight"][:5],
        tensors["proj.bias"][:5],
    )
    write_model_pt(tiny / "model.pt", tensors)
    (tiny / "tokens.txt").write_text("a\nb\nc\nd\ne\n", "utf-8")

    with raises_code("checkpoint_tensors", match="proj"):
        models("pull", BASE, "--from", tiny)
    assert not catalog.is_installed(BASE, cache)


def test_pull_makes_the_int8_variant_where_that_is_wanted(
    models: Callable[..., Ran], tiny: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "built_in_clips", lambda: [noise(0.5), noise(0.4)])
    monkeypatch.setenv("EMOSCOPE_INT8_MIN_COSINE", "0.5")
    monkeypatch.setenv("EMOSCOPE_INT8_MAX_SCORE_DIFFERENCE", "1")

    ran = models("pull", BASE, "--int8", "--no-keep-original")

    assert ran.code == 0
    assert re.search(rf"{BASE}\.int8\.onnx: embedding cosine 0\.\d+, same top class", ran.out)
    assert "Making the int8 variant" in ran.err
    assert not (cache / BASE / "official" / "model.pt").exists()
    (variant,) = catalog.find(BASE).card.variants
    variant.file.verify(cache / BASE)
    made = (cache / BASE / variant.file.path).stat().st_mtime_ns
    again = models("pull", BASE, "--int8")
    assert "embedding cosine" in again.out
    assert (cache / BASE / variant.file.path).stat().st_mtime_ns == made


@pytest.mark.parametrize("way", ["option", "setting", "folder"])
def test_a_variant_that_disagrees_is_told_and_the_exact_model_stays(
    way: str, models: Callable[..., Ran], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "built_in_clips", lambda: [noise(0.5), noise(0.4)])
    monkeypatch.setenv("EMOSCOPE_INT8_MIN_COSINE", "1")
    if way == "setting":
        monkeypatch.setenv("EMOSCOPE_INT8_ON_PULL", "true")

    arguments = {"option": ["--int8"], "setting": [], "folder": ["--int8", "--from", tiny]}[way]
    ran = models("pull", BASE, *arguments)

    assert ran.code == 0
    assert "does not agree" in ran.out
    load(BASE)
    with raises_code("model_fast_refused"):
        load(BASE, precision="int8", agreement_thresholds=AgreementThresholds(min_cosine=1.0))


def test_without_asking_no_variant_is_made(models: Callable[..., Ran], tiny: Path) -> None:
    models("pull", BASE)

    assert catalog.find(BASE).card.variants == ()


def load_from(models: Callable[..., Ran], folder: Path) -> Result:
    """Pull the base model from a folder and ask it."""
    models("pull", BASE, "--from", folder)
    return load(BASE).recognize(Waveform(noise(1.0), RATE_HZ))
