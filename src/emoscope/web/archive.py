"""Streaming ZIP archive of many runs, in constant memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from emoscope.export.records import csv_header, to_csv_line
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
    """Stream ``summary.csv`` and one folder per run.

    Every run is looked up before the first byte is sent, so a wrong name is an error and not half
    a file. A name that is given twice counts once.

    Raises:
        RunNotFoundError: there is no run of this name.
    """
    runs = [store.open(name) for name in dict.fromkeys(names)]
    # The byte order mark makes spreadsheets read Chinese names as UTF-8.
    summary = "\ufeff" + csv_header() + "".join(to_csv_line(run.result) for run in runs)
    members = [(f"{run.name}/{file}", run.path / file) for run in runs for file in run.files()]
    return _stream(summary.encode(), members)


def _stream(summary: bytes, members: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    outbox = _Outbox()
    # Sound and vectors hardly shrink; storing them keeps the processor for recognition.
    with zipfile.ZipFile(cast(IO[bytes], outbox), "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("summary.csv", summary)
        for name, path in members:
            with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as member:
                while piece := file.read(PIECE_BYTES):
                    member.write(piece)
                    yield outbox.take()
    yield outbox.take()
