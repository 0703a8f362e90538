"""The card of the model for programs, `compact.json`, and all files that a run ships."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import calibrate
import card_page
import evaluate
import files
from calibrate import LeftOut
from data import FOREIGN_CORPORA, TRAIN_CORPORA, Clip, Sound, choose
from model import Model, Shape

LICENCE = "CC-BY-NC-SA-4.0"
ATTRIBUTION = [
    (
        "RAVDESS (English): S. R. Livingstone, F. A. Russo, PLoS ONE 2018, "
        "doi:10.5281/zenodo.1188976; CC BY-NC-SA 4.0; "
        "copy used: Rahul5430/Speech-Emotion-Recognition-System"
    ),
    "nEMO (Polish): I. Christop, 2024; CC BY-NC-SA 4.0; copy used: amu-cai/nEMO",
    (
        "EmoDB (German): F. Burkhardt et al., Interspeech 2005; CC0 1.0 as republished by "
        "audEERING; copy used: zhufeiyao/Berlin-Database-of-Emotional-Speech_2020"
    ),
    (
        "IndianEMO (English, Hindi): RakshakTeam; CC BY-NC-SA 4.0; "
        "copy used: RakshakTeam/emospeech-dataset-v1"
    ),
    (
        "CREMA-D (English; happy and sad clips with their listeners' votes): H. Cao, D. G. Cooper, "
        "M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma, IEEE Trans. Affective Computing 2014; "
        "ODbL 1.0, contents DbCL 1.0; copy used: tudemaha/speech-emotion-classification"
    ),
]
ENCODER = (
    "Encoder: the first five layers of Whisper base, A. Radford et al., OpenAI, 2022; MIT, "
    "Copyright (c) 2022 OpenAI"
)
LANGUAGES = ["en", "pl", "de", "hi"]
"""Of the training corpora, as the page's advice names them."""
LIMITS_ZH = (
    "只用演员念的短句训练（英语、波兰语、德语、印地语，没有中文），没见过自然流露的情绪。"
    "换了语言、说话人或录音条件，准确率会明显下降。「其他」和「未知」只供参考。"
    "请勿据此对任何人作决定。"
)
LIMITS_EN = (
    "Trained only on short acted sentences (English, Polish, German, Hindi; no Chinese), never on "
    "spontaneous emotion. In other languages, with other speakers or recording conditions, "
    "accuracy falls clearly. “Other” and “unknown” are indicative at best. No decision about a "
    "person should rest on it."
)
MEASURED_ZH = (
    "校准后的置信度在模型没有听过的五个语料库上拟合。在另外六个没有听过的语料库上，"
    "它与实际正确率平均相差 0.05 到 0.15；对与训练数据相似的录音则偏低。"
)
MEASURED_EN = (
    "Calibrated confidence was fitted on five corpora that the model had not heard. On six others "
    "that it never heard it is off by 0.05 to 0.15 on average; for speech like the training data "
    "it is too low."
)
UNKNOWN_ZH = (
    "「其他」只来自 EmoDB 中表演「无聊」的德语短句（训练集 63 条）；「未知」没有真实数据，"
    "由合成的非语音（噪声、纯音、和弦、敲击、嗡声、近乎静音）教出，每批约占 4%；"
    "所有语音片段都以这两类为反例。"
)
UNKNOWN_EN = (
    "`other` comes only from acted boredom in German (63 training clips of EmoDB); `unknown` has "
    "no recordings at all and is taught with synthetic non-speech (noise, tones, chords, knocks, "
    "hum, near silence), about 4% of the training; every labelled clip of speech counts as "
    "neither."
)


@dataclass(frozen=True)
class About:
    """What the card says of a model beside what is measured on its file."""

    revision: str
    """Date and number."""
    shape: Shape
    folds: Sequence[Mapping[str, Any]] = ()
    """Figures of `cross_validate.py`; none where it was not run."""


def make(
    model: Path,
    clips: Sequence[Clip],
    sound: Sound,
    left_out: LeftOut,
    about: About,
    folder: Path,
) -> dict[Path, Path]:
    """Evaluate an exported file on every test split and write its cards and pictures.

    Args:
        model: the exported file.
        clips: all of them.
        sound: their samples.
        left_out: what the calibration is fitted on.
        about: revision, shape, figures of published protocols.
        folder: where everything is written.

    Returns:
        Files that belong into the package's repository: written path to place there.
    """
    test = choose(clips, "test", TRAIN_CORPORA + FOREIGN_CORPORA)
    heard, logits, accuracy = {}, {}, {}
    for corpus in TRAIN_CORPORA + FOREIGN_CORPORA:
        own = [clip for clip in test if clip.corpus == corpus]
        heard[corpus] = own
        logits[corpus] = evaluate.kept_answers(model, own, sound, folder)
        accuracy[corpus] = evaluate.figures(logits[corpus], own, corpus)
        row = accuracy[corpus]
        print(
            f"{corpus:10} UAR {card_page.with_interval(row, 'uar', 'ci95')} "
            f"own {card_page.with_interval(row, 'uar_own_classes', 'ci95_own_classes')}",
            flush=True,
        )
    fitted = calibrate.fit(left_out)
    card = build(model, clips, accuracy, about)
    card["never_headline"] = {
        corpus: round(evaluate.never_headline(logits[corpus]), 4) for corpus in heard
    }
    card["calibration"] = calibrate.described(fitted, heard, logits)
    card["groups"] = calibrate.groups(heard, logits)
    files.write(as_json(card), folder / "compact.json")
    page = card_page.as_markdown(card, accuracy, evaluate.milliseconds(model))
    files.write(page, folder / "compact.md")
    calibrate.draw(fitted, heard, logits, folder)
    assets, pages = Path("src/emoscope/assets"), Path("docs/models")
    drawn = {path: pages / path.name for path in folder.glob("compact_*.svg")}
    return {
        model: assets / "compact.onnx",
        folder / "compact.json": assets / "compact.json",
        folder / "compact.md": pages / "compact.md",
        **drawn,
    }


def counts(clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Clips, speakers and hours of some clips, per corpus."""
    result: dict[str, dict[str, float]] = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == corpus]
        result[corpus] = {
            "clips": len(own),
            "speakers": len({clip.speaker for clip in own}),
            "hours": round(sum(clip.duration_s for clip in own) / 3600.0, 2),
        }
    return result


def build(
    model: Path,
    clips: Sequence[Clip],
    accuracy: Mapping[str, Mapping[str, Any]],
    about: About,
) -> dict[str, Any]:
    """The card as one dictionary."""
    content = model.read_bytes()
    roles = {
        "train": [c for c in clips if c.split == "train" and c.corpus in TRAIN_CORPORA],
        "dev": [c for c in clips if c.split == "dev" and c.corpus in TRAIN_CORPORA],
        "test": [c for c in clips if c.split == "test" and c.corpus in TRAIN_CORPORA],
        "evaluated_only": [c for c in clips if c.corpus in FOREIGN_CORPORA],
    }
    return {
        "name": "compact",
        "revision": about.revision,
        "title_zh": "内置小模型",
        "title_en": "Built-in compact model",
        "files": [
            {
                "path": model.name,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        ],
        "rate_hz": 16_000,
        "hop_s": 0.02,
        "dim": about.shape.embedding,
        "parameters": sum(value.numel() for value in Model(about.shape).parameters()),
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "encoder": ENCODER,
        "trained_on": list(TRAIN_CORPORA),
        "languages": LANGUAGES,
        "data": {role: counts(chosen) for role, chosen in roles.items()},
        "accuracy": {
            corpus: {key: value for key, value in row.items() if key != "confusion"}
            for corpus, row in accuracy.items()
        },
        "published_protocols": [dict(figures) for figures in about.folds],
        "limits_zh": LIMITS_ZH,
        "limits_en": LIMITS_EN,
        "measured_zh": MEASURED_ZH,
        "measured_en": MEASURED_EN,
        "unknown_and_other_zh": UNKNOWN_ZH,
        "unknown_and_other_en": UNKNOWN_EN,
    }


def as_json(card: Mapping[str, Any]) -> str:
    """The card for programs."""
    return json.dumps(card, ensure_ascii=False, indent=2) + "\n"
