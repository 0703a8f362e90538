"""Builder for ONNX graphs: operators as method calls, weights filled in when writing.

A weight's values are not in the graph. They are read, transposed and written one at a time when the
file is written, so the graph stays a few hundred kilobytes for a network of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.optional import require
from emoscope.waveform import Array32

OPSET = 17
"""The first with LayerNormalization, and old enough for every runtime."""


Turn: TypeAlias = Callable[[Array32], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Weight:
    """Initializer whose values are read from the checkpoint on writing."""

    name: str
    """In the graph."""
    source: str
    """In the checkpoint, without prefix."""
    shape: tuple[int, ...]
    """After ``turn``."""
    turn: Turn
    """From the checkpoint's numbers to the graph's."""
    dtype: str = "<f4"
    """Of the graph's numbers."""

    @property
    def bytes(self) -> int:
        """Its length in the file."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class Graph:
    """ONNX graph without the values of its weights."""

    proto: Any
    """``onnx.GraphProto`` with everything but the weights."""
    weights: tuple[Weight, ...]


def as_it_is(numbers: Array32) -> Array32:
    """The turn that changes nothing."""
    return numbers


def transposed(numbers: Array32) -> Array32:
    """``(outputs, inputs)`` of PyTorch -> ``(inputs, outputs)`` of MatMul."""
    return numbers.T


class GraphBuilder:
    """Builder of nodes, constants and weights; each method returns the name of its output."""

    def __init__(self) -> None:
        self._onnx = require("onnx", extra="convert")
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._weights: dict[str, Weight] = {}

    def op(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add one operator of the standard domain with one output.

        Args:
            kind: the operator's name.
            inputs: names of its inputs.
            out: name of the output; counted by default.
            attributes: attributes of the operator.

        Returns:
            Name of the output.
        """
        return self.ops(kind, *inputs, outputs=[out or f"{kind}_{len(self._nodes)}"], **attributes)[
            0
        ]

    def ops(self, kind: str, *inputs: str, outputs: list[str], **attributes: Any) -> list[str]:
        """Add one operator of the standard domain with several outputs.

        Args:
            kind: the operator's name.
            inputs: names of its inputs.
            outputs: names of its outputs.
            attributes: attributes of the operator.

        Returns:
            ``outputs``.
        """
        helper = self._onnx.helper
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=name, **attributes))
        return outputs

    def constant(self, value: object, dtype: type = np.float32) -> str:
        """Add a small constant; equal ones are kept once."""
        numbers: NDArray[Any] = np.asarray(value, dtype)
        key = (numbers.dtype.str, numbers.shape, numbers.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = self._onnx.numpy_helper.from_array(numbers, name)
        return str(self._constants[key].name)

    def int64(self, *values: int) -> str:
        """A constant vector, as shapes and axes want it."""
        return self.constant(values, np.int64)

    def weight(
        self,
        source: str,
        shape: tuple[int, ...],
        turn: Turn = as_it_is,
        *,
        part: str = "",
        dtype: str = "<f4",
    ) -> str:
        """Add a weight that is read from the checkpoint when the file is written.

        Args:
            source: name of the tensor in the checkpoint.
            shape: its shape after ``turn``.
            turn: makes the weight of the tensor; unchanged by default.
            part: tells apart several weights made of one tensor; none by default.
            dtype: NumPy type of the numbers in the file; little-endian float32 by default.

        Returns:
            Name of the weight.
        """
        name = source + part
        self._weights[name] = Weight(name, source, shape, turn, dtype)
        return name

    def build(self, name: str, inputs: list[Any], outputs: list[Any]) -> Graph:
        """Assemble the graph of everything added.

        Args:
            name: name of the graph.
            inputs: ``(name, dtype, shape)`` of each input; a text in a shape is a free axis.
            outputs: ``(name, dtype, shape)`` of each output.
        """
        helper = self._onnx.helper
        info = [
            [
                helper.make_tensor_value_info(
                    port, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
                )
                for port, dtype, shape in ports
            ]
            for ports in (inputs, outputs)
        ]
        proto = helper.make_graph(
            self._nodes, name, *info, initializer=list(self._constants.values())
        )
        return Graph(proto, tuple(self._weights.values()))
