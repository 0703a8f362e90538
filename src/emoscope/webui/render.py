"""A ``Result`` as HTML. Pure functions: both languages in one markup, nothing of Gradio."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from emoscope.errors import EmoscopeError, InputError
from emoscope.labels import EMOTIONS, Emotion
from emoscope.models import catalog
from emoscope.result import Quality, Result, Scores
from emoscope.store import AUDIO
from emoscope.webui.markup import both, card, esc, pair
from emoscope.webui.mixed import leading_two, mixed
from emoscope.webui.texts import NOTICES, Text, advice, step_line
from emoscope.webui.words_page import FAILURE, FORM, RESULT, WAITING
from emoscope.webui.words_trust import ABSTENTION


def page_of_result(
    result: Result,
    *,
    run: str,
    files: Sequence[str],
    card_of_model: catalog.ModelCard | None = None,
    timeline: Mapping[str, object] | None = None,
) -> str:
    """Return everything on the right side.

    Args:
        result: what to show.
        run: name of the run directory it was saved in.
        files: names of the files in that directory.
        card_of_model: what is known about the model that answered.
        timeline: what ``curve.timeline_data`` made; only for frame mode.
    """
    parts = [
        _answer(result),
        "" if timeline is None else _timeline(result, run, timeline),
        card(both(RESULT["scores"]), bars(result.scores)),
        _quality(result.quality, result.duration_s),
        _model(result, card_of_model),
        _downloads(run, files, with_player=timeline is None),
        _log(result),
    ]
    return f'<div class="emo-result" data-run="{esc(run)}">{"".join(parts)}</div>'


def headline(scores: Scores) -> str:
    """``😊 快乐 (Happy) 置信度: 85.3%``, and its English form."""
    top = scores.top
    percent = scores.percentages()[top.index]
    confidence = RESULT["confidence"]
    return (
        f'<h2 class="emo-headline" style="--c:{top.colour}">'
        f'<span class="emo-face" aria-hidden="true">{top.emoji}</span> '
        f'<span class="emo-words"><span class="emo-name">{pair(top.title, top.en)}</span> '
        f'<span class="emo-confidence">{both(confidence, percent=percent)}</span></span></h2>'
    )


def bars(scores: Scores) -> str:
    """Nine bars, descending, whose numbers add up to 100.0 %."""
    percentages = scores.percentages()
    rows = "".join(
        f'<li class="emo-bar" style="--c:{emotion.colour};--w:{percentages[emotion.index]:.1f}%">'
        f'<span class="emo-bar-name"><span aria-hidden="true">{emotion.emoji}</span> '
        f"{pair(emotion.zh, emotion.en)}</span>"
        '<span class="emo-bar-track" aria-hidden="true"><span></span></span>'
        f'<span class="emo-bar-value">{percentages[emotion.index]:.1f}%</span></li>'
        for emotion, _ in scores.ranked()
    )
    return f'<ol class="emo-bars">{rows}</ol>'


def mixed_sentence(scores: Scores) -> str:
    """Return the sentence on mixed emotions, or nothing."""
    name = mixed(scores)
    if name is None:
        return ""
    first, second = leading_two(scores)
    percentages = scores.percentages()
    numbers = {
        "first_percent": percentages[first.index],
        "second_percent": percentages[second.index],
    }
    title = pair(RESULT["mixed"]("zh", name=name.zh), RESULT["mixed"]("en", name=name.en))
    parts = pair(
        RESULT["mixed_parts"]("zh", first=first.zh, second=second.zh, **numbers),
        RESULT["mixed_parts"]("en", first=first.en, second=second.en, **numbers),
    )
    return (
        f'<p class="emo-mixed" style="--c:{first.colour};--d:{second.colour}">'
        f"<strong>{title}</strong> <small>{parts}</small></p>"
    )


def error_panel(error: EmoscopeError) -> str:
    """Return the red panel: what is wrong, in both languages, and the code to ask about."""
    title = FAILURE["title" if isinstance(error, InputError) else "title_ours"]
    return (
        f'<div class="emo-result" data-error="{esc(error.code)}"><section role="alert" '
        f'class="emo-card emo-error"><h3 class="emo-card-title">{both(title)}</h3>'
        f"<p>{pair(error.detail_zh, error.detail_en)}</p>"
        f"<p><small>{both(FAILURE['code'], code=error.code)}</small></p></section></div>"
    )


def empty() -> str:
    """Return what stands there before the first result."""
    steps = "".join(
        f"<li>{both(WAITING[name])}</li>" for name in ("step_one", "step_two", "step_three")
    )
    chips = "".join(
        f'<li style="--c:{e.colour}"><span aria-hidden="true">{e.emoji}</span> '
        f"{pair(e.zh, e.en)}</li>"
        for e in EMOTIONS
    )
    return (
        '<div class="emo-result emo-empty"><section class="emo-card">'
        f'<h2>{both(WAITING["empty_title"])}</h2><ol class="emo-steps">{steps}</ol>'
        f'<h3 class="emo-card-title">{both(WAITING["classes"])}</h3>'
        f'<ul class="emo-chips">{chips}</ul></section></div>'
    )


def warnings(quality: Quality) -> list[str]:
    """Return one sentence of advice per reason, in both languages."""
    numbers = quality.to_dict()
    return [pair(advice(c, "zh", numbers), advice(c, "en", numbers)) for c in quality.reasons]


def seconds(duration_s: float) -> str:
    """Length of a recording: ``4.2 s`` or ``12:05``; the same in both languages."""
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), 60)
    return f"{minutes}:{rest:02d}"


def link(run: str, file: str) -> str:
    """Address of one file of a run, relative to the page, so that it works behind a proxy."""
    return esc(f"outputs/{quote(run)}/{quote(file)}")


def _answer(result: Result) -> str:
    mode = FORM[result.granularity]
    about = (
        f'<p class="emo-about"><span class="emo-file">{esc(result.name)}</span>'
        f"<span>{seconds(result.duration_s)}</span><span>{both(mode)}</span></p>"
    )
    if result.abstain:
        head = _abstention(result)
    else:
        head = headline(result.scores) + mixed_sentence(result.scores)
    return card("", head + about, kind="emo-answer")


def _abstention(result: Result) -> str:
    """Say first that no answer should be read from the scores, and why."""
    numbers = result.quality.to_dict()
    why = "".join(
        f"<li>{pair(advice(code, 'zh', numbers), advice(code, 'en', numbers))}</li>"
        if code in result.quality.reasons
        else f"<li>{both(ABSTENTION[code])}</li>"
        for code in result.abstain
    )
    return (
        '<div class="emo-abstain" role="status"><h2 class="emo-headline">'
        '<span class="emo-face" aria-hidden="true">🤷</span> '
        f'<span class="emo-name">{both(RESULT["cannot_tell"])}</span></h2>'
        f"<ul>{why}</ul><p>{both(RESULT['cannot_tell_help'])}</p></div>"
    )


def _timeline(result: Result, run: str, data: Mapping[str, object]) -> str:
    drawing = esc(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    legend = "".join(
        f'<button type="button" class="emo-key" data-emotion="{e.index}" aria-pressed="false" '
        f'style="--c:{e.colour}"><span aria-hidden="true">{e.emoji}</span> '
        f"{pair(e.zh, e.en)}</button>"
        for e in EMOTIONS
    )
    body = (
        f'<emo-timeline data-drawing="{drawing}" data-label-zh="{esc(RESULT["timeline"].zh)}" '
        f'data-label-en="{esc(RESULT["timeline"].en)}">'
        f'<audio controls preload="metadata" src="{link(run, AUDIO)}"></audio>'
        f'<div class="emo-legend">{legend}</div></emo-timeline>'
        f'<p class="emo-help">{both(RESULT["timeline_help"])}</p>{_segments(result)}'
    )
    return card(both(RESULT["timeline"]), body, kind="emo-time")


def _segments(result: Result) -> str:
    names = ("from", "to", "length", "emotion", "score")
    head = "".join(f'<th scope="col">{both(RESULT[name])}</th>' for name in names)
    rows = "".join(
        f'<tr data-start="{s.span.start_s:.3f}">'
        f'<td class="emo-brief">{s.span.start_s:.2f} s</td>'
        f'<td class="emo-brief">{s.span.end_s:.2f} s</td>'
        f'<td class="emo-brief">{s.span.duration_s:.2f} s</td>'
        f"<td>{badge(s.emotion)}</td>"
        f"<td>{'' if s.silent else f'{s.score * 100:.1f}%'}</td></tr>"
        for s in result.segments
    )
    table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return (
        f'<details class="emo-more" open><summary>{both(RESULT["segments"])} '
        f'({len(result.segments)})</summary><div class="emo-scroll">'
        f'<table class="emo-table">{table}</table></div></details>'
    )


def badge(emotion: Emotion) -> str:
    """Return emoji and name with the emotion's colour beside them; never colour alone."""
    return (
        f'<span class="emo-badge" style="--c:{emotion.colour}">'
        f'<span aria-hidden="true">{emotion.emoji}</span> {pair(emotion.zh, emotion.en)}</span>'
    )


def _quality(quality: Quality, duration_s: float) -> str:
    snr = "—" if quality.snr_db is None else f"{quality.snr_db:.0f} dB"
    facts = (
        ("duration", seconds(duration_s)),
        ("level", f"{quality.level_dbfs:.0f} dBFS"),
        ("snr", snr),
        ("bandwidth", f"{quality.bandwidth_hz / 1000:.1f} kHz"),
        ("speech", f"{quality.speech_share * 100:.0f}%"),
        ("clipping", f"{quality.clipped_share * 100:.1f}%"),
    )
    grid = "".join(
        f"<div><dt>{both(RESULT[name])}</dt><dd>{esc(value)}</dd></div>" for name, value in facts
    )
    said = warnings(quality)
    if said:
        verdict = f'<ul class="emo-advice">{"".join(f"<li>{line}</li>" for line in said)}</ul>'
    else:
        verdict = f'<p class="emo-fine">{both(RESULT["quality_fine"])}</p>'
    return card(both(RESULT["quality"]), f'{verdict}<dl class="emo-facts">{grid}</dl>')


def _model(result: Result, known: catalog.ModelCard | None) -> str:
    name = esc(result.model.name)
    title = name if known is None else f"{pair(known.title_zh, known.title_en)} <code>{name}</code>"
    limits = ""
    if known is not None and known.limits_zh:
        limits = f"<p>{pair(known.limits_zh, known.limits_en)}</p>"
    notice = ""
    if result.model.name == catalog.COMPACT:
        command = catalog.entry(catalog.LARGE).pull_command
        notice = (
            f'<div class="emo-notice"><p>{_without_command(NOTICES["compact"])}</p>'
            f"<code>{esc(command)}</code></div>"
        )
    return card(both(RESULT["model"]), f'<p class="emo-model">{title}</p>{limits}{notice}')


def _without_command(text: Text) -> str:
    """Return the notice up to its command, which the page shows as something to copy."""
    return pair(text("zh", command="").strip(), text("en", command="").strip())


def _downloads(run: str, files: Sequence[str], *, with_player: bool) -> str:
    links = "".join(
        f'<li><a class="emo-download" href="{link(run, file)}" download="{esc(file)}">'
        f"<span>{both(RESULT[file]) if file in RESULT else ''}</span>"
        f"<code>{esc(file)}</code></a></li>"
        for file in files
    )
    player = ""
    if with_player and AUDIO in files:
        player = f'<audio controls preload="metadata" src="{link(run, AUDIO)}"></audio>'
    saved = f'<p class="emo-help">{both(RESULT["saved"], run=run)}</p>'
    return card(both(RESULT["downloads"]), f'{player}<ul class="emo-downloads">{links}</ul>{saved}')


def _log(result: Result) -> str:
    rows = "".join(
        f"<li><span>{pair(step_line(step, 'zh'), step_line(step, 'en'))}</span>"
        f"<span>{both(RESULT['milliseconds'], milliseconds=step.milliseconds)}</span></li>"
        for step in result.steps
    )
    total = sum(step.milliseconds for step in result.steps)
    return (
        '<details class="emo-card emo-more emo-log" open><summary class="emo-card-title">'
        f"{both(RESULT['log'])} <small>{both(RESULT['total'], milliseconds=total)}</small>"
        f"</summary><ol>{rows}</ol></details>"
    )
