"""``emoscope batch``: very many recordings to a Parquet data set, on this machine or a cluster."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NoReturn, TypeAlias

from emoscope.batch.crew import CrewChoice, choose_crew
from emoscope.batch.dry_run import dry_run
from emoscope.batch.inputs import batch_items
from emoscope.batch.lengths import stated_seconds
from emoscope.batch.local import LocalExecutor
from emoscope.batch.manifest import BatchManifest
from emoscope.batch.options import BatchOptions, ModelSpec
from emoscope.batch.plan import BatchPlan
from emoscope.batch.progress import BatchProgress
from emoscope.batch.remote import is_address
from emoscope.batch.rows import OWN_COLUMNS
from emoscope.batch.run import BatchRun, Executor, ShardRange, missing_shards
from emoscope.batch.shards import ShardCut
from emoscope.batch.storage import BatchStorage, open_storage
from emoscope.cli.batch_show import BatchScreen
from emoscope.errors import BatchStoppedError, SettingError
from emoscope.export.records import head_columns
from emoscope.lists.spans import read_spans
from emoscope.optional import check_installed
from emoscope.recognizer import Recognizer
from emoscope.settings import Settings, language_of

Workers: TypeAlias = int | Literal["auto"]


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """One call of the command."""

    inputs: tuple[str, ...]
    out: str
    options: BatchOptions
    cut: ShardCut
    part: ShardRange
    workers: Workers
    on: str
    """``local``, ``ray``, or the address of a Ray cluster."""
    max_failures: float
    spans: Path | None
    fresh: bool
    dry: bool
    as_json: bool


def run_batch(order: BatchOrder, settings: Settings) -> BatchProgress | None:
    """Do a batch, or tell what it would be.

    Args:
        order: what was asked for.
        settings: model, limits and language.

    Returns:
        What was done; None of a dry run.

    Raises:
        InputError: the input cannot be used.
        StoreError: the output cannot be used, or holds something else.
        ModelError: the model cannot be loaded.
        BatchStoppedError: too many recordings failed, or workers ended again and again.
        ExtraMissingError: pyarrow is not installed.
    """
    for package in ("pyarrow",):
        check_installed(package, extra="parquet")
    language = language_of(settings.language)
    screen = BatchScreen(language, as_json=order.as_json)
    spec = model_spec(settings)
    storage = open_storage(order.out)
    if order.dry:
        _dry(order, spec, screen)
        return None
    storage.prepare()
    with storage.lock(order.part.name), _plan(order) as plan:
        recognizer = replace(spec, threads=1).open()
        run = _prepared(order, plan, storage, recognizer)
        del recognizer  # each worker has its own
        screen.plan(plan, run)
        progress = BatchProgress(run.rows)
        if not run.missing:
            screen.nothing_left()
            return progress
        executor = executor_of(order, spec, screen)
        with _told_how_to_go_on(screen, order.out, storage), screen.live(progress):
            try:
                for event in run.events(executor):
                    progress.take(event)
                    screen.event(event, progress)
            except BatchStoppedError:
                screen.failures(progress, order.out)
                raise
    screen.end(progress, order.out)
    return progress


def model_spec(settings: Settings) -> ModelSpec:
    """Return how each worker loads the model of the settings."""
    return ModelSpec(
        model=settings.model,
        backend=settings.backend,
        precision=settings.precision,
        threads=settings.threads,
        device=settings.device,
        heads=settings.heads,
        limits=settings.file_limits,
        thresholds=settings.thresholds,
        agreement_thresholds=settings.agreement_thresholds,
    )


def executor_of(order: BatchOrder, spec: ModelSpec, screen: BatchScreen) -> Executor:
    """Return what works on the shards.

    Args:
        order: what was asked for.
        spec: how a worker loads its model.
        screen: tells how many workers there are.

    Raises:
        SettingError: there is no such executor.
        ModelError: the model cannot be loaded.
    """
    if order.on == "local":
        crew = _crew(order.workers, spec)
        screen.crew(crew)
        return LocalExecutor(replace(spec, threads=crew.threads), crew.workers)
    if order.on == "ray" or is_address(order.on) or ":" in order.on:
        from emoscope.batch.ray import RayExecutor

        check_installed("ray", extra="ray")
        return RayExecutor(
            replace(spec, threads=spec.threads or 1),
            "" if order.on == "ray" else order.on,
            0 if order.workers == "auto" else order.workers,
            cpus=spec.threads or 1,
            gpus=float(spec.device == "cuda"),
        )
    raise SettingError(
        "setting_invalid", setting="--on", reason="local / ray / ray://HOST:10001 / HOST:6379"
    )


def _crew(workers: Workers, spec: ModelSpec) -> CrewChoice:
    if workers == "auto":
        return choose_crew(spec)
    return CrewChoice(workers, spec.threads or 1)


def _plan(order: BatchOrder) -> BatchPlan:
    spans = None if order.spans is None else read_spans(order.spans)
    items = batch_items(order.inputs, spans)
    return BatchPlan.of(items, order.cut, OWN_COLUMNS, stated_seconds)


def _prepared(
    order: BatchOrder, plan: BatchPlan, storage: BatchStorage, recognizer: Recognizer
) -> BatchRun:
    manifest = BatchManifest.of(plan, order.options, order.cut, recognizer)
    missing = missing_shards(storage, manifest, order.part, fresh=order.fresh)
    heads = head_columns(recognizer.heads)
    return BatchRun(plan, order.options, heads, storage, missing, order.max_failures)


def _dry(order: BatchOrder, spec: ModelSpec, screen: BatchScreen) -> None:
    with _plan(order) as plan:
        crew = _crew(order.workers, spec)
        recognizer = replace(spec, threads=crew.threads).open()
        heads = head_columns(recognizer.heads)
        found = dry_run(plan, order.options, heads, recognizer)
    screen.crew(crew)
    screen.dry(found, crew.workers)


@contextmanager
def _told_how_to_go_on(screen: BatchScreen, out: str, storage: BatchStorage) -> Iterator[None]:
    """Say how to go on where the block is interrupted, also by a scheduler's SIGTERM."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise _TerminatedError(128 + signal.SIGTERM)

    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except (KeyboardInterrupt, _TerminatedError):
        screen.interrupted(out)
        raise
    finally:
        storage.clean()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


class _TerminatedError(SystemExit):
    """The end that a scheduler asks for."""
