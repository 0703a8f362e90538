"""Label words of common corpora, mapped to the nine emotions, and a user's own map of labels."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from emoscope.errors import ListError
from emoscope.labels import EMOTIONS, Emotion, by_key
from emoscope.messages.aliases import EMODB_LETTERS, EMOTION_WORDS
from emoscope.messages.reasons import reason
from emoscope.paths.access import opened

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _plain(word: str) -> str:
    """A word without the marks on its letters."""
    parts = unicodedata.normalize("NFD", word)
    return "".join(char for char in parts if not unicodedata.combining(char))


_WRITTEN = {
    word: by_key(key) for key, words in EMOTION_WORDS.items() for word in (key, *words.split())
} | {word: emotion for emotion in EMOTIONS for word in (emotion.zh, emotion.emoji)}
_BY_WORD = {
    spelt: emotion
    for word, emotion in _WRITTEN.items()
    for spelt in (_plain(word), word.translate(_UMLAUTS))
} | _WRITTEN
"""Words as the table has them, and as they are typed without marks: ``colere``, ``aergerlich``."""

_BETWEEN = re.compile(r"[/|()\[\]·,;:、。]+")
"""What stands between the parts of a label such as ``生气/angry`` or ``快乐 (Happy)``."""


def emotion_of(word: str) -> Emotion:
    """Return the emotion that a label means, in any case and width of letters.

    One word, or several in brackets or parted by a stroke, as in ``生气/angry`` and in our own
    ``😊 快乐 (Happy)``; of several at least one must be known, and no two may differ.

    Raises:
        ListError: no word is in the table, or two of them mean different emotions.
    """
    found = {_BY_WORD[part].key for part in _parts(word) if part in _BY_WORD}
    if len(found) != 1:
        known = ", ".join(emotion.key for emotion in EMOTIONS)
        raise ListError("label_unknown", word=word[:40], known=known)
    return by_key(found.pop())


class LabelWords:
    """What the labels of a list mean: a user's words before those of the table.

    Args:
        own: emotion by label, in any case and width of letters; None for labels whose rows are
            left out.
        sha256: of the file that the user's words come from; empty for none.
    """

    def __init__(self, own: Mapping[str, Emotion | None] | None = None, sha256: str = "") -> None:
        self._own = {_key(label): emotion for label, emotion in (own or {}).items()}
        self.sha256 = sha256

    def emotion_of(self, label: str, *, is_emodb: bool = False) -> Emotion | None:
        """Return what a label means; None where the user leaves its rows out.

        Args:
            label: as the list has it.
            is_emodb: a single letter is one of those in the names of EmoDB's files.

        Raises:
            ListError: the label is neither in the user's map nor in the table.
        """
        key = _key(label)
        if key in self._own:
            return self._own[key]
        if is_emodb and key in EMODB_LETTERS:
            return by_key(EMODB_LETTERS[key])
        return emotion_of(label)


def is_emodb_lettering(labels: set[str]) -> bool:
    """Whether labels are the letters of EmoDB: only these, and one that no other corpus uses."""
    keys = {_key(label) for label in labels}
    return keys <= EMODB_LETTERS.keys() and bool(keys & {"w", "e", "l", "t"})


def read_label_map(path: Path) -> LabelWords:
    """Read a user's map: CSV of label and emotion, or a JSON object of both.

    An empty emotion leaves out the rows with that label. The first line of a CSV may be a header.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        ListError: a line has no label, a word that is no emotion, or a label for the second time.
    """
    with opened(path) as file:
        data = file.read()
    own: dict[str, Emotion | None] = {}
    for line, (label, word) in _pairs(path.name, data):
        if label in own:
            raise _wrong(path.name, line, "map_twice", word=label[:40])
        try:
            own[label] = emotion_of(word) if word else None
        except ListError as exc:
            if line == 1:  # the header
                continue
            raise _wrong(path.name, line, "map_lacks_emotion", word=word[:40]) from exc
    if not own:
        raise _wrong(path.name, 1, "map_empty")
    return LabelWords(own, hashlib.sha256(data).hexdigest())


def _pairs(name: str, data: bytes) -> Iterator[tuple[int, tuple[str, str]]]:
    """Lines of a map with label and emotion."""
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip().startswith("{"):
            given = json.loads(text)
            yield from ((0, (str(label), str(word or ""))) for label, word in given.items())
            return
    except ValueError as exc:
        raise _wrong(name, 1, "as_said", reason=str(exc)) from exc
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    for line, cells in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1):
        label, word = (*(cell.strip() for cell in cells), "", "")[:2]
        if label:
            yield line, (label, word)
        elif word:
            raise _wrong(name, line, "no_value", column="label")


def _wrong(name: str, line: int, why: str, **data: object) -> ListError:
    return ListError("list_malformed", name=name, line=line, **reason(why, **data))


def _key(label: str) -> str:
    return _joined(_visible(label))


def _visible(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label).casefold()
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")


def _parts(label: str) -> Iterator[str]:
    """Give the whole label and its parts, as they stand in the table."""
    visible = _visible(label)
    yield _joined(visible)
    words = "".join(" " if _is_picture(char) else char for char in visible)
    for part in (words, *_BETWEEN.split(words)):
        yield _joined(part)


def _joined(words: str) -> str:
    return "_".join(words.replace("-", " ").replace("_", " ").split())


def _is_picture(char: str) -> bool:
    """Whether it is an emoji, or the sign that asks for its coloured form."""
    return unicodedata.category(char) == "So" or char == "\N{VARIATION SELECTOR-16}"
