"""What ``emoscope head`` says of the recordings of an index that a head was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from emoscope.messages.heads import HEAD_WORDS
from emoscope.messages.languages import Language
from emoscope.models.head_file import Head


def check_leak_index(folder: Path) -> None:
    """Open an index once, before long work.

    Raises:
        VectorIndexError: it cannot be opened.
        StoreError: the system refuses to open it.
    """
    from emoscope.vectors.index import Index

    Index.open(folder).close()


def leak_document(head: Head, folder: Path) -> dict[str, Any]:
    """Return what an index shares with the training list of a head, for JSON.

    Args:
        head: any; of one without a record of its training clips ``shared`` is None.
        folder: of the index.

    Raises:
        VectorIndexError: the index cannot be opened.
        StoreError: the system refuses to open it.
    """
    from emoscope.vectors.head_leak import find_head_leak
    from emoscope.vectors.index import Index

    with Index.open(folder) as index:
        found = find_head_leak(head, index)
    return {"shared": None if found is None else found.to_dict()}


def print_leak(document: Mapping[str, Any], language: Language) -> None:
    """Print what ``leak_document`` returned; nothing where no index was given."""
    if not document:
        return
    shared = document["shared"]
    if shared is None:
        key, data = "leak_unknown", {}
    else:
        is_found = shared["trained_on"] or shared["speakers"]
        key = "leak" if is_found else "no_leak"
        data = {**shared, "speakers": len(shared["speakers"])}
    line = HEAD_WORDS[key](language, **data)
    style = "dim" if key == "no_leak" else "yellow"
    Console().print(line, style=style, markup=False, highlight=False)
