"""What corrected runs teach: their segments, what would change, and what was adopted.

Vectors are not needed: a head of corrections works on the nine logits, which every run by frame
keeps in its ``result.json``. Of a run without a time axis the logarithms of its scores stand for
them. An adopted head lies in ``teaching.json`` of the outputs folder, with those before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emoscope.errors import EmoscopeError, HeadError
from emoscope.files import make_private_folder, replace_file, temporary_name, translated_os_errors
from emoscope.labels import SILENCE, by_key
from emoscope.messages.reasons import reason
from emoscope.models.head_file import Head, read_head
from emoscope.outputs.corrections import Corrected
from emoscope.outputs.history import corrections_of
from emoscope.outputs.store import CORRECTIONS, RunStore
from emoscope.results.result import ModelRef, Result
from emoscope.results.track import Track
from emoscope.vectors.corrections import TaughtSegment
from emoscope.waveform import HOP_S, Array32, Span

TEACHING_FILE = "teaching.json"
TEACHING_SCHEMA = 1
UNCORRECTED_SAMPLE = 50
"""Newest runs without corrections on which a change is shown."""
KEPT_HEADS = 10
"""Adopted heads that undo can go back to."""


@dataclass(frozen=True, slots=True)
class TaughtRuns:
    """Segments of the corrected runs of a store."""

    segments: tuple[TaughtSegment, ...]
    other_model: int
    """Corrected runs that another model answered; they teach nothing."""


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """A run whose answer a head of corrections would change."""

    run: str
    name: str
    before: str
    """Key of the emotion."""
    after: str


def taught_runs(store: RunStore, model: ModelRef) -> TaughtRuns:
    """Collect the segments of all corrected runs that a model answered; damaged ones are left out.

    Args:
        store: the runs.
        model: whose logits they must have.
    """
    found: list[TaughtSegment] = []
    other_model = 0
    for result, made in _corrected(store):
        if result.model.sha256 != model.sha256:
            other_model += 1
        else:
            found += _segments(result, made)
    return TaughtRuns(tuple(found), other_model)


def changed_answers(
    store: RunStore, head: Head, *, sample: int = UNCORRECTED_SAMPLE
) -> tuple[list[ChangedAnswer], int]:
    """Say which of the newest uncorrected runs a head would answer otherwise than they were.

    Args:
        store: the runs.
        head: of corrections.
        sample: how many runs are looked at.

    Returns:
        The changed ones, and how many were looked at.
    """
    changed, seen = [], 0
    for name in store.names():
        if seen >= sample:
            break
        try:
            if (store.folder(name) / CORRECTIONS).exists():
                continue
            result = store.open(name).result
        except EmoscopeError:
            continue
        if result.model.sha256 != head.model.sha256:
            continue
        seen += 1
        after = head.logits(_own_track(result).logits).mean(axis=0)
        emotion = list(head.labels)[int(after.argmax())].key
        if emotion != result.emotion.key:
            changed.append(ChangedAnswer(name, result.name, result.emotion.key, emotion))
    return changed, seen


class AdoptedHeads:
    """Adopted heads of corrections of one outputs folder, newest last.

    Args:
        store: of the outputs folder.
    """

    def __init__(self, store: RunStore) -> None:
        self._path = store.root / TEACHING_FILE

    def heads(self) -> tuple[Head, ...]:
        """Return the adopted heads; the last one is in force.

        Raises:
            HeadError: the file is damaged.
            StoreError: it cannot be read.
        """
        try:
            with translated_os_errors():
                try:
                    data = json.loads(self._path.read_text("utf-8"))
                except FileNotFoundError:
                    return ()
            if data["schema_version"] != TEACHING_SCHEMA:
                raise ValueError(f"schema_version {data['schema_version']}")
            return tuple(
                read_head(json.dumps(one).encode(), str(one["name"])) for one in data["heads"]
            )
        except (ValueError, KeyError, TypeError) as exc:
            if isinstance(exc, EmoscopeError):
                raise
            said = reason("as_said", reason=str(exc))
            raise HeadError("head_damaged", name=TEACHING_FILE, **said) from exc

    def adopt(self, head: Head) -> None:
        """Let a head be in force, whole or not at all.

        Raises:
            StoreError: it cannot be written; the one before stays in force.
        """
        self._write((*self._usable(), head)[-KEPT_HEADS:])

    def undo(self) -> Head | None:
        """Take the head in force away; return the one that is in force then.

        Raises:
            StoreError: it cannot be written.
        """
        left = self._usable()[:-1]
        self._write(left)
        return left[-1] if left else None

    def _usable(self) -> tuple[Head, ...]:
        try:
            return self.heads()
        except HeadError:
            return ()  # a damaged file gives way

    def _write(self, heads: Sequence[Head]) -> None:
        data: dict[str, Any] = {
            "schema_version": TEACHING_SCHEMA,
            "heads": [head.to_dict() for head in heads],
        }
        text = json.dumps(data, ensure_ascii=False, indent=1).encode()
        with translated_os_errors():
            make_private_folder(self._path.parent)
            replace_file(
                self._path,
                lambda file: file.write(text),
                temporary=self._path.parent / temporary_name(),
                mode=0o600,
            )


def _corrected(store: RunStore) -> Iterator[tuple[Result, Corrected]]:
    for name in store.names():
        try:
            made = corrections_of(store, name)
            if made is not None:
                yield store.open(name).result, made
        except EmoscopeError:
            continue


def _own_track(result: Result) -> Track:
    """Return the model's own logits, of all frames or of the one answer."""
    change, track = result.adaptation, result.track
    if track is None:
        scores = result.scores if change is None else change.scores
        logits = np.log(np.maximum(scores.values, 1e-9)).astype(np.float32)[None]
        return Track(logits)
    return track if change is None else Track(change.undo(track.logits), track.speech)


def _segments(result: Result, made: Corrected) -> Iterator[TaughtSegment]:
    """Return the segments of a corrected run, silences left out."""
    track = _own_track(result)
    recording = result.source.sha256 or result.created.isoformat()
    for segment in made.apply(replace(result)).segments:
        if segment.emotion is SILENCE:
            continue
        logits = _mean_logits(track, segment.span, is_whole=result.track is None)
        if logits is not None:
            yield TaughtSegment(
                recording,
                tuple(float(value) for value in logits),
                by_key(segment.emotion.key).index,
                segment.corrected,
            )


def _mean_logits(track: Track, span: Span, *, is_whole: bool) -> Array32 | None:
    """Return the mean logits over the speech of a span; None where it has no frame."""
    if is_whole:
        first_row: Array32 = track.logits[0]
        return first_row
    first, last = round(span.start_s / HOP_S), round(span.end_s / HOP_S)
    rows = track.logits[first:last]
    if track.speech is not None and track.speech[first:last].any():
        rows = rows[track.speech[first:last]]
    if not len(rows):
        return None
    mean: Array32 = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
