"""Which recordings an argument of the command line means: files, folders, lists, stdin."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import EmoscopeError, ListMalformedError, SourceNothingFoundError
from emoscope.result import Failure

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("wav", "mp3", "m4a", "mp4", "flac", "ogg", "oga", "opus"),
        *("webm", "aac", "amr", "aiff", "aif", "caf"),
    )
)
"""Files of a folder that are taken; a file that is named itself is taken whatever it is called."""

_PATH_COLUMNS = ("path", "file", "wav", "audio", "filename")


@dataclass(frozen=True, slots=True)
class Named:
    """A recording and what to call it."""

    source: bytes | Path
    name: str


def expand(arguments: Iterable[str]) -> Iterator[Named | Failure]:
    """Turn arguments into recordings, in order; what cannot be used becomes a ``Failure``.

    A folder gives the audio files below it, sorted; ``-`` is a recording on stdin; ``wav.scp``
    (``name path`` per line) and ``.csv`` (a column named path, file, wav, audio or filename, and
    optionally name or id) are lists, whose relative paths start at the list's folder.
    """
    for argument in arguments:
        try:
            yield from _one(argument)
        except EmoscopeError as error:
            yield Failure(argument, error)


def _one(argument: str) -> Iterator[Named]:
    if argument == "-":
        yield Named(sys.stdin.buffer.read(), "stdin")
        return
    path = Path(argument)
    if path.is_dir():
        found = sorted(
            file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
        )
        if not found:
            raise SourceNothingFoundError(name=argument)
        yield from (Named(file, str(file.relative_to(path))) for file in found)
    elif path.suffix.lower() == ".scp" and path.is_file():
        yield from _scp(path)
    elif path.suffix.lower() == ".csv" and path.is_file():
        yield from _csv(path)
    else:
        yield Named(path, path.name)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise ListMalformedError(name=path.name, line=1) from exc


def _scp(path: Path) -> Iterator[Named]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        name, _, target = line.strip().partition(" ")
        # Kaldi lets a line be a command that ends in "|"; running it is not ours.
        if not target.strip() or target.rstrip().endswith("|"):
            raise ListMalformedError(name=path.name, line=number)
        yield Named(path.parent / target.strip(), name)


def _csv(path: Path) -> Iterator[Named]:
    rows = csv.DictReader(io.StringIO("\n".join(_lines(path))))
    columns = {column.strip().lower(): column for column in rows.fieldnames or ()}
    column = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    label = next((columns[name] for name in ("name", "id") if name in columns), None)
    if column is None:
        raise ListMalformedError(name=path.name, line=1)
    for row in rows:
        if not (target := (row[column] or "").strip()):
            raise ListMalformedError(name=path.name, line=rows.line_num)
        yield Named(path.parent / target, (row[label] if label else "") or target)
