"""Utterances of a recording as a table: a line each, with all nine scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoscope.export.tables import (
    Column,
    Table,
    channel_numbers,
    recording_names,
    table_of,
)
from emoscope.labels import KEYS
from emoscope.messages.languages import LANGUAGES, Language
from emoscope.results.result import Result


def utterance_rows_table(
    results: Sequence[Result], languages: Sequence[Language] = LANGUAGES
) -> Table:
    """Return a line per utterance, with columns as in ``docs/export.md``.

    Args:
        results: one, or one per channel of a recording.
        languages: with Chinese among them there is a column ``emotion_zh``.
    """
    found = [one for result in results for one in result.utterances]
    sure = [one.confidence_calibrated for one in found]
    counts = [len(result.utterances) for result in results]
    columns: dict[str, Column] = {
        "name": recording_names(results, counts),
        "channel": channel_numbers(results, counts),
        "start_s": np.array([one.start_s for one in found], np.float64),
        "end_s": np.array([one.end_s for one in found], np.float64),
        "id": np.array([one.id for one in found], np.str_),
        "text": np.array([one.text for one in found], np.str_),
        "emotion": np.array([one.emotion.key for one in found], np.str_),
        "emotion_zh": np.array([one.emotion.zh for one in found], np.str_),
        "confidence": np.array([one.confidence for one in found], np.float64),
        "abstain": np.array([" ".join(one.abstain) for one in found], np.str_),
        **{
            key: np.array([one.scores.values[at] for one in found], np.float64)
            for at, key in enumerate(KEYS)
        },
    }
    if all(value is not None for value in sure):
        columns["confidence_calibrated"] = np.array(sure, np.float64)
    if "zh" not in languages:
        del columns["emotion_zh"]
    return table_of(columns, results)
