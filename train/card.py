"""The two cards of the model: `compact.json` for programs, `compact.md` for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data import EMOTIONS, FOREIGN_CORPORA, TRAIN_CORPORA, Clip

# What a linear classifier on log-mel statistics reaches, answering a corpus's own classes only.
TRIVIAL = {
    "ravdess": 0.47,
    "nemo": 0.39,
    "emodb": 0.64,
    "indianemo": 0.37,
    "turev": 0.47,
    "tess": 0.30,
}
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
]
LIMITS_ZH = (
    "只用演员表演的短句训练(英语、波兰语、德语、印地语，没有中文)，没有见过自然流露的情绪；"
    "换一种语言、说话人或录音条件，准确率会明显下降，没听过的说话人常被误判为“厌恶”或“恐惧”，悲伤常被漏掉，"
    "“其他”与“未知”只能作参考，不可用于对人做决定。"
)
LIMITS_EN = (
    "Trained only on short acted sentences (English, Polish, German, Hindi; no Chinese) and never "
    "on spontaneous emotion: accuracy falls clearly on other languages, speakers and recording "
    "conditions, new speakers are often wrongly called disgusted or fearful, sadness is often "
    'missed, "other" and "unknown" are indicative at best, and no decision about a person should '
    "rest on it."
)
UNKNOWN_ZH = (
    "“其他”只来自 EmoDB 中表演“无聊”的德语短句(训练集 63 条)；“未知”没有真实数据，"
    "由合成的非语音(噪声、纯音、和弦、敲击、嗡声、近乎静音)教出，每批约占 4 %；"
    "所有语音片段都以这两类为反例。"
)
UNKNOWN_EN = (
    "`other` comes only from acted boredom in German (63 training clips of EmoDB); `unknown` has "
    "no recordings at all and is taught with synthetic non-speech (noise, tones, chords, knocks, "
    "hum, near silence), about 4 % of every batch; every labelled clip of speech counts as "
    "neither."
)


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
    *,
    revision: str,
    dim: int,
    parameters: int,
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
        "revision": revision,
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
        "dim": dim,
        "parameters": parameters,
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "trained_on": list(TRAIN_CORPORA),
        "data": {role: counts(chosen) for role, chosen in roles.items()},
        "accuracy": {
            corpus: {key: value for key, value in row.items() if key != "confusion"}
            for corpus, row in accuracy.items()
        },
        "limits_zh": LIMITS_ZH,
        "limits_en": LIMITS_EN,
        "unknown_and_other_zh": UNKNOWN_ZH,
        "unknown_and_other_en": UNKNOWN_EN,
    }


def write(content: str | bytes, target: Path) -> None:
    """Write a file whole or not at all; text as UTF-8."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(target)


def as_json(card: Mapping[str, Any]) -> str:
    """The card for programs."""
    return json.dumps(card, ensure_ascii=False, indent=2) + "\n"


def as_markdown(
    card: Mapping[str, Any], accuracy: Mapping[str, Mapping[str, Any]], four_seconds_ms: float
) -> str:
    """The card for people: a short Chinese head, then English."""
    (entry,) = card["files"]
    facts = (
        f"{card['parameters']:,} parameters, {entry['bytes'] / 1e6:.1f} MB, "
        f"embedding {card['dim']}, {four_seconds_ms:.0f} ms for 4 s of sound on one core "
        "of the machine that trained it"
    )
    lines = [
        f"# compact · {card['title_zh']}",
        "",
        f"版本 {card['revision']} · 许可 {card['licence']}(不可商用)。",
        card["limits_zh"],
        card["unknown_and_other_zh"],
        "下表 UAR 为各类召回率的平均，括号内是对说话人重抽样的 95 % 区间；",
        "“九类”是产品的真实行为，“限定类”只允许回答该语料库自己的类别。",
        "",
        "## What it is",
        "",
        f"Revision {card['revision']}; {facts}.",
        f"{card['limits_en']}",
        f"{card['unknown_and_other_en']}",
        "",
        "Five networks, taught differently, look at every 20 ms frame, each with means over the",
        "whole clip beside it, one of them at a picture that is fine enough for the harmonics of a",
        "voice; three small experts, which count less, read statistics of the two seconds around",
        "it. The weighted mean of what they say is the answer. The embedding keeps what the answer",
        "needs and, of the rest, the directions in which clips differ most. Everything is measured",
        "against the clip's own level.",
        "",
        "## Figures on held-out speakers",
        "",
        "UAR is unweighted average recall: the mean of the classes' recalls.",
        "*Nine* lets the model answer any of its nine classes, as the product does; *own* allows",
        "only the classes that the corpus annotates. Brackets: 95 % bootstrap intervals over",
        "speakers; with two speakers (emodb, nemo, tess) they show little more than those two.",
        "The last three corpora were never trained or tuned on: they say what to expect elsewhere.",
        "",
        "| corpus | trained on | classes | clips | speakers | UAR nine 九类 | UAR own 限定 | WA |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for corpus, row in accuracy.items():
        lines.append(
            f"| {corpus} | {'yes' if row['trained_on'] else 'no'} | {row['classes']} "
            f"| {row['clips']} | {row['speakers']} | {_with_interval(row, 'uar', 'ci95')} "
            f"| {_with_interval(row, 'uar_own_classes', 'ci95_own_classes')} "
            f"| {row['wa']:.3f} |"
        )
    lines += ["", _shortfall(accuracy), "", "## Recall per class", ""]
    lines += ["| corpus | " + " | ".join(EMOTIONS) + " |", "|---" * (len(EMOTIONS) + 1) + "|"]
    for corpus, row in accuracy.items():
        recall = row["per_class_recall"]
        cells = [f"{recall[name]:.2f}" if name in recall else "–" for name in EMOTIONS]
        lines.append(f"| {corpus} | " + " | ".join(cells) + " |")
    lines += ["", "## Confusion", "", "Rows: what was acted. Columns: what the model answered."]
    for corpus, row in accuracy.items():
        lines += ["", f"### {corpus}", ""]
        lines += ["| | " + " | ".join(EMOTIONS) + " |", "|---" * (len(EMOTIONS) + 1) + "|"]
        for name, values in zip(EMOTIONS, row["confusion"], strict=True):
            if any(values):
                lines.append(f"| **{name}** | " + " | ".join(map(str, values)) + " |")
    lines += ["", "## Data", ""]
    lines += ["| role | corpus | clips | speakers | hours |", "|---|---|---|---|---|"]
    for role, corpora in card["data"].items():
        for corpus, amount in corpora.items():
            lines.append(
                f"| {role} | {corpus} | {amount['clips']} | {amount['speakers']} "
                f"| {amount['hours']} |"
            )
    lines += [
        "",
        "Splits are by speaker: no speaker of the training data is in a test split.",
        "",
        "## Licence and attribution",
        "",
        f"The weights carry {card['licence']}: share alike, not for commercial use. Trained on:",
        "",
        *[f"- {line}" for line in card["attribution"]],
        "",
        "## Reproduction",
        "",
        "`python train/run.py --data FOLDER` makes a file like it and both cards in under an hour",
        "on two cores; the shipped weights went on from such a run (`--go-on`) for several hours",
        "more, as `train/LOG.md` tells. `--quick` shows the whole path in a few minutes;",
        "`train/README.md` has the recipe.",
        "",
    ]
    return "\n".join(lines)


TRUST, AFTER_TRUST = "## Calibration", "## Data"


def with_trust(page: str, card: Mapping[str, Any]) -> str:
    """The page with the part on calibration, groups and pictures put in, or put in anew."""
    head, _, rest = page.partition(f"{AFTER_TRUST}\n")
    head = head.partition(f"{TRUST}\n")[0]
    return f"{head}{_trust(card)}\n{AFTER_TRUST}\n{rest}"


def _trust(card: Mapping[str, Any]) -> str:
    fitted = card["calibration"]
    lines = [
        TRUST,
        "",
        (
            f"Temperature {fitted['temperature']:.3f} and the bar of the label sets "
            f"({fitted['set_bar']:.3f}) were fitted on {fitted['clips']} clips:"
        ),
        f"{fitted['fitted_on']}.",
        "ECE is the expected calibration error (15 bins). A label set should hold the truth in",
        f"{100 * fitted['coverage']:.0f} % of cases; that holds for recordings like those of dev.",
        "**Other speakers, languages and recordings get less, as the last column shows,**",
        "and corpora that were never trained on least of all.",
        "",
        "| corpus | trained on | ECE raw | ECE calibrated | emotions in a set | truth in the set |",
        "|---|---|---|---|---|---|",
    ]
    for corpus, row in fitted["figures"].items():
        trained = "yes" if corpus in TRAIN_CORPORA else "no"
        lines.append(
            f"| {corpus} | {trained} | {row['ece_before']:.3f} | {row['ece_after']:.3f} "
            f"| {row['set_size']:.1f} | {100 * row['set_coverage']:.1f} % |"
        )
    for kind, title in (
        ("reliability", "Reliability: full dots raw, open dots calibrated"),
        ("risk", "Errors when only the surest are answered"),
        ("confusion", "Confusion"),
    ):
        lines += ["", f"{title}; trained corpora (test split), then corpora never trained on:", ""]
        lines += [f"![{kind}](compact_{kind}_{name}.svg)" for name in ("test", "foreign")]
    lines += ["", "### Groups", "", "All nine classes may be answered; worst first.", ""]
    lines += ["| corpora | group | clips | UAR | WA |", "|---|---|---|---|---|"]
    for row in card["groups"]:
        corpora = "trained, test split" if row["trained_on"] else "never trained on"
        lines.append(
            f"| {corpora} | {row['column']} {row['value']} | {row['clips']} "
            f"| {row['uar']:.3f} | {row['wa']:.3f} |"
        )
    return "\n".join([*lines, ""])


def _shortfall(accuracy: Mapping[str, Mapping[str, Any]]) -> str:
    """Against a trivial classifier, which answers own classes: like for like, then all nine."""

    def short(figure: str) -> str:
        return ", ".join(
            f"{corpus} ({accuracy[corpus][figure]:.3f} against {trivial:.2f})"
            for corpus, trivial in TRIVIAL.items()
            if accuracy[corpus][figure] <= trivial
        )

    what = "a trivial classifier on log-mel statistics, which answers a corpus's own classes only"
    own, nine = short("uar_own_classes"), short("uar")
    lines = [
        f"**Short of {what}:** {own}."
        if own
        else f"With its own classes every corpus is above {what}."
    ]
    if nine:
        lines.append(f"Short of it with all nine to choose from: {nine}.")
    return "\n".join(lines)


def _with_interval(row: Mapping[str, Any], figure: str, limits: str) -> str:
    low, high = row[limits]
    return f"{row[figure]:.3f} [{low:.3f}, {high:.3f}]"
