"""Answers of the Gradio app: recognition, headline, river, scores and files."""

from __future__ import annotations

import html
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from emoscope.errors import EmoscopeError, InternalError, SourceNotFoundError
from emoscope.events import Event, Progress
from emoscope.export.annotations import export
from emoscope.figures.pyramid import curve_of
from emoscope.figures.svg import svg
from emoscope.labels import EMOTIONS, Emotion
from emoscope.messages.gradio_app import GRADIO
from emoscope.messages.hints import sentence
from emoscope.messages.languages import Language, Text
from emoscope.messages.story import story
from emoscope.messages.trust import abstention
from emoscope.messages.verdict import verdict
from emoscope.outputs.store import RunStore
from emoscope.outputs.writing import write_json_lines, write_npy
from emoscope.paths.choices import Granularity
from emoscope.paths.file_names import shown, without_audio_suffix
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.waveform import Waveform

_NO_LEADER = "low_margin"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerFunctions:
    """Functions that the app calls."""

    gr: Any
    recognizer: Recognizer
    store: RunStore
    folder: Path
    """Holds uploads and downloads, and nothing else is read."""

    @property
    def answer(self) -> Callable[..., tuple[Any, ...]]:
        """Function of the button: path of an upload, granularity, embedding."""
        bar = self.gr.Progress()

        def answer(
            path: str | None,
            granularity: str,
            embedding: bool,
            request: Any,
            progress: Any = bar,
        ) -> tuple[Any, ...]:
            if not path:
                raise self._error(GRADIO["no_audio"])
            try:
                return self._answer(path, granularity, embedding, _language(request), progress)
            except EmoscopeError as error:
                raise self._refusal(error) from None
            except Exception:
                _log.exception("the Gradio app could not show an answer")
                raise self._refusal(InternalError()) from None

        answer.__annotations__ = {"request": self.gr.Request}
        return answer

    @property
    def answer_sample(self) -> Callable[..., tuple[Any, ...]]:
        """Function of a sample, which is recognized frame by frame."""
        answer, bar = self.answer, self.gr.Progress()

        def answer_sample(path: str | None, request: Any, progress: Any = bar) -> tuple[Any, ...]:
            return answer(path, "frame", False, request, progress)

        answer_sample.__annotations__ = {"request": self.gr.Request}
        return answer_sample

    def _answer(
        self, path: str, granularity: str, embedding: bool, language: Language, progress: Any
    ) -> tuple[Any, ...]:
        if granularity not in get_args(Granularity):
            granularity = "frame"
        upload = self._inside(path)

        def listen(event: Event) -> None:
            if isinstance(event, Progress) and event.total_s:
                progress(min(1.0, event.done_s / event.total_s))

        recording = self.recognizer.decode(
            upload.read_bytes(), name=shown(upload.name), listener=listen
        )
        result = self.recognizer.infer(
            recording,
            granularity=cast(Granularity, granularity),
            embedding=bool(embedding),
            listener=listen,
        )
        result = self.store.save(result, recording.waveform).result
        picture = _picture(result, recording.waveform, language)
        values = {_name(e): float(result.scores.values[e.index]) for e in EMOTIONS}
        return headline_markdown(result), picture, values, self._files(result, picture)

    def _inside(self, path: str) -> Path:
        """Return the path of an upload when it is a plain file in our folder, links followed.

        Raises:
            SourceNotFoundError: it is none.
        """
        name = shown(Path(path).name)
        try:
            found = Path(path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as exc:
            raise SourceNotFoundError("source_not_found", name=name) from exc
        if self.folder not in found.parents or not found.is_file():
            raise SourceNotFoundError("source_not_found", name=name)
        return found

    def _files(self, result: Result, picture: str) -> list[str]:
        """Write the downloads of a result into a folder of their own."""
        folder = Path(tempfile.mkdtemp(prefix="result-", dir=self.folder))
        stem = without_audio_suffix(Path(result.source.name).name)[:80] or "recording"
        document = folder / f"{stem}_result.json"
        with document.open("wb") as file:
            write_json_lines(file, result.to_dict())
        made = [document, folder / f"{stem}_river.svg"]
        made[1].write_text(picture, "utf-8")
        if result.segments:
            made.append(folder / f"{stem}_segments.csv")
            made[-1].write_bytes(export((result,), "csv"))
        if result.embedding is not None:
            made.append(folder / f"{stem}_embedding.npy")
            with made[-1].open("wb") as file:
                write_npy(file, result.embedding)
        return [str(path) for path in made]

    def _refusal(self, error: EmoscopeError) -> Any:
        return self._error(Text(sentence(error, "zh", "web"), sentence(error, "en", "web")))

    def _error(self, text: Text) -> Any:
        """Return an error as Gradio shows it; its message is HTML there."""
        message = html.escape(f"{text.zh} {text.en}", quote=False)
        return self.gr.Error(message, title=both_texts("error"), print_exception=False)


def _language(request: Any) -> Language:
    """Return the language of the picture, by that of the browser."""
    wanted = str(getattr(request, "headers", {}).get("accept-language", ""))
    return "zh" if wanted.lower().startswith("zh") else "en"


def headline_markdown(result: Result) -> str:
    """Return the answer as Markdown, and how the emotion went."""
    answer = verdict(result)
    zh, en = answer.text
    if answer.kind == "abstained":
        zh += f"：{abstention(result.abstain, 'zh')}"
        en += f": {abstention(result.abstain, 'en')}"
        return f"### {zh}\n{en}"
    told = None if result.track is None else story(result.segments, result.duration_s)
    return f"## {zh}\n{en}" + ("" if told is None else f"\n\n{told.zh}\n\n{told.en}")


def _picture(result: Result, sound: Waveform, language: Language) -> str:
    words = {
        name: dict(zip(("zh", "en"), GRADIO[name], strict=True)) for name in ("quiet", "doubt")
    }
    # That no emotion leads as a whole is no doubt about any moment.
    result = replace(result, abstain=tuple(one for one in result.abstain if one != _NO_LEADER))
    return svg(
        result,
        curve_of(result, sound),
        title=result.source.name,
        quiet=cast(Any, words["quiet"]),
        doubt=cast(Any, words["doubt"]),
        languages=(language,),
    )


def _name(emotion: Emotion) -> str:
    return f"{emotion.emoji} {emotion.zh} · {emotion.en}"


def both_texts(name: str) -> str:
    """Return a text of the app in both languages, side by side."""
    text = GRADIO[name]
    return f"{text.zh} · {text.en}"
