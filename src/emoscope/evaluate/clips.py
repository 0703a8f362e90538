"""Scored clips: truth, answers and scores of recordings, as arrays, with who speaks in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emoscope.evaluate.lists import CORPUS
from emoscope.evaluate.metrics import ScoreMatrix
from emoscope.waveform import Indices, Mask

DURATION = "duration"
"""Group that is made of lengths."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredClips:
    """Answers of one system to n labelled clips."""

    names: tuple[str, ...]
    """Paths, as the list has them."""
    truth: Indices
    """Index of the emotion, shape ``(n,)``."""
    answers: Indices
    """Likewise, shape ``(n,)``."""
    scores: ScoreMatrix | None
    """Shape ``(n, 9)``; None of a system that only answers."""
    speakers: tuple[str, ...]
    """Empty where one is not known."""
    groups: tuple[Mapping[str, str], ...]
    """Value by column, of each clip."""
    abstained: Mask | None = None
    """Clips for which no emotion would have been claimed, shape ``(n,)``; None: not known."""
    others: tuple[Mapping[str, str], ...] = field(default=())
    """Columns of the list that no figure uses, of each clip; empty for none."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def corpora(self) -> tuple[str, ...]:
        """Corpus of each clip; empty where that is not known."""
        return tuple(one.get(CORPUS, "") for one in self.groups)

    @property
    def speaker_keys(self) -> tuple[str, ...]:
        """Speaker and corpus of each clip in one; empty where the speaker is not known."""
        pairs = zip(self.corpora, self.speakers, strict=True)
        return tuple(f"{corpus}/{speaker}" if speaker else "" for corpus, speaker in pairs)

    def at(self, places: Indices) -> ScoredClips:
        """Return some of the clips, by their positions."""
        chosen = places.tolist()
        return ScoredClips(
            names=tuple(self.names[at] for at in chosen),
            truth=self.truth[places],
            answers=self.answers[places],
            scores=None if self.scores is None else self.scores[places],
            speakers=tuple(self.speakers[at] for at in chosen),
            groups=tuple(self.groups[at] for at in chosen),
            abstained=None if self.abstained is None else self.abstained[places],
            others=tuple(self.others[at] for at in chosen) if self.others else (),
        )

    def members(self) -> Iterator[tuple[str, str, Indices]]:
        """Yield column, value and positions of each group, sorted by both."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, values in enumerate(self.groups):
            for column, value in values.items():
                if value:
                    found[column, value].append(at)
        for (column, value), places in sorted(found.items()):
            yield column, value, np.array(places, np.intp)


def repeated(names: Sequence[str], digests: Sequence[str]) -> tuple[str, ...]:
    """Return the names of clips that stand in a list before: the same path, or the same bytes.

    Args:
        names: one per clip.
        digests: of their bytes; empty where that is not known.
    """
    seen: set[str] = set()
    found = []
    for name, digest in zip(names, digests, strict=True):
        keys = {f"path {name}", *([f"sha256 {digest}"] if digest else [])}
        if keys & seen:
            found.append(name)
        seen |= keys
    return tuple(found)
