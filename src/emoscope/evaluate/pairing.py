"""Pairing of predictions: answers of two systems to the same clips, by the names of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from emoscope.errors import RequestError
from emoscope.evaluate.bootstrap import DRAWS
from emoscope.evaluate.comparison import Comparison, compare_clips
from emoscope.evaluate.predictions import Prediction, clips_of


def compare_predictions(
    first: Sequence[Prediction],
    second: Sequence[Prediction],
    names: tuple[str, str],
    known: Sequence[Prediction] = (),
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two files of predictions, by the names of their clips.

    Names are compared as paths; where no path is common, as names of files without folder and
    ending, as far as these do not repeat. A clip that stands twice counts once, and one that only
    one file has in no figure.

    Args:
        first: answers of one system.
        second: answers of the other.
        names: of both.
        known: clips of a list, whose truth, speaker and corpus come before those of the files.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.

    Raises:
        RequestError: they have no clip in common, or none of them has a truth.
    """
    pairs, left = _joined(first, second, names)
    facts = _facts_of(known, [one for one, _ in pairs])
    told = [_told(*pair, fact) for pair, fact in zip(pairs, facts, strict=True)]
    kept = [(pair, fact) for pair, fact in zip(pairs, told, strict=True) if fact.truth is not None]
    if not kept:
        raise RequestError("predictions_need_truth")
    truths = [fact.truth or 0 for _, fact in kept]
    speakers = [(fact.speaker, fact.corpus) for _, fact in kept]
    compared = compare_clips(
        clips_of([one for (one, _), _ in kept], truths, speakers),
        clips_of([other for (_, other), _ in kept], truths, speakers),
        names,
        draws=draws,
        seed=seed,
    )
    apart = [(one.truth, other.truth) for one, other in pairs]
    return replace(
        compared,
        only_in_first=left[0],
        only_in_second=left[1],
        without_truth=len(pairs) - len(kept),
        contradicted=sum(None not in both and both[0] != both[1] for both in apart),
    )


def _joined(
    first: Sequence[Prediction], second: Sequence[Prediction], names: tuple[str, str]
) -> tuple[list[tuple[Prediction, Prediction]], tuple[int, int]]:
    """Pair the answers to each clip, in the order of the first file; and how many are left over."""
    for by_name in (_by_path, _by_stem):
        mine, theirs = by_name(first), by_name(second)
        pairs = [(one, theirs[name]) for name, one in mine.items() if name in theirs]
        if pairs:
            return pairs, (len(mine) - len(pairs), len(theirs) - len(pairs))
    raise RequestError("predictions_apart", first=names[0], second=names[1])


def _facts_of(known: Sequence[Prediction], rows: Sequence[Prediction]) -> list[Prediction | None]:
    """Rows of the list that are about clips; None for those that it does not have."""
    for by_name, key in ((_by_path, _path), (_by_stem, _stem)):
        listed = by_name(known)
        found = [listed.get(key(row.name)) for row in rows]
        if any(found):
            return found
    return [None] * len(rows)


def _told(one: Prediction, other: Prediction, fact: Prediction | None) -> Prediction:
    """What is known of a clip: from the list, else from the first file, else from the second."""
    given = [part for part in (fact, one, other) if part is not None]
    return replace(
        one,
        truth=next((part.truth for part in given if part.truth is not None), None),
        speaker=next((part.speaker for part in given if part.speaker), ""),
        corpus=next((part.corpus for part in given if part.corpus), ""),
    )


def _by_path(rows: Sequence[Prediction]) -> Mapping[str, Prediction]:
    """Answers by path; of a path that stands twice, the first."""
    found: dict[str, Prediction] = {}
    for row in rows:
        found.setdefault(_path(row.name), row)
    return found


def _by_stem(rows: Sequence[Prediction]) -> Mapping[str, Prediction]:
    """Answers by the name of their file, of those whose name does not repeat."""
    counts = Counter(_stem(name) for name in {row.name for row in rows})
    return {_stem(row.name): row for row in rows if counts[_stem(row.name)] == 1}


def _path(name: str) -> str:
    """A path as it can be compared: strokes forward, nothing before it."""
    return str(PurePosixPath(name.removeprefix("'").replace("\\", "/")))


def _stem(name: str) -> str:
    """The name of a file without folder and ending."""
    return PurePosixPath(_path(name)).stem.casefold()
