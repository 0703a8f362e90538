"""Evaluation charts as self-contained SVG: confusion, reliability, risk and coverage."""

from __future__ import annotations

from collections.abc import Sequence

from emoscope.evaluate.metrics import CalibrationFigures, ClassFigures, RiskCoverage
from emoscope.labels import EMOTIONS
from emoscope.messages.evaluation import EVALUATION

_SIZE, _LEFT, _TOP, _BELOW, _RIGHT = 320, 56, 16, 48, 20
_BLUE, _GREY = "#2a6fbb", "#8a8f98"


def reliability_svg(before: CalibrationFigures, after: CalibrationFigures | None = None) -> str:
    """Confidence (across) against accuracy (up); on the line, confidence can be believed.

    The size of a dot is its share of the clips; open dots are those after calibration.
    """
    dots = _dots(before, f'fill="{_BLUE}" fill-opacity="0.65"')
    legend = f"ECE {before.ece:.3f}"
    if after is not None:
        dots += _dots(after, 'fill="none" stroke="#b3541e" stroke-width="2.5"')
        legend = f"● {before.ece:.3f} → ○ {after.ece:.3f} (ECE)"
    line = _line([(0.0, 0.0), (1.0, 1.0)], _GREY, dashed=True)
    return _frame(_name("confidence"), _name("accuracy"), line + dots, legend)


def risk_coverage_svg(curve: RiskCoverage) -> str:
    """Share of clips answered, the surest first (across), against their share of errors (up)."""
    # A few hundred points draw the same curve as thousands; the first few clips say nothing.
    step = max(1, len(curve.coverage) // 300)
    first = min(10, len(curve.coverage) - 1)
    points = [
        (float(curve.coverage[at]), float(curve.risk[at]))
        for at in range(first, len(curve.coverage), step)
    ]
    points.append((float(curve.coverage[-1]), float(curve.risk[-1])))
    average = _line([(0.0, points[-1][1]), (1.0, points[-1][1])], _GREY, dashed=True)
    return _frame(
        _name("coverage"),
        _name("risk"),
        average + _line(points, _BLUE),
        f"AURC {curve.area:.3f}",
    )


def confusion_svg(metrics: ClassFigures) -> str:
    """Truth (rows) against answer (columns), each row in percent of its clips."""
    cell, left, top = 56, 120, 40
    rows = [e for e in EMOTIONS if metrics.confusion[e.index].sum()]
    width, height = left + cell * len(EMOTIONS) + 10, top + cell * len(rows) + 34
    parts = [
        f'<text x="{left + cell * (e.index + 0.5)}" y="{top - 12}" text-anchor="middle">'
        f"{e.emoji}</text>"
        for e in EMOTIONS
    ]
    for place, truth in enumerate(rows):
        counts = metrics.confusion[truth.index]
        total = int(counts.sum())
        y = top + cell * place
        parts.append(
            f'<text x="{left - 8}" y="{y + cell / 2 + 5}" text-anchor="end">'
            f"{truth.emoji} {truth.key}</text>"
        )
        for answer in EMOTIONS:
            share = counts[answer.index] / total
            x = left + cell * answer.index
            ink = "#fff" if share > 0.55 else "#222"
            edge = ' stroke="#222" stroke-width="1.5"' if answer is truth else ' stroke="#fff"'
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="{_BLUE}" fill-opacity="{0.04 + 0.96 * share:.3f}"{edge}>'
                f"<title>{truth.key} → {answer.key}: {counts[answer.index]}</title></rect>"
                f'<text x="{x + cell / 2}" y="{y + cell / 2 + 5}" text-anchor="middle" '
                f'fill="{ink}">{100 * share:.0f}</text>'
            )
    parts.append(f'<text x="{left}" y="{height - 10}">{_name("percent_of_rows")}</text>')
    return _svg(width, height, "".join(parts), "confusion")


def _name(key: str) -> str:
    text = EVALUATION[key]
    return f"{text.zh} · {text.en}"


def _dots(calibration: CalibrationFigures, style: str) -> str:
    total = sum(clips for _, _, clips in calibration.bins)
    return "".join(
        f'<circle cx="{_x(mean):.1f}" cy="{_y(accuracy):.1f}" '
        f'r="{3 + 14 * (clips / total) ** 0.5:.1f}" {style}>'
        f"<title>{mean:.2f} → {accuracy:.2f} ({clips})</title></circle>"
        for mean, accuracy, clips in calibration.bins
    )


def _line(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    dashes = ' stroke-dasharray="5 5"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def _x(share: float) -> float:
    return _LEFT + share * _SIZE


def _y(share: float) -> float:
    return _TOP + (1 - share) * _SIZE


def _frame(across: str, up: str, inside: str, legend: str) -> str:
    ticks = "".join(
        f'<line x1="{_x(t)}" y1="{_y(0)}" x2="{_x(t)}" y2="{_y(1)}" stroke="#ececec"/>'
        f'<line x1="{_x(0)}" y1="{_y(t)}" x2="{_x(1)}" y2="{_y(t)}" stroke="#ececec"/>'
        f'<text x="{_x(t)}" y="{_y(0) + 18}" text-anchor="middle">{t:g}</text>'
        f'<text x="{_x(0) - 8}" y="{_y(t) + 5}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.25, 0.5, 0.75, 1)
    )
    body = (
        f"{ticks}{inside}"
        f'<text x="{_x(0.5)}" y="{_y(0) + 38}" text-anchor="middle">{across}</text>'
        f'<text x="14" y="{_y(0.5)}" text-anchor="middle" '
        f'transform="rotate(-90 14 {_y(0.5)})">{up}</text>'
        f'<text x="{_x(0.02)}" y="{_y(0.94)}">{legend}</text>'
    )
    return _svg(_LEFT + _SIZE + _RIGHT, _TOP + _SIZE + _BELOW, body, across)


def _svg(width: float, height: float, body: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui,sans-serif" font-size="14" role="img" '
        f'aria-label="{label}"><rect width="100%" height="100%" fill="#fff"/>{body}</svg>'
    )
