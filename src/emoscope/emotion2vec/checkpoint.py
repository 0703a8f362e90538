"""Checkpoint reader: named tensors of ``model.pt`` or ``model.safetensors``, as float32.

Two formats. ``model.pt`` is what ``torch.save`` writes: a zip of ``data.pkl``, which names and
describes the tensors, and one stored entry of raw numbers per storage. ``model.safetensors`` is
read in ``safetensors_file``. Only the tensors that are asked for are ever read, so the two
thirds of the published file that are the optimizer's moments cost nothing.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emoscope.emotion2vec.safetensors_file import SafetensorsFile
from emoscope.emotion2vec.tensor_numbers import as_float32, item_bytes
from emoscope.emotion2vec.tensor_pickle import StoredTensor, parse
from emoscope.errors import CheckpointError, ModelMissingError
from emoscope.messages.reasons import reason
from emoscope.waveform import Array32

MAX_PICKLE_BYTES = 64 * 2**20
"""The list of tensors of the largest official file takes 0.1 MB."""

_ZIP_ERRORS = (
    zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error,
)  # fmt: skip
"""What ``zipfile`` raises for damaged files, as found by damaging many."""


class Checkpoint(Protocol):
    """Protocol of a file of named tensors."""

    @property
    def file(self) -> str:
        """What errors call it."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor by name, as the file names it."""

    def read(self, name: str) -> Array32:
        """Return one tensor as float32.

        Raises:
            CheckpointError: its numbers are cut off or changed.
            CheckpointError: it holds something else than floating-point numbers.
        """

    def close(self) -> None:
        """Close the file."""


def open_checkpoint(folder: Path) -> Checkpoint:
    """Open ``model.safetensors`` of a folder, else its ``model.pt``.

    Raises:
        ModelMissingError: neither is there.
        CheckpointError: the file cannot be read.
        CheckpointError: its pickle asks for more than tensors; nothing was run.
    """
    if (folder / "model.safetensors").is_file():
        return SafetensorsFile(folder / "model.safetensors")
    if not (folder / "model.pt").is_file():
        raise ModelMissingError("model_file_missing", file="model.pt")
    return TorchFile(folder / "model.pt")


class TorchFile:
    """A ``model.pt`` in the zip format of PyTorch 1.6 and later.

    Raises:
        CheckpointError: it is no such file, or cut off.
        CheckpointError: its pickle asks for more than tensors; nothing was run.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.name
        try:
            self._zip = zipfile.ZipFile(path)
        except _ZIP_ERRORS as exc:
            raise self._damaged("not_torch_zip") from exc
        try:
            self._entries = self._list_entries()
            state = _state_dict(parse(self._bytes("data.pkl"), file=self.file), file=self.file)
            self._tensors = {
                str(name): value for name, value in state.items() if isinstance(value, StoredTensor)
            }
        except BaseException:
            self.close()
            raise
        self.shapes = {name: tensor.shape for name, tensor in self._tensors.items()}

    def read(self, name: str) -> Array32:
        """Return one tensor as float32.

        Raises:
            CheckpointError: its numbers are cut off or changed.
            CheckpointError: it holds something else than floating-point numbers.
        """
        tensor = self._tensors[name]
        storage = tensor.storage
        size = item_bytes(storage.dtype, name=name, file=self.file)
        entry = self._entries.get(f"data/{storage.key}")
        if entry is None or entry.file_size != storage.numel * size:
            raise self._damaged("tensor_length", name=name)
        numbers = as_float32(self._bytes(f"data/{storage.key}"), storage.dtype)
        # parse() has checked that offset, shape and strides stay inside the storage.
        strides = [step * numbers.itemsize for step in tensor.strides]
        view: NDArray[np.float32] = np.lib.stride_tricks.as_strided(
            numbers[tensor.offset :], tensor.shape, strides, writeable=False
        )
        return np.asarray(view, order="C")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _list_entries(self) -> dict[str, zipfile.ZipInfo]:
        """Entries by name below the archive's one folder."""
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            _, _, name = info.filename.partition("/")
            # Two entries of one name mean different files to different readers.
            if name in entries or info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                raise self._damaged("zip_entry", name=info.filename)
            entries[name] = info
        if "data.pkl" not in entries or entries["data.pkl"].file_size > MAX_PICKLE_BYTES:
            raise self._damaged("no_pickle")
        self._entries = entries
        if "byteorder" in entries and self._bytes("byteorder") != b"little":
            raise self._damaged("byte_order")
        return entries

    def _bytes(self, name: str) -> bytes:
        try:
            return self._zip.read(self._entries[name])  # checks the CRC-32 on the way
        except _ZIP_ERRORS as exc:
            raise self._damaged("entry_damaged", name=name) from exc

    def _damaged(self, why: str, **data: object) -> CheckpointError:
        return CheckpointError("checkpoint_damaged", file=self.file, **reason(why, **data))


def _state_dict(content: object, *, file: str) -> dict[str, object]:
    """Find the weights where FunASR looks for them."""
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, dict) and key in content:
            content = content[key]
    if not isinstance(content, dict):
        raise CheckpointError(
            "checkpoint_tensors",
            file=file,
            **reason("no_weights"),
        )
    return content
