"""Results as HTML, both languages in one markup."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from emoscope.errors import EmoscopeError, InputError
from emoscope.messages.hints import sentence
from emoscope.messages.languages import Text
from emoscope.messages.mixed import leading_two, mixed_emotion
from emoscope.messages.page import FAILURE, FORM, QUESTIONS, RESULT
from emoscope.messages.texts import NOTICES, advice, step_line
from emoscope.messages.trust import ABSTENTION, CALIBRATED, label_set
from emoscope.models import catalog
from emoscope.results.quality import Quality
from emoscope.results.result import Result
from emoscope.results.scores import Scores
from emoscope.web.figure import segments, shares, timeline
from emoscope.web.markup import both, card, esc, export_link, link, pair
from emoscope.web.opened import Opened

_PNG = "picture.png"
"""Made by the browser, so it has no address."""


def result_parts(opened: Opened) -> list[Markup]:
    """Return the sections of a result, one below another."""
    result = opened.result
    run = opened.entry.name
    has_segments = bool(result.segments)
    parts = [
        _answer(result, opened.entry.title, opened.entry.is_corrected),
        timeline(result, opened.curve, run, title=opened.entry.shown, own=opened.own),
        shares(result) if has_segments else "",
        segments(result, opened.own) if has_segments else "",
        card(both(RESULT["scores"]), bars(result.scores)),
        _quality(result.quality, result.duration_s),
        _model(result, opened.card),
        _downloads(run, opened.files, has_segments=has_segments),
        _log(result),
    ]
    return [Markup(part) for part in parts]  # noqa: S704 - each made of parts that are safe


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
    name = mixed_emotion(scores)
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


def error_sentence(error: EmoscopeError) -> str:
    """Return what is wrong, in both languages, with the hint of the page."""
    return pair(sentence(error, "zh", "web"), sentence(error, "en", "web"))


def error_panel(error: EmoscopeError) -> str:
    """Return the red panel: what is wrong, in both languages, and the code to ask about."""
    title = FAILURE["title" if isinstance(error, InputError) else "title_ours"]
    return (
        f'<div class="emo-result" data-error="{esc(error.code)}"><section role="alert" '
        f'class="emo-card emo-error"><h3 class="emo-card-title">{both(title)}</h3>'
        f"<p>{error_sentence(error)}</p>"
        f"<p><small>{both(FAILURE['code'], code=error.code)}</small></p></section></div>"
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


def _answer(result: Result, title: str, is_corrected: bool) -> str:
    facts = [
        f'<span class="emo-file">{esc(result.name)}</span>',
        f"<span>{seconds(result.duration_s)}</span>",
        f"<span>{both(FORM[result.granularity])}</span>",
    ]
    if title:
        facts.insert(0, f"<strong>{esc(title)}</strong>")
    if is_corrected:
        facts.append(f"<span>✏️ {both(RESULT['corrected'])}</span>")
    about = f'<p class="emo-about">{"".join(facts)}</p>'
    if result.abstain:
        head = _abstention(result)
    else:
        head = headline(result.scores) + _calibrated(result) + mixed_sentence(result.scores)
    return card("", head + about, kind="emo-answer")


def _calibrated(result: Result) -> str:
    """Say how sure one may be, where the model was calibrated."""
    sure = result.calibrated
    if sure is None:
        return ""
    confidence = both(CALIBRATED["confidence"], percent=100 * sure.confidence)
    among = pair(label_set(sure, "zh"), label_set(sure, "en"))
    return f'<p class="emo-help">{confidence}<br>{among}</p>'


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


def quality_facts(quality: Quality, duration_s: float) -> tuple[tuple[str, str], ...]:
    """Return the numbers of the recording check: key of ``RESULT`` and value."""
    snr = "—" if quality.snr_db is None else f"{quality.snr_db:.0f} dB"
    return (
        ("duration", seconds(duration_s)),
        ("level", f"{quality.level_dbfs:.0f} dBFS"),
        ("snr", snr),
        ("bandwidth", f"{quality.bandwidth_hz / 1000:.1f} kHz"),
        ("speech", f"{quality.speech_share * 100:.0f}%"),
        ("clipping", f"{quality.clipped_share * 100:.1f}%"),
    )


def _quality(quality: Quality, duration_s: float) -> str:
    facts = quality_facts(quality, duration_s)
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
        limits = (
            f'<details class="emo-more"><summary>{both(RESULT["model_more"])}</summary>'
            f"<p>{pair(known.limits_zh, known.limits_en)}</p></details>"
        )
    wrong = (
        f'<details class="emo-more"><summary>{both(QUESTIONS["wrong"])}</summary>'
        f"<p>{both(QUESTIONS['wrong_answer'])}</p></details>"
    )
    notice = ""
    if result.model.name == catalog.COMPACT:
        command = catalog.catalog_entry(catalog.LARGE).pull_command
        notice = (
            f'<div class="emo-notice"><p>{_without_command(NOTICES["compact"])}</p>'
            f"<code>{esc(command)}</code></div>"
        )
    return card(
        both(RESULT["model"]),
        f'<p class="emo-model">{title}</p>{_known(known)}{notice}{limits}{wrong}',
    )


def _known(card_of_model: catalog.ModelCard | None) -> str:
    """Say how sure the model is known to be, on recordings of kinds that it never met."""
    figures = [] if card_of_model is None else [*card_of_model.accuracy.values()]
    unmet = [
        100 * float(one["uar"])
        for one in figures
        if isinstance(one, dict) and "uar" in one and one.get("trained_on") is False
    ]
    if not unmet:
        return ""
    said = both(RESULT["model_known"], count=len(unmet), least=min(unmet), most=max(unmet))
    return f'<p class="emo-help">{said}</p>'


def _without_command(text: Text) -> str:
    """Return the notice up to its command, which the page shows as something to copy."""
    return pair(text("zh", command="").strip(), text("en", command="").strip())


def _downloads(run: str, files: Sequence[str], *, has_segments: bool) -> str:
    def item(address: str, file: str) -> str:
        words = f"<span>{both(RESULT[file])}</span>" if file in RESULT else ""
        return (
            f'<li><a class="emo-download" href="{address}" download="{esc(file)}">{words}'
            f"<code>{esc(file)}</code></a></li>"
        )

    links = "".join(item(link(run, file), file) for file in files)
    made = ["report.html", "picture.svg"]
    if has_segments:
        made += ["segments.TextGrid", "segments.srt", "segments.csv"]
    links += "".join(item(export_link(run, file), file) for file in made)
    png = (
        '<li><button type="button" class="emo-download" data-png>'
        f"<span>{both(RESULT[_PNG])}</span><code>{_PNG}</code></button></li>"
    )
    saved = f'<p class="emo-help">{both(RESULT["saved"], run=run)}</p>'
    return card(both(RESULT["downloads"]), f'<ul class="emo-downloads">{links}{png}</ul>{saved}')


def _log(result: Result) -> str:
    rows = "".join(
        f"<li><span>{pair(step_line(step, 'zh'), step_line(step, 'en'))}</span>"
        f"<span>{both(RESULT['milliseconds'], milliseconds=step.milliseconds)}</span></li>"
        for step in result.steps
    )
    total = sum(step.milliseconds for step in result.steps)
    return (
        '<details class="emo-card emo-more emo-log"><summary class="emo-card-title">'
        f"{both(RESULT['log'])} <small>{both(RESULT['total'], milliseconds=total)}</small>"
        f"</summary><ol>{rows}</ol></details>"
    )
