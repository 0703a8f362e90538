"""What a model was trained on, and which recordings of a list are among that.

For the built-in model a file ships with the first 8 bytes of the sha256 of each recording that it
learned from, as published and as used here, and with the names of the speakers. Of other models
nothing is known but, for Emotion2Vec+, that it was fine-tuned on the corpora of EmoBox.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.evaluate.lists import Labelled
from emoscope.models.catalog import BASE, LARGE, SEED
from emoscope.paths.assets import ASSETS

_FILE = ASSETS / "compact.training.npz"
_ENDINGS = re.compile(r"[^0-9a-z]+")
EMOBOX = frozenset(
    (
        *("aesdd", "ased", "asvpesd", "cafe", "casia", "cremad", "emns", "emodb", "emovdb"),
        *("emovo", "emozionalmente", "enterface", "esd", "iemocap", "jlcorpus", "m3ed", "mead"),
        *("meld", "mer2023", "mesd", "msppodcast", "oreau", "pavoque", "polish", "ravdess"),
        *("resd", "savee", "shemo", "subesco", "tess", "turevdb", "turev", "urdu"),
    )
)
"""Corpora of EmoBox, on which Emotion2Vec+ seed was fine-tuned; the larger ones learned from it."""

Digests: TypeAlias = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRecord:
    """Recordings and speakers that a model learned from, and those it was chosen on."""

    model_sha256: str
    trained: Digests
    """First 8 bytes of the sha256 of each recording, sorted."""
    chosen: Digests
    """Likewise of the recordings by which the best of several models was chosen."""
    trained_speakers: frozenset[str]
    """``corpus/speaker``, in the plain form of ``plain_speaker``."""
    chosen_speakers: frozenset[str]
    corpora: tuple[str, ...]
    """In plain form."""

    def write(self, file: IO[bytes]) -> None:
        """Write the record, as ``read`` takes it."""
        np.savez_compressed(
            file,
            model_sha256=np.array(self.model_sha256),
            trained=self.trained,
            chosen=self.chosen,
            trained_speakers=np.array(sorted(self.trained_speakers)),
            chosen_speakers=np.array(sorted(self.chosen_speakers)),
            corpora=np.array(self.corpora),
        )

    @classmethod
    def read(cls, file: IO[bytes]) -> TrainingRecord:
        """Read what ``write`` wrote, without unpickling.

        Raises:
            ValueError: it is no such record.
            KeyError: a part is missing.
        """
        with np.load(file, allow_pickle=False) as data:
            return cls(
                str(data["model_sha256"]),
                data["trained"],
                data["chosen"],
                frozenset(data["trained_speakers"].tolist()),
                frozenset(data["chosen_speakers"].tolist()),
                tuple(data["corpora"].tolist()),
            )


Knowledge: TypeAlias = Literal["clips", "corpora", "nothing"]
"""How much is known of a model's training: each recording, some names of corpora, or nothing."""


@dataclass(frozen=True, slots=True)
class TrainingOverlap:
    """What of a list its model was trained on."""

    known: Knowledge
    corpora: tuple[str, ...] = ()
    """Corpora of the list that the model learned from, as the list names them."""
    speakers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    """Recordings by which the model was chosen among several, or whose speakers were heard then."""
    nameless: int = 0
    """Recordings without a speaker."""
    record: dict[str, int] = field(default_factory=dict)
    """How many recordings and speakers are known."""

    @property
    def found(self) -> bool:
        """Whether the figures are of recordings or speakers that the model learned from."""
        return bool(self.speakers or self.files)

    def to_dict(self) -> dict[str, Any]:
        """As in the report."""
        return {
            "known": self.known,
            "found": self.found,
            "corpora": list(self.corpora),
            "speakers": list(self.speakers),
            "files": list(self.files),
            "chosen_on": list(self.chosen),
            "recordings_without_speaker": self.nameless,
            **self.record,
        }


def training_record(sha256s: Iterable[str]) -> TrainingRecord | None:
    """Return the record of a model; None where none ships for it.

    Args:
        sha256s: of its files.
    """
    shipped = _shipped()
    return shipped if shipped is not None and shipped.model_sha256 in set(sha256s) else None


@functools.cache
def _shipped() -> TrainingRecord | None:
    try:
        return TrainingRecord.read(io.BytesIO(_FILE.read_bytes()))
    except FileNotFoundError:
        return None


def training_overlap(
    model: str, record: TrainingRecord | None, items: Sequence[Labelled], sha256s: Sequence[str]
) -> TrainingOverlap:
    """Find the recordings and speakers of a list that a model was trained on.

    Args:
        model: its name.
        record: what is known of its training.
        items: the recordings.
        sha256s: of each recording; empty where it is not known.
    """
    if record is None:
        known = EMOBOX if model in (LARGE, BASE, SEED) else frozenset()
        named = {item.corpus for item in items if plain_corpus(item.corpus) in known}
        return TrainingOverlap("corpora" if known else "nothing", tuple(sorted(named)))
    digests = [
        _prefixes((sha256, item.others.get("sha256", "")))
        for item, sha256 in zip(items, sha256s, strict=True)
    ]
    speakers = [_names_of(item) for item in items]
    trained = [bool(np.isin(found, record.trained).any()) for found in digests]
    heard = [bool(names & record.trained_speakers) for names in speakers]
    chosen = [
        bool(np.isin(found, record.chosen).any()) or bool(names & record.chosen_speakers)
        for found, names in zip(digests, speakers, strict=True)
    ]
    return TrainingOverlap(
        "clips",
        tuple(sorted({one.corpus for one in items if plain_corpus(one.corpus) in record.corpora})),
        tuple(
            sorted({_label(item) for item, is_heard in zip(items, heard, strict=True) if is_heard})
        ),
        tuple(_listed(item) for item, is_there in zip(items, trained, strict=True) if is_there),
        tuple(_listed(item) for item, was_used in zip(items, chosen, strict=True) if was_used),
        sum(not item.speaker for item in items),
        {
            "recordings_of_training": len(record.trained),
            "speakers_of_training": len(record.trained_speakers),
        },
    )


def prefix_of(sha256: str) -> int:
    """Return the first 8 bytes of a sha256 in hexadecimal, as a number."""
    return int(sha256[:16], 16)


def plain_corpus(name: str) -> str:
    """Return a name in small letters and digits only: ``CREMA-D`` is ``cremad``."""
    return _ENDINGS.sub("", name.casefold())


def plain_speaker(corpus: str, speaker: str) -> str:
    """Return corpus and speaker in one plain form, however a list writes them.

    ``emodb_03`` and ``03`` of ``EmoDB`` are one; so are ``Actor_01``, ``1`` and ``ravdess_01`` of
    RAVDESS.
    """
    place, name = plain_corpus(corpus), plain_corpus(speaker)
    for before in (place, "actor", "speaker", "spk"):
        if before and name.startswith(before) and name != before:
            name = name.removeprefix(before)
    return f"{place}/{name.lstrip('0') or name}"


def _names_of(item: Labelled) -> frozenset[str]:
    """Names that a recording's speaker may have in a record; without a corpus it may be in both."""
    if not item.speaker:
        return frozenset()
    if item.corpus:
        return frozenset((plain_speaker(item.corpus, item.speaker),))
    corpus, _, name = item.speaker.partition("_")
    return frozenset((plain_speaker(corpus, name),)) if name else frozenset()


def _prefixes(sha256s: Iterable[str]) -> Digests:
    found = [prefix_of(one) for one in sha256s if re.fullmatch("[0-9a-fA-F]{64}", one)]
    return np.array(found, np.uint64)


def _label(item: Labelled) -> str:
    return f"{item.corpus}/{item.speaker}" if item.corpus else item.speaker


def _listed(item: Labelled) -> str:
    return item.listed or str(item.path)
