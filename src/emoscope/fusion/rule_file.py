"""File of a fusion rule: JSON with weights per emotion and the figures of the fit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.errors import ListError
from emoscope.files import atomic_write
from emoscope.fusion.rule import FusionRule
from emoscope.labels import KEYS
from emoscope.paths.access import opened
from emoscope.waveform import Array64

RULE_SCHEMA = 1
_LONGEST = 1 << 20
"""Bytes of a rule's file at most."""


def write_rule(rule: FusionRule, path: str | os.PathLike[str]) -> None:
    """Write a rule whole.

    Raises:
        StoreError: the file cannot be written.
    """
    content = {
        "schema_version": RULE_SCHEMA,
        "voice_weights": dict(zip(KEYS, rule.voice.tolist(), strict=True)),
        "words_weights": dict(zip(KEYS, rule.words.tolist(), strict=True)),
        "temperature": rule.temperature,
        "divergence": rule.divergence,
        "card": rule.card,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    atomic_write(Path(path), text.encode() + b"\n")


def read_rule(path: str | os.PathLike[str]) -> FusionRule:
    """Read what ``write_rule`` wrote.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        ListError: it is damaged, of a later version, or no rule.
    """
    place = Path(path)
    with opened(place) as file:
        data = file.read(_LONGEST)
    try:
        return _parsed(json.loads(data.decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ListError("fusion_rule_damaged", name=place.name, reason=str(exc)[:200]) from exc


def _parsed(content: dict[str, Any]) -> FusionRule:
    if content["schema_version"] != RULE_SCHEMA:
        raise ValueError(f"schema_version {content['schema_version']} is not {RULE_SCHEMA}")
    return FusionRule(
        voice=_weights(content["voice_weights"]),
        words=_weights(content["words_weights"]),
        temperature=float(content["temperature"]),
        divergence=float(content["divergence"]),
        card=dict(content["card"]),
    )


def _weights(by_key: dict[str, float]) -> Array64:
    return np.array([float(by_key[key]) for key in KEYS])
