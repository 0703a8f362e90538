"""Leak check of a head against an index: recordings and speakers that the head was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoscope.models.head_file import Head
from emoscope.vectors.index import Index


@dataclass(frozen=True, slots=True)
class HeadLeak:
    """What an index shares with the training list of a head."""

    index: str
    """Name of the index."""
    recordings: int
    """Recordings of the index; the same file counts once."""
    trained_on: int
    """Of these, recordings that the head was trained on."""
    speakers: tuple[str, ...]
    """Speakers of the index that the head was trained on, as the index names them."""
    speaker_recordings: int
    """Recordings of these speakers that the head was not trained on."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "index": self.index,
            "recordings": self.recordings,
            "trained_on": self.trained_on,
            "speakers": list(self.speakers),
            "speaker_recordings": self.speaker_recordings,
        }


def find_head_leak(head: Head, index: Index) -> HeadLeak | None:
    """Find the recordings and speakers of an index that a head was trained on.

    An index knows no corpora, so a speaker is known by the name alone.

    Returns:
        None for a head that does not say what it was trained on.

    Raises:
        StoreError: the index cannot be read.
    """
    trained = head.trained_on
    if trained is None:
        return None
    speaker_of: dict[str, str] = {}
    for entry in index.store.all_entries():
        if entry.kind == "clip":
            speaker_of[entry.sha256] = speaker_of.get(entry.sha256) or entry.speaker
    heard = {name for name in set(speaker_of.values()) if trained.has_speaker(name)}
    files = {sha256 for sha256 in speaker_of if trained.has_file(sha256)}
    return HeadLeak(
        index.name,
        len(speaker_of),
        len(files),
        tuple(sorted(heard)),
        sum(name in heard and sha256 not in files for sha256, name in speaker_of.items()),
    )
