"""Evaluation report as one self-contained HTML page."""

from __future__ import annotations

from emoscope.evaluate.evaluation import SMALLEST_GROUP, Evaluation, Interval
from emoscope.evaluate.notes import evaluation_notes
from emoscope.evaluate.pictures import confusion_svg, reliability_svg, risk_coverage_svg
from emoscope.evaluate.record import RunRecord
from emoscope.figures.html_page import render_html
from emoscope.labels import EMOTIONS, by_key
from emoscope.messages.evaluation import EVALUATION, EVALUATION_NOTES
from emoscope.messages.languages import Language


def evaluation_html(evaluation: Evaluation, title: str, record: RunRecord | None = None) -> str:
    """Return the page; both languages stand side by side, as the figures are the same.

    Args:
        evaluation: the figures.
        title: headline of the page.
        record: how the figures were made; None where that is not known.
    """
    metrics = evaluation.metrics
    counted = zip(EMOTIONS, metrics.confusion.tolist(), strict=True)
    values: dict[str, object] = {
        "title": title,
        "evaluation": evaluation,
        "metrics": metrics,
        "notes": evaluation_notes(evaluation),
        "summary": _summary(evaluation),
        "measured": [by_key(key) for key in metrics.recall],
        "emotions": EMOTIONS,
        "confusion": [(emotion, sum(row), row) for emotion, row in counted if sum(row)],
        "pictures": _pictures(evaluation),
        "groups": [_group(evaluation, at) for at in range(len(evaluation.groups))],
        "smallest_group": SMALLEST_GROUP,
        "record": [] if record is None else _record(record),
        "label": label_in_both,
        "note": _note,
    }
    return render_html("emoscope.evaluate", "evaluation.html", values)


def label_in_both(key: str) -> str:
    """Return a heading or the name of a figure in both languages."""
    text = EVALUATION[key]
    return f"{text.zh} · {text.en}"


def figure_text(value: float, interval: Interval) -> str:
    """Return a figure with its interval, where there is one."""
    if interval is None:
        return f"{value:.3f}  [–]"
    return f"{value:.3f}  [{interval[0]:.3f}, {interval[1]:.3f}]"


def _note(key: str, language: Language, /, **data: object) -> str:
    return EVALUATION_NOTES[key](language, **data)


def _pictures(evaluation: Evaluation) -> dict[str, str]:
    drawn = {"confusion": confusion_svg(evaluation.metrics)}
    if evaluation.calibration is not None:
        drawn["reliability"] = reliability_svg(evaluation.calibration, evaluation.calibrated)
    if evaluation.risk_coverage is not None:
        drawn["risk_coverage"] = risk_coverage_svg(evaluation.risk_coverage)
    return drawn


def _summary(evaluation: Evaluation) -> list[tuple[str, str]]:
    measured, model, own = evaluation.measured, evaluation.model, evaluation.own_classes
    metrics, calibration = evaluation.metrics, evaluation.calibration
    rows = [] if model is None else [(label_in_both("model"), f"{model.name} {model.revision}")]
    rows += [
        (label_in_both("clips"), f"{metrics.clips} / {evaluation.speakers or '?'}"),
        (label_in_both("ua"), figure_text(metrics.ua, measured.ua_interval)),
        (label_in_both("wa"), figure_text(metrics.wa, measured.wa_interval)),
        ("Macro-F1", figure_text(metrics.macro_f1, measured.macro_f1_interval)),
    ]
    if own is not None:
        rows.append((label_in_both("ua_own"), figure_text(own.metrics.ua, own.ua_interval)))
    if calibration is not None:
        after = evaluation.calibrated
        ece = f"{calibration.ece:.3f}" + ("" if after is None else f" → {after.ece:.3f}")
        rows.append(("ECE / Brier", f"{ece} / {calibration.brier:.3f}"))
    if evaluation.abstained is not None:
        rows.append((label_in_both("abstained"), str(evaluation.abstained)))
    return rows


def _group(evaluation: Evaluation, at: int) -> dict[str, object]:
    """One row of the table of groups."""
    group = evaluation.groups[at]
    measured, own = group.measured, group.own_classes
    return {
        "name": f"{group.column}: {group.value}",
        "is_worst": group is evaluation.worst,
        "clips": group.metrics.clips,
        "speakers": measured.resampling.speakers or "?",
        "classes": len(group.metrics.support),
        "ua": figure_text(group.metrics.ua, measured.ua_interval),
        "wa": figure_text(group.metrics.wa, measured.wa_interval),
        "own": "" if own is None else figure_text(own.metrics.ua, own.ua_interval),
    }


def _record(record: RunRecord) -> list[tuple[str, str]]:
    rows = [
        (label_in_both("created"), record.created),
        (label_in_both("list"), str(record.listing)),
    ]
    if record.training is not None:
        rows.append((label_in_both("training_list"), str(record.training)))
    if record.label_map is not None:
        rows.append((label_in_both("label_map"), str(record.label_map)))
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return [
        *rows,
        (label_in_both("model"), f"sha256 {record.model_sha256}"),
        (label_in_both("versions"), versions),
        (label_in_both("command"), record.command_line),
    ]
