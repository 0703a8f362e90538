"""Vector index: search for similar recordings, clusters and maps."""

from __future__ import annotations

from emoscope.vectors.entry import Entry, EntryDetails
from emoscope.vectors.index import Index
from emoscope.vectors.search import Hit
from emoscope.vectors.spaces import Space

__all__ = ["Entry", "EntryDetails", "Hit", "Index", "Space"]
