"""Tensor layout of the network: official names and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emoscope.emotion2vec.config import NetworkConfig
from emoscope.errors import CheckpointError
from emoscope.labels import COUNT
from emoscope.messages.reasons import reason

AUDIO = "modality_encoders.AUDIO."
PREFIXES = ("module.", "d2v_model.")
"""Put in front of the names by some files and not by others."""

_UNNEEDED = (
    AUDIO + "decoder.",
    "modality_encoders.IMAGE.",
    "modality_encoders.TEXT.",
    "shared_decoder.",
    "ema.",
    "_ema",
)
"""Beginnings of names that only training used."""

Shape = tuple[int, ...]


def block_names(config: NetworkConfig) -> list[str]:
    """Beginnings of the names of all blocks, in the order in which they run."""
    prenet = [f"{AUDIO}context_encoder.blocks.{i}." for i in range(config.prenet_depth)]
    return prenet + [f"blocks.{i}." for i in range(config.depth)]


def expected(config: NetworkConfig) -> dict[str, Shape]:
    """Every tensor that the network needs, without prefix, and its shape."""
    return dict(_expected(config))


def match(shapes: Mapping[str, Shape], config: NetworkConfig, *, file: str) -> dict[str, str]:
    """Find the network's tensors among those of a file.

    Args:
        shapes: what the file holds, by its own names.
        config: what the network looks like.
        file: what errors call the file.

    Returns:
        For each name of ``expected``, the name in the file.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape; it names them.
    """
    wanted = expected(config)
    found: dict[str, str] = {}
    unexpected = []
    for name in shapes:
        plain = _plain(name)
        if plain in wanted and plain not in found:
            found[plain] = name
        elif not plain.startswith(_UNNEEDED):
            unexpected.append(name)
    missing = [name for name in wanted if name not in found]
    misshaped = [
        f"{name} {shapes[found[name]]} != {shape}"
        for name, shape in wanted.items()
        if name in found and shapes[found[name]] != shape
    ]
    _complain(missing, unexpected, misshaped, file)
    return found


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _complain(missing: list[str], unexpected: list[str], misshaped: list[str], file: str) -> None:
    groups = (
        ("tensors_missing", missing),
        ("tensors_unexpected", unexpected),
        ("tensors_misshaped", misshaped),
    )
    found = [reason(key, names=_few(names)) for key, names in groups if names]
    if found:
        raise CheckpointError(
            "checkpoint_tensors",
            file=file,
            reason_zh="；".join(one["reason_zh"] for one in found),
            reason_en="; ".join(one["reason_en"] for one in found),
        )


def _few(names: list[str], most: int = 5) -> str:
    more = f", … ({len(names)})" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _expected(config: NetworkConfig) -> Iterator[tuple[str, Shape]]:
    channels = 1
    for i, layer in enumerate(config.convs):
        name = f"{AUDIO}local_encoder.conv_layers.{i}."
        yield name + "0.weight", (layer.channels, channels, layer.kernel)
        yield from _norm(name + "2.1.", layer.channels)
        channels = layer.channels
    yield from _norm(AUDIO + "project_features.1.", channels)
    yield from _linear(AUDIO + "project_features.2.", channels, config.dim)
    for i in range(1, config.pos_depth + 1):
        name = f"{AUDIO}relative_positional_encoder.{i}.0."
        yield name + "weight", (config.dim, config.dim // config.pos_groups, config.pos_kernel)
        yield name + "bias", (config.dim,)
    if config.extra_tokens:
        yield AUDIO + "extra_tokens", (1, config.extra_tokens, config.dim)
    yield AUDIO + "alibi_scale", (1, 1, config.alibi_scales, 1, 1)
    yield from _norm(AUDIO + "context_encoder.norm.", config.dim)
    for name in block_names(config):
        yield from _norm(name + "norm1.", config.dim)
        yield from _linear(name + "attn.qkv.", config.dim, 3 * config.dim)
        yield from _linear(name + "attn.proj.", config.dim, config.dim)
        yield from _norm(name + "norm2.", config.dim)
        yield from _linear(name + "mlp.fc1.", config.dim, config.hidden)
        yield from _linear(name + "mlp.fc2.", config.hidden, config.dim)
    yield from _linear("proj.", config.dim, COUNT)


def _norm(name: str, dim: int) -> Iterator[tuple[str, Shape]]:
    yield name + "weight", (dim,)
    yield name + "bias", (dim,)


def _linear(name: str, inputs: int, outputs: int) -> Iterator[tuple[str, Shape]]:
    yield name + "weight", (outputs, inputs)
    yield name + "bias", (outputs,)
