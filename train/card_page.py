"""The card of the model for people, `compact.md`: a short Chinese head, then English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data import EMOTIONS, TRAIN_CORPORA

SMALLEST_GROUP = 50
"""Clips below which a group's figure says little."""


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
        "",
        "The first five layers of the encoder of Whisper base (OpenAI, MIT), which heard 680,000",
        "hours in 97 languages, as they are, and a head trained on acted emotion. In each layer a",
        "frame attends to a second before and a second behind it; its embedding is made from mean",
        "and standard deviation of every layer over that time, and logits are linear in it. A",
        "clip's answer is the mean over its frames. Level does not enter: the loudest band within",
        "a second is always brought to the same height. Weights are kept in 8 bits, one scale per",
        "output, and computed with in 32.",
        "",
        "## Figures on held-out speakers",
        "",
        "UAR is unweighted average recall: the mean of the classes' recalls.",
        "*Nine* lets the model answer any of its nine classes, as the product does; *own* allows",
        "only the classes that the corpus annotates. Brackets: 95 % bootstrap intervals over",
        "speakers; with two speakers (emodb, nemo, tess) they show little more than those two.",
        "The last six corpora were never trained or tuned on: they say what to expect elsewhere.",
        "Of cremad only clips count whose emotion at least half of the listeners heard, of",
        "emotiontts only the sentences that are spoken in every emotion.",
        "",
        "| corpus | trained on | classes | clips | speakers | UAR nine 九类 | UAR own 限定 | WA |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for corpus, row in accuracy.items():
        lines.append(
            f"| {corpus} | {'yes' if row['trained_on'] else 'no'} | {row['classes']} "
            f"| {row['clips']} | {row['speakers']} | {with_interval(row, 'uar', 'ci95')} "
            f"| {with_interval(row, 'uar_own_classes', 'ci95_own_classes')} "
            f"| {row['wa']:.3f} |"
        )
    lines += ["", "## Recall per class", ""]
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
    lines += _published(card)
    lines += _never_headline(card)
    lines += _trust(card)
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
        "Splits are by speaker: nobody heard in training is heard in a test. A line of `cremad` in",
        "training teaches what its listeners voted, not what was meant.",
        "",
        "## Licence and attribution",
        "",
        f"The weights carry {card['licence']}: share alike, not for commercial use. Trained on:",
        "",
        *[f"- {line}" for line in card["attribution"]],
        "",
        f"{card['encoder']}.",
        "",
        "## Reproduction",
        "",
        "`python train/run.py --data FOLDER --encoder FILE` makes such a file and both cards;",
        "`train/README.md` tells how, and `train/shipped_run.log` how the shipped one came about.",
        "",
    ]
    return "\n".join(lines)


PROTOCOLS = {
    "ravdess": "RAVDESS, six folds of four actors as in EmoBox, calm apart from neutral",
    "emodb": "EmoDB, each speaker left out in turn, boredom as a class",
}


def _published(card: Mapping[str, Any]) -> list[str]:
    """Cross-validation by protocols that papers use."""
    if not card["published_protocols"]:
        return []
    lines = [
        "",
        "## Published protocols",
        "",
        "These are figures of the frozen encoder, not of the shipped head: for each fold a head is",
        "trained on that corpus's other speakers alone, as papers on such encoders do.",
        "`train/cross_validate.py` prints them.",
        "",
        "| protocol | folds | classes | clips | speakers | UAR | WA |",
        "|---|---|---|---|---|---|---|",
    ]
    return lines + [
        f"| {PROTOCOLS[row['corpus']]} | {row['folds']} | {row['classes']} | {row['clips']} "
        f"| {row['speakers']} | {with_interval(row, 'uar', 'ci95')} | {row['wa']:.3f} |"
        for row in card["published_protocols"]
    ]


def _never_headline(card: Mapping[str, Any]) -> list[str]:
    """How often clear speech is answered `other` or `unknown`."""
    rates = card["never_headline"]
    each = ", ".join(f"{corpus} {100 * rate:.1f} %" for corpus, rate in rates.items())
    return [
        "",
        "## `other` and `unknown`",
        "",
        card["unknown_and_other_en"],
        f"Share of test clips that are answered with one of the two: {each}.",
    ]


def _trust(card: Mapping[str, Any]) -> list[str]:
    """Calibration, its figures and pictures, and groups."""
    fitted = card["calibration"]
    lines = [
        "",
        "## Calibration",
        "",
        card["measured_en"],
        "",
        card["measured_zh"],
        "",
        (
            f"Temperature {fitted['temperature']:.3f} and the bar of the label sets "
            f"({fitted['set_bar']:.3f}) were fitted on {fitted['clips']} clips:"
        ),
        f"{fitted['fitted_on']}.",
        "ECE is the expected calibration error (15 bins). A label set should hold the truth in",
        f"{100 * fitted['coverage']:.0f} % of cases; the last column shows in how many it does.",
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
    lines += [_worst(card["groups"]), ""]
    lines += ["| corpora | group | clips | UAR | WA |", "|---|---|---|---|---|"]
    for row in card["groups"]:
        corpora = "trained, test split" if row["trained_on"] else "never trained on"
        lines.append(
            f"| {corpora} | {row['column']} {row['value']} | {row['clips']} "
            f"| {row['uar']:.3f} | {row['wa']:.3f} |"
        )
    return lines


def _worst(groups: Sequence[Mapping[str, Any]]) -> str:
    """A sentence that names the worst group of trained and of foreign corpora."""
    named = []
    for trained, where in ((True, "corpora of the training"), (False, "corpora never trained on")):
        large = [
            row for row in groups if row["trained_on"] == trained and row["clips"] >= SMALLEST_GROUP
        ]
        if large:
            worst = min(large, key=lambda row: float(row["uar"]))
            named.append(f"{worst['column']} {worst['value']} ({worst['uar']:.3f}) on {where}")
    return f"Worst of at least {SMALLEST_GROUP} clips: {'; '.join(named) or 'none is so large'}."


def with_interval(row: Mapping[str, Any], figure: str, limits: str) -> str:
    """A figure with its interval."""
    low, high = row[limits]
    return f"{row[figure]:.3f} [{low:.3f}, {high:.3f}]"
