"""Evaluation report as one self-contained HTML page."""

from __future__ import annotations

from html import escape

from emoscope.evaluate.metrics import ClassFigures
from emoscope.evaluate.pictures import confusion_svg, reliability_svg, risk_coverage_svg
from emoscope.evaluate.run import SMALLEST_GROUP, Evaluation
from emoscope.labels import EMOTIONS, by_key

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
        "<h2>每类 · Per class</h2>",
        _per_class(evaluation.metrics),
        "<h2>混淆矩阵（行：真实，列：回答） · Confusion (rows: truth, columns: answer)</h2>",
        confusion_svg(evaluation.metrics),
        _confusion(evaluation.metrics),
        "<h2>置信度是否可信 · Reliability</h2>",
        reliability_svg(evaluation.calibration, evaluation.calibrated),
        _sets(evaluation),
        "<h2>只答最有把握的 · When only the surest are answered</h2>",
        risk_coverage_svg(evaluation.risk_coverage),
        "<h2>分组 · Groups</h2>",
        _groups(evaluation),
        _failures(evaluation),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _stamp(evaluation: Evaluation) -> str:
    leak = evaluation.leak
    if leak is None:
        return (
            "<p>未提供训练列表，未检查泄漏。 No training list was given, so leaks are unknown.</p>"
        )
    if not leak.found:
        texts = len(leak.texts)
        return (
            "<p>训练列表与评测列表没有共同的说话人或文件"
            f"（共同句子 {texts} 条）。 The lists share no speaker and no file "
            f"({texts} sentences are shared).</p>"
        )
    return (
        '<p class="stamp">数据泄漏：训练与评测共有 '
        f"{len(leak.speakers)} 个说话人、{len(leak.files)} 个文件，成绩偏高，不可引用。<br>"
        f"Leak: {len(leak.speakers)} speakers and {len(leak.files)} files stand in both lists. "
        "The figures are flattered and must not be quoted.</p>"
    )


def _summary(evaluation: Evaluation) -> str:
    metrics, model = evaluation.metrics, evaluation.model
    rows = [
        ("模型 · model", f"{escape(model.name)} {escape(model.revision)}"),
        ("录音 / 说话人 · clips / speakers", f"{metrics.clips} / {evaluation.speakers or '?'}"),
        ("UA 未加权平均召回", _figure(metrics.ua, evaluation.ua_interval)),
        ("WA 准确率 · accuracy", _figure(metrics.wa, evaluation.wa_interval)),
        ("Macro-F1", f"{metrics.macro_f1:.3f}"),
        (
            "UA（只在本列表的类别中回答 · own classes only）",
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
        return "<p>该模型未校准。 This model was not calibrated.</p>"
    return (
        f"<p>标签集应在 {100 * sets.wanted:.0f}% 的情况下包含真实情绪，本列表为 "
        f"{100 * sets.coverage:.1f}%，平均 {sets.size:.2f} 个。 "
        "Label sets should hold the truth in "
        f"{100 * sets.wanted:.0f} % of cases; here they do in {100 * sets.coverage:.1f} %, "
        f"with {sets.size:.2f} emotions on average.</p>"
    )


def _groups(evaluation: Evaluation) -> str:
    worst = evaluation.worst
    rows = "".join(
        f"<tr><td>{escape(group.column)}: {escape(group.value)}"
        f"{' ← 最差 · worst' if group is worst else ''}</td><td>{group.metrics.clips}</td>"
        f"<td>{group.metrics.ua:.3f}</td><td>{group.metrics.wa:.3f}</td></tr>"
        for group in evaluation.groups
    )
    note = f"<p><small>不足 {SMALLEST_GROUP} 条的组不参与「最差」。 Groups under {SMALLEST_GROUP} clips are never called worst.</small></p>"  # noqa: E501 - one sentence
    return f"<table><tr><th></th><th>n</th><th>UA</th><th>WA</th></tr>{rows}</table>{note}"


def _failures(evaluation: Evaluation) -> str:
    if not evaluation.failures:
        return ""
    rows = "".join(
        f"<li>{escape(failure.name)}: {escape(failure.error.detail_zh)} "
        f"{escape(failure.error.detail_en)}</li>"
        for failure in evaluation.failures
    )
    return f"<h2>未能识别 · Not recognized</h2><ul>{rows}</ul>"
