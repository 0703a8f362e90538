"""Int8 variant of the graph, and a calibration variant that exposes every linear layer's input.

Front end, positional convolutions, norms, attention products and classifier stay in float32:
rounding those costs the answer (cosine 0.97).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from emoscope.emotion2vec.config import NetworkConfig
from emoscope.emotion2vec.graph import Emotion2VecNetwork, Turn32
from emoscope.emotion2vec.graph_builder import Graph
from emoscope.emotion2vec.quantize import (
    ACTIVATION_MAX,
    SMALLEST,
    ZERO_POINT,
    output_scales,
    rounded,
    zero_point_correction,
)
from emoscope.waveform import Array32

Centers = Mapping[str, Array32]
"""Average activation that enters a block's layer, ``(inputs,)``, by the layer's name."""


def build_int8_graph(config: NetworkConfig, centers: Centers) -> Graph:
    """The network with the linear layers of its blocks in integers."""
    return _Int8Network(config, centers).build()


class _Int8Network(Emotion2VecNetwork):
    """Network whose large linear layers run in int8."""

    def __init__(self, config: NetworkConfig, centers: Centers) -> None:
        super().__init__(config)
        self._centers = centers
        self._rows: dict[str, tuple[str, str]] = {}

    def product(
        self,
        x: str,
        name: str,
        shape: tuple[int, int],
        weight: Turn32,
        bias: Turn32,
        *,
        part: str = "",
    ) -> str:
        """``(B, S, inputs)`` to ``(B, S, outputs)``."""
        g, source, outputs = self.g, name + "weight", shape[1:]
        center = self._centers[name]
        steps = g.weight(source, shape, lambda w: rounded(weight(w)), part=part, dtype="|i1")
        columns = g.weight(
            source, outputs, lambda w: output_scales(weight(w)), part=part + ".scales"
        )
        shift = g.weight(
            source,
            outputs,
            lambda w: zero_point_correction(weight(w), center),
            part=part + ".shift",
        )
        # Both are constants, and runtimes add them once when they load.
        offset = g.op("Add", g.weight(name + "bias", outputs, bias, part=part), shift)
        x, rows = self.in_steps(x)
        sums = g.op("MatMulInteger", x, steps, g.constant(ZERO_POINT, np.uint8))  # int32
        product = g.op("Mul", g.op("Mul", g.op("Cast", sums, to=1), rows), columns)
        return g.op("Add", product, offset)

    def in_steps(self, x: str) -> tuple[str, str]:
        """Activations as unsigned bytes, like ``x``, and the step of each row, ``(B, S, 1)``.

        The standard ``DynamicQuantizeLinear`` has one scale for the whole tensor: in a batch, a
        loud neighbour would coarsen a clip's steps, and its answer would depend on its company.
        A scale per row costs 8 % of a product's time and rounds finer.
        """
        if x not in self._rows:  # queries, keys and values share one
            g = self.g
            largest = g.op("ReduceMax", g.op("Abs", x), axes=[-1], keepdims=1)
            largest = g.op("Max", largest, g.constant(SMALLEST))
            rows = g.op("Div", largest, g.constant(float(ACTIVATION_MAX)))
            one, zero = g.constant(1.0), g.constant(ZERO_POINT, np.uint8)
            self._rows[x] = g.op("QuantizeLinear", g.op("Div", x, rows), one, zero), rows
        return self._rows[x]


def build_open_graph(config: NetworkConfig) -> Graph:
    """The exact network, whose embedding is all that enters the layers of its blocks.

    It keeps the contract, so that any backend runs it: a frame has as many numbers as all layers
    have inputs. ``centers_of`` makes sense of them.
    """
    return _OpenNetwork(config).build()


def centers_of(config: NetworkConfig, mean: Array32) -> dict[str, Array32]:
    """Take apart the mean of the open network's frames, ``(numbers,)``."""
    network = _OpenNetwork(config)
    network.build()
    ends = np.cumsum([0, *(inputs for _, inputs in network.seen.values())])
    spans = zip(network.seen, pairwise(ends), strict=True)
    return {name: mean[first:last] for name, (first, last) in spans}


class _OpenNetwork(Emotion2VecNetwork):
    """Network that outputs the inputs of its linear layers, for calibration."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.seen: dict[str, tuple[str, int]] = {}
        """What enters each layer, and how many numbers that are."""

    def product(
        self,
        x: str,
        name: str,
        shape: tuple[int, int],
        weight: Turn32,
        bias: Turn32,
        *,
        part: str = "",
    ) -> str:
        """As it is, and noted."""
        self.seen[name] = x, shape[0]
        return super().product(x, name, shape, weight, bias, part=part)

    def features(self, x: str) -> str:
        """The classifier's as ever; the embedding is all that was noted."""
        noted = self.g.op("Concat", *(value for value, _ in self.seen.values()), axis=-1)
        self.frames(noted, out="frame_embeddings")
        return self.frames(x)

    def finished(self, dim: int) -> Graph:
        """With the sum of all inputs as the number of numbers."""
        del dim
        return super().finished(sum(inputs for _, inputs in self.seen.values()))
