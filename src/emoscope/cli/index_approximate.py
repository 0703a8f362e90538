"""``emoscope index --approximate``: tables for approximate search, and how much they find."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from emoscope.messages.vectors import SEARCH, SPACE_NAMES
from emoscope.paths.choices import SpaceName
from emoscope.settings import Settings, language_of
from emoscope.vectors import Index


def run_approximate(folder: Path, space: SpaceName, settings: Settings) -> None:
    """Make the tables of one space and print their recall.

    Args:
        folder: of the index.
        space: ``emotion``, ``sound`` or ``raw``.
        settings: language.

    Raises:
        VectorIndexError: there is no index, it is empty or damaged, or LanceDB failed.
        StoreError: they cannot be written; those of before stay.
        ExtraMissingError: LanceDB is not installed.
    """
    language, screen = language_of(settings.language), Console(stderr=True)
    with (
        Index.open(folder) as index,
        Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar,
    ):
        task = bar.add_task(SEARCH["mapping"](language), total=None)
        facts = index.build_approximate(
            space, listener=lambda done, total: bar.update(task, completed=done, total=total)
        )
    for kind, table in facts.tables.items():
        line = SEARCH["approximate_built" if table.partitions else "approximate_whole"](
            language,
            space=SPACE_NAMES[space](language),
            kind=SEARCH[kind](language),
            rows=table.rows,
            partitions=table.partitions,
            probes=table.probes,
            queries=table.recall.queries,
            recall=table.recall.mean,
            worst=table.recall.worst,
        )
        Console().print(line, highlight=False, soft_wrap=True)
