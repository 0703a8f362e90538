"""Leak check: speakers, sentences and recordings that a training list and an evaluated list share.

Recordings are compared by path and by content: files of equal size are hashed. Speakers are one
where name and corpus agree, as names such as ``09`` repeat between corpora; where a list does not
say its corpus, the name decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoscope.evaluate.lists import Labelled, Labels, usable
from emoscope.models.catalog import file_sha256


@dataclass(frozen=True, slots=True)
class Leak:
    """Overlap of a training list and an evaluated list."""

    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    files: tuple[str, ...]
    """Recordings of the evaluated list that are in the training list, too: same path or bytes."""
    nameless: int = 0
    """Rows of both lists without a speaker: these could not be compared."""
    unreadable: int = 0
    """Recordings of both lists whose bytes could not be compared."""
    named: bool = True
    """Whether both lists name speakers at all."""

    @property
    def found(self) -> bool:
        """Whether the figures are flattered."""
        return bool(self.speakers or self.files)

    def to_dict(self) -> dict[str, Any]:
        """As in the report."""
        return {
            "found": self.found,
            "speakers": list(self.speakers),
            "texts": list(self.texts),
            "files": list(self.files),
            "speakers_checked": self.named,
            "rows_without_speaker": self.nameless,
            "files_not_compared": self.unreadable,
        }


def leak(trained: Labels, evaluated: Labels) -> Leak:
    """Find speakers, sentences and recordings that stand in both lists.

    Args:
        trained: a list of which every row can be used: what it lacks could not be found.
        evaluated: the other list; rows that cannot be used count in no figure, and are left out.

    Raises:
        EmoscopeError: a row of the training list cannot be used, and why.
    """
    ours, theirs = usable(trained), usable(evaluated, least=0)
    files, unreadable = _same_files(ours, theirs)
    return Leak(
        speakers=_both(
            ((item.corpus, item.speaker) for item in ours),
            ((item.corpus, item.speaker) for item in theirs),
        ),
        texts=_both(
            ((item.corpus, item.text) for item in ours),
            ((item.corpus, item.text) for item in theirs),
        ),
        files=files,
        nameless=sum(not item.speaker for item in (*ours, *theirs)),
        unreadable=unreadable,
        named=all(any(item.speaker for item in items) for items in (ours, theirs)),
    )


def _digest(path: Path) -> str | None:
    """The sha256 of a file; None where it cannot be read."""
    try:
        return file_sha256(path)
    except (OSError, ValueError):
        return None


def _both(ours: Iterable[tuple[str, str]], theirs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Names that stand in both lists, with the corpus where that is known."""
    corpora: dict[str, set[str]] = defaultdict(set)
    for corpus, name in ours:
        corpora[name].add(corpus.casefold())
    found = set()
    for corpus, name in theirs:
        known = corpora.get(name, set()) if name else set()
        if known and (not corpus or "" in known or corpus.casefold() in known):
            found.add(f"{corpus}/{name}" if corpus else name)
    return tuple(sorted(found))


def _same_files(ours: list[Labelled], theirs: list[Labelled]) -> tuple[tuple[str, ...], int]:
    """Recordings of the second list that the first has too, and how many could not be read."""
    real = {_real(item.path) for item in ours}
    sizes: dict[int, list[Path]] = defaultdict(list)
    unreadable = 0
    for item in ours:
        size = _size(item.path)
        unreadable += size is None
        if size is not None:
            sizes[size].append(item.path)
    digests: dict[int, set[str | None]] = {}
    found = set()
    for item in theirs:
        size = _size(item.path)
        unreadable += size is None
        is_same = _real(item.path) in real
        if not is_same and size in sizes:
            if size not in digests:
                digests[size] = {_digest(path) for path in sizes[size]} - {None}
            is_same = _digest(item.path) in digests[size]
        if is_same:
            found.add(item.listed or str(item.path))
    return tuple(sorted(found)), unreadable


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def _real(path: Path) -> str:
    """A path with its links followed, as far as they lead."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle, or a name that no file can have
        return str(path)
