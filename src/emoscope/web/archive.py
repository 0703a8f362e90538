"""Streaming ZIP archive of many runs, in constant memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, cast

from emoscope.export.records import archive_csv
from emoscope.export.utterance_rows import archive_utterances
from emoscope.outputs.store import RunStore

PIECE_BYTES = 256 * 1024


class _Outbox:
    """Output of ``zipfile`` without ``seek``, drained after every piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_of_runs(store: RunStore, names: Sequence[str]) -> Iterator[bytes]:
    """Stream ``summary.csv``, ``utterances.csv`` where there are some, and one folder per run.

    Every run is looked up before the first byte is sent, so a wrong name is an error and not half
    a file. A name that is given twice counts once.

    Raises:
        RunNotFoundError: there is no run of this name.
    """
    runs = [store.open(name) for name in dict.fromkeys(names)]
    newest = max((run.result.created for run in runs), default=datetime.now().astimezone())
    tables = {"summary.csv": archive_csv((run.name, run.result) for run in runs)}
    if any(run.result.utterance_set is not None for run in runs):
        tables["utterances.csv"] = archive_utterances((run.name, run.result) for run in runs)
    # The byte order mark makes spreadsheets read Chinese names as UTF-8.
    heads = [(_member(name, newest), f"\ufeff{text}".encode()) for name, text in tables.items()]
    members = [
        (_member(f"{run.name}/{file}", run.result.created), run.path / file)
        for run in runs
        for file in run.files()
    ]
    return _stream(heads, members)


def _member(name: str, created: datetime) -> zipfile.ZipInfo:
    """Return the entry of a file with the time of its run; ZIP has no time zone and begins 1980."""
    local = created.timetuple()[:6]
    return zipfile.ZipInfo(name, max(local, (1980, 1, 1, 0, 0, 0)))


def _stream(
    heads: Sequence[tuple[zipfile.ZipInfo, bytes]], members: Sequence[tuple[zipfile.ZipInfo, Path]]
) -> Iterator[bytes]:
    outbox = _Outbox()
    # Sound and vectors hardly shrink; storing them keeps the processor for recognition.
    with zipfile.ZipFile(cast(IO[bytes], outbox), "w", zipfile.ZIP_STORED) as archive:
        for head, table in heads:
            archive.writestr(head, table)
        for entry, path in members:
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as member:
                while piece := file.read(PIECE_BYTES):
                    member.write(piece)
                    yield outbox.take()
    yield outbox.take()
