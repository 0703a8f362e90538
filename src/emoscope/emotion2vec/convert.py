"""Conversion of a folder of official files to a model folder that Emoscope runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from emoscope._version import __version__
from emoscope.emotion2vec.checkpoint import Checkpoint, open_checkpoint
from emoscope.emotion2vec.config import NetworkConfig, read_config
from emoscope.emotion2vec.graph import build_graph
from emoscope.emotion2vec.graph_builder import Graph
from emoscope.emotion2vec.int8_graph import build_int8_graph, build_open_graph, layer_inputs
from emoscope.emotion2vec.layout import match
from emoscope.emotion2vec.onnx_file import write_onnx
from emoscope.errors import CheckpointError, ModelInvalidError, ModelMissingError
from emoscope.files import atomic_write_json
from emoscope.messages.reasons import reason
from emoscope.models.catalog import CARD_FILE, CATALOG, LocalModel, ModelCard, ModelFile
from emoscope.models.sources import CONFIG, TOKENS
from emoscope.waveform import Array32


def convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
    """Turn official weights into ``<name>.onnx`` and ``card.json``.

    Torch and FunASR are not needed. Classes are taken by index, whatever ``tokens.txt`` calls them;
    that there are nine is a matter of the weights. The same files give the same bytes. Memory
    stays near the size of the largest tensor.

    Args:
        folder: holds ``config.yaml``, ``tokens.txt`` and ``model.pt`` or ``model.safetensors``.
        target: folder to write into; made if needed.
        name: name of the model, for the file and the card.
        revision: revision of the official files, for the card.

    Raises:
        ModelMissingError: an official file is missing.
        ModelInvalidError: ``config.yaml`` describes another network.
        CheckpointError: the weights are damaged, unsafe, or of another network.
        ExtraMissingError: the packages of the extra ``convert`` are not installed.
        OSError: the target cannot be written; nothing half-written is left.
    """
    if not (folder / TOKENS).is_file():
        raise ModelMissingError("model_file_missing", file=TOKENS)
    config = read_config(folder / CONFIG)
    path = target / f"{name}.onnx"
    metadata = {"name": name, "revision": revision, "licence": _licence(name)}
    size, sha256 = _write(folder, path, config, build_graph(config), metadata)
    card = {
        "name": name,
        "revision": revision,
        "files": [{"path": path.name, "bytes": size, "sha256": sha256}],
        "dim": config.dim,
        "licence": _licence(name),
        **_titles(name),
        "made_by": f"emoscope {__version__}",
    }
    atomic_write_json(target / CARD_FILE, card)
    return LocalModel(target, ModelCard.from_dict(card))


def convert_open(folder: Path, path: Path) -> None:
    """Write the exact network whose embedding is all that enters the layers of its blocks.

    Args:
        folder: holds ``config.yaml``, ``tokens.txt`` and ``model.pt`` or ``model.safetensors``.
        path: the ONNX file to write, as large as the exact one.

    Raises:
        ModelMissingError: an official file is missing.
        ModelInvalidError: ``config.yaml`` describes another network.
        CheckpointError: the weights are damaged, unsafe, or of another network.
        ExtraMissingError: the packages of the extra ``convert`` are not installed.
        OSError: the file cannot be written; nothing half-written is left.
    """
    config = read_config(folder / CONFIG)
    _write(folder, path, config, build_open_graph(config), metadata={})


def convert_int8(folder: Path, model: LocalModel, mean: Array32, peaks: Array32) -> ModelFile:
    """Write ``<name>.int8.onnx`` beside a converted model, from the same official files.

    It is not in the card yet: a variant is named there with the figures of its agreement.
    The same files, mean and peaks give the same bytes.

    Args:
        folder: holds ``config.yaml``, ``tokens.txt`` and ``model.pt`` or ``model.safetensors``.
        model: the exact model that ``convert`` made of these files.
        mean: mean over some speech of the embedding of the network that ``convert_open`` writes,
            float32 of shape ``(D,)``.
        peaks: largest magnitude of each of these numbers, ``(D,)``.

    Raises:
        ModelMissingError: an official file is missing.
        ModelInvalidError: ``config.yaml`` describes another network.
        CheckpointError: the weights are damaged, unsafe, or of another network.
        ExtraMissingError: the packages of the extra ``convert`` are not installed.
        OSError: the file cannot be written; nothing half-written is left.
        ModelInvalidError: the official files are those of another network.
    """
    config, card = read_config(folder / CONFIG), model.card
    if config.dim != card.dim:
        raise ModelInvalidError(
            "model_contract",
            **reason("dim_of_card", found=config.dim, expected=card.dim),
        )
    path = model.folder / f"{card.name}.int8.onnx"
    metadata = {"name": card.name, "revision": card.revision, "licence": card.licence}
    inputs = layer_inputs(config, mean), layer_inputs(config, peaks)
    graph = build_int8_graph(config, *inputs)
    return ModelFile(path.name, *_write(folder, path, config, graph, metadata))


def _write(
    folder: Path, path: Path, config: NetworkConfig, graph: Graph, metadata: Mapping[str, str]
) -> tuple[int, str]:
    with closing(open_checkpoint(folder)) as checkpoint:
        names = match(checkpoint.shapes, config, file=checkpoint.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_onnx(
            path,
            graph,
            lambda source: _finite(checkpoint, names[source]),
            producer="emoscope",
            metadata=metadata,
        )


def _finite(checkpoint: Checkpoint, name: str) -> Array32:
    """Read a tensor, and refuse one that would make every answer NaN."""
    numbers = checkpoint.read(name)
    if not np.isfinite(numbers).all():
        raise CheckpointError(
            "checkpoint_tensors",
            file=checkpoint.file,
            **reason("tensor_not_finite", name=name),
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
