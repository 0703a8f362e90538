"""Choices made by a word: one ``Literal`` each, for Python, settings, command line and pages."""

from __future__ import annotations

import warnings
from typing import Any, Literal, TypeAlias, get_args

Granularity: TypeAlias = Literal["utterance", "frame"]
"""One answer for a recording, or also the track of 20 ms frames."""
EmbeddingRequest: TypeAlias = bool | Literal["utterance", "frame"]
"""True and ``frame`` keep the embedding of each frame, ``utterance`` their mean alone."""
ChannelMode: TypeAlias = Literal["mix", "separate"]
"""One answer for all channels, or one for each."""
Precision: TypeAlias = Literal["exact", "int8", "auto"]
"""``int8`` is the variant with 8-bit weights, or an error; ``auto`` takes it where it gains."""
BackendName: TypeAlias = Literal["onnxruntime", "openvino"]
DeviceChoice: TypeAlias = Literal["cpu", "cuda", "auto"]
"""``auto`` is the GPU where it can be used, else the processor."""
HubChoice: TypeAlias = Literal["auto", "hf", "ms"]
"""Hugging Face, ModelScope, or both in turn."""
Keep: TypeAlias = Literal["all", "features", "none"]
"""What of a run is stored: also the sound, all but the sound, or nothing."""
SpaceName: TypeAlias = Literal["emotion", "sound", "raw"]
"""What it means that two recordings are near."""
EmbeddingChoice: TypeAlias = Literal["none", "mean", "frames"]
"""Which embeddings a batch writes: none, the mean of each recording, or a row per frame too."""
ClusterMethod: TypeAlias = Literal["kmeans", "hdbscan"]
"""How recordings are grouped: each into one of so many groups, or dense groups and the rest."""
LogForm: TypeAlias = Literal["off", "text", "json"]
LanguageChoice: TypeAlias = Literal["auto", "zh", "en"]

OLD_PRECISION = "fast"
"""What ``int8`` was called."""


def words_of(choice: Any) -> str:
    """Return the words of a choice as help texts list them: ``cpu | cuda | auto``."""
    return " | ".join(get_args(choice))


def renamed_precision(precision: str) -> Precision:
    """Return the word of today; the old one still works, with a warning."""
    if precision == OLD_PRECISION:
        warnings.warn('precision="fast" is now "int8"', DeprecationWarning, stacklevel=3)
        return "int8"
    return precision  # type: ignore[return-value]  # an unknown word is refused where it is used
