"""The Emotion2Vec+ network as an ONNX graph that follows the model contract.

Letters: B clips, N samples, T frames, C channels of the front end, D numbers per frame, E extra
tokens, S = E + T tokens, H heads. What the original computes for one clip alone, this computes
for a padded batch, so each place where a neighbour or padding could leak in is closed: the
normalisation counts a clip's own samples, the positional convolutions see zeros past its last
frame, and no token attends to padding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from emoscope.emotion2vec.config import NetworkConfig
from emoscope.emotion2vec.graph_builder import Graph, GraphBuilder, as_it_is, transposed
from emoscope.emotion2vec.layout import AUDIO, block_names
from emoscope.labels import COUNT
from emoscope.waveform import Array32

Turn32: TypeAlias = Callable[[Array32], Array32]

NORM_EPS = 1e-5
"""Of all norms outside the blocks, the waveform's included."""

MASKED = -65504.0
"""Added to the attention logits of padding: exp of it is exactly 0 beside any real logit, and it
is finite in half precision too."""


def build_graph(config: NetworkConfig) -> Graph:
    """Write the network down for one configuration, exact."""
    return Emotion2VecNetwork(config).build()


def alibi_slopes(heads: int) -> list[float]:
    """How fast each head's attention falls with distance (Press et al., 2021)."""
    power = 2 ** math.floor(math.log2(heads))
    # For other numbers of heads: every second slope of the next power of two.
    return _geometric(power) + _geometric(2 * power)[::2][: heads - power]


def _geometric(heads: int) -> list[float]:
    ratio = 2.0 ** (-8.0 / heads)
    return [ratio ** (i + 1) for i in range(heads)]


class Emotion2VecNetwork:
    """The network, built part by part; each method returns the name of its output."""

    def __init__(self, config: NetworkConfig) -> None:
        self.config = config
        self.g = GraphBuilder()

    def build(self) -> Graph:
        """Put the parts together."""
        g, c = self.g, self.config
        counts = self.frame_counts()  # (B,)
        x = self.front_end(self.normalized())  # (B, T, C)
        x = self.norm(x, AUDIO + "project_features.1.", c.convs[-1].channels)
        x = self.linear(x, AUDIO + "project_features.2.", c.convs[-1].channels, c.dim)  # (B, T, D)
        x = g.op("Add", x, self.positions(x, counts))
        if c.extra_tokens:
            x = self.with_extra_tokens(x)  # (B, S, D)
        x = self.norm(x, AUDIO + "context_encoder.norm.", c.dim, c.norm_eps)
        bias = self.attention_bias(x, counts)  # (B, H, S, S)
        for name in block_names(c):
            x = self.block(x, name, bias)
        self.linear(self.features(x), "proj.", c.dim, COUNT, out="frame_logits")
        return self.finished(c.dim)

    def features(self, x: str) -> str:
        """What the classifier sees, and the embedding: the last block's output, ``(B, T, D)``."""
        return self.frames(x, out="frame_embeddings")

    def frames(self, x: str, *, out: str = "") -> str:
        """Without the extra tokens, ``(B, S, ...)`` to ``(B, T, ...)``."""
        g = self.g
        bounds = g.int64(self.config.extra_tokens), g.int64(np.iinfo(np.int64).max), g.int64(1)
        return g.op("Slice", x, *bounds, out=out)

    def finished(self, dim: int) -> Graph:
        """The graph with the contract's inputs and outputs, ``dim`` numbers per embedding."""
        return self.g.build(
            "emotion2vec",
            inputs=[("waveform", np.float32, ["B", "N"]), ("lengths", np.int64, ["B"])],
            outputs=[
                ("frame_logits", np.float32, ["B", "T", COUNT]),
                ("frame_embeddings", np.float32, ["B", "T", dim]),
                ("frame_counts", np.int64, ["B"]),
            ],
        )

    # -- lengths and masks

    def frame_counts(self) -> str:
        """Frames of each clip, ``(B,)``: ⌊(length − field) / hop⌋ + 1, and none below one frame."""
        g, c = self.g, self.config
        # One hop more before the division, so that nothing negative is divided.
        room = g.op("Sub", "lengths", g.int64(c.field - c.hop))
        room = g.op("Max", room, g.int64(0))
        return g.op("Div", room, g.int64(c.hop), out="frame_counts")

    def size(self, x: str, axis: int) -> str:
        """Length of one axis, a scalar."""
        return self.g.op("Gather", self.g.op("Shape", x), self.g.constant(axis, np.int64), axis=0)

    def inside(self, size: str, lengths: str) -> str:
        """Whether each of ``size`` positions is below the clip's length, ``(B, size)`` bool."""
        g = self.g
        zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
        positions = g.op("Range", zero, size, one)
        return g.op("Less", positions, g.op("Unsqueeze", lengths, g.int64(1)))

    # -- the parts, in the order of the sound

    def normalized(self) -> str:
        """The waveform with mean 0 and variance 1 over each clip's own samples, ``(B, N)``."""
        g = self.g
        own = g.op("Cast", self.inside(self.size("waveform", 1), "lengths"), to=1)
        length = g.op("Unsqueeze", g.op("Cast", "lengths", to=1), g.int64(1))  # (B, 1)
        total = g.op("ReduceSum", g.op("Mul", "waveform", own), g.int64(1))
        # Zero again past the end: the mean must not stand there.
        x = g.op("Mul", g.op("Sub", "waveform", g.op("Div", total, length)), own)
        squares = g.op("ReduceSum", g.op("Mul", x, x), g.int64(1))
        variance = g.op("Add", g.op("Div", squares, length), g.constant(NORM_EPS))
        return g.op("Div", x, g.op("Sqrt", variance))

    def front_end(self, waveform: str) -> str:
        """Convolutions over the samples, ``(B, N)`` to ``(B, T, C)``.

        No padding and no norm over time, so a clip's own frames see its own samples only.
        """
        g = self.g
        x, channels = g.op("Unsqueeze", waveform, g.int64(1)), 1  # (B, 1, N)
        for i, layer in enumerate(self.config.convs):
            name = f"{AUDIO}local_encoder.conv_layers.{i}."
            weight = g.weight(name + "0.weight", (layer.channels, channels, layer.kernel))
            if i:
                x = g.op("Transpose", x, perm=[0, 2, 1])
            x = g.op("Conv", x, weight, kernel_shape=[layer.kernel], strides=[layer.stride])
            x = g.op("Transpose", x, perm=[0, 2, 1])
            x = self.gelu(self.norm(x, name + "2.1.", layer.channels))
            channels = layer.channels
        return x

    def positions(self, x: str, counts: str) -> str:
        """The positional branch, ``(B, T, D)`` to the same."""
        g, c = self.g, self.config
        own = g.op("Cast", self.inside(self.size(x, 1), counts), to=1)
        own = g.op("Unsqueeze", own, g.int64(2))  # (B, T, 1)
        ones = g.constant(np.ones(c.dim))
        for i in range(1, c.pos_depth + 1):
            name = f"{AUDIO}relative_positional_encoder.{i}.0."
            shape = (c.dim, c.dim // c.pos_groups, c.pos_kernel)
            weights = g.weight(name + "weight", shape), g.weight(name + "bias", (c.dim,))
            # The original pads each convolution with zeros at the clip's own end.
            x = g.op("Transpose", g.op("Mul", x, own), perm=[0, 2, 1])
            kernel, pads = [c.pos_kernel], [c.pos_kernel // 2] * 2
            x = g.op("Conv", x, *weights, group=c.pos_groups, kernel_shape=kernel, pads=pads)
            x = g.op("Transpose", x, perm=[0, 2, 1])
            x = self.gelu(g.op("LayerNormalization", x, ones, axis=-1, epsilon=NORM_EPS))
        return x

    def with_extra_tokens(self, x: str) -> str:
        """Learned tokens in front, ``(B, T, D)`` to ``(B, S, D)``."""
        g, c = self.g, self.config
        tokens = g.weight(AUDIO + "extra_tokens", (1, c.extra_tokens, c.dim))
        batch = g.op("Unsqueeze", self.size(x, 0), g.int64(0))
        shape = g.op("Concat", batch, g.int64(1, 1), axis=0)
        return g.op("Concat", g.op("Expand", tokens, shape), x, axis=1)

    def attention_bias(self, x: str, counts: str) -> str:
        """ALiBi and the mask of padding, ``(B, H, S, S)``, added to every block's logits."""
        g, c = self.g, self.config
        tokens = self.size(x, 1)
        zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
        frames = g.op("Range", zero, g.op("Sub", tokens, g.constant(c.extra_tokens, np.int64)), one)
        # Integers: a runtime that rounds to bfloat16 would lose the small distances of large
        # positions (relative error 6e-2 at 30 s).
        rows, columns = g.op("Unsqueeze", frames, g.int64(1)), g.op("Unsqueeze", frames, g.int64(0))
        distance = g.op("Abs", g.op("Sub", rows, columns))  # (T, T)
        # Extra tokens have no place in time.
        distance = g.op("Pad", distance, g.int64(c.extra_tokens, c.extra_tokens, 0, 0), zero)
        slopes = np.array(alibi_slopes(c.heads), np.float32).reshape(-1, 1, 1)

        def falling(scale: Array32) -> Array32:
            return -slopes * np.maximum(scale.reshape(-1, 1, 1), 0)

        slope = g.weight(AUDIO + "alibi_scale", (c.heads, 1, 1), falling)
        alibi = g.op("Mul", g.op("Cast", distance, to=1), slope)  # (H, S, S)
        own = g.op("Add", counts, g.int64(c.extra_tokens))
        key = g.op("Unsqueeze", self.inside(tokens, own), g.int64(1, 2))  # (B, 1, 1, S)
        mask = g.op("Where", key, g.constant(0.0), g.constant(MASKED))
        return g.op("Add", alibi, mask)

    def block(self, x: str, name: str, bias: str) -> str:
        """One post-norm transformer block.

        Args:
            x: name of the input, shape ``(B, S, D)``.
            name: prefix of the block's tensors in the checkpoint, with a dot at its end.
            bias: name of the attention bias, shape ``(B, H, S, S)``.

        Returns:
            Name of the output, shape ``(B, S, D)``.
        """
        g, c = self.g, self.config
        x = g.op("Add", x, self.attention(x, name + "attn.", bias))
        x = self.norm(x, name + "norm1.", c.dim, c.norm_eps)
        inner = self.gelu(self.block_linear(x, name + "mlp.fc1.", c.dim, c.hidden))
        x = g.op("Add", x, self.block_linear(inner, name + "mlp.fc2.", c.hidden, c.dim))
        return self.norm(x, name + "norm2.", c.dim, c.norm_eps)

    def attention(self, x: str, name: str, bias: str) -> str:
        """Multi-head self-attention.

        Args:
            x: name of the input, shape ``(B, S, D)``.
            name: prefix of the attention's tensors in the checkpoint, with a dot at its end.
            bias: name of what is added to the logits, shape ``(B, H, S, S)``.

        Returns:
            Name of the output, shape ``(B, S, D)``.
        """
        g, c = self.g, self.config
        split = g.int64(0, 0, c.heads, c.head_dim)
        query, key, value = (g.op("Reshape", self.third(x, name, i), split) for i in range(3))
        query = g.op("Transpose", query, perm=[0, 2, 1, 3])  # (B, H, S, D / H)
        key = g.op("Transpose", key, perm=[0, 2, 3, 1])  # (B, H, D / H, S)
        value = g.op("Transpose", value, perm=[0, 2, 1, 3])
        logits = g.op("Add", g.op("MatMul", query, key), bias)
        mixed = g.op("MatMul", g.op("Softmax", logits, axis=-1), value)
        mixed = g.op("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = g.op("Reshape", mixed, g.int64(0, 0, c.dim))
        return self.block_linear(mixed, name + "proj.", c.dim, c.dim)

    def third(self, x: str, name: str, i: int) -> str:
        """Queries, keys or values: one third of the original's ``qkv``.

        Args:
            x: name of the input, shape ``(B, S, D)``.
            name: prefix of the attention's tensors in the checkpoint, with a dot at its end.
            i: 0 for queries, 1 for keys, 2 for values.

        Returns:
            Name of the output, shape ``(B, S, D)``.
        """
        c = self.config
        rows = slice(i * c.dim, (i + 1) * c.dim)
        # The 1 / sqrt(D / H) of the logits is carried by the queries.
        scale = np.float32(c.head_dim**-0.5 if i == 0 else 1.0)
        part = "." + "qkv"[i]

        def weight(numbers: Array32) -> Array32:
            return (numbers[rows] * scale).T

        def offset(numbers: Array32) -> Array32:
            return numbers[rows] * scale

        return self.product(x, name + "qkv.", (c.dim, c.dim), weight, offset, part=part)

    # -- what all parts are made of

    def linear(self, x: str, name: str, inputs: int, outputs: int, *, out: str = "") -> str:
        """``x W + b`` over the last axis.

        Args:
            x: name of the input, shape ``(..., inputs)``.
            name: prefix of ``weight`` and ``bias`` in the checkpoint, with a dot at its end.
            inputs: width of the input.
            outputs: width of the output.
            out: name of the output; counted by default.

        Returns:
            Name of the output, shape ``(..., outputs)``.
        """
        g = self.g
        x = g.op("MatMul", x, g.weight(name + "weight", (inputs, outputs), transposed))
        return g.op("Add", x, g.weight(name + "bias", (outputs,)), out=out)

    def block_linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        """``x W + b`` over the last axis, in a block, where a variant may compute it otherwise.

        Args:
            x: name of the input, shape ``(B, S, inputs)``.
            name: prefix of ``weight`` and ``bias`` in the checkpoint, with a dot at its end.
            inputs: width of the input.
            outputs: width of the output.

        Returns:
            Name of the output, shape ``(B, S, outputs)``.
        """
        return self.product(x, name, (inputs, outputs), transposed, as_it_is)

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
        """``x W + b`` in a block, from transformed tensors; variants of the graph override it.

        Args:
            x: name of the input, shape ``(B, S, inputs)``.
            name: prefix of ``weight`` and ``bias`` in the checkpoint, with a dot at its end.
            shape: ``(inputs, outputs)`` of W.
            weight: makes W of the checkpoint's weight.
            bias: makes b of the checkpoint's bias.
            part: tells apart several products made of one tensor; none by default.

        Returns:
            Name of the output, shape ``(B, S, outputs)``.
        """
        g = self.g
        x = g.op("MatMul", x, g.weight(name + "weight", shape, weight, part=part))
        return g.op("Add", x, g.weight(name + "bias", shape[1:], bias, part=part))

    def norm(self, x: str, name: str, size: int, eps: float = NORM_EPS) -> str:
        """LayerNorm over the last axis.

        Args:
            x: name of the input, shape ``(..., size)``.
            name: prefix of ``weight`` and ``bias`` in the checkpoint, with a dot at its end.
            size: width of the last axis.
            eps: added to the variance; PyTorch's default.

        Returns:
            Name of the output, shape ``(..., size)``.
        """
        g = self.g
        weights = g.weight(name + "weight", (size,)), g.weight(name + "bias", (size,))
        return g.op("LayerNormalization", x, *weights, axis=-1, epsilon=eps)

    def gelu(self, x: str) -> str:
        """The exact GELU, in the form that runtimes know how to fuse."""
        g = self.g
        erf = g.op("Erf", g.op("Div", x, g.constant(math.sqrt(2.0))))
        return g.op("Mul", g.op("Mul", x, g.op("Add", erf, g.constant(1.0))), g.constant(0.5))
