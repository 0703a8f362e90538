"""Write what ``torch.save`` writes, without torch: a zip of one pickle and raw numbers.

The pickle is put together opcode by opcode, so that tests can also put in it what should not be
there. ``test_torch_save.py`` checks, where torch is installed, that torch reads these files and
that Emoscope reads torch's own alike.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage"}


def write_model_pt(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    dtype: str = "float32",
    moments: bool = False,
) -> None:
    """Write ``{"model": {name: tensor}}``, and the optimizer's two moments of each if asked."""
    storages: list[np.ndarray] = []

    def tensor(numbers: np.ndarray) -> bytes:
        storages.append(numbers)
        return pickled_tensor(str(len(storages) - 1), numbers.shape, storage=STORAGES[dtype])

    parts = {"model": pickled_dict({name: tensor(value) for name, value in tensors.items()})}
    if moments:
        state = {
            f"{i}.{kind}": tensor(np.broadcast_to(np.float32(1e-4), value.shape))
            for i, value in enumerate(tensors.values())
            for kind in ("exp_avg", "exp_avg_sq")
        }
        parts["last_optimizer_state"] = pickled_dict({"state": pickled_dict(state)})
    # One at a time: the large model with its moments has 1.9 GB.
    write_zip(path, pickled_file(pickled_dict(parts)), (_raw(one, dtype) for one in storages))


def write_zip(path: Path, pickle: bytes, storages: Iterable[bytes]) -> None:
    """Write the zip around a pickle and its storages."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("model/data.pkl", pickle)
        file.writestr("model/byteorder", "little")
        for key, raw in enumerate(storages):
            file.writestr(f"model/data/{key}", raw)
        file.writestr("model/version", "3\n")


def _raw(numbers: np.ndarray, dtype: str) -> bytes:
    if dtype == "bfloat16":  # the upper half, cut and not rounded
        return (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return numbers.astype({"float32": "<f4", "float16": "<f2"}[dtype]).tobytes()


# -- pickle opcodes, protocol 2


def pickled_file(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def pickled_global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def pickled_str(text: str) -> bytes:
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def pickled_int(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def pickled_tuple(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def pickled_dict(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(pickled_str(key) + value for key, value in items.items()) + b"u"


def pickled_call(module: str, name: str, *arguments: bytes) -> bytes:
    return pickled_global(module, name) + pickled_tuple(*arguments) + b"R"


def pickled_tensor(
    key: str,
    shape: tuple[int, ...],
    *,
    storage: str = "FloatStorage",
    numel: int | None = None,
    offset: int = 0,
    strides: tuple[int, ...] | None = None,
) -> bytes:
    """A tensor over the storage ``key``: contiguous, unless told otherwise."""
    count = int(np.prod(shape)) if numel is None else numel
    if strides is None:
        strides = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    reference = pickled_tuple(
        pickled_str("storage"),
        pickled_global("torch", storage),
        pickled_str(key),
        pickled_str("cpu"),
        pickled_int(count),
    )
    return pickled_call(
        "torch._utils",
        "_rebuild_tensor_v2",
        reference + b"Q",
        pickled_int(offset),
        pickled_tuple(*map(pickled_int, shape)),
        pickled_tuple(*map(pickled_int, strides)),
        b"\x89",  # requires_grad
        pickled_call("collections", "OrderedDict"),  # hooks
    )
