"""A folder in the official Emotion2Vec+ layout with random weights, from a seed and NumPy alone.

The weights have the structure of trained ones: attention logits of order one, LayerNorm gains with
a few outlier channels, spread class scores, and ALiBi scales of which some are negative. Names
and shapes are written down a second time here, so that a slip in ``emotion2vec.layout`` shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from parity.torch_zip import write_model_pt

TOKENS = (
    "生气/angry\n厌恶/disgusted\n恐惧/fearful\n开心/happy\n中立/neutral\n"
    "其他/other\n难过/sad\n吃惊/surprised\n<unk>"
)


@dataclass(frozen=True)
class Size:
    dim: int
    heads: int
    prenet_depth: int
    depth: int


SIZES = {
    "large": Size(1024, 16, 4, 8),
    "base": Size(768, 12, 4, 8),
    # Twelve heads of eight: neither number is a power the code could get right by luck.
    "tiny": Size(96, 12, 1, 2),
}


def write_folder(
    folder: Path, size: Size, *, seed: int = 0, prefix: str = "d2v_model.", **options: Any
) -> None:
    """Write ``config.yaml``, ``tokens.txt`` and ``model.pt``; options are ``write_model_pt``'s."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config(size)), "utf-8")
    (folder / "tokens.txt").write_text(TOKENS, "utf-8")
    named = {
        name if name.startswith("proj.") else prefix + name: numbers
        for name, numbers in weights(size, seed).items()
    }
    write_model_pt(folder / "model.pt", named, **options)


def weights(size: Size, seed: int) -> dict[str, np.ndarray]:
    """Every tensor of the network by its plain name, float32."""
    random = np.random.RandomState(seed)
    return {name: _numbers(name, shape, random) for name, shape in _shapes(size)}


def _numbers(name: str, shape: tuple[int, ...], random: np.random.RandomState) -> np.ndarray:
    normal = random.standard_normal(shape)
    fan_in = np.prod(shape[1:])
    if name.endswith("alibi_scale"):
        normal = 0.8 + 0.7 * normal
        normal[0, 0, 0] = -0.5
    elif name.endswith("extra_tokens"):
        pass
    elif name.endswith("bias"):
        normal *= 0.05
    elif len(shape) == 1:  # gains of norms
        normal = np.exp(0.25 * normal)
        normal[random.permutation(shape[0])[: max(1, shape[0] // 200)]] *= 6
    elif len(shape) == 3:
        normal *= (2 / fan_in) ** 0.5
    elif name == "proj.weight":
        normal *= 0.3 / fan_in**0.5
    else:
        normal *= fan_in**-0.5
    return normal.astype(np.float32)


def _shapes(size: Size) -> Iterator[tuple[str, tuple[int, ...]]]:
    audio, dim = "modality_encoders.AUDIO.", size.dim
    yield audio + "extra_tokens", (1, 10, dim)
    yield audio + "alibi_scale", (1, 1, size.heads, 1, 1)
    for i, kernel in enumerate((10, 3, 3, 3, 3, 2, 2)):
        yield f"{audio}local_encoder.conv_layers.{i}.0.weight", (512, 512 if i else 1, kernel)
        yield f"{audio}local_encoder.conv_layers.{i}.2.1.weight", (512,)
        yield f"{audio}local_encoder.conv_layers.{i}.2.1.bias", (512,)
    yield audio + "project_features.1.weight", (512,)
    yield audio + "project_features.1.bias", (512,)
    yield audio + "project_features.2.weight", (dim, 512)
    yield audio + "project_features.2.bias", (dim,)
    for i in range(1, 6):
        yield f"{audio}relative_positional_encoder.{i}.0.weight", (dim, dim // 16, 19)
        yield f"{audio}relative_positional_encoder.{i}.0.bias", (dim,)
    yield audio + "context_encoder.norm.weight", (dim,)
    yield audio + "context_encoder.norm.bias", (dim,)
    blocks = [f"{audio}context_encoder.blocks.{i}." for i in range(size.prenet_depth)]
    for block in blocks + [f"blocks.{i}." for i in range(size.depth)]:
        for layer, outputs, inputs in (
            ("attn.qkv.", 3 * dim, dim),
            ("attn.proj.", dim, dim),
            ("mlp.fc1.", 4 * dim, dim),
            ("mlp.fc2.", dim, 4 * dim),
        ):
            yield block + layer + "weight", (outputs, inputs)
            yield block + layer + "bias", (outputs,)
        for layer in ("norm1.", "norm2."):
            yield block + layer + "weight", (dim,)
            yield block + layer + "bias", (dim,)
    yield "proj.weight", (9, dim)
    yield "proj.bias", (9,)


def config(size: Size) -> dict[str, Any]:
    """What FunASR reads of ``config.yaml``; the published file has more, which it does not."""
    audio = {
        "type": "AUDIO", "prenet_depth": size.prenet_depth, "prenet_layerdrop": 0.0,
        "prenet_dropout": 0.1, "start_drop_path_rate": 0.0, "end_drop_path_rate": 0.0,
        "num_extra_tokens": 10, "init_extra_token_zero": True, "use_alibi_encoder": True,
        "alibi_max_pos": None, "alibi_scale": 1.0, "num_alibi_heads": size.heads,
        "learned_alibi": False, "learned_alibi_scale": True, "learned_alibi_scale_per_head": True,
        "learned_alibi_scale_per_layer": False, "model_depth": size.depth, "local_grad_mult": 1.0,
        "extractor_mode": "layer_norm", "conv_pos_width": 95, "conv_pos_depth": 5,
        "conv_pos_groups": 16, "conv_pos_pre_ln": False, "decoder": None,
        "feature_encoder_spec": "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)] + [(512,2,2)]",
    }  # fmt: skip
    network = {
        "depth": size.depth, "embed_dim": size.dim, "num_heads": size.heads, "mlp_ratio": 4.0,
        "norm_eps": 1e-5, "norm_affine": True, "layer_norm_first": False, "normalize": True,
        "encoder_dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.0,
        "post_mlp_drop": 0.1, "dropout_input": 0.0, "layerdrop": 0.0, "end_of_block_targets": False,
        "start_drop_path_rate": 0.0, "end_drop_path_rate": 0.0, "average_top_k_layers": 16,
        "loss_beta": 0.0, "loss_scale": None, "clone_batch": 12, "modalities": {"audio": audio},
    }  # fmt: skip
    return {
        "model": "Emotion2vec",
        "model_conf": network,
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
        "scope_map": ["d2v_model.", "none"],
    }
