"""Head: a linear classifier on embeddings or logits, and its file of JSON with arrays in base64.

``logits = weights · vector + bias`` for each frame. The map is linear, so the mean over the frames
of what it gives is what it gives for the mean: scores of a recording, its frames and its segments
fit together. Standardisation and temperature are folded into the numbers. A file of a few kB is
read without scikit-learn, and holds no code.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from emoscope.errors import HeadError
from emoscope.labels import COUNT, EMOTIONS, KEYS
from emoscope.messages.reasons import reason
from emoscope.models.training_clips import TrainingClips
from emoscope.results.heads import Adaptation, HeadLabel
from emoscope.results.result import ModelRef
from emoscope.results.scores import Scores
from emoscope.results.track import Track
from emoscope.waveform import Array32

HEAD_SCHEMA = 1
CLASSES_MAX = 32
"""Classes of one head."""

_COLOUR = re.compile("#[0-9a-fA-F]{6}")

HeadKind: TypeAlias = Literal["classes", "corrections"]
"""``classes``: own classes on the embedding; ``corrections``: the nine, on the model's logits."""


@dataclass(frozen=True, slots=True)
class HeadModel:
    """The model whose vectors a head was trained on."""

    name: str
    revision: str
    sha256: str
    """Of the file that ran."""


@dataclass(frozen=True, eq=False)
class Head:
    """Linear classifier on a model's vectors.

    Raises:
        ValueError: its numbers and its classes do not fit, or a number is not finite.
    """

    name: str
    kind: HeadKind
    labels: tuple[HeadLabel, ...]
    weights: Array32
    """Shape ``(C, D)``: a row per class."""
    bias: Array32
    """Shape ``(C,)``."""
    model: HeadModel
    card: Mapping[str, Any] = field(default_factory=dict)
    """Counts and licence of what it was trained on, and its figures; JSON."""
    trained_on: TrainingClips | None = None
    """Digests of the recordings and speakers; None in a file that lacks them."""

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.weights.ndim != 2 or len(self.weights) != count or self.bias.shape != (count,):
            raise ValueError(f"{count} classes, {self.weights.shape} and {self.bias.shape} numbers")
        if not 2 <= count <= CLASSES_MAX or len({one.key for one in self.labels}) != count:
            raise ValueError(f"2 to {CLASSES_MAX} classes with keys of their own")
        if not all(_COLOUR.fullmatch(one.colour) for one in self.labels):
            raise ValueError("a colour is written #rrggbb")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise ValueError("a number is not finite")
        nine = tuple(one.key for one in self.labels) == KEYS
        if self.kind == "corrections" and (not nine or self.weights.shape[1] != COUNT):
            raise ValueError("a head of corrections maps the nine to the nine")

    @functools.cached_property
    def sha256(self) -> str:
        """Digest of kind, classes and numbers; the card is not in it."""
        digest = hashlib.sha256(json.dumps([self.kind, [asdict(x) for x in self.labels]]).encode())
        for array in (self.weights, self.bias):
            digest.update(np.ascontiguousarray(array, "<f4").tobytes())
        return digest.hexdigest()

    def logits(self, vectors: Array32) -> Array32:
        """Return the logits of vectors of shape ``(n, D)``, shape ``(n, C)``."""
        return cast(Array32, (vectors @ self.weights.T + self.bias).astype(np.float32))

    def check_model(self, model: ModelRef) -> None:
        """Check that a model gives the vectors that this head was trained on.

        Raises:
            HeadError: it is another one.
        """
        if self.model.sha256 != model.sha256:
            raise HeadError(
                "head_model_differs",
                head=self.name,
                trained_on=_named(self.model.name, self.model.revision, self.model.sha256),
                model=_named(model.name, model.revision, model.sha256),
            )

    def adapt(self, track: Track) -> tuple[Track, Adaptation]:
        """Return the track of a model with this head of corrections applied, and what it changed.

        Raises:
            ValueError: the head has classes of its own.
        """
        if self.kind != "corrections":
            raise ValueError("only a head of corrections changes the nine")
        own: Scores = track.utterance
        adaptation = Adaptation(
            self.name,
            self.sha256,
            int(self.card.get("clips", 0)),
            own.top.key,
            own,
            tuple(tuple(row) for row in self.weights.astype(np.float64).tolist()),
            tuple(self.bias.astype(np.float64).tolist()),
        )
        return Track(self.logits(track.logits), track.speech), adaptation

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a head's file."""
        return {
            "schema_version": HEAD_SCHEMA,
            "name": self.name,
            "kind": self.kind,
            "labels": [asdict(one) for one in self.labels],
            "model": asdict(self.model),
            "shape": list(self.weights.shape),
            "weights": _encoded(self.weights),
            "bias": _encoded(self.bias),
            "sha256": self.sha256,
            "card": dict(self.card),
            **({} if self.trained_on is None else {"trained_on": self.trained_on.to_dict()}),
        }


def read_head(data: bytes, name: str) -> Head:
    """Read the content of a head's file; which name it has is decided by the file's.

    Args:
        data: the bytes of the file.
        name: name of the head.

    Raises:
        HeadError: it is damaged, of a later version, or no head.
    """
    try:
        head = _parsed(json.loads(data.decode("utf-8")), name)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise HeadError("head_damaged", name=name, **reason("as_said", reason=str(exc))) from exc
    return head


def nine_labels() -> tuple[HeadLabel, ...]:
    """Return the nine emotions as classes of a head."""
    return tuple(HeadLabel(e.key, e.zh, e.en, e.emoji, e.colour) for e in EMOTIONS)


def _parsed(data: dict[str, Any], name: str) -> Head:
    if data["schema_version"] != HEAD_SCHEMA:
        raise ValueError(f"schema_version {data['schema_version']} is not {HEAD_SCHEMA}")
    if data["kind"] not in get_args(HeadKind):
        raise ValueError(f"kind {data['kind']!r}")
    rows, columns = (int(number) for number in data["shape"])
    head = Head(
        name=name,
        kind=data["kind"],
        labels=tuple(HeadLabel.from_dict(one) for one in data["labels"]),
        weights=_decoded(data["weights"]).reshape(rows, columns),
        bias=_decoded(data["bias"]),
        model=HeadModel(**{key: str(data["model"][key]) for key in HeadModel.__slots__}),
        card=dict(data["card"]),
        trained_on=TrainingClips.from_dict(data["trained_on"]) if "trained_on" in data else None,
    )
    if head.sha256 != data["sha256"]:
        raise ValueError("sha256 of its numbers")
    return head


def _encoded(array: Array32) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def _decoded(text: str) -> Array32:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)


def _named(name: str, revision: str, sha256: str) -> str:
    return f"{name} {revision} ({sha256[:12]})"
