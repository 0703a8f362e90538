"""Model verification: files, sha256, contract, classes and a test run.

Each check is one function from a ``ModelUnderTest`` to findings, and ``CHECKS`` is their order.
What needs a backend is given one, because backends stand above models.

What is not checked: whether the scores are right. That is the parity suite's work, with the
original beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.errors import EmoscopeError, ModelInvalidError, ModelMissingError
from emoscope.messages.findings import FINDINGS
from emoscope.models import catalog
from emoscope.models.catalog import LocalModel, ModelFile, file_sha256
from emoscope.models.record import OFFICIAL, PullRecord
from emoscope.models.sources import NEEDED_FILES, TOKENS, WEIGHTS
from emoscope.models.tokens import token_errors
from emoscope.paths.access import is_file, is_folder
from emoscope.results.agreement import AGREEMENT_THRESHOLDS, Agreement, AgreementThresholds
from emoscope.waveform import RATE_HZ, frame_count

Severity: TypeAlias = Literal["error", "warning", "note"]
"""Do not use it; use it and know this; all is well, and this is how it came to be."""

PADDING_TOLERANCE = 1e-3
"""Largest difference of logits between a clip alone and padded in a batch; the invariant is kept
by float32 models within 1e-4, and a model in lower precision is not broken for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding of one check."""

    code: str
    severity: Severity
    zh: str
    en: str


class ModelOutput(Protocol):
    """Protocol of ``backends.base.Output``."""

    @property
    def frame_logits(self) -> NDArray[np.float32]:
        """Shape ``(B, T, 9)``."""

    @property
    def frame_embeddings(self) -> NDArray[np.float32]:
        """Shape ``(B, T, D)``."""

    @property
    def frame_counts(self) -> NDArray[np.int64]:
        """Shape ``(B,)``."""


class Runner(Protocol):
    """Protocol of a loaded model; any ``backends.base.Backend`` is one."""

    @property
    def dim(self) -> int:
        """Numbers per embedding frame."""

    def run(self, waveform: NDArray[np.float32], lengths: NDArray[np.int64]) -> ModelOutput:
        """Run a batch, ``(B, N)`` and ``(B,)``."""


RunnerOpener: TypeAlias = Callable[[Path], Runner]
Comparer: TypeAlias = Callable[[Path, Path], Agreement]


@dataclass(frozen=True, slots=True)
class ModelUnderTest:
    """Model folder under verification."""

    folder: Path
    """With a card, or an official folder as the hubs have it."""
    local: LocalModel | None = None
    """None for an official folder."""
    record: PullRecord | None = None
    open_backend: RunnerOpener | None = None
    compare: Comparer | None = None
    thresholds: AgreementThresholds = AGREEMENT_THRESHOLDS

    @property
    def official(self) -> Path:
        """Where its official files are, if it has any."""
        return self.folder / OFFICIAL if self.local else self.folder


def verify_model(
    model: str | os.PathLike[str],
    cache: Path | None = None,
    *,
    open_backend: RunnerOpener | None = None,
    compare: Comparer | None = None,
    thresholds: AgreementThresholds = AGREEMENT_THRESHOLDS,
) -> list[Finding]:
    """Look a model over; nothing is changed.

    Args:
        model: ``auto``, a name of the table, a folder with a card, or an official folder.
        cache: where fetched models are kept; the platform's cache folder by default.
        open_backend: loads an ONNX file; without it the model is not run.
        compare: holds a variant against the exact file; without it the card's figures count.
        thresholds: what a variant has to reach.

    Returns:
        The findings, in the order of the checks. A model without an error can be used.
    """
    folder = Path(model)
    if not catalog.is_name(model) and is_folder(folder) and not is_file(folder / "card.json"):
        under_test = ModelUnderTest(folder)
    else:
        try:
            local = catalog.find(model, cache=cache)
        except EmoscopeError as error:
            return [_told(error)]
        record = PullRecord.read(local.folder)
        under_test = ModelUnderTest(local.folder, local, record, open_backend, compare, thresholds)
    return [finding for one in CHECKS for finding in one(under_test)]


def files(under_test: ModelUnderTest) -> Iterator[Finding]:
    """Every file of the card is there and is the one that the card describes."""
    if under_test.local is None:
        return
    for file in under_test.local.card.files:
        yield from _file(file, under_test.folder)


def record(under_test: ModelUnderTest) -> Iterator[Finding]:
    """Check that the stored official files are those that were fetched."""
    if under_test.record is None:
        return
    for fetched in under_test.record.files:
        if fetched.kept:
            file = fetched.file
            yield from _file(replace(file, path=f"{OFFICIAL}/{file.path}"), under_test.folder)
        if fetched.checked_against == "nothing":
            name = fetched.file.path
            yield _finding("file_unproven", "warning", name=name)


def revision(under_test: ModelUnderTest) -> Iterator[Finding]:
    """The model was made from the revision that this version of the program knows."""
    local = under_test.local
    if local is None or local.card.name not in catalog.names():
        return
    line = catalog.catalog_entry(local.card.name)
    pins = [source.revision for source in line.sources if source.is_pinned]
    if pins and local.card.revision not in pins:
        yield _finding(
            "revision_unknown", "warning", revision=local.card.revision, pins=", ".join(pins)
        )


def official_files(under_test: ModelUnderTest) -> Iterator[Finding]:
    """An official folder has its files, and its weights are known ones."""
    if under_test.local is not None:
        return
    for name in NEEDED_FILES:
        if not (under_test.folder / name).is_file():
            yield _told(ModelMissingError("model_file_missing", file=name))
    weights = under_test.folder / WEIGHTS
    if weights.is_file():
        yield _whose(weights)


def tokens(under_test: ModelUnderTest) -> Iterator[Finding]:
    """The token file names nine classes and hides none."""
    path = under_test.official / TOKENS
    if not path.is_file():
        return
    yield from map(_told, token_errors(path))


def contract(under_test: ModelUnderTest) -> Iterator[Finding]:
    """The model loads, keeps the contract and answers noise with finite numbers."""
    local = under_test.local
    if local is None or under_test.open_backend is None or not local.onnx_path.is_file():
        return
    try:
        runner = under_test.open_backend(local.onnx_path)
        if runner.dim != local.card.dim:
            yield _finding("dim_wrong", "error", found=runner.dim, expected=local.card.dim)
        yield from _run(runner)
    except EmoscopeError as error:
        yield _told(error)


def int8_variants(under_test: ModelUnderTest) -> Iterator[Finding]:
    """Every variant is whole and agreed with the exact model: when it was made, and now."""
    if under_test.local is None:
        return
    for variant in under_test.local.card.variants:
        damaged = list(_file(variant.file, under_test.folder))
        yield from damaged
        agreement = variant.agreement
        if under_test.compare and not damaged and under_test.local.onnx_path.is_file():
            try:
                agreement = under_test.compare(
                    under_test.local.onnx_path, under_test.folder / variant.file.path
                )
            except EmoscopeError as error:
                yield _told(error)
                continue
        if failures := agreement.failures(under_test.thresholds):
            name, figures = under_test.local.card.name, ", ".join(failures)
            yield _told(ModelInvalidError("model_fast_refused", model=name, figures=figures))


CHECKS: tuple[Callable[[ModelUnderTest], Iterator[Finding]], ...] = (
    files,
    record,
    revision,
    official_files,
    tokens,
    contract,
    int8_variants,
)


def _run(runner: Runner) -> Iterator[Finding]:
    """One second and half a second of noise, alone and as a batch."""
    noise = np.random.default_rng(0).normal(0, 0.1, (2, RATE_HZ)).astype(np.float32)
    lengths = np.array([RATE_HZ, RATE_HZ // 2], np.int64)
    noise[1, lengths[1] :] = 0
    both = runner.run(noise, lengths)
    frames = [frame_count(int(length)) for length in lengths]
    if both.frame_counts.tolist() != frames:
        yield _finding("frames_wrong", "error", found=both.frame_counts.tolist(), expected=frames)
        return
    own = [
        rows[:count]
        for array in (both.frame_logits, both.frame_embeddings)
        for rows, count in zip(array, frames, strict=True)
    ]
    if not all(np.isfinite(rows).all() for rows in own):
        yield _finding("output_not_finite", "error")
        return
    alone = runner.run(noise[1:, : lengths[1]], lengths[1:]).frame_logits[0, : frames[1]]
    worst = float(np.abs(alone - own[1]).max())
    if not worst <= PADDING_TOLERANCE:
        yield _finding("padding_changes_answers", "error", difference=worst)


def _file(file: ModelFile, folder: Path) -> Iterator[Finding]:
    try:
        file.verify(folder)
    except (ModelMissingError, ModelInvalidError) as error:
        yield _told(error)


def _whose(weights: Path) -> Finding:
    """Which model of the table these weights are."""
    sha256 = file_sha256(weights)
    for line in catalog.CATALOG:
        for source in line.sources:
            if any(file.sha256 == sha256 for file in source.files):
                return _finding(
                    "weights_known",
                    "note",
                    file=WEIGHTS,
                    model=line.name,
                    revision=source.revision,
                )
    return _finding("weights_unknown", "warning", file=WEIGHTS, sha256=sha256[:12])


def _finding(code: str, severity: Severity, **data: object) -> Finding:
    text = FINDINGS[code]
    return Finding(code, severity, text("zh", **data), text("en", **data))


def _told(error: EmoscopeError) -> Finding:
    return Finding(error.code, "error", error.detail_zh, error.detail_en)
