"""Whisper's encoder: the reader of its file, its forward pass against plain numpy, its bounds."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")

import whisper_encoder as we  # noqa: E402


def fake_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Tensors of the right names and shapes with small random numbers, float16."""
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "conv1/weight": (512, 80, 3),
        "conv1/bias": (512,),
        "conv2/weight": (512, 512, 3),
        "conv2/bias": (512,),
        "position_encodings/encodings": (1500, 512),
        "layer_norm/gamma": (512,),
        "layer_norm/beta": (512,),
    }
    for layer in range(6):
        for part in ("self_attention", "ffn"):
            shapes[f"layer_{layer}/{part}/layer_norm/gamma"] = (512,)
            shapes[f"layer_{layer}/{part}/layer_norm/beta"] = (512,)
        for name, rows, columns in (
            ("self_attention/linear_0", 1536, 512),
            ("self_attention/linear_1", 512, 512),
            ("ffn/linear_0", 2048, 512),
            ("ffn/linear_1", 512, 2048),
        ):
            shapes[f"layer_{layer}/{name}/weight"] = (rows, columns)
            shapes[f"layer_{layer}/{name}/bias"] = (rows,)
    made = {
        name: (random.standard_normal(shape) * 0.05).astype("<f2") for name, shape in shapes.items()
    }
    for name in made:
        if name.endswith("gamma"):
            made[name] += np.float16(1.0)
        if name.endswith("self_attention/linear_0/bias"):
            made[name][512:1024] = 0  # keys have no bias
    return made


def as_ctranslate2(tensors: dict[str, np.ndarray]) -> bytes:
    """The bytes of CTranslate2's file, with a tensor of the decoder that must be passed over."""

    def text(value: str) -> bytes:
        content = value.encode() + b"\0"
        return struct.pack("<H", len(content)) + content

    parts = [struct.pack("<I", 6), text("WhisperSpec"), struct.pack("<I", 3)]
    named = {"decoder/x": np.ones((2, 2), "<f4")} | {f"encoder/{k}": v for k, v in tensors.items()}
    parts.append(struct.pack("<I", len(named)))
    for name, values in named.items():
        kind = {"f": {4: 0, 2: 4}}[values.dtype.kind][values.dtype.itemsize]
        parts += [text(name), struct.pack("<B", values.ndim)]
        parts += [struct.pack("<I", size) for size in values.shape]
        parts += [struct.pack("<BI", kind, values.nbytes), values.tobytes()]
    return b"".join(parts)


def as_safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """The same tensors under the names of `openai/whisper-base`, in float32."""
    theirs = {"embed_positions.weight": tensors["position_encodings/encodings"]}
    for conv in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            theirs[f"{conv}.{part}"] = tensors[f"{conv}/{part}"]
    theirs["layer_norm.weight"] = tensors["layer_norm/gamma"]
    theirs["layer_norm.bias"] = tensors["layer_norm/beta"]
    for layer in range(6):
        ours, name = f"layer_{layer}", f"layers.{layer}"
        stacked = f"{ours}/self_attention/linear_0"
        for at, part in enumerate("qkv"):
            rows = slice(512 * at, 512 * at + 512)
            theirs[f"{name}.self_attn.{part}_proj.weight"] = tensors[f"{stacked}/weight"][rows]
            if part != "k":
                theirs[f"{name}.self_attn.{part}_proj.bias"] = tensors[f"{stacked}/bias"][rows]
        for mine, yours in (
            ("self_attention/linear_1", "self_attn.out_proj"),
            ("ffn/linear_0", "fc1"),
            ("ffn/linear_1", "fc2"),
        ):
            for part in ("weight", "bias"):
                theirs[f"{name}.{yours}.{part}"] = tensors[f"{ours}/{mine}/{part}"]
        for mine, yours in (
            ("self_attention", "self_attn_layer_norm"),
            ("ffn", "final_layer_norm"),
        ):
            theirs[f"{name}.{yours}.weight"] = tensors[f"{ours}/{mine}/layer_norm/gamma"]
            theirs[f"{name}.{yours}.bias"] = tensors[f"{ours}/{mine}/layer_norm/beta"]
    header, content, at = {}, [], 0
    for name, values in theirs.items():
        values = values.astype("<f4")
        header[f"model.encoder.{name}"] = {
            "dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]
        }  # fmt: skip
        content.append(values.tobytes())
        at += values.nbytes
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + b"".join(content)


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return fake_tensors()


@pytest.mark.parametrize("form", ["one file", "folder", "two parts", "safetensors"])
def test_every_source_gives_the_same_tensors(tmp_path, monkeypatch, tensors, form) -> None:
    content = as_safetensors(tensors) if form == "safetensors" else as_ctranslate2(tensors)
    path = tmp_path / ("model.safetensors" if form == "safetensors" else "model.bin")
    if form == "two parts":
        (tmp_path / "one").mkdir()
        (tmp_path / "one" / "model.bin.part1").write_bytes(content[:1000])
        (tmp_path / "one" / "model.bin.part2").write_bytes(content[1000:])
    else:
        path.write_bytes(content)
    monkeypatch.setattr(we, "TENSORS_SHA256", we.tensors_sha256(tensors))

    found = we.read_encoder(tmp_path if form in ("folder", "two parts") else path)

    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_other_tensors_are_refused(tmp_path, tensors) -> None:
    (tmp_path / "model.bin").write_bytes(as_ctranslate2(tensors))

    with pytest.raises(we.EncoderFileError, match="sha256"):
        we.read_encoder(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path) -> None:
    with pytest.raises(we.EncoderFileError, match=r"neither model\.safetensors nor model\.bin"):
        we.read_encoder(tmp_path)


def numpy_forward(tensors: dict[str, np.ndarray], mel: np.ndarray, layers: int) -> np.ndarray:
    """The encoder without torch: `mel` `(S, 80)` to `(T, 512)`, every frame sees every other."""
    t = {name: values.astype(np.float64) for name, values in tensors.items()}
    erf = np.vectorize(math.erf)

    def gelu(x):
        return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))

    def conv(x, name, stride):
        padded = np.pad(x, ((1, 1), (0, 0)))
        rows = range(0, len(x), stride)
        weight, bias = t[f"{name}/weight"], t[f"{name}/bias"]
        return np.stack([np.einsum("kc,ock->o", padded[at : at + 3], weight) + bias for at in rows])

    def norm(x, name):
        mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-5) * t[f"{name}/gamma"] + t[f"{name}/beta"]

    def linear(x, name):
        return x @ t[f"{name}/weight"].T + t[f"{name}/bias"]

    x = gelu(conv(gelu(conv(mel.astype(np.float64), "conv1", 1)), "conv2", 2))
    x = x + t["position_encodings/encodings"][: len(x)]
    for number in range(layers):
        name = f"layer_{number}"
        q, k, v = np.split(
            linear(norm(x, f"{name}/self_attention/layer_norm"), f"{name}/self_attention/linear_0"),
            3,
            axis=1,
        )
        heads = []
        for head in range(8):
            own = slice(64 * head, 64 * head + 64)
            scores = q[:, own] @ k[:, own].T / 8.0
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(weights / weights.sum(axis=1, keepdims=True) @ v[:, own])
        x = x + linear(np.concatenate(heads, axis=1), f"{name}/self_attention/linear_1")
        inner = gelu(linear(norm(x, f"{name}/ffn/layer_norm"), f"{name}/ffn/linear_0"))
        x = x + linear(inner, f"{name}/ffn/linear_1")
    return x


def test_forward_pass_equals_numpy(tensors) -> None:
    mel = np.random.default_rng(1).standard_normal((41, 80)).astype(np.float32)
    encoder = we.Encoder(we.EncoderShape(layers=2, reach=64)).load(tensors).eval()

    with torch.inference_mode():
        found = encoder(torch.from_numpy(mel)[None], torch.ones(1, 41))[-1][0].numpy()

    np.testing.assert_allclose(found, numpy_forward(tensors, mel, 2), rtol=0, atol=2e-4)


@pytest.mark.parametrize("frames", [1, 4, 5, 6, 23])
@pytest.mark.parametrize("reach", [1, 5, 40])
def test_band_attention_equals_a_dense_mask(frames, reach) -> None:
    generator = torch.Generator().manual_seed(frames)
    q, k, v = torch.randn(3, 2, frames, 8, 64, generator=generator).unbind(0)
    valid = torch.ones(2, frames)
    valid[1, max(1, frames // 2) :] = 0.0

    found = we.band_attention(q, k, v, valid, reach)

    at = torch.arange(frames)
    allowed = ((at[:, None] - at[None]).abs() <= reach)[None] & (valid[:, None] > 0)
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / 8.0
    scores = scores.masked_fill(~allowed[:, None], -1e9)
    wanted = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v)
    own = valid.bool() & allowed.any(-1)
    torch.testing.assert_close(found[own], wanted[own], rtol=0, atol=1e-5)


def test_a_frame_does_not_hear_beyond_its_reach(tensors) -> None:
    encoder = we.Encoder(we.EncoderShape(layers=2, reach=5)).load(tensors).eval()
    mel = torch.randn(1, 120, 80, generator=torch.Generator().manual_seed(0))
    other = mel.clone()
    other[:, 80:] = torch.randn(1, 40, 80, generator=torch.Generator().manual_seed(1))

    with torch.inference_mode():
        one, two = (encoder(x, torch.ones(1, 120))[-1] for x in (mel, other))

    # Two layers of five frames, and two frames of the convolutions.
    assert torch.equal(one[0, : 40 - 12], two[0, : 40 - 12])
    assert not torch.allclose(one[0, 40:], two[0, 40:])
