"""Network configuration, read from the official ``config.yaml``.

Of some two hundred settings, most only mattered for training. Those that shape inference are read;
those that would ask for another network than ``graph`` builds are refused by name, so that a
changed model never gives quietly wrong answers.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from pathlib import Path
from typing import Any

from emoscope.errors import ModelInvalidError, ModelMissingError
from emoscope.messages.reasons import reason
from emoscope.models.sources import CONFIG
from emoscope.optional import require
from emoscope.waveform import FRAME, HOP

MAX_CONFIG_BYTES = 100_000

_FIXED: dict[str, object] = {
    "model": "Emotion2vec",
    "model_conf.layer_norm_first": False,
    "model_conf.norm_affine": True,
    "model_conf.normalize": True,
    "model_conf.modalities.audio.type": "AUDIO",
    "model_conf.modalities.audio.extractor_mode": "layer_norm",
    "model_conf.modalities.audio.use_alibi_encoder": True,
    "model_conf.modalities.audio.learned_alibi": False,
    "model_conf.modalities.audio.learned_alibi_scale_per_layer": False,
    "model_conf.modalities.audio.conv_pos_pre_ln": False,
}
"""Settings of which one value is built."""

_AUDIO = "model_conf.modalities.audio."
_MAX_LAYERS = 64


@dataclass(frozen=True, slots=True)
class ConvLayer:
    """One convolution of the front end, without bias and padding."""

    channels: int
    kernel: int
    stride: int
    """Kernel and stride in steps of the layer below."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Sizes and switches that shape the network."""

    dim: int
    """D, numbers per frame."""
    heads: int
    prenet_depth: int
    """Blocks inside the audio encoder; they come first."""
    depth: int
    """Blocks after it."""
    hidden: int
    """Numbers inside a block's MLP."""
    norm_eps: float
    """Added to the variance in the blocks' norms; all other norms use 1e-5."""
    convs: tuple[ConvLayer, ...]
    pos_depth: int
    """Positional convolutions."""
    pos_kernel: int
    pos_groups: int
    extra_tokens: int
    alibi_scales: int
    """Learned scales of the ALiBi bias: one per head, or one."""

    @property
    def head_dim(self) -> int:
        """Numbers per head."""
        return self.dim // self.heads

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return prod(layer.stride for layer in self.convs)

    @property
    def field(self) -> int:
        """Samples under one frame."""
        strides = accumulate((layer.stride for layer in self.convs), mul, initial=1)
        return 1 + sum(
            (layer.kernel - 1) * step for layer, step in zip(self.convs, strides, strict=False)
        )


def read_config(path: Path) -> NetworkConfig:
    """Read ``config.yaml``.

    Raises:
        ModelMissingError: there is no such file.
        ModelInvalidError: a setting is missing, malformed, or asks for another network.
        ExtraMissingError: PyYAML is not installed.
    """
    yaml = require("yaml", extra="convert")
    if not path.is_file():
        raise ModelMissingError("model_file_missing", file=path.name)
    try:
        with path.open("rb") as file:
            # safe_load builds plain values only.
            content = yaml.safe_load(file.read(MAX_CONFIG_BYTES))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        raise ModelInvalidError(
            "model_config",
            setting=CONFIG,
            **reason("not_yaml"),
        ) from exc
    return parse_config(content)


def parse_config(content: object) -> NetworkConfig:
    """Read the parsed content of a ``config.yaml``; raises like ``read_config``."""
    settings = _Settings(content)
    for name, value in _FIXED.items():
        settings.expect(name, value)
    config = _network(settings)
    _check(config, settings)
    return config


def parse_convs(spec: str) -> tuple[ConvLayer, ...]:
    """Read ``feature_encoder_spec``, a Python expression such as ``[(512, 3, 2)] * 4``.

    Only lists and tuples of integers, ``+`` and ``*`` are understood; nothing is evaluated.

    Raises:
        ValueError: it holds anything else.
    """
    if len(spec) > 1000:
        raise ValueError("too long")
    layers = _literal(ast.parse(spec.strip(), mode="eval").body)
    if not isinstance(layers, list) or not layers:
        raise ValueError("no list of layers")
    for layer in layers:
        if not isinstance(layer, tuple) or len(layer) != 3:
            raise ValueError(f"{layer} is no (channels, kernel, stride)")
        if not all(type(number) is int and 1 <= number <= 65536 for number in layer):
            raise ValueError(f"{layer} is out of range")
    return tuple(ConvLayer(*layer) for layer in layers)


def _literal(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.List(elts=items):
            return [_literal(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_literal(item) for item in items)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined(_literal(left), _literal(right))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _repeated(_literal(left), _literal(right))
    raise ValueError(f"{type(node).__name__} is not understood")


def _joined(left: Any, right: Any) -> list[Any]:
    if not isinstance(left, list) or not isinstance(right, list):
        raise ValueError("+ joins lists")
    return _bounded(left, 1) + _bounded(right, 1)


def _repeated(left: Any, right: Any) -> list[Any]:
    items, times = (right, left) if isinstance(left, int) else (left, right)
    if not isinstance(items, list) or type(times) is not int:
        raise ValueError("* repeats a list")
    return _bounded(items, times) * times


def _bounded(items: list[Any], times: int) -> list[Any]:
    if len(items) * times > _MAX_LAYERS:
        raise ValueError("too many layers")
    return items


class _Settings:
    """The parsed file, read by dotted names."""

    def __init__(self, content: object) -> None:
        self._content = content

    def get(self, name: str) -> Any:
        value: Any = self._content
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                raise _unsupported(name, "missing")
            value = value[part]
        return value

    def expect(self, name: str, value: object) -> None:
        found = self.get(name)
        if found != value or type(found) is not type(value):
            raise _unsupported(name, "other_value", found=found, expected=value)

    def integer(self, name: str, *, least: int = 1, most: int = 65536) -> int:
        found = self.get(name)
        if type(found) is not int or not least <= found <= most:
            raise _unsupported(name, "not_integer", found=found, least=least, most=most)
        return found

    def number(self, name: str) -> float:
        found = self.get(name)
        if type(found) not in (int, float) or not 0 < found < 1000:
            raise _unsupported(name, "not_positive", found=found)
        return float(found)


def _unsupported(setting: str, why: str, **data: object) -> ModelInvalidError:
    return ModelInvalidError("model_config", setting=setting, **reason(why, **data))


def _network(settings: _Settings) -> NetworkConfig:
    spec = settings.get(_AUDIO + "feature_encoder_spec")
    try:
        convs = parse_convs(str(spec))
    except (ValueError, SyntaxError, RecursionError, MemoryError) as exc:
        raise _unsupported(
            _AUDIO + "feature_encoder_spec", "not_parsed", found=spec, reason=exc
        ) from exc
    dim = settings.integer("model_conf.embed_dim")
    heads = settings.integer("model_conf.num_heads")
    pos_depth = settings.integer(_AUDIO + "conv_pos_depth", most=_MAX_LAYERS)
    per_head = bool(settings.get(_AUDIO + "learned_alibi_scale_per_head"))
    return NetworkConfig(
        dim=dim,
        heads=heads,
        prenet_depth=settings.integer(_AUDIO + "prenet_depth", least=0, most=_MAX_LAYERS),
        depth=settings.integer("model_conf.depth", least=0, most=_MAX_LAYERS),
        hidden=int(dim * settings.number("model_conf.mlp_ratio")),
        norm_eps=settings.number("model_conf.norm_eps"),
        convs=convs,
        pos_depth=pos_depth,
        # The original's own rule: the width is that of all layers together.
        pos_kernel=max(3, settings.integer(_AUDIO + "conv_pos_width") // pos_depth),
        pos_groups=settings.integer(_AUDIO + "conv_pos_groups"),
        extra_tokens=settings.integer(_AUDIO + "num_extra_tokens", least=0),
        alibi_scales=heads if per_head else 1,
    )


def _check(config: NetworkConfig, settings: _Settings) -> None:
    """Refuse numbers that do not fit each other or the model contract."""
    settings.expect(_AUDIO + "num_alibi_heads", config.heads)
    if config.dim % config.heads:
        raise _unsupported("model_conf.num_heads", "not_divisor")
    if config.dim % config.pos_groups:
        raise _unsupported(_AUDIO + "conv_pos_groups", "not_divisor")
    if config.pos_kernel % 2 == 0:
        raise _unsupported(_AUDIO + "conv_pos_width", "even_kernel")
    if (config.hop, config.field) != (HOP, FRAME):
        raise _unsupported(
            _AUDIO + "feature_encoder_spec",
            "frames",
            hop=config.hop,
            frame=config.field,
            expected_hop=HOP,
            expected_frame=FRAME,
        )
