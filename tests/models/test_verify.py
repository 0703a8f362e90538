from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.base import Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.hub.official import HubAccess
from emoscope.hub.pull import pull
from emoscope.models import catalog
from emoscope.models.record import OFFICIAL, PullRecord
from emoscope.models.verify import Finding, verify_model
from hub_server import FIVE, NINE, Hub, fake_convert

NAME = catalog.LARGE


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def healthy(_path: Path) -> FakeBackend:
    return FakeBackend(dim=4)


@pytest.fixture
def folder(pinned: None, hub: Hub, cache: Path, network: HubAccess) -> Path:
    return pull(NAME, convert=fake_convert, cache=cache, network=network).folder


@pytest.fixture
def official(files: dict[str, bytes], tmp_path: Path) -> Path:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_fresh_pull_has_nothing_to_say(folder: Path, cache: Path) -> None:
    assert verify_model(NAME, cache, open_backend=healthy) == []
    assert verify_model(folder, open_backend=healthy) == []


def test_a_flipped_byte_is_found(folder: Path, cache: Path) -> None:
    path = folder / f"{NAME}.onnx"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)

    (finding,) = verify_model(NAME, cache)

    assert finding.code == "model_changed"
    assert finding.severity == "error"
    assert ".onnx" in finding.zh


@pytest.mark.parametrize("file", ["model.pt", "config.yaml"])
def test_a_changed_official_file_is_found(folder: Path, cache: Path, file: str) -> None:
    path = folder / OFFICIAL / file
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    (finding,) = verify_model(NAME, cache)

    assert finding.code == "model_changed"
    assert f"official/{file}" in finding.en


def test_official_weights_that_were_dropped_are_not_missed(folder: Path, cache: Path) -> None:
    pull(NAME, convert=fake_convert, cache=cache, keep_original=False)

    assert verify_model(NAME, cache) == []

    (folder / OFFICIAL / "config.yaml").unlink()
    assert codes(verify_model(NAME, cache)) == ["model_file_missing"]


def test_another_revision_is_told(folder: Path, cache: Path) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**card, "revision": "old"}), "utf-8")

    (finding,) = verify_model(NAME, cache)

    assert (finding.code, finding.severity) == ("revision_unknown", "warning")
    assert "1234abcd" in finding.en


def test_what_was_never_proven_is_told(hub: Hub, cache: Path, network: HubAccess) -> None:
    hub.listed = False
    base = "emotion2vec-plus-base"
    pull(base, convert=fake_convert, hub="ms", cache=cache, network=network)

    found = verify_model(base, cache, open_backend=healthy)

    assert set(codes(found)) == {"file_unproven"}
    assert {finding.severity for finding in found} == {"warning"}


def test_a_model_that_is_not_here_is_a_finding(cache: Path) -> None:
    assert codes(verify_model(NAME, cache)) == ["model_not_installed"]
    assert codes(verify_model("nonsense", cache)) == ["model_unknown"]


def test_an_official_folder_is_recognised(pinned: None, official: Path) -> None:
    (finding,) = verify_model(official)

    assert (finding.code, finding.severity) == ("weights_known", "note")
    assert NAME in finding.zh


def test_a_flipped_byte_in_official_weights_is_told(
    pinned: None, official: Path, files: dict[str, bytes]
) -> None:
    data = bytearray(files["model.pt"])
    data[77] ^= 4
    (official / "model.pt").write_bytes(data)

    assert codes(verify_model(official)) == ["weights_unknown"]


def test_hidden_classes_are_told(official: Path) -> None:
    assert len(FIVE.encode()) == 90
    (official / "tokens.txt").write_text(FIVE, "utf-8")

    hidden = [finding for finding in verify_model(official) if finding.code == "tokens_hidden"]

    assert hidden[0].severity == "error"
    assert "4" in hidden[0].zh
    assert "unuse_0" in hidden[0].en


def test_fewer_classes_are_told(official: Path) -> None:
    (official / "tokens.txt").write_text(NINE.partition("\n")[2], "utf-8")

    assert "tokens_count" in codes(verify_model(official))


def test_missing_official_files_are_named(official: Path) -> None:
    (official / "model.pt").unlink()
    (official / "config.yaml").unlink()

    found = verify_model(official)

    assert codes(found) == ["model_file_missing"] * 2
    assert "model.pt" in found[1].en


class Ill(FakeBackend):
    """Breaks the contract in one way."""

    def __init__(self, illness: str) -> None:
        super().__init__(dim=5 if illness == "dim_wrong" else 4)
        self.illness = illness

    def run(self, waveform, lengths):
        whole = super().run(waveform, lengths)
        logits, counts = whole.frame_logits, whole.frame_counts
        if self.illness == "output_not_finite":
            logits = np.where(np.arange(logits.shape[1])[:, None] == 20, np.nan, logits)
        if self.illness == "frames_wrong":
            counts = counts + 1
        if self.illness == "padding_changes_answers":
            logits = logits + waveform.shape[1] / 16_000
        return Output(logits.astype(np.float32), whole.frame_embeddings, counts)


@pytest.mark.parametrize(
    "illness", ["dim_wrong", "output_not_finite", "frames_wrong", "padding_changes_answers"]
)
def test_a_model_that_breaks_the_contract_is_told(folder: Path, cache: Path, illness: str) -> None:
    (finding,) = verify_model(NAME, cache, open_backend=lambda _: Ill(illness))

    assert finding.code == illness
    assert finding.severity == "error"


def test_a_file_that_is_no_model_is_told(folder: Path, cache: Path) -> None:
    assert codes(verify_model(NAME, cache, open_backend=OnnxBackend)) == ["model_contract"]


@pytest.mark.parametrize("text", ["", "{}", '{"files": 3}', "[1]"])
def test_a_broken_record_is_as_none(folder: Path, cache: Path, text: str) -> None:
    (folder / "pull.json").write_text(text, "utf-8")

    assert PullRecord.read(folder) is None
    assert verify_model(NAME, cache, open_backend=healthy) == []
