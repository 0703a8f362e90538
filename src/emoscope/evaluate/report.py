"""Evaluation report as one self-contained HTML page."""

from __future__ import annotations

from html import escape

from emoscope.evaluate.metrics import ClassFigures
from emoscope.evaluate.pictures import confusion_svg, reliability_svg, risk_coverage_svg
from emoscope.evaluate.run import SMALLEST_GROUP, Evaluation
from emoscope.labels import EMOTIONS, by_key
from emoscope.messages.evaluation import EVALUATION, EVALUATION_NOTES

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}
.stamp{border:3px solid #b3261e;color:#b3261e;padding:.6rem 1rem;font-weight:700}
.confusion td{min-width:3rem}
svg{max-width:100%;height:auto}
"""


def evaluation_html(evaluation: Evaluation, title: str) -> str:
    """Return the page; both languages stand side by side, as the figures are the same."""
    parts = [
        f"<h1>{escape(title)}</h1>",
        _stamp(evaluation),
        _summary(evaluation),
        _heading("per_class"),
        _per_class(evaluation.metrics),
        _heading("confusion"),
        confusion_svg(evaluation.metrics),
        _confusion(evaluation.metrics),
        _heading("reliability"),
        reliability_svg(evaluation.calibration, evaluation.calibrated),
        _sets(evaluation),
        _heading("surest"),
        risk_coverage_svg(evaluation.risk_coverage),
        _heading("groups"),
        _groups(evaluation),
        _failures(evaluation),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _name(key: str) -> str:
    text = EVALUATION[key]
    return f"{text.zh} · {text.en}"


def _heading(key: str) -> str:
    return f"<h2>{_name(key)}</h2>"


def _note(key: str, between: str = " ", /, **data: object) -> str:
    text = EVALUATION_NOTES[key]
    return text("zh", **data) + between + text("en", **data)


def _stamp(evaluation: Evaluation) -> str:
    leak = evaluation.leak
    if leak is None:
        return f"<p>{_note('leak_unknown')}</p>"
    if not leak.found:
        return f"<p>{_note('no_leak', texts=len(leak.texts))}</p>"
    counts = {"speakers": len(leak.speakers), "files": len(leak.files)}
    return f'<p class="stamp">{_note("leak", "<br>", **counts)}</p>'


def _summary(evaluation: Evaluation) -> str:
    metrics, model = evaluation.metrics, evaluation.model
    rows = [
        (_name("model"), f"{escape(model.name)} {escape(model.revision)}"),
        (_name("clips"), f"{metrics.clips} / {evaluation.speakers or '?'}"),
        (_name("ua"), _figure(metrics.ua, evaluation.ua_interval)),
        (_name("wa"), _figure(metrics.wa, evaluation.wa_interval)),
        ("Macro-F1", f"{metrics.macro_f1:.3f}"),
        (
            _name("ua_own"),
            _figure(evaluation.own_classes.ua, evaluation.own_classes_interval),
        ),
        ("ECE / Brier", f"{evaluation.calibration.ece:.3f} / {evaluation.calibration.brier:.3f}"),
    ]
    cells = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _figure(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _per_class(metrics: ClassFigures) -> str:
    head = "<tr><th></th><th>recall</th><th>precision</th><th>F1</th><th>n</th></tr>"
    rows = "".join(
        f"<tr><td>{by_key(key).emoji} {by_key(key).title}</td><td>{metrics.recall[key]:.3f}</td>"
        f"<td>{metrics.precision[key]:.3f}</td><td>{metrics.f1[key]:.3f}</td>"
        f"<td>{metrics.support[key]}</td></tr>"
        for key in metrics.recall
    )
    return f"<table>{head}{rows}</table>"


def _confusion(metrics: ClassFigures) -> str:
    head = "".join(f"<th>{emotion.emoji}<br>{emotion.key}</th>" for emotion in EMOTIONS)
    rows = []
    for emotion, counts in zip(EMOTIONS, metrics.confusion, strict=True):
        total = int(counts.sum())
        if not total:
            continue
        cells = "".join(
            f'<td style="background:rgba(42,111,187,{0.75 * count / total:.2f})">'
            f"{count}<br><small>{100 * count / total:.0f}%</small></td>"
            for count in counts
        )
        rows.append(f"<tr><th>{emotion.emoji} {emotion.key}</th>{cells}</tr>")
    return f'<table class="confusion"><tr><th></th>{head}</tr>{"".join(rows)}</table>'


def _sets(evaluation: Evaluation) -> str:
    """How often the label sets held the truth, for a model that was calibrated."""
    sets = evaluation.label_sets
    if sets is None:
        return f"<p>{_note('not_calibrated')}</p>"
    figures = {"wanted": 100 * sets.wanted, "coverage": 100 * sets.coverage, "size": sets.size}
    return f"<p>{_note('label_sets', **figures)}</p>"


def _groups(evaluation: Evaluation) -> str:
    worst = evaluation.worst
    mark = " ← " + _name("worst")
    rows = "".join(
        f"<tr><td>{escape(group.column)}: {escape(group.value)}"
        f"{mark if group is worst else ''}</td><td>{group.metrics.clips}</td>"
        f"<td>{group.metrics.ua:.3f}</td><td>{group.metrics.wa:.3f}</td></tr>"
        for group in evaluation.groups
    )
    note = f"<p><small>{_note('small_groups', clips=SMALLEST_GROUP)}</small></p>"
    return f"<table><tr><th></th><th>n</th><th>UA</th><th>WA</th></tr>{rows}</table>{note}"


def _failures(evaluation: Evaluation) -> str:
    if not evaluation.failures:
        return ""
    rows = "".join(
        f"<li>{escape(failure.name)}: {escape(failure.error.detail_zh)} "
        f"{escape(failure.error.detail_en)}</li>"
        for failure in evaluation.failures
    )
    return f"{_heading('not_recognized')}<ul>{rows}</ul>"
