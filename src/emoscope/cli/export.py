"""``emoscope export``: segments or curves of finished runs in the format of another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from emoscope.cli.language import language
from emoscope.cli.show import failure_line
from emoscope.cli.streams import write
from emoscope.errors import EmoscopeError, ResultError, SettingError
from emoscope.export.annotations import FORMATS, Format, check_segments, export
from emoscope.export.spoken_segments import check_utterances
from emoscope.export.together import NamedResults, export_together
from emoscope.files import atomic_write, check_file, check_folder, translated_os_errors, write_free
from emoscope.messages.texts import TERMINAL
from emoscope.outputs.recordings import Recorded, apart, is_same, labels, recorded
from emoscope.outputs.store import AUDIO, RESULT, RUN_NAME, RunStore, read_result
from emoscope.paths.access import is_file, is_folder
from emoscope.paths.file_names import NAME_MAX_BYTES, file_name, name_digest
from emoscope.results.result import Failure, Result


@dataclass(frozen=True, slots=True)
class _Recording:
    """A recording that is exported: a run, or one for each of its channels."""

    paths: list[Path] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    @property
    def run(self) -> str:
        """Name of the folder of the first run."""
        return self.paths[0].resolve().parent.name

    def takes(self, result: Result) -> bool:
        """Whether a result is that of another channel of this recording."""
        if result.channel is None or result.channel.count < 2:
            return False
        return all(
            (one.source.sha256, one.duration_s) == (result.source.sha256, result.duration_s)
            and one.channel is not None
            and one.channel.number != result.channel.number
            for one in self.results
        )


@dataclass(frozen=True, slots=True)
class _What:
    """What is written of each recording, and in which format."""

    name: str
    format: Format
    curve: bool
    utterances: bool

    def of(self, recording: _Recording, folder: Path | None) -> bytes:
        """Return the file of a recording that will stand in ``folder``."""
        return export(
            recording.results,
            self.name,
            curve=self.curve,
            utterances=self.utterances,
            sounds=[] if folder is None else _sounds(recording.paths, folder),
        )


def run_export(
    sources: list[Path],
    name: str,
    out: str | None,
    *,
    curve: bool = False,
    utterances: bool = False,
) -> bool:
    """Read runs; write one file to ``out`` or to standard output, or a file for each into a folder.

    Several recordings are one table, or in a format that is none a file each.

    Args:
        sources: runs' directories, their ``result.json``, and folders of runs. Runs of the
            channels of one recording stand together.
        name: the format.
        out: a file, or a folder in which files are named after recordings; None: stdout.
        curve: the rows of 20 ms in place of the segments.
        utterances: the utterances that were recognized alone, in place of the segments.

    Returns:
        Whether all of several recordings were written; those that were not are reported.

    Raises:
        SettingError: there is no such format, it has no place for a curve, it is no text and
            would go to a terminal, or ``out`` is what is read, or no folder where one is needed.
        RunNotFoundError: there is no result at the one source.
        RunDamagedError: it cannot be read.
        ResultError: the run was not made by frame, or without utterances.
        StoreError: ``out`` cannot be written, or the disk is full.
    """
    if curve and utterances:
        raise SettingError("setting_invalid", setting="--curve / --utterances", reason="choose one")
    what = _What(name, _checked_format(name, curve=curve), curve, utterances)
    if out is None and not what.format.is_text and sys.stdout.isatty():
        raise SettingError("setting_invalid", setting="--out", reason=f"FILE{what.format.suffix}")
    paths = [path for source in sources for path in _results_at(source)]
    recordings, failures = _read(paths)
    target = None if out is None else _checked_target(out, paths)
    is_single = len(recordings) + len(failures) == 1
    if what.format.table is None and not is_single:
        if out is None:
            raise SettingError("setting_invalid", setting="--out", reason="FOLDER")
        target = _new_folder(Path(out))
    if failures and not recordings:
        raise failures[0].error
    if target is not None and is_folder(target):
        failures += _write_each(target, recordings, what, is_single=is_single)
    elif is_single:
        made = what.of(recordings[0], None if target is None else target.parent)
        write(made) if target is None else atomic_write(target, made)
    else:
        failures += _write_table(target, recordings, what)
    for failure in failures:
        typer.echo(failure_line(failure, language()), err=True)
    return not failures


def _results_at(source: Path) -> list[Path]:
    """Return the ``result.json`` of a run, or those of a folder of runs, oldest first."""
    if not is_folder(source):
        return [source]
    names = [] if is_file(source / RESULT) else RunStore(source).names()
    return [source / name / RESULT for name in reversed(names)] or [source / RESULT]


def _read(paths: Sequence[Path]) -> tuple[list[_Recording], list[Failure]]:
    """Read results, put those of channels together, and collect what cannot be read."""
    recordings, failures = list[_Recording](), list[Failure]()
    for path in paths:
        try:
            result = read_result(path)
        except EmoscopeError as error:
            failures.append(Failure(str(path.parent), error))
            continue
        mine = next((one for one in reversed(recordings) if one.takes(result)), None)
        if mine is None:
            mine = _Recording()
            recordings.append(mine)
        mine.paths.append(path)
        mine.results.append(result)
    return recordings, failures


def _sounds(paths: Sequence[Path], folder: Path) -> list[str]:
    """Return where the sound of runs lies, seen from a folder; nothing where it is not kept."""
    found = [path.with_name(AUDIO) for path in paths]
    if not all(is_file(path) for path in found):
        return []
    try:
        inside = [os.path.relpath(path.resolve(), folder.resolve()) for path in found]
    except ValueError:  # on another drive of Windows
        return []
    return [Path(path).as_posix() for path in inside]


def _write_each(
    folder: Path, recordings: Sequence[_Recording], what: _What, *, is_single: bool
) -> list[Failure]:
    """Write a file for each recording into a folder; returns those that could not be."""
    failures, known = list[Failure](), dict[Path, Recorded | None]()
    for one in recordings:
        try:
            made = what.of(one, folder)
        except ResultError as error:
            if is_single:
                raise
            failures.append(Failure(str(one.paths[0].parent), error))
        else:
            _write_into(folder, one, made, what.format.suffix, known)
    return failures


def _write_table(
    target: Path | None, recordings: Sequence[_Recording], what: _What
) -> list[Failure]:
    """Write one table of all recordings; returns those that have nothing to write."""
    failures, able = list[Failure](), list[NamedResults]()
    for one in recordings:
        try:
            check_utterances(one.results) if what.utterances else check_segments(one.results)
        except ResultError as error:
            failures.append(Failure(str(one.paths[0].parent), error))
        else:
            able.append((one.run, one.results))
    if not able:
        raise failures[0].error
    made = export_together(able, what.name, curve=what.curve, utterances=what.utterances)
    write(made) if target is None else atomic_write(target, made)
    return failures


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
    """Return where to write, after checking that it can be written; folders above it are made."""
    target = Path(out)
    # With "/" at its end a folder is meant: one that is missing is no file without an ending.
    if is_folder(target) or out.endswith(("/", os.sep)):
        return _new_folder(target)
    if any(target.resolve() == path.resolve() for path in paths):
        raise SettingError("setting_invalid", setting="--out", reason=f"{out} = RUN")
    _new_folder(target.parent, what=target)
    check_file(target)
    return target


def _new_folder(folder: Path, *, what: Path | None = None) -> Path:
    """Make a folder, where it is not there yet.

    Args:
        folder: which.
        what: will be written, for the sentence; None: the folder.

    Raises:
        StoreError: the system refuses it, or a file has its name; its path is named.
    """
    with translated_os_errors(what or folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
    return folder


def _write_into(
    folder: Path,
    recording: _Recording,
    made: bytes,
    suffix: str,
    known: dict[Path, Recorded | None],
) -> None:
    """Write a file named after the recording, and never over that of another recording.

    Names do not depend on what was exported before, as long as nothing but exports of this store
    lies in the folder: of several recordings that would be called the same, each is known by
    its folder or its ending, and of several runs of one recording the later ones by their date.
    """
    paths, results = recording.paths, recording.results
    mine = Recorded.of(results)
    older, younger = _beside(paths, known)
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


def _beside(
    paths: Sequence[Path], known: dict[Path, Recorded | None]
) -> tuple[list[Recorded], list[Recorded]]:
    """Return the recordings of the runs beside these, older ones and younger ones.

    Args:
        paths: results of the runs of one recording.
        known: by folder, what was read before; gets what is read now.
    """
    own = {path.resolve().parent for path in paths}
    store = RunStore(min(own).parent)
    older: list[Recorded] = []
    younger: list[Recorded] = []
    side = older
    for name in reversed(store.names() if RUN_NAME.fullmatch(min(own).name) else []):
        folder = store.root / name
        if folder in own:
            side = younger
            continue
        if folder not in known:
            known[folder] = recorded(folder)
        if (found := known[folder]) is not None:
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
