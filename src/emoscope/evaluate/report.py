"""Evaluation report as one self-contained HTML page."""

from __future__ import annotations

from emoscope.evaluate.pictures import confusion_svg, reliability_svg, risk_coverage_svg
from emoscope.evaluate.run import SMALLEST_GROUP, Evaluation
from emoscope.figures.html_page import render_html
from emoscope.labels import EMOTIONS, by_key
from emoscope.messages.evaluation import EVALUATION, EVALUATION_NOTES
from emoscope.messages.languages import Language


def evaluation_html(evaluation: Evaluation, title: str) -> str:
    """Return the page; both languages stand side by side, as the figures are the same."""
    metrics = evaluation.metrics
    counted = zip(EMOTIONS, metrics.confusion.tolist(), strict=True)
    values: dict[str, object] = {
        "title": title,
        "evaluation": evaluation,
        "metrics": metrics,
        "summary": _summary(evaluation),
        "measured": [by_key(key) for key in metrics.recall],
        "emotions": EMOTIONS,
        "confusion": [(emotion, sum(row), row) for emotion, row in counted if sum(row)],
        "pictures": {
            "confusion": confusion_svg(metrics),
            "reliability": reliability_svg(evaluation.calibration, evaluation.calibrated),
            "risk_coverage": risk_coverage_svg(evaluation.risk_coverage),
        },
        "smallest_group": SMALLEST_GROUP,
        "label": _label,
        "note": _note,
    }
    return render_html("emoscope.evaluate", "evaluation.html", values)


def _label(key: str) -> str:
    text = EVALUATION[key]
    return f"{text.zh} · {text.en}"


def _note(key: str, language: Language, /, **data: object) -> str:
    return EVALUATION_NOTES[key](language, **data)


def _summary(evaluation: Evaluation) -> list[tuple[str, str]]:
    metrics, model = evaluation.metrics, evaluation.model
    return [
        (_label("model"), f"{model.name} {model.revision}"),
        (_label("clips"), f"{metrics.clips} / {evaluation.speakers or '?'}"),
        (_label("ua"), _figure(metrics.ua, evaluation.ua_interval)),
        (_label("wa"), _figure(metrics.wa, evaluation.wa_interval)),
        ("Macro-F1", f"{metrics.macro_f1:.3f}"),
        (
            _label("ua_own"),
            _figure(evaluation.own_classes.ua, evaluation.own_classes_interval),
        ),
        ("ECE / Brier", f"{evaluation.calibration.ece:.3f} / {evaluation.calibration.brier:.3f}"),
    ]


def _figure(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
