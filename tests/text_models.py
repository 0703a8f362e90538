"""A text model of some words in the layout of Hugging Face, and a labelled list for fusion."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from emoscope.labels import KEYS

WORDS = {"great": "joy", "love": "joy", "hate": "anger", "furious": "anger", "太好了": "joy"}
LABELS = ("joy", "anger", "neutral")
"""Emotion words as text models have them; ``joy`` and ``anger`` are none of our keys."""


def write_text_model(
    folder: Path,
    labels: Sequence[str] = LABELS,
    *,
    positions: int = 64,
    many: bool = False,
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
) -> Path:
    """Write a classifier whose logits are the mean over the tokens of a row of numbers each."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {"[UNK]": 0, **{word: at for at, word in enumerate(WORDS, 1)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.zeros((len(vocabulary), len(labels)), dtype=np.float32)
    rows[0, -1] = 0.5
    for word, label in WORDS.items():
        if label in labels:
            rows[vocabulary[word], list(labels).index(label)] = 6.0
    nodes = [
        helper.make_node("Gather", ["rows", "input_ids"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens"], ["logits"], axes=[1], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "text",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "T"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", len(labels)])],
        [numpy_helper.from_array(rows, "rows")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    config = {
        "id2label": {str(at): label for at, label in enumerate(labels)},
        "max_position_embeddings": positions,
        "model_type": "bert",
    }
    if many:
        config["problem_type"] = "multi_label_classification"
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_fusion_list(path: Path, rows: int, *, speakers: int = 4, text: bool = False) -> None:
    """A labelled list whose words lean to the truth, with scores of the voice in columns."""
    random = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        told = ["text"] if text else ["words_happy", "words_angry"]
        writer.writerow(["path", "emotion", "speaker", *(f"voice_{k}" for k in KEYS), *told])
        for row in range(rows):
            happy = row % 2 == 0
            voice = random.dirichlet(np.ones(len(KEYS)) + 2 * (np.array(KEYS) == "happy") * happy)
            lean = 0.8 if happy else 0.2
            words = ["great" if happy else "hate"] if text else [lean, 1 - lean]
            label = "happy" if happy else "angry"
            writer.writerow(["x.wav", label, f"s{row // 2 % speakers}", *voice, *words])
