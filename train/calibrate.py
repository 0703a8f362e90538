"""Calibration of the exported file: fitted on dev, shown on held-out speakers.

    python train/calibrate.py --data FOLDER [--cache FOLDER]

run.py does this after every export. On its own this file writes temperature, label sets and their
figures into the card beside the shipped file, and its pictures into docs/models, without torch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import card
import evaluate
from data import EMOTIONS, FOREIGN_CORPORA, TRAIN_CORPORA, Clip, Sound, choose, load_clips

HOUSE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOUSE / "src"))

from emoscope.evaluate import metrics, pictures  # noqa: E402
from emoscope.evaluate.lists import duration_group  # noqa: E402
from emoscope.results import calibration  # noqa: E402 - the package that applies it also fits it
from emoscope.results.scores import Scores, softmax  # noqa: E402

FITTED_ON = "dev split (speakers apart from train and test) of ravdess, nemo, emodb, indianemo"


def fit(model: Path, dev: Sequence[Clip], sound: Sound) -> calibration.Calibration:
    """Temperature and bar of an exported file."""
    truth = np.array([clip.emotion for clip in dev])
    return calibration.fit(softmax(evaluate.answers(model, dev, sound)), truth, FITTED_ON)


def figures(
    fitted: calibration.Calibration, logits: np.ndarray, clips: Sequence[Clip]
) -> dict[str, float]:
    """What the calibration is worth on some clips, by their logits `(clips, 9)`."""
    truth = np.array([clip.emotion for clip in clips])
    raw = softmax(logits)
    after = calibration.tempered(raw, fitted.temperature)
    sets = [fitted.apply(Scores(row)).label_set for row in raw]
    held = [EMOTIONS[clip.emotion] in one for clip, one in zip(clips, sets, strict=True)]
    return {
        "clips": len(clips),
        "ece_before": round(metrics.calibrate(truth, raw).ece, 4),
        "ece_after": round(metrics.calibrate(truth, after).ece, 4),
        "set_coverage": round(float(np.mean(held)), 4),
        "set_size": round(float(np.mean([len(one) for one in sets])), 2),
    }


def described(
    fitted: calibration.Calibration,
    test: Mapping[str, Sequence[Clip]],
    logits: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """The card's part: what was fitted, and figures per corpus."""
    return {
        **fitted.to_dict(),
        "figures": {corpus: figures(fitted, logits[corpus], test[corpus]) for corpus in test},
    }


def groups(
    test: Mapping[str, Sequence[Clip]], logits: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Figures by language, sex and length, apart for trained and foreign corpora, worst first."""
    rows: list[dict[str, Any]] = []
    for trained, corpora in ((True, TRAIN_CORPORA), (False, FOREIGN_CORPORA)):
        clips = [clip for corpus in corpora for clip in test[corpus]]
        answer = np.concatenate([logits[corpus] for corpus in corpora]).argmax(axis=1)
        truth = np.array([clip.emotion for clip in clips])
        members: dict[tuple[str, str], list[int]] = {}
        for at, clip in enumerate(clips):
            for column, value in (
                ("language", clip.language),
                ("sex", clip.sex),
                ("duration", duration_group(clip.duration_s)),
            ):
                members.setdefault((column, value), []).append(at)
        for (column, value), own in members.items():
            found = metrics.measure(truth[own], answer[own])
            rows.append(
                {
                    "trained_on": trained,
                    "column": column,
                    "value": value,
                    "clips": len(own),
                    "uar": round(found.ua, 4),
                    "wa": round(found.wa, 4),
                }
            )
    return sorted(rows, key=lambda row: (not row["trained_on"], row["uar"]))


def draw(
    fitted: calibration.Calibration,
    test: Mapping[str, Sequence[Clip]],
    logits: Mapping[str, np.ndarray],
    folder: Path,
) -> None:
    """Reliability, risk and confusion of the trained corpora's test splits, and of the foreign."""
    for name, corpora in (("test", TRAIN_CORPORA), ("foreign", FOREIGN_CORPORA)):
        truth = np.array([clip.emotion for corpus in corpora for clip in test[corpus]])
        raw = softmax(np.concatenate([logits[corpus] for corpus in corpora]))
        after = calibration.tempered(raw, fitted.temperature)
        before = metrics.calibrate(truth, raw)
        drawn = {
            "reliability": pictures.reliability_svg(before, metrics.calibrate(truth, after)),
            "risk": pictures.risk_coverage_svg(metrics.risk_coverage(truth, raw)),
            "confusion": pictures.confusion_svg(metrics.measure(truth, raw.argmax(axis=1))),
        }
        for kind, picture in drawn.items():
            card.write(picture + "\n", folder / f"compact_{kind}_{name}.svg")


def main() -> None:
    """Calibrate the shipped file and write its card anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    options = parser.parse_args()
    model = HOUSE / "src/emoscope/assets/compact.onnx"
    clips = load_clips(options.data, options.cache, TRAIN_CORPORA + FOREIGN_CORPORA)
    sound = Sound(options.cache)
    fitted = fit(model, choose(clips, "dev", TRAIN_CORPORA), sound)
    everything = choose(clips, "test", TRAIN_CORPORA + FOREIGN_CORPORA)
    test = {
        corpus: [clip for clip in everything if clip.corpus == corpus]
        for corpus in TRAIN_CORPORA + FOREIGN_CORPORA
    }
    logits = {corpus: evaluate.answers(model, own, sound) for corpus, own in test.items()}
    target = model.with_suffix(".json")
    described_card = json.loads(target.read_text("utf-8"))
    described_card["calibration"] = described(fitted, test, logits)
    described_card["groups"] = groups(test, logits)
    card.write(card.as_json(described_card), target)
    page = HOUSE / "docs/models/compact.md"
    card.write(card.with_trust(page.read_text("utf-8"), described_card), page)
    draw(fitted, test, logits, page.parent)
    print(json.dumps(described_card["calibration"], indent=1))


if __name__ == "__main__":
    main()
