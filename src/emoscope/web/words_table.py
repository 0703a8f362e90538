"""Table of what is said in a run, for the HTML report."""

from __future__ import annotations

from emoscope.figures.report import Pair, ReportTable
from emoscope.labels import Emotion, by_key
from emoscope.messages.page import RESULT, SAID
from emoscope.outputs.words import RunLine, RunWords


def words_table(words: RunWords) -> tuple[Pair, ReportTable]:
    """Return title and table: time, text, what the voice says, and where the words disagree."""
    head = [RESULT["from"], RESULT["to"], SAID["text"], SAID["voice"], SAID["words"]]
    rows = tuple(
        (
            f"{line.start_s:.2f} s",
            f"{line.end_s:.2f} s",
            line.text,
            _named(line.emotion),
            _words(line),
        )
        for line in words.lines
    )
    title = SAID["title"]
    return (title.zh, title.en), ReportTable(tuple((one.zh, one.en) for one in head), rows)


def _named(emotion: Emotion, mark: str = "") -> Pair:
    return f"{mark}{emotion.emoji} {emotion.zh}", f"{mark}{emotion.emoji} {emotion.en}"


def _words(line: RunLine) -> Pair:
    """What the words say, marked where voice and words disagree; nothing without a text model."""
    if line.fusion is None:
        return "", ""
    return _named(by_key(line.fusion.words_emotion), "⚠ " if line.disagree else "")
