"""A folder of official files -> a model folder that Emoscope runs."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import numpy as np

from emoscope._version import __version__
from emoscope.emotion2vec.checkpoint import Checkpoint, open_checkpoint
from emoscope.emotion2vec.config import CONFIG_FILE, read_config
from emoscope.emotion2vec.graph import build_graph
from emoscope.emotion2vec.layout import match
from emoscope.emotion2vec.onnx_file import write_onnx
from emoscope.emotion2vec.tensor_numbers import Array32
from emoscope.emotion2vec.tokens import check_tokens
from emoscope.errors import CheckpointTensorsError
from emoscope.models.catalog import CATALOG, LocalModel, ModelCard

CARD_FILE = "card.json"


def convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
    """Turn official weights into ``<name>.onnx`` and ``card.json``.

    Torch and FunASR are not needed. The same files give the same bytes. Memory stays near the
    size of the largest tensor.

    Args:
        folder: holds ``config.yaml``, ``tokens.txt`` and ``model.pt`` or ``model.safetensors``.
        target: folder to write into; made if needed.
        name: of the model, for the file and the card.
        revision: of the official files, for the card.

    Raises:
        ModelFileMissingError: an official file is missing.
        ModelConfigError: ``config.yaml`` describes another network.
        TokensHiddenError: ``tokens.txt`` hides classes.
        TokensCountError: it does not name nine.
        CheckpointError: the weights are damaged, unsafe, or of another network.
        ExtraMissingError: the packages of the extra ``convert`` are not installed.
        OSError: the target cannot be written; nothing half-written is left.
    """
    check_tokens(folder / "tokens.txt")
    config = read_config(folder / CONFIG_FILE)
    with closing(open_checkpoint(folder)) as checkpoint:
        names = match(checkpoint.shapes, config, file=checkpoint.file)
        target.mkdir(parents=True, exist_ok=True)
        path = target / f"{name}.onnx"
        size, sha256 = write_onnx(
            path,
            build_graph(config),
            lambda source: _finite(checkpoint, names[source]),
            producer="emoscope",
            metadata={"name": name, "revision": revision, "licence": _licence(name)},
        )
    card = {
        "name": name,
        "revision": revision,
        "files": [{"path": path.name, "bytes": size, "sha256": sha256}],
        "dim": config.dim,
        "licence": _licence(name),
        **_titles(name),
        "made_by": f"emoscope {__version__}",
    }
    _write_last(target / CARD_FILE, card)
    return LocalModel(target, ModelCard.from_dict(card))


def _finite(checkpoint: Checkpoint, name: str) -> Array32:
    """Read a tensor, and refuse one that would make every answer NaN."""
    numbers = checkpoint.read(name)
    if not np.isfinite(numbers).all():
        raise CheckpointTensorsError(
            file=checkpoint.file,
            reason_zh=f"{name} 含有 NaN 或无穷大",
            reason_en=f"{name} holds NaN or infinity",
        )
    return numbers


def _licence(name: str) -> str:
    found = [entry.licence for entry in CATALOG if entry.name == name]
    return found[0] if found else "unknown"


def _titles(name: str) -> dict[str, str]:
    for entry in CATALOG:
        if entry.name == name:
            return {"title_zh": entry.title_zh, "title_en": entry.title_en}
    return {"title_zh": name, "title_en": name}


def _write_last(path: Path, card: dict[str, object]) -> None:
    """A folder with a card is complete, so the card appears whole and after everything else."""
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(card, file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
