"""Text classification models in ONNX, from a folder in the layout of Hugging Face.

Needed files: ``config.json`` with ``id2label``, ``tokenizer.json``, and ``model.onnx`` in the
folder or in its ``onnx`` folder. Nothing is downloaded, and no code of the folder runs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np

from emoscope.errors import ModelInvalidError, ModelMissingError, RequestError
from emoscope.fusion.words import LabelMap, LabelTable, WordScores
from emoscope.optional import require
from emoscope.paths.access import opened
from emoscope.results.scores import softmax
from emoscope.telemetry import load_onnxruntime
from emoscope.waveform import Array64

MODEL_PLACES = (
    "model.onnx",
    "onnx/model.onnx",
    "onnx/model_quantized.onnx",
    "model_quantized.onnx",
)
"""Where the network may lie, best first."""
_EXTRA = "text"
_TOKENS_MAX = 512
"""Tokens of one chunk at most, where the model says more or nothing."""
_CHUNKS_MAX = 64
"""Chunks of one text at most: about 32,000 tokens, an hour of speech."""
_CONFIG_BYTES = 8 << 20
_FEEDS = ("input_ids", "attention_mask", "token_type_ids")


class _Encoding(Protocol):
    ids: list[int]
    attention_mask: list[int]
    type_ids: list[int]
    overflowing: list[Any]


class TextModel:
    """A text model that gives scores of emotions.

    Args:
        folder: where its files lie.
        label_map: emotions of its labels, where their words do not say it.

    Raises:
        ExtraMissingError: the extra ``text`` is not installed.
        ModelMissingError: a file is not there.
        ModelInvalidError: a file cannot be read, or the network is no text classifier.
        ListError: a label means none of the nine emotions.
    """

    def __init__(self, folder: str | os.PathLike[str], label_map: LabelMap | None = None) -> None:
        tokenizers = require("tokenizers", extra=_EXTRA)
        self.folder = Path(folder)
        config = _config(self.folder)
        self.table = LabelTable(_labels(config, self.folder), label_map)
        self._many = config.get("problem_type") == "multi_label_classification"
        self._tokenizer = _tokenizer(tokenizers, self.folder, _tokens(config))
        self._session = _session(self.folder)
        self._feeds = [one.name for one in self._session.get_inputs()]
        strange = [name for name in self._feeds if name not in _FEEDS]
        if strange or not self._feeds:
            raise _invalid(self.folder, f"inputs {', '.join(self._feeds)}")

    def scores(self, text: str) -> WordScores:
        """Return the scores of a text.

        A text that is longer than the model can take is read in chunks; the shares of the labels
        are averaged over them by their tokens.

        Raises:
            RequestError: the text is empty or longer than 64 chunks.
            ModelInvalidError: the network failed, or what it gave does not fit its labels.
        """
        if not text.strip():
            raise RequestError("text_empty")
        first: _Encoding = self._tokenizer.encode(text.strip())
        chunks = [first, *first.overflowing]
        if len(chunks) > _CHUNKS_MAX:
            raise RequestError("text_too_long", characters=len(text))
        shares = np.stack([self._shares(chunk) for chunk in chunks])
        tokens = np.array([sum(chunk.attention_mask) for chunk in chunks], dtype=np.float64)
        return self.table.scores(tokens @ shares / tokens.sum())

    def _shares(self, chunk: _Encoding) -> Array64:
        """Shares of the labels in one chunk, shape ``(L,)``."""
        rows = dict(zip(_FEEDS, (chunk.ids, chunk.attention_mask, chunk.type_ids), strict=True))
        feeds = {name: np.array([rows[name]], dtype=np.int64) for name in self._feeds}
        try:
            logits = np.asarray(self._session.run(None, feeds)[0], dtype=np.float64)
        except Exception as exc:  # the library raises its own classes without a common root
            raise _invalid(self.folder, str(exc)) from exc
        if logits.shape != (1, len(self.table.labels)) or not np.isfinite(logits).all():
            raise _invalid(self.folder, f"{logits.shape}, {len(self.table.labels)} labels")
        if self._many:
            return cast(Array64, 1.0 / (1.0 + np.exp(-np.clip(logits[0], -60, 60))))
        return softmax(logits[0])


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    _check_there(folder, "config.json")
    with opened(path) as file:
        data = file.read(_CONFIG_BYTES)
    try:
        config = json.loads(data.decode("utf-8"))
    except ValueError as exc:
        raise _invalid(folder, f"config.json: {exc}") from exc
    if not isinstance(config, dict):
        raise _invalid(folder, "config.json: no object")
    return config


def _labels(config: dict[str, Any], folder: Path) -> list[str]:
    """Labels in the order of the outputs."""
    named = config.get("id2label")
    if not isinstance(named, dict) or len(named) < 2:
        raise _invalid(folder, "config.json: id2label")
    try:
        return [str(named[str(at)]) for at in range(len(named))]
    except KeyError as exc:
        raise _invalid(folder, f"config.json: id2label {exc}") from exc


def _tokens(config: dict[str, Any]) -> int:
    """Tokens that the model can take at once."""
    said = config.get("max_position_embeddings")
    if not isinstance(said, int) or said < 8:
        return _TOKENS_MAX
    # Positions of the RoBERTa family begin behind the padding's.
    offset = int(config.get("pad_token_id") or 0) + 1 if _is_roberta(config) else 0
    return min(_TOKENS_MAX, said - offset)


def _is_roberta(config: dict[str, Any]) -> bool:
    return "roberta" in str(config.get("model_type", "")).lower()


def _tokenizer(tokenizers: ModuleType, folder: Path, tokens: int) -> Any:
    _check_there(folder, "tokenizer.json")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(tokens)
    except Exception as exc:  # the library raises plain Exception
        raise _invalid(folder, f"tokenizer.json: {exc}") from exc
    return tokenizer


def _session(folder: Path) -> Any:
    found = [folder / place for place in MODEL_PLACES if (folder / place).is_file()]
    if not found:
        raise ModelMissingError("model_file_missing", file=f"{folder.name}/{MODEL_PLACES[0]}")
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(found[0]), options, providers=["CPUExecutionProvider"]
        )
    except Exception as exc:  # the library raises its own classes without a common root
        raise _invalid(folder, str(exc)) from exc


def _check_there(folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        raise ModelMissingError("model_file_missing", file=f"{folder.name}/{name}")


def _invalid(folder: Path, said: str) -> ModelInvalidError:
    return ModelInvalidError("text_model_invalid", name=folder.name, reason=said[:300])
