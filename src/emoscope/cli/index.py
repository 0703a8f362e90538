"""``emoscope index``: recordings and runs into an index of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from emoscope.audio.source import digest
from emoscope.batch.output import BatchOutput, is_batch_output
from emoscope.cli.model import open_model
from emoscope.cli.show import failure_line
from emoscope.cli.sources import Named, expand
from emoscope.errors import AudioError, EmoscopeError, SourceNotFoundError, VectorIndexError
from emoscope.files import check_folder
from emoscope.lists import reader
from emoscope.messages.aliases import LABEL_WORDS, SPEAKER_WORDS
from emoscope.messages.vectors import SEARCH
from emoscope.outputs import run_vectors
from emoscope.outputs.store import RESULT, read_result
from emoscope.paths.choices import Granularity
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, Result
from emoscope.settings import Settings, language_of
from emoscope.vectors import EntryDetails, Index
from emoscope.vectors.facts import IndexFacts
from emoscope.vectors.store import VectorStore

_COLUMNS = {**reader.COLUMNS, "speaker": SPEAKER_WORDS, "label": LABEL_WORDS}


@dataclass(slots=True)
class Counts:
    """What became of the recordings."""

    added: int = 0
    known: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class _Adding:
    """Adding to one index, which is made when the first vector is there."""

    folder: Path
    recognizer: Recognizer
    segments: bool
    counts: Counts = field(default_factory=Counts)
    index: Index | None = None

    def add(
        self, name: str, details: EntryDetails, source: bytes | Path, known_as: Result | None
    ) -> None:
        """Add one recording unless it is known.

        Args:
            name: what it is called.
            details: path, run, speaker and label.
            source: its sound.
            known_as: the run that the sound was kept for; None for a file of its own.
        """
        sha256 = digest(source)[0] if known_as is None else known_as.source.sha256
        if (
            self.index is not None
            and sha256
            and self.index.store.has(sha256, segments=self.segments)
        ):
            self.counts.known += 1
            return
        granularity: Granularity = "frame" if self.segments else "utterance"
        result = self.recognizer.recognize(
            source, granularity=granularity, embedding=True, name=name
        )
        self.put(result if known_as is None else run_vectors.as_run(result, known_as), details)

    def put(self, result: Result, details: EntryDetails) -> None:
        """Add a result."""
        if self.index is None:
            self.index = Index.open_or_create(self.folder, like=result)
        if self.index.add(result, details, segments=self.segments):
            self.counts.added += 1
        else:
            self.counts.known += 1

    def put_output(self, output: BatchOutput) -> None:
        """Add the vectors of a batch's output; nothing is recognized again."""
        if self.index is None:
            facts = IndexFacts.of(output.model, output.dim)
            self.index = Index(VectorStore.create(self.folder, facts))
        self.index.facts.check_model(self.index.name, output.model)
        for block, silent in output.blocks():
            added = self.index.store.add(block)
            self.counts.added += added
            self.counts.known += len(block) - added
            missing = (Failure(name, AudioError("speech_missing", name=name)) for name in silent)
            self.counts.failures.extend(missing)


def run_index(sources: list[str], folder: Path, settings: Settings, *, segments: bool) -> Counts:
    """Add recordings to an index and say what became of them.

    Args:
        sources: files, folders, lists, runs, folders of runs, or outputs of batches.
        folder: of the index; made when it is not there.
        settings: model, limits and language.
        segments: also a vector for each segment of the emotion curve.

    Raises:
        VectorIndexError: the index is of another model, damaged, or of a newer version.
        StoreError: it cannot be written; what was added before stays.
        ModelError: the model cannot be loaded.
    """
    language = language_of(settings.language)
    check_folder(folder)
    recognizer = open_model(settings, settings.file_limits)
    adding = _Adding(folder, recognizer, segments)
    adding.index = Index.open_if_there(folder, recognizer.model)  # before the work
    screen = Console(stderr=True)
    counts = adding.counts
    try:
        with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
            task = bar.add_task(SEARCH["working"](language), total=None)
            for source in sources:
                for one in _each(source, segments=segments):
                    _add(adding, one)
                    bar.advance(task)
    finally:
        for failure in counts.failures:
            line = failure_line(failure, language)
            screen.print(line, style="red", soft_wrap=True, markup=False)
        if adding.index is not None:
            numbers = {"added": counts.added, "known": counts.known}
            failed, total = len(counts.failures), len(adding.index)
            line = SEARCH["indexed"](language, **numbers, failed=failed, total=total)
            Console().print(line, highlight=False)
            adding.index.close()
    return counts


def _each(source: str, *, segments: bool) -> Iterator[Path | Named | Failure | BatchOutput]:
    """Yield what an argument means: a batch's output, the folders of runs, or recordings."""
    path = Path(source)
    if source.strip() and is_batch_output(path):
        output = BatchOutput.open(path)
        if segments:  # it holds none of their vectors
            raise VectorIndexError("batch_without_segments", name=path.name)
        yield output
        return
    if source.strip() and run_vectors.is_run(path):
        yield path
        return
    runs = run_vectors.run_folders(path) if source.strip() else []
    if runs:
        yield from runs
        return
    yield from expand([source], _COLUMNS)


def _add(adding: _Adding, one: Path | Named | Failure | BatchOutput) -> None:
    try:
        if isinstance(one, Failure):
            adding.counts.failures.append(one)
        elif isinstance(one, BatchOutput):
            adding.put_output(one)
        elif isinstance(one, Named):
            cells, name = one.cells, readable(one.name)
            path = "" if isinstance(one.source, bytes) else str(one.source.absolute())
            details = EntryDetails(path, "", cells.get("speaker", ""), cells.get("label", ""))
            adding.add(name, details, one.source, None)
        else:
            _add_run(adding, one)
    except EmoscopeError as error:
        if _ends_all(error) or isinstance(one, BatchOutput):
            raise
        name = readable(one.name)
        adding.counts.failures.append(Failure(name, error))


def _add_run(adding: _Adding, path: Path) -> None:
    """Add a run by its embedding, or by its sound where that was not kept."""
    details = EntryDetails(str(path.absolute()), path.name)
    result = run_vectors.read_run(path, segments=adding.segments)
    if result is not None and result.model.sha256 == adding.recognizer.model.sha256:
        adding.put(result, details)
        return
    sound = run_vectors.sound_of(path)
    if sound is None:
        raise SourceNotFoundError("source_not_found", name=str(path / "processed_audio.wav"))
    known = read_result(path / RESULT)
    adding.add(known.source.name, details, sound, known)


def _ends_all(error: EmoscopeError) -> bool:
    """Whether the next recording would fail as well: the index cannot be used, or not written."""
    return error.code.startswith(("index_", "store_"))
