"""Folder of heads: one JSON file per head in the user's data folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from emoscope.errors import EmoscopeError, HeadError, StoreError
from emoscope.files import atomic_write_json, make_private_folder, translated_os_errors
from emoscope.models.head_file import Head, read_head
from emoscope.paths.names import is_shown
from emoscope.results.result import ModelRef

HEAD_SUFFIX = ".head.json"
HEADS_AT_ONCE = 8
"""Heads in one recognition."""
_NAME = re.compile(r"[^\W_][\w .-]{0,63}")


def head_folder() -> Path:
    """Return the folder of the heads: in ``EMOSCOPE_DATA``, else in the platform's data folder.

    Raises:
        StoreError: neither is known, as for a user without a home.
    """
    if given := os.environ.get("EMOSCOPE_DATA"):
        return Path(given) / "heads"
    import platformdirs

    try:
        folder = Path(platformdirs.user_data_path("emoscope", appauthor=False))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():
        raise StoreError("data_folder_unknown")
    return folder / "heads"


def check_head_name(name: str) -> str:
    """Return the name of a head, which becomes that of a file, if it is one.

    Raises:
        HeadError: it holds other characters than letters, digits, ``_``, ``-``, ``.`` and spaces,
            or is too long.
    """
    if not _NAME.fullmatch(name) or not is_shown(name) or len(name.encode()) > 200:
        raise HeadError("head_name_refused", name=name[:64])
    return name


def head_names() -> list[str]:
    """Return the names of all heads, sorted; none where no data folder is known or readable."""
    try:
        files = [path.name for path in head_folder().iterdir()]
    except (StoreError, OSError):  # also a home that belongs to another user
        return []
    names = (name.removesuffix(HEAD_SUFFIX) for name in files if name.endswith(HEAD_SUFFIX))
    return sorted(name for name in names if _NAME.fullmatch(name))


def open_head(name: str) -> Head:
    """Read a head by its name, which is untrusted.

    Raises:
        HeadError: there is none of this name, or it is damaged.
        StoreError: it cannot be read.
    """
    if not _NAME.fullmatch(name) or name not in head_names():
        raise HeadError("head_unknown", name=name[:64], known=", ".join(head_names()) or "-")
    with translated_os_errors():
        data = (head_folder() / f"{name}{HEAD_SUFFIX}").read_bytes()
    return read_head(data, name)


def save_head(head: Head, *, replace: bool = False) -> Path:
    """Write a head, whole or not at all, and return its file.

    Args:
        head: what to write; its name becomes that of the file.
        replace: a head of this name gives way.

    Raises:
        HeadError: there is a head of this name, or the name cannot be that of a file.
        StoreError: it cannot be written.
    """
    path = head_folder() / f"{check_head_name(head.name)}{HEAD_SUFFIX}"
    if path.exists() and not replace:
        raise HeadError("head_exists", name=head.name)
    with translated_os_errors(path):
        make_private_folder(path.parent)
        atomic_write_json(path, head.to_dict())
    return path


def remove_head(name: str) -> None:
    """Delete a head, also a damaged one.

    Raises:
        HeadError: there is none of this name.
        StoreError: it cannot be deleted.
    """
    if name not in head_names():
        raise HeadError("head_unknown", name=name[:64], known=", ".join(head_names()) or "-")
    with translated_os_errors():
        (head_folder() / f"{name}{HEAD_SUFFIX}").unlink()


def usable_heads() -> list[Head]:
    """Return all heads that can be read; damaged ones are left out."""
    found = []
    for name in head_names():
        try:
            found.append(open_head(name))
        except EmoscopeError:
            continue
    return found


def offered_heads(model: ModelRef) -> list[Head]:
    """Return the heads that fit a model."""
    return [head for head in usable_heads() if head.model.sha256 == model.sha256]


def heads_for(heads: Sequence[str | Head], model: ModelRef) -> tuple[Head, ...]:
    """Open heads by name and check that they fit a model and one another.

    Args:
        heads: names, or heads.
        model: the model that gives the vectors.

    Raises:
        HeadError: one is unknown, damaged or of another model; or more than ``HEADS_AT_ONCE``, one
            twice, or two of corrections.
        StoreError: one cannot be read.
    """
    found = tuple(open_head(one) if isinstance(one, str) else one for one in heads)
    names = [one.name for one in found]
    corrections = [one.name for one in found if one.kind == "corrections"]
    if len(found) > HEADS_AT_ONCE or len(set(names)) < len(names) or len(corrections) > 1:
        raise HeadError("heads_refused", names=", ".join(names), limit=HEADS_AT_ONCE)
    for head in found:
        head.check_model(model)
    return found
