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
    outlier_channels,
    output_scales,
    rounded,
    without_channels,
    zero_point_correction,
)
from emoscope.waveform import Array32, Indices

LayerInputs = Mapping[str, Array32]
"""A number for each activation that enters a block's layer, ``(inputs,)``, by the layer's name."""


def build_int8_graph(config: NetworkConfig, centers: LayerInputs, peaks: LayerInputs) -> Graph:
    """The network with the linear layers of its blocks in integers.

    Args:
        config: of the network.
        centers: mean activations.
        peaks: largest magnitudes; channels that stand out are multiplied in float32.
    """
    return _Int8Network(config, centers, peaks).build()


class _Int8Network(Emotion2VecNetwork):
    """Network whose large linear layers run in int8, outlier channels apart."""

    def __init__(self, config: NetworkConfig, centers: LayerInputs, peaks: LayerInputs) -> None:
        super().__init__(config)
        self._centers, self._peaks = centers, peaks
        self._rows: dict[str, tuple[str, str]] = {}
        self._parts: dict[str, tuple[str, str]] = {}

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
        center, loud = self._centers[name], outlier_channels(self._peaks[name])

        def quiet(w: Array32) -> Array32:
            return without_channels(weight(w), loud)

        steps = g.weight(source, shape, lambda w: rounded(quiet(w)), part=part, dtype="|i1")
        columns = g.weight(
            source, outputs, lambda w: output_scales(quiet(w)), part=part + ".scales"
        )
        shift = g.weight(
            source,
            outputs,
            lambda w: zero_point_correction(quiet(w), center),
            part=part + ".shift",
        )
        # Both are constants, and runtimes add them once when they load.
        offset = g.op("Add", g.weight(name + "bias", outputs, bias, part=part), shift)
        if len(loud):
            x, outliers = self.split(x, loud, shape[0])
            apart = g.weight(
                source, (len(loud), *outputs), lambda w: weight(w)[loud], part=part + ".outliers"
            )
            offset = g.op("Add", g.op("MatMul", outliers, apart), offset)
        x, rows = self.in_steps(x)
        sums = g.op("MatMulInteger", x, steps, g.constant(ZERO_POINT, np.uint8))  # int32
        product = g.op("Mul", g.op("Mul", g.op("Cast", sums, to=1), rows), columns)
        return g.op("Add", product, offset)

    def split(self, x: str, loud: Indices, inputs: int) -> tuple[str, str]:
        """Activations with zeros for the outlier channels, and those alone.

        One channel that is thirty times as large as the others sets the step of its whole row.
        """
        if x not in self._parts:  # queries, keys and values share one
            g = self.g
            others = np.ones(inputs, np.float32)
            others[loud] = 0
            quiet = g.op("Mul", x, g.constant(others))
            self._parts[x] = quiet, g.op("Gather", x, g.constant(loud, np.int64), axis=-1)
        return self._parts[x]

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
    have inputs. ``layer_inputs`` makes sense of them.
    """
    return _OpenNetwork(config).build()


def layer_inputs(config: NetworkConfig, numbers: Array32) -> dict[str, Array32]:
    """Take apart what was found of the open network's frames, ``(numbers,)``."""
    network = _OpenNetwork(config)
    network.build()
    ends = np.cumsum([0, *(inputs for _, inputs in network.seen.values())])
    spans = zip(network.seen, pairwise(ends), strict=True)
    return {name: numbers[first:last] for name, (first, last) in spans}


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
