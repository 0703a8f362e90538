"""Training clips of a head: digests of the recordings and speakers that it learned from.

They tell whether a recording, or a speaker, was trained on, and give away neither: a digest cannot
be read back. 16 bytes of each are kept, so a head of 800 clips is 17 kB larger.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SIZE = 16
"""Bytes that are kept of a digest."""


@dataclass(frozen=True)
class TrainingClips:
    """Digests of the files and speakers that a head was trained on."""

    files: frozenset[bytes] = frozenset()
    speakers: frozenset[bytes] = frozenset()
    """Digest of the corpus, zeros where none is named, and then digest of the speaker."""

    @classmethod
    def of(cls, files: Iterable[str], speakers: Iterable[tuple[str, str]] = ()) -> TrainingClips:
        """Return the digests of files and speakers.

        Args:
            files: sha256 of each file in hex; what is none is left out.
            speakers: corpus (may be empty) and speaker of each clip; no speaker is left out.
        """
        pairs = (_corpus(corpus) + _digest(speaker) for corpus, speaker in speakers if speaker)
        return cls(frozenset(filter(None, map(_file, files))), frozenset(pairs))

    def has_file(self, sha256: str) -> bool:
        """Whether a file was trained on, by its sha256 in hex."""
        return _file(sha256) in self.files

    def has_speaker(self, speaker: str, corpus: str = "") -> bool:
        """Whether a speaker was trained on.

        Args:
            speaker: as a list names it; an empty one was not.
            corpus: that the speaker is of. Where it is empty, here or in the list that was trained
                on, the speaker's name decides.
        """
        there = self._corpora.get(_digest(speaker), set()) if speaker else set()
        return bool(there) and (not corpus or _corpus("") in there or _corpus(corpus) in there)

    @functools.cached_property
    def _corpora(self) -> Mapping[bytes, set[bytes]]:
        """Digests of the corpora that a speaker's digest stands with."""
        found: dict[bytes, set[bytes]] = {}
        for pair in self.speakers:
            found.setdefault(pair[_SIZE:], set()).add(pair[:_SIZE])
        return found

    def to_dict(self) -> dict[str, str]:
        """Return the digests, sorted, in base64."""
        return {
            name: base64.b64encode(b"".join(sorted(getattr(self, name)))).decode()
            for name in ("files", "speakers")
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingClips:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: it is none.
            KeyError: a part is missing.
        """
        return cls(_cut(data["files"], _SIZE), _cut(data["speakers"], 2 * _SIZE))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).digest()[:_SIZE]


def _corpus(name: str) -> bytes:
    return _digest(name) if name.strip() else bytes(_SIZE)


def _file(sha256: str) -> bytes | None:
    try:
        return bytes.fromhex(sha256)[:_SIZE] if len(sha256) == 64 else None
    except ValueError:
        return None


def _cut(text: str, size: int) -> frozenset[bytes]:
    data = base64.b64decode(text, validate=True)
    if len(data) % size:
        raise ValueError(f"{len(data)} bytes of digests of {size}")
    return frozenset(data[at : at + size] for at in range(0, len(data), size))
