"""The encoder of OpenAI Whisper base: its weights from a file, and its forward pass in torch.

Two file formats are read: the float16 file of CTranslate2 (`model.bin`, or its two parts) and
`model.safetensors` of the Hugging Face repository `openai/whisper-base`. Whatever the source, one
sha256 over the encoder's tensors in float16 must match, so every run starts from the same numbers.

Two things differ from Whisper: only the first layers are kept, and a frame attends to frames at
most `reach` away in each layer, so that what is heard far away cannot change it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 512
HEADS = 8
LAYERS = 6
MELS = 80
POSITIONS = 1500
"""Frames (30 s) for which Whisper has positions; longer sound begins again at position 0."""

TENSORS_SHA256 = "a598a1336a6cf5168fb344f85b89d3572f2eaa6f670303f52b3c945f41f4378c"
"""Of all encoder tensors in float16; see `tensors_sha256`."""

_CT2_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_SAFETENSORS_TYPES = {"F32": "<f4", "F16": "<f2"}

Tensors = dict[str, np.ndarray]


class EncoderFileError(ValueError):
    """The file is not the encoder of Whisper base."""


def read_encoder(path: Path) -> Tensors:
    """Read the encoder's tensors as float16 and check them against `TENSORS_SHA256`.

    Args:
        path: a `model.safetensors`, a CTranslate2 `model.bin`, or a folder that holds one of
            them or the two parts of a `model.bin` (any names that sort in order).

    Returns:
        Arrays by CTranslate2's names without the leading `encoder/`.

    Raises:
        EncoderFileError: the tensors are not those of Whisper base.
    """
    content = _content(path)
    tensors = _from_safetensors(content) if content[8:9] == b"{" else _from_ctranslate2(content)
    found = tensors_sha256(tensors)
    if found != TENSORS_SHA256:
        raise EncoderFileError(f"{path}: encoder tensors have sha256 {found}, not {TENSORS_SHA256}")
    return tensors


def tensors_sha256(tensors: Tensors) -> str:
    """Sha256 over name, shape and float16 bytes of every tensor, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], dtype="<f2")
        digest.update(f"{name} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    if path.is_file():
        return path.read_bytes()
    for name in ("model.safetensors", "model.bin"):
        if (path / name).is_file():
            return (path / name).read_bytes()
    parts = sorted(part for part in path.rglob("*.part*") if part.is_file())
    if not parts:
        raise EncoderFileError(f"{path}: neither model.safetensors nor model.bin nor its parts")
    return b"".join(part.read_bytes() for part in parts)


def _from_ctranslate2(content: bytes) -> Tensors:
    """Read version 6 of CTranslate2's binary format; only names that begin with `encoder/`."""
    at = 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, content, at)
        at += struct.calcsize("<" + form)
        return int(value)

    def text() -> str:
        nonlocal at
        size = take("H")
        value = content[at : at + size].rstrip(b"\0").decode()
        at += size
        return value

    version = take("I")
    if version != 6:
        raise EncoderFileError(f"CTranslate2 file version {version}, expected 6")
    text()  # name of the specification
    take("I")  # its revision
    tensors: Tensors = {}
    for _ in range(take("I")):
        name = text()
        shape = tuple(take("I") for _ in range(take("B")))
        kind = _CT2_TYPES[take("B")]
        size = take("I")
        if name.startswith("encoder/") and len(shape) > 0:
            values = np.frombuffer(content[at : at + size], kind).reshape(shape)
            tensors[name.removeprefix("encoder/")] = values.astype("<f2")
        at += size
    return tensors


def _from_safetensors(content: bytes) -> Tensors:
    """Read Hugging Face's tensors under CTranslate2's names (q, k and v stacked)."""
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + size])

    def tensor(name: str) -> np.ndarray:
        entry = header[f"model.encoder.{name}"]
        first, last = entry["data_offsets"]
        values = np.frombuffer(
            content[8 + size + first : 8 + size + last], _SAFETENSORS_TYPES[entry["dtype"]]
        )
        return values.reshape(entry["shape"]).astype("<f2")

    tensors = {"position_encodings/encodings": tensor("embed_positions.weight")}
    pairs = {"conv1": "conv1", "conv2": "conv2"}
    norms = {"layer_norm": "layer_norm"}
    for layer in range(LAYERS):
        here, there = f"layer_{layer}", f"layers.{layer}"
        norms[f"{here}/self_attention/layer_norm"] = f"{there}.self_attn_layer_norm"
        norms[f"{here}/ffn/layer_norm"] = f"{there}.final_layer_norm"
        pairs[f"{here}/self_attention/linear_1"] = f"{there}.self_attn.out_proj"
        pairs[f"{here}/ffn/linear_0"] = f"{there}.fc1"
        pairs[f"{here}/ffn/linear_1"] = f"{there}.fc2"
        own = f"{there}.self_attn"
        q, v = tensor(f"{own}.q_proj.bias"), tensor(f"{own}.v_proj.bias")
        stacked = f"{here}/self_attention/linear_0"
        tensors[f"{stacked}/weight"] = np.concatenate(
            [tensor(f"{own}.{part}_proj.weight") for part in "qkv"]
        )
        tensors[f"{stacked}/bias"] = np.concatenate([q, np.zeros_like(q), v])
    for ours, theirs in pairs.items():
        tensors[f"{ours}/weight"] = tensor(f"{theirs}.weight")
        tensors[f"{ours}/bias"] = tensor(f"{theirs}.bias")
    for ours, theirs in norms.items():
        tensors[f"{ours}/gamma"] = tensor(f"{theirs}.weight")
        tensors[f"{ours}/beta"] = tensor(f"{theirs}.bias")
    return tensors


@dataclass(frozen=True)
class EncoderShape:
    """What is kept of the encoder."""

    layers: int = 4
    reach: int = 50
    """Frames (20 ms) on each side to which a frame attends in one layer."""


def band_attention(q: Tensor, k: Tensor, v: Tensor, valid: Tensor, reach: int) -> Tensor:
    """Attention of every frame to the frames at most `reach` away, linear in time and memory.

    Queries are cut into blocks of `reach` frames; a block sees itself and both neighbours, and a
    mask takes away what is too far.

    Args:
        q: queries `(B, T, H, d)`.
        k: keys, likewise.
        v: values, likewise.
        valid: `(B, T)`, 1 for the clip's own frames, 0 past its end.
        reach: frames on each side.

    Returns:
        `(B, T, H, d)`.
    """
    batch, frames, heads, depth = q.shape
    blocks = frames // reach + 1
    rows = blocks * reach
    tail = torch.zeros_like(q[:, :1]).expand(batch, reach, heads, depth)
    query = torch.cat([q, tail], dim=1)[:, :rows].reshape(batch, blocks, reach, heads, depth)

    def beside(x: Tensor) -> Tensor:
        """`(B, T, ...)` to `(B, blocks, 3 · reach, ...)`."""
        zeros = torch.zeros_like(x[:, :1]).repeat(1, reach, *[1] * (x.ndim - 2))
        padded = torch.cat([zeros, x, zeros, zeros], dim=1)
        pieces = [
            padded[:, at * reach : at * reach + rows].reshape(batch, blocks, reach, *x.shape[2:])
            for at in range(3)
        ]
        return torch.cat(pieces, dim=2)

    scores = torch.einsum("bnqhd,bnkhd->bnhqk", query * depth**-0.5, beside(k))
    step = torch.arange(3 * reach)[None, :] - torch.arange(reach)[:, None] - reach
    near = (step.abs() <= reach).to(q.dtype).to(q.device)
    allowed = near[None, None, None] * beside(valid)[:, :, None, None, :]
    weights = torch.softmax(scores.float() - 1e4 * (1.0 - allowed.float()), dim=-1).to(v.dtype)
    mixed = torch.einsum("bnhqk,bnkhd->bnqhd", weights, beside(v))
    return mixed.reshape(batch, rows, heads, depth)[:, :frames]


class Layer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.ffn_norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """`x` `(B, T, 512)`, `valid` `(B, T)`."""
        batch, frames, _ = x.shape
        qkv = self.qkv(self.attention_norm(x)).reshape(batch, frames, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.unbind(2)
        mixed = band_attention(q, k, v, valid.to(q.dtype), self.reach)
        x = x + self.out(mixed.reshape(batch, frames, WIDTH))
        return x + self.down(functional.gelu(self.up(self.ffn_norm(x))))


class Encoder(nn.Module):
    """Log-mel frames to one vector of each layer every 20 ms."""

    positions: Tensor

    def __init__(self, shape: EncoderShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or EncoderShape()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(POSITIONS, WIDTH))
        self.layers = nn.ModuleList(Layer(shape.reach) for _ in range(shape.layers))

    def stem(self, mel: Tensor, mel_valid: Tensor, offset: int = 0) -> Tensor:
        """Both convolutions and the positions: `(B, S, 80)` to `(B, T, 512)`.

        Args:
            mel: zero past a clip's end.
            mel_valid: `(B, S)`, 1 for own frames: what a convolution writes past the end is wiped.
            offset: position of the first frame; training draws it, the shipped model begins at 0.
        """
        x = functional.gelu(self.conv1(mel.transpose(1, 2))) * mel_valid[:, None]
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        places = (torch.arange(x.shape[1], device=x.device) + offset) % POSITIONS
        return x + self.positions[places]

    def forward(self, mel: Tensor, mel_valid: Tensor, offset: int = 0) -> list[Tensor]:
        """Output of every layer, `layers` tensors `(B, T, 512)`; rows past the end mean nothing."""
        x = self.stem(mel, mel_valid, offset)
        valid = mel_valid[:, ::2]
        outputs = []
        for layer in self.layers:
            x = layer(x, valid)
            outputs.append(x)
        return outputs

    def load(self, tensors: Tensors) -> Encoder:
        """Take the weights that `read_encoder` gave; returns itself."""

        def put(target: nn.Module, name: str, weight: str = "weight", bias: str = "bias") -> None:
            for parameter, part in ((target.weight, weight), (target.bias, bias)):
                values = torch.from_numpy(tensors[f"{name}/{part}"].astype(np.float32))
                parameter.data.copy_(values)  # type: ignore[operator,union-attr]

        put(self.conv1, "conv1")
        put(self.conv2, "conv2")
        encodings = tensors["position_encodings/encodings"].astype(np.float32)
        self.positions.copy_(torch.from_numpy(encodings))
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            attention, ffn = f"layer_{number}/self_attention", f"layer_{number}/ffn"
            put(layer.attention_norm, f"{attention}/layer_norm", "gamma", "beta")
            put(layer.qkv, f"{attention}/linear_0")
            put(layer.out, f"{attention}/linear_1")
            put(layer.ffn_norm, f"{ffn}/layer_norm", "gamma", "beta")
            put(layer.up, f"{ffn}/linear_0")
            put(layer.down, f"{ffn}/linear_1")
        return self
