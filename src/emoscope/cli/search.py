"""``emoscope search``: recordings of an index that are like one recording."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name
from emoscope.cli.sources import Named, expand
from emoscope.cli.streams import write
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.messages.vectors import SEARCH, SPACE_NAMES, alike, alike_key
from emoscope.outputs import run_vectors
from emoscope.paths.choices import SpaceName
from emoscope.results.result import Failure, Result
from emoscope.settings import Settings, language_of
from emoscope.vectors import Hit, Index, Space


def run_search(
    query: str,
    folder: Path,
    settings: Settings,
    *,
    count: int,
    space: SpaceName,
    segments: bool,
    approximate: bool = False,
    as_json: bool,
) -> None:
    """Recognize a recording and print what the index has that is like it.

    Args:
        query: a file, ``-``, or the folder of a run.
        folder: of the index.
        settings: model, limits and language.
        count: recordings to show at most.
        space: what near means: ``emotion``, ``sound`` or ``raw``.
        segments: look among segments in place of whole recordings.
        approximate: search the tables of LanceDB, which may miss some.
        as_json: print JSON in place of a table.

    Raises:
        VectorIndexError: there is no index, it is empty, damaged, or of another model; or it has
            no tables for approximate search, or they are of before a change.
        ExtraMissingError: approximate, and LanceDB is not installed.
        EmoscopeError: the query cannot be recognized.
    """
    language = language_of(settings.language)
    with Index.open(folder) as index:
        tables = index.approximate(space) if approximate else None
        result = _query(query, index, settings)
        hits = index.search(
            result, count=count, space=space, segments=segments, approximate=approximate
        )
        searched = index.space(space) if tables is None else tables.space
    found = None if tables is None else tables.facts.tables.get("segment" if segments else "clip")
    if as_json:
        document = _document(result, searched, hits) | {
            "approximate": None if found is None else asdict(found)
        }
        write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        return
    _print(hits, searched, language)
    if found is not None:
        line = SEARCH["approximate_answer"](language, recall=found.recall.mean)
        Console().print(line, style="dim", highlight=False)


def _query(query: str, index: Index, settings: Settings) -> Result:
    path = Path(query)
    if query.strip() and run_vectors.is_run(path):
        result = run_vectors.read_run(path)
        if result is not None and result.model.sha256 == index.facts.model_sha256:
            return result
    recognizer = open_model(settings, settings.file_limits)
    index.facts.check_model(index.name, recognizer.model)
    sound = run_vectors.sound_of(path) if query.strip() and run_vectors.is_run(path) else None
    (found,) = [Named(sound, path.name)] if sound is not None else list(expand([query]))[:1]
    if isinstance(found, Failure):
        raise found.error
    return recognizer.recognize(found.source, embedding=True, name=found.name)


def _shown(path: str) -> str:
    """Return a path as seen from here."""
    below = Path(path).is_relative_to(Path.cwd())
    return str(Path(path).relative_to(Path.cwd())) if path and below else path


def _document(result: Result, space: Space, hits: list[Hit]) -> dict[str, Any]:
    return {
        "query": result.name,
        "emotion": result.emotion.key,
        "space": {"name": space.name, "origin": space.origin, "usual": space.usual_cosines()},
        "hits": [{**hit.to_dict(), "alike": alike_key(hit.closer_than)} for hit in hits],
    }


def _print(hits: list[Hit], space: Space, language: Language) -> None:
    screen = Console()
    if not hits:
        screen.print(SEARCH["nothing"](language))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(SEARCH["recording"](language), overflow="fold")
    table.add_column(TERMINAL["emotion"](language), no_wrap=True)
    table.add_column(SEARCH["near"](language), no_wrap=True)
    table.add_column(SEARCH["cosine"](language), justify="right", no_wrap=True)
    table.add_column(SEARCH["where"](language), overflow="fold")
    for hit in hits:
        one = hit.entry
        span = f" {one.start_s:.2f}–{one.end_s:.2f} s" if one.kind == "segment" else ""
        table.add_row(
            escape(f"{one.name}{span}"),
            emotion_name(one.emotion, language),
            alike(hit.closer_than, language),
            f"{hit.cosine:.3f}",
            escape(_shown(one.path)),
        )
    screen.print(table)
    name = SPACE_NAMES[space.name](language)
    usual = space.usual_cosines()
    if usual:
        middle, high = usual["50%"], usual["99%"]
        line = SEARCH["usual"](language, space=name, middle=middle, high=high)
        screen.print(line, style="dim", highlight=False)
    if space.name != "raw" and space.origin != "shipped":
        screen.print(SEARCH[space.origin](language), style="dim", highlight=False)
