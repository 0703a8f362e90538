"""History of runs: list, search, title, correct, delete.

What a run says about the recording is ``result.json`` and never changes. A title and a correction
lie beside it in files of their own, each replaced whole.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from emoscope.errors import RequestError, RunDamagedError, RunNotFoundError
from emoscope.labels import by_key
from emoscope.messages.verdict import Verdict, verdict_of
from emoscope.outputs.beside import read_beside
from emoscope.outputs.corrections import Corrected, read_correction
from emoscope.outputs.index import IndexRow, RunQuery
from emoscope.outputs.ownership import RunAccess, owner_of_run
from emoscope.outputs.recordings import without_frames
from emoscope.outputs.store import (
    AUDIO,
    CORRECTIONS,
    RESULT,
    RUN_NAME,
    TITLE,
    RunStore,
    age_order,
    read_wav,
)
from emoscope.paths.choices import Granularity
from emoscope.paths.file_names import shown
from emoscope.paths.names import TITLE_MAX, plain_title
from emoscope.results.json_type import EmotionByKey, JsonType, Share
from emoscope.results.result import Result
from emoscope.waveform import Waveform

PAGE_MAX = 200
"""Runs in one answer."""


@dataclass(frozen=True, slots=True)
class Facts(JsonType):
    """What a list shows of a run."""

    source: str
    """The recording's name, with what cannot be shown written out."""
    emotion: EmotionByKey
    confidence: Share
    granularity: Granularity
    timestamp: str
    """Local time, ``2024-01-04 22:30:00``."""
    duration_s: float
    model: str
    abstain: tuple[str, ...]
    confidence_calibrated: Share | None = field(
        default=None, metadata={"description": "null for a model that was not calibrated"}
    )

    @property
    def verdict(self) -> Verdict:
        """The model's answer, as far as it can be told without the time axis."""
        calibrated = self.confidence_calibrated
        return verdict_of(self.emotion, self.confidence, calibrated, self.abstain)

    @property
    def is_doubtful(self) -> bool:
        """Whether no emotion is claimed, or one that is more likely wrong than right."""
        return self.verdict.kind != "sure"


@dataclass(frozen=True, slots=True)
class RunEntry(JsonType):
    """One line of the list of runs."""

    name: str = field(metadata={"alias": "run"})
    """Of the run's directory."""
    title: str
    """Given by a person; empty when there is none."""
    is_corrected: bool = field(metadata={"alias": "corrected"})
    facts: Facts | None = field(metadata={"description": "null when the run cannot be read"})
    """None when ``result.json`` cannot be read; the run can still be deleted."""

    @property
    def shown(self) -> str:
        """What people call it: the title, else the recording's name, else the run's."""
        return self.title or (self.facts.source if self.facts else "") or self.name


@dataclass(frozen=True, slots=True)
class Listing:
    """Page of matching runs, newest first."""

    entries: tuple[RunEntry, ...]
    total: int
    """How many match altogether."""


def list_runs(
    store: RunStore,
    *,
    search: str = "",
    emotion: str = "",
    doubt: bool = False,
    first: int = 0,
    count: int = 50,
) -> Listing:
    """Return runs, newest first.

    Args:
        store: the outputs folder.
        search: words that must all occur in the title, the recording's name, the run's name or
            the emotion's names; case does not matter.
        emotion: key of the only emotion to list; all by default. What abstains has none.
        doubt: whether to list only what is in doubt.
        first: how many of those that match to pass over.
        count: how many to return, ``PAGE_MAX`` at most.
    """
    first, count = max(0, first), min(max(0, count), PAGE_MAX)
    refresh_index(store)
    query = RunQuery(store.access.only, search.casefold().split(), emotion, doubt)
    names, total = store.index.search(query, first=first, count=count)
    return Listing(tuple(_entries(store, names)), total)


def seen_runs(store: RunStore) -> set[str] | None:
    """Return the names of the runs that a store with limited access has; None for all."""
    owner = store.access.only
    if owner is None:
        return None
    refresh_index(store)
    return store.index.names(owner)


def refresh_index(store: RunStore) -> None:
    """Bring the index of a store up to date; the first time it reads every run."""
    every = store.seen_by(RunAccess())
    store.index.update(RUN_NAME.fullmatch, lambda name: _index_row(every, name))


def run_entry(store: RunStore, name: str) -> RunEntry:
    """Return one line of the list.

    Raises:
        RunNotFoundError: there is no such run.
    """
    folder = store.folder(name)
    try:
        status = (folder / RESULT).stat()
        facts = _facts(folder / RESULT, status.st_mtime_ns, status.st_size)
    except OSError as exc:
        raise RunNotFoundError(run=name) from exc
    return RunEntry(name, _title(folder), (folder / CORRECTIONS).is_file(), facts)


def channel_runs(store: RunStore, result: Result) -> tuple[str, ...]:
    """Return the runs of all channels of a result's recording, in their order.

    None for a recording that was answered as a whole. They were recognized together: the same
    bytes, the same moment.
    """
    if result.channel is None or result.channel.count < 2:
        return ()
    stem = f"outputs_{result.created:%Y%m%d_%H%M%S}"
    found: dict[int, str] = {}
    for name in store.names(stem):
        try:
            other = store.open(name).result
        except (RunNotFoundError, RunDamagedError):  # deleted meanwhile, or broken
            continue
        same = (other.created, other.source.sha256) == (result.created, result.source.sha256)
        if same and other.channel is not None:
            found.setdefault(other.channel.number, name)
    return tuple(found[number] for number in sorted(found))


def set_title(store: RunStore, name: str, title: str) -> RunEntry:
    """Give a run a title; the directory keeps its name.

    Args:
        store: holds the run.
        name: name of the run's directory.
        title: the title; empty removes it.

    Raises:
        RequestError: longer than ``TITLE_MAX``, or with characters that are not shown.
        RunNotFoundError: there is no such run.
        StoreError: it cannot be written.
    """
    title = plain_title(title)
    store.write_beside(name, TITLE, {"title": title} if title else None)
    return run_entry(store, name)


def corrections_of(store: RunStore, name: str) -> Corrected | None:
    """Return what a person made of the segments, or None.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: ``corrections.json`` cannot be read.
    """
    return read_beside(store, name, CORRECTIONS, Corrected.from_dict)


def correct(
    store: RunStore, name: str, raw: object, *, now: Callable[[], datetime]
) -> Corrected | None:
    """Store a correction in the run, or remove it.

    Args:
        store: holds the run.
        name: name of the run's directory.
        raw: a list of ``{"start_s", "end_s", "emotion"}`` that covers the recording; None removes
            the correction.
        now: clock; returns a time with a zone.

    Raises:
        RequestError: it has gaps, overlaps, another length, or an unknown emotion.
        RunNotFoundError: there is no such run.
        StoreError: it cannot be written.
    """
    original = store.open(name).result
    if raw is None:
        store.write_beside(name, CORRECTIONS, None)
        return None
    made = read_correction(original, raw, saved=now())
    store.write_beside(name, CORRECTIONS, made.to_dict(original))
    return made


def corrected_result(store: RunStore, name: str) -> Result:
    """Return a run's result with the segments as a person corrected them, if one did.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: it cannot be read.
    """
    made = corrections_of(store, name)
    result = store.open(name).result
    return result if made is None else made.apply(result)


def sound(store: RunStore, name: str) -> Waveform:
    """Return the sound that the model got, from the run's ``processed_audio.wav``.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: the file cannot be read.
    """
    return read_wav(store.file(name, AUDIO))


def _entries(store: RunStore, names: list[str]) -> list[RunEntry]:
    found = []
    for name in names:
        try:
            found.append(run_entry(store, name))
        except RunNotFoundError:  # deleted meanwhile
            continue
    return found


def _index_row(store: RunStore, name: str) -> IndexRow | None:
    folder = store.root / name
    try:
        changed_ns = folder.stat().st_mtime_ns  # first: what changes meanwhile is read again
        status = (folder / RESULT).stat()
    except OSError:  # deleted meanwhile, or no run
        return None
    facts = _facts.__wrapped__(folder / RESULT, status.st_mtime_ns, status.st_size)
    texts = [_title(folder), name]
    if facts is not None:
        emotion = facts.emotion
        texts += [facts.source, emotion.key, emotion.zh, emotion.en, facts.timestamp]
    return IndexRow(
        place="{}{:07d}".format(*age_order(name)),
        name=name,
        owner=owner_of_run(folder),
        text="\n".join(texts).casefold(),
        emotion="" if facts is None or facts.abstain else facts.emotion.key,
        doubt=facts is not None and facts.is_doubtful,
        changed_ns=changed_ns,
    )


def _title(folder: Path) -> str:
    try:
        title = json.loads((folder / TITLE).read_text("utf-8"))["title"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # without a title, or with one whose file is damaged
    try:
        return plain_title(title[:TITLE_MAX]) if isinstance(title, str) else ""
    except RequestError:
        return ""


@functools.lru_cache(maxsize=20_000)
def _facts(path: Path, _modified_ns: int, _size: int) -> Facts | None:
    """Read what a list shows; a run never changes, so it is read once."""
    try:
        data = json.loads(without_frames(path))
        return Facts(
            source=_source(data),
            emotion=by_key(data["emotion"]),
            confidence=float(data["confidence"]),
            granularity=data["granularity"],
            timestamp=str(data["timestamp"]),
            duration_s=float(data["duration_s"]),
            model=str(data["model"]["name"]),
            abstain=tuple(map(str, data["abstain"])),
            confidence_calibrated=data.get("confidence_calibrated"),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _source(data: dict[str, Any]) -> str:
    name, channel = shown(str(data["source"]["name"])), data.get("channel")
    return f"{name} [{channel['number']}]" if channel and channel["count"] > 1 else name
