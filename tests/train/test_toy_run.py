"""The whole recipe on next to nothing: corpora, encoder, two stages, export, calibration, cards."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")
soundfile = pytest.importorskip("soundfile")

import data  # noqa: E402
import whisper_encoder  # noqa: E402

from .test_encoder import as_ctranslate2, fake_tensors  # noqa: E402

TRAIN = Path(__file__).parents[2] / "train"
COLUMNS = (
    "path", "corpus", "speaker", "sex", "language", "emotion", "emotion_original", "split",
    "text_id", "notes", "rater_agreement",
)  # fmt: skip


def make_corpora(folder: Path) -> None:
    """Every corpus with a few seconds of noise for each split and class."""
    random = np.random.default_rng(0)
    rows = []
    for corpus in data.TRAIN_CORPORA + data.FOREIGN_CORPORA:
        splits = ("train", "dev", "test") if corpus in data.TRAIN_CORPORA else ("test",)
        with tarfile.open(folder / f"{corpus}.tar", "w") as tar:
            for split in splits:
                for emotion in data.SCORED[corpus]:
                    for number in range(12 if split == "train" else 2):
                        name = f"{corpus}/{split}_{emotion}_{number}.opus"
                        content = io.BytesIO()
                        sound = 0.1 * random.standard_normal(random.integers(8_000, 20_000))
                        soundfile.write(content, sound, 16_000, format="OGG", subtype="OPUS")
                        member = tarfile.TarInfo(name)
                        member.size = len(content.getvalue())
                        tar.addfile(member, io.BytesIO(content.getvalue()))
                        rows.append(
                            dict.fromkeys(COLUMNS, "")
                            | {
                                "path": name, "corpus": corpus, "emotion": emotion, "split": split,
                                "speaker": f"{corpus}_{split}", "text_id": "plain",
                                "rater_agreement": "1.0",
                            }
                        )  # fmt: skip
    with (folder / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
def test_from_corpora_to_cards(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    make_corpora(tmp_path / "data")
    tensors = fake_tensors()
    (tmp_path / "model.bin").write_bytes(as_ctranslate2(tensors))
    start = (
        f"import sys; sys.path.insert(0, {str(TRAIN)!r}); import whisper_encoder as w; "
        f"w.TENSORS_SHA256 = {whisper_encoder.tensors_sha256(tensors)!r}; import run; run.main()"
    )
    command = [sys.executable, "-c", start, "--toy", "--any-version"]
    command += ["--data", str(tmp_path / "data"), "--encoder", str(tmp_path / "model.bin")]

    subprocess.run([*command, "--cache", str(tmp_path / "cache")], check=True, timeout=900)

    made = tmp_path / "cache" / "toy"
    card = json.loads((made / "compact.json").read_text("utf-8"))
    assert set(card["accuracy"]) == set(data.TRAIN_CORPORA + data.FOREIGN_CORPORA)
    assert card["calibration"]["temperature"] > 0
    assert card["files"][0]["bytes"] == (made / "compact.onnx").stat().st_size
    assert "own" in (made / "run.log").read_text("utf-8")
    assert (made / "compact_reliability_foreign.svg").is_file()
