"""Labelled list of a head: clips with labels and speakers, and their embeddings by a model."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emoscope.errors import HeadError
from emoscope.lists import reader
from emoscope.lists.reader import PATH
from emoscope.messages.aliases import LABEL_WORDS, LICENCE_WORDS, SPEAKER_WORDS
from emoscope.models.head_file import CLASSES_MAX
from emoscope.models.training_clips import TrainingClips
from emoscope.recognizer import Recognizer
from emoscope.results.heads import HeadLabel
from emoscope.results.result import Failure
from emoscope.waveform import Array32, Array64, Indices

LEAST_CLIPS = 8
"""Clips of each class below which no figure means anything."""
LEAST_SPEAKERS = 3
_LABEL, _SPEAKER, _LICENCE, _CORPUS = "label", "speaker", "licence", "corpus"
_LOOKS = {"label_zh": "zh", "label_en": "en", "label_emoji": "emoji", "label_colour": "colour"}
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_COLOURS = (
    "#d07c00",
    "#4892d7",
    "#764ab9",
    "#e84e3d",
    "#656800",
    "#bb479d",
    "#966957",
    "#3d8b6e",
    "#7e8789",
    "#5a5d6a",
)


@dataclass(frozen=True, slots=True)
class HeadClip:
    """One row of the list."""

    path: Path
    label: str
    speaker: str
    licence: str = ""
    corpus: str = ""
    """That the speaker is of: two corpora may name speakers alike."""


@dataclass(frozen=True, slots=True)
class HeadList:
    """A list that was read: its clips, how its labels are shown, and rows that cannot be used."""

    clips: tuple[HeadClip, ...]
    labels: tuple[HeadLabel, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HeadData:
    """What a head learns from: vectors, classes and speakers of n clips."""

    labels: tuple[HeadLabel, ...]
    vectors: Array32
    """Mean embeddings, shape ``(n, D)``."""
    scores: Array64
    """The model's nine, shape ``(n, 9)``."""
    truth: Indices
    """Positions in ``labels``, shape ``(n,)``."""
    speakers: tuple[str, ...]
    licences: tuple[str, ...] = ()
    """Licences that the list names."""
    repeated: int = 0
    """Clips left out because the same file stands in the list before."""
    contradicted: int = 0
    """Clips left out because the same file has two labels."""
    failures: tuple[Failure, ...] = field(default=(), compare=False)
    trained_on: TrainingClips | None = None
    """Digests of these clips' files and speakers."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedClip:
    """A clip that was recognized."""

    clip: HeadClip
    sha256: str
    vector: Array32
    """Mean embedding, shape ``(D,)``."""
    scores: Array64
    """The model's nine."""


def read_head_list(
    path: Path,
    *,
    label_column: str | None = None,
    speaker_column: str | None = None,
    needs_speakers: bool = True,
    least_classes: int = 2,
) -> HeadList:
    """Read a CSV of clips with any labels.

    Args:
        path: the list; paths in it start at its folder.
        label_column: header of the labels; by default ``label`` or ``emotion``.
        speaker_column: header of the speakers; by default ``speaker`` or what else that is called.
        needs_speakers: refuse rows without a speaker.
        least_classes: labels that the list must have.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: a needed column is missing, or it has no row.
        HeadError: rows without a speaker; or too few labels, or more than ``CLASSES_MAX``.
    """
    columns: dict[str, Sequence[str]] = {
        PATH: reader.COLUMNS[PATH],
        _LABEL: _header(label_column, ("label", *LABEL_WORDS)),
        _SPEAKER: _header(speaker_column, SPEAKER_WORDS),
        _LICENCE: LICENCE_WORDS,
        _CORPUS: (_CORPUS,),
        **{column: (column,) for column in _LOOKS},
    }
    rows = list(reader.read(path, columns, (PATH, _LABEL)))
    good = [row for row in rows if isinstance(row, reader.Row)]
    nameless = [row for row in good if not row.cells.get(_SPEAKER)]
    if needs_speakers and nameless:
        raise HeadError("head_list_no_speakers", name=path.name, rows=len(nameless))
    clips = tuple(
        HeadClip(
            path.parent / row.path,
            row.cells[_LABEL],
            row.cells.get(_SPEAKER, ""),
            row.cells.get(_LICENCE, ""),
            row.cells.get(_CORPUS, ""),
        )
        for row in good
    )
    counts = Counter(clip.label for clip in clips)
    if not least_classes <= len(counts) <= CLASSES_MAX:
        found = ", ".join(list(counts)[:8]) or "-"
        raise HeadError("head_list_classes", count=len(counts), most=CLASSES_MAX, found=found)
    failures = tuple(row for row in rows if isinstance(row, Failure))
    return HeadList(clips, _labels(sorted(counts), good), failures)


def mean_embeddings(
    recognizer: Recognizer, listed: HeadList, listener: Callable[[int], None]
) -> tuple[list[EmbeddedClip], list[Failure]]:
    """Recognize the clips of a list; those that cannot be are failures, beside those of the list.

    Args:
        recognizer: runs the model; heads that it applies are left aside.
        listed: the list.
        listener: called with the number of clips done.
    """
    plain = recognizer.configured(heads=())
    answers = plain.recognize_many([clip.path for clip in listed.clips], embedding=True)
    found, failures = [], list(listed.failures)
    for done, (clip, answer) in enumerate(zip(listed.clips, answers, strict=True), start=1):
        if isinstance(answer, Failure):
            failures.append(answer)
        elif (vector := answer.utterance_embedding) is not None:
            sha256 = answer.source.sha256 or str(clip.path)
            found.append(EmbeddedClip(clip, sha256, vector, answer.scores.values))
        listener(done)
    return found, failures


def embed_clips(
    recognizer: Recognizer,
    listed: HeadList,
    *,
    by_speaker: bool = True,
    listener: Callable[[int], None] = lambda _done: None,
) -> HeadData:
    """Recognize the clips of a list and return what a head learns from.

    The same file twice is taken once; with two labels it is left out.

    Args:
        recognizer: runs the model; heads that it applies are left aside.
        listed: the list.
        by_speaker: the list names speakers; if not, each clip counts as a speaker of its own.
        listener: called with the number of clips done; does nothing by default.

    Raises:
        HeadError: too few clips of a class, or too few speakers, are left.
    """
    embedded, failures = mean_embeddings(recognizer, listed, listener)
    first: dict[str, EmbeddedClip] = {}
    said: dict[str, set[str]] = defaultdict(set)
    for one in embedded:
        said[one.sha256].add(one.clip.label)
        first.setdefault(one.sha256, one)
    clear = [one for sha256, one in first.items() if len(said[sha256]) == 1]
    if not clear:
        raise HeadError("head_list_few", label=listed.labels[0].key, count=0, least=LEAST_CLIPS)
    places = {label.key: at for at, label in enumerate(listed.labels)}
    data = HeadData(
        labels=listed.labels,
        vectors=np.stack([one.vector for one in clear]),
        scores=np.stack([one.scores for one in clear]),
        truth=np.array([places[one.clip.label] for one in clear], np.intp),
        speakers=tuple(
            one.clip.speaker if by_speaker else f"clip {at}" for at, one in enumerate(clear)
        ),
        licences=tuple(sorted({one.clip.licence for one in clear} - {""})),
        repeated=len(embedded) - len(first),
        contradicted=len(first) - len(clear),
        failures=tuple(failures),
        trained_on=TrainingClips.of(
            (one.sha256 for one in clear),
            ((one.clip.corpus, one.clip.speaker) for one in clear if by_speaker),
        ),
    )
    check_head_data(data)
    return data


def check_head_data(data: HeadData) -> None:
    """Check that there is enough to cross-validate on.

    Raises:
        HeadError: a class has fewer than ``LEAST_CLIPS`` clips or only one speaker, or there are
            fewer than ``LEAST_SPEAKERS`` speakers.
    """
    speakers = np.array(data.speakers)
    if len(set(data.speakers)) < LEAST_SPEAKERS:
        count = len(set(data.speakers))
        raise HeadError("head_list_speakers", count=count, least=LEAST_SPEAKERS)
    for at, label in enumerate(data.labels):
        here = data.truth == at
        if here.sum() < LEAST_CLIPS:
            raise HeadError(
                "head_list_few", label=label.key, count=int(here.sum()), least=LEAST_CLIPS
            )
        if len(set(speakers[here])) < 2:
            raise HeadError(
                "head_list_one_speaker", label=label.key, speaker=str(speakers[here][0])
            )


def _header(given: str | None, words: Sequence[str]) -> Sequence[str]:
    return words if given is None else (given.strip().lower(),)


def _labels(keys: Sequence[str], rows: Sequence[reader.Row]) -> tuple[HeadLabel, ...]:
    """Return the classes, shown as the first row says that has something to say."""
    looks: dict[str, dict[str, str]] = {key: {} for key in keys}
    for row in rows:
        for column, name in _LOOKS.items():
            if row.cells.get(column):
                looks[row.cells[_LABEL]].setdefault(name, row.cells[column])
    return tuple(_label(key, at, looks[key]) for at, key in enumerate(keys))


def _label(key: str, at: int, look: Mapping[str, str]) -> HeadLabel:
    colour = look.get("colour", "")
    if not _COLOUR.fullmatch(colour):
        colour = _COLOURS[at % len(_COLOURS)]
    return HeadLabel(key, look.get("zh", key), look.get("en", key), look.get("emoji", ""), colour)
