"""``emoscope export``: segments or curve of finished runs in the format of another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from emoscope.cli.language import language
from emoscope.cli.streams import write
from emoscope.errors import SettingError
from emoscope.export.annotations import FORMATS, Format, export
from emoscope.files import atomic_write, check_file, check_folder, write_free
from emoscope.messages.texts import TERMINAL
from emoscope.outputs.recordings import Recorded, apart, is_same, labels, recorded
from emoscope.outputs.store import RESULT, RUN_NAME, RunStore, read_result
from emoscope.paths.access import is_folder
from emoscope.paths.file_names import NAME_MAX_BYTES, file_name, name_digest
from emoscope.results.result import Result


def run_export(
    sources: list[Path],
    name: str,
    out: str | None,
    *,
    curve: bool = False,
    utterances: bool = False,
) -> None:
    """Read runs' directories or their ``result.json``; write to ``out``, or to standard output.

    Args:
        sources: one run, or one for each channel of a recording.
        name: the format.
        out: a file, or a folder in which the file is named after the recording; None: stdout.
        curve: the rows of 20 ms in place of the segments.
        utterances: the utterances that were recognized alone, in place of the segments.

    Raises:
        SettingError: there is no such format, it has no place for a curve, it is no text and
            would go to a terminal, or ``out`` is what is read.
        RunNotFoundError: there is no result at a source.
        RunDamagedError: it cannot be read.
        ResultError: the run was not made by frame, or without utterances.
        ResultError: the runs are not the channels of one recording.
        StoreError: ``out`` cannot be written, or the disk is full.
    """
    if curve and utterances:
        raise SettingError("setting_invalid", setting="--curve / --utterances", reason="choose one")
    chosen = _checked_format(name, curve=curve)
    if out is None and not chosen.is_text and sys.stdout.isatty():
        raise SettingError("setting_invalid", setting="--out", reason=f"FILE{chosen.suffix}")
    paths = [source / RESULT if is_folder(source) else source for source in sources]
    target = None if out is None else _checked_target(out, paths)
    results = [read_result(path) for path in paths]
    made = export(results, name, curve=curve, utterances=utterances)
    if target is None:
        write(made)
    elif is_folder(target):
        _write_into(target, paths, results, made, chosen.suffix)
    else:
        atomic_write(target, made)


def _checked_format(name: str, *, curve: bool) -> Format:
    """Return a format by its name, after checking that it can hold what is to be written."""
    if name not in FORMATS:
        raise SettingError("setting_invalid", setting="--format", reason=", ".join(FORMATS))
    able = [key for key, one in FORMATS.items() if (one.curve if curve else one.segments)]
    if name not in able:
        setting = "--curve --format" if curve else "--format"
        raise SettingError("setting_invalid", setting=setting, reason=", ".join(able))
    return FORMATS[name]


def _checked_target(out: str, paths: Sequence[Path]) -> Path:
    """Return where to write, after checking that it can be written."""
    target = Path(out)
    if is_folder(target):
        check_folder(target)
        return target
    if any(target.resolve() == path.resolve() for path in paths):
        raise SettingError("setting_invalid", setting="--out", reason=f"{out} = RUN")
    # With "/" at its end a folder is meant: one that is missing is no file without an ending.
    check_file(target / RESULT if out.endswith(("/", os.sep)) else target)
    return target


def _write_into(
    folder: Path, paths: Sequence[Path], results: Sequence[Result], made: bytes, suffix: str
) -> None:
    """Write a file named after the recording, and never over that of another recording.

    Names do not depend on what was exported before, as long as nothing but exports of this store
    lies in the folder: of several recordings that would be called the same, each is known by
    its folder or its ending, and of several runs of one recording the later ones by their date.
    """
    mine = Recorded.of(results)
    older, younger = _beside(paths)
    plain, stem = labels(mine)[0], apart(mine, [*older, *younger])
    dated = f"{stem}_{_date(paths, results)}"
    stems = [dated] if any(is_same(mine, other) for other in older) else [stem, dated]
    for candidate in (*stems, f"{dated}_{name_digest(made)}"):
        path = folder / _on_disk(file_name(candidate, suffix, max_bytes=_name_max_bytes(folder)))
        if write_free(path, made) or path.read_bytes() == made:
            break
    if candidate != plain:
        message = TERMINAL["named_apart"](language(), name=file_name(plain, suffix), path=path)
        typer.echo(message, err=True)


def _beside(paths: Sequence[Path]) -> tuple[list[Recorded], list[Recorded]]:
    """Return the recordings of the runs beside these, older ones and younger ones."""
    own = {path.resolve().parent for path in paths}
    store = RunStore(min(own).parent)
    older: list[Recorded] = []
    younger: list[Recorded] = []
    side = older
    for name in reversed(store.names() if RUN_NAME.fullmatch(min(own).name) else []):
        folder = store.root / name
        if folder in own:
            side = younger
        elif (found := recorded(folder)) is not None:
            side.append(found)
    return older, younger


def _date(paths: Sequence[Path], results: Sequence[Result]) -> str:
    """Return what tells a run from all others of its store."""
    run = paths[0].resolve().parent.name
    if RUN_NAME.fullmatch(run):
        return run.partition("_")[2]
    return f"{results[0].created:%Y%m%d_%H%M%S}"


def _on_disk(name: str) -> str:
    """Return a name as Python asks for it, which is UTF-8 on the disk in every locale."""
    return os.fsdecode(name.encode())


def _name_max_bytes(folder: Path) -> int:
    """Longest name in a folder; an encrypted one may hold fewer bytes than others."""
    try:
        return min(NAME_MAX_BYTES, os.pathconf(folder, "PC_NAME_MAX"))
    except (AttributeError, OSError, ValueError):  # Windows, or a file system that does not say
        return NAME_MAX_BYTES
