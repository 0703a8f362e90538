"""The import path of the older tool: ``from inference import analyze``.

The product itself is the package: ``import emoscope; emoscope.recognize("speech.wav")``.
"""

from __future__ import annotations

from typing import Any

from emoscope.once import recognize


def analyze(
    audio: str, granularity: str = "utterance", extract_embedding: bool = False
) -> dict[str, Any]:
    """Return what ``result.json`` holds, and the frames' ``embedding`` as an array when asked."""
    result = recognize(audio, granularity=granularity, embedding=extract_embedding)  # type: ignore[arg-type]  # checked inside
    return {**result.to_dict(), **({"embedding": result.embedding} if extract_embedding else {})}
