"""Streaming ONNX writer: needs the memory of the largest tensor only.

``onnx.save`` wants the whole model in memory, twice. An ONNX file is a protobuf message, and in
protobuf a message is its fields one after the other: so the graph without weights is serialized
by the ``onnx`` package, and each weight follows as one more field of the graph. All lengths are
known from the shapes before the first number is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from emoscope.emotion2vec.graph_builder import OPSET, Graph, Weight
from emoscope.files import replace_file
from emoscope.optional import require
from emoscope.waveform import Array32

IR_VERSION = 8
"""The file format that belongs to opset 17."""

# Field numbers of onnx.proto, each with wire type 2 (a length and that many bytes).
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_RAW_DATA = 9


class _Hashing:
    """File that computes sha256 and length of what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.sha256.update(data)
        self.bytes += len(data)


def write_onnx(
    path: Path,
    graph: Graph,
    read: Callable[[str], Array32],
    *,
    producer: str,
    metadata: Mapping[str, str],
) -> tuple[int, str]:
    """Write a model file; it has its name only once it is whole on the disk.

    Args:
        path: the file to write.
        graph: the network.
        read: gives a tensor of the checkpoint by its plain name.
        producer: what wrote the file.
        metadata: notes kept in the file.

    Returns:
        Its length in bytes and its sha256.
    """
    written: list[_Hashing] = []

    def fill(raw: BinaryIO) -> None:
        written.append(_Hashing(raw))
        _write_model(written[0], graph, read, producer, metadata)

    replace_file(path, fill, temporary=path.with_name(path.name + ".part"))
    return written[0].bytes, written[0].sha256.hexdigest()


def _write_model(
    file: _Hashing,
    graph: Graph,
    read: Callable[[str], Array32],
    producer: str,
    metadata: Mapping[str, str],
) -> None:
    onnx = require("onnx", extra="convert")
    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name=producer)
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    onnx.helper.set_model_props(model, dict(metadata))
    nodes = graph.proto.SerializeToString(deterministic=True)
    heads = [_tensor_head(weight) for weight in graph.weights]
    length = len(nodes) + sum(
        len(head) + weight.bytes for head, weight in zip(heads, graph.weights, strict=True)
    )
    file.write(model.SerializeToString(deterministic=True))
    file.write(_field(_MODEL_GRAPH, length))
    file.write(nodes)
    for head, weight in zip(heads, graph.weights, strict=True):
        file.write(head)
        file.write(_numbers(weight, read(weight.source)))


def _tensor_head(weight: Weight) -> bytes:
    """Everything of one initializer but its numbers."""
    onnx = require("onnx", extra="convert")
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(weight.dtype))
    tensor = onnx.TensorProto(name=weight.name, dims=weight.shape, data_type=kind)
    data = _field(_TENSOR_RAW_DATA, weight.bytes)
    head: bytes = tensor.SerializeToString(deterministic=True) + data
    return _field(_GRAPH_INITIALIZER, len(head) + weight.bytes) + head


def _numbers(weight: Weight, tensor: Array32) -> memoryview:
    numbers = weight.turn(tensor).reshape(weight.shape)
    return numbers.astype(weight.dtype, order="C", copy=False).data.cast("B")


def _field(number: int, length: int) -> bytes:
    """The start of a field: its number, wire type 2, and the length of what follows."""
    return _varint(number << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    """Seven bits per byte, lowest first; the high bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
